"""One page per public package of the library: what it is for, its names, and each name's signature and docstring."""

import importlib
import inspect
import pkgutil
import re
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any, get_origin

LIBRARY = "facesr_lib"


def write_api(project: Path) -> list[str]:
    """Write `project`/api/*.md and return the pages' names, the overview first."""
    (project / "api").mkdir()
    pages = []
    for module in public_modules():
        page = f"api/{module.__name__}"
        (project / f"{page}.md").write_text(_page(module), encoding="utf-8")
        pages.append(page)
    entries = "\n".join(f"/{page}" for page in pages)
    intro = "# API reference\n\nWhat a notebook imports, package by package.\n\n"
    (project / "api" / "index.md").write_text(f"{intro}```{{toctree}}\n:maxdepth: 1\n\n{entries}\n```\n", encoding="utf-8")
    return ["api/index", *pages]


def public_modules() -> Iterator[ModuleType]:
    """The library's packages, every paper and every explorer, in alphabetical order; those without public names are left out."""
    library = importlib.import_module(LIBRARY)
    names = [info.name for info in pkgutil.iter_modules(library.__path__, f"{LIBRARY}.") if info.ispkg]
    for package in (f"{LIBRARY}.papers", f"{LIBRARY}.explore"):  # their own names are few: each module is imported by itself
        path = importlib.import_module(package).__path__
        names += [info.name for info in pkgutil.iter_modules(path, f"{package}.")]
    for name in sorted(names):
        module = importlib.import_module(name)
        if public_names(module):
            yield module


def public_names(module: ModuleType) -> list[str]:
    """What `module` offers: `__all__` without names of types, else the functions and classes that it or its submodules define."""
    if hasattr(module, "__all__"):
        values = {str(name): getattr(module, name) for name in module.__all__}
        return [name for name, value in values.items() if not inspect.ismodule(value) and get_origin(value) is None]
    own = [name for name, value in vars(module).items() if not name.startswith("_") and _defines(module, value)]
    return sorted(own)


def _defines(module: ModuleType, value: object) -> bool:
    """Whether a value that can be called (a class, a function, a metric such as PSNR) comes from the module or its submodules."""
    return callable(value) and f"{getattr(value, '__module__', '')}.".startswith(f"{module.__name__}.")


def _page(module: ModuleType) -> str:
    names = public_names(module)
    listed = "\n".join(f"   {name}" for name in names)
    described = "\n".join(_entry(module, name) for name in names)
    name = module.__name__
    return (
        f"# {name}\n\n```{{eval-rst}}\n.. automodule:: {name}\n   :no-members:\n\n.. currentmodule:: {name}\n\n"
        f".. autosummary::\n   :nosignatures:\n\n{listed}\n\n{described}\n```\n"
    )


def _entry(module: ModuleType, name: str) -> str:
    value = getattr(module, name)
    if inspect.isclass(value):
        return f".. autoclass:: {name}\n   :members:\n"
    return f".. {'autofunction' if callable(value) else 'autodata'}:: {name}\n"


def setup(app: Any) -> dict[str, bool]:
    """Register with Sphinx: docstrings are plain text with `code`, in which | and * mean nothing else."""

    def plain(_app: Any, _what: str, _name: str, _value: Any, _options: Any, lines: list[str]) -> None:
        parts = re.split(r"(`[^`]*`)", "\n".join(lines))  # text, code, text, ...
        for number in range(0, len(parts), 2):
            parts[number] = re.sub(r"([|*])", r"\\\1", parts[number])
            if number and re.match(r"\w", parts[number]):
                parts[number] = "\\ " + parts[number]  # as in `name`s
        lines[:] = "".join(parts).split("\n")

    app.connect("autodoc-process-docstring", plain)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
