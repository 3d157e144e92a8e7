"""What notebooks show beside results: the library's own source, figures of ideas, explorers with sliders."""

import inspect
from collections.abc import Callable
from typing import Any

from IPython.display import Code


def show_source(thing: type | Callable[..., Any]) -> Code:
    """The source of a class or function of the installed library, highlighted, as a cell's last value."""
    return Code(inspect.getsource(thing), language="python")
