"""Check an answer: execute only the definitions of a notebook, then call the exercise's check."""

import ast
from collections.abc import Iterable, Mapping
from importlib import import_module
from typing import Any

from facesr_lib.exercises.feedback import Feedback
from facesr_tools.classroom.lessons import parse

_DEFINITIONS = (ast.Import, ast.ImportFrom, ast.FunctionDef, ast.ClassDef)


def attempt(name: str, check: str, scope: Mapping[str, Any]) -> Feedback:
    """The feedback of `check` ("module:function") on the function `name` of a namespace."""
    if name not in scope:
        return Feedback(False, f"There is no function {name}, or its cell cannot be read.")
    module, function = check.split(":")
    feedback: Feedback = getattr(import_module(module), function)(scope[name])
    return feedback


def definitions(sources: Iterable[str]) -> dict[str, Any]:
    """A namespace with the imports, functions, classes and literal constants of code cells; nothing else in them runs.

    Leaves out what fails, such as the import of a missing package or a default value that only a full run computes.
    """
    scope: dict[str, Any] = {"__name__": "__answer__"}
    for source in sources:
        for node in parse(source).body:
            if isinstance(node, _DEFINITIONS) or _is_literal(node):
                try:
                    exec(compile(ast.Module([node], []), "<cell>", "exec"), scope)
                except Exception:  # a student's definition can raise anything
                    continue
    return scope


def _is_literal(node: ast.stmt) -> bool:
    if not isinstance(node, ast.Assign):
        return False
    try:
        ast.literal_eval(node.value)
    except (ValueError, TypeError):
        return False
    return True
