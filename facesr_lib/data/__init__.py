"""Images for training and evaluation: sources, splits by person, packed sets, batches.

The names are those of `__init__.pyi`. Each is imported on first use, so that `facesr data prepare` and its workers, which
import single modules of this package, need no torch and none of its memory.
"""

import ast
from importlib import import_module
from pathlib import Path

_STUB = ast.parse(Path(__file__).with_suffix(".pyi").read_text("utf-8")).body
_MODULES = {name.name: node.module for node in _STUB if isinstance(node, ast.ImportFrom) for name in node.names}
__all__ = sorted(_MODULES)


def __getattr__(name: str) -> object:  # PEP 562
    if name not in _MODULES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_MODULES[name]}"), name)


def __dir__() -> list[str]:
    return __all__
