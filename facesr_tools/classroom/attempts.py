"""Check an answer: run again what of a notebook may run, then call the exercise's check."""

import ast
import builtins
import symtable
from collections.abc import Iterable, Iterator
from importlib import import_module
from types import BuiltinFunctionType, FunctionType, ModuleType

from IPython.display import display

from facesr_lib.exercises.feedback import Feedback
from facesr_tools.classroom.lessons import read_cell
from facesr_tools.classroom.safe import ALLOWED, Known, Unsafe, bound, changed, loaded, require_safe

_DEFINITIONS = ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef
_FIXED = (ModuleType, FunctionType, BuiltinFunctionType, type, int, float, complex, str, bytes, range, type(None))
_CHECKS = "facesr_lib.exercises."
_REBINDS = frozenset(("exec", "eval", "globals", "locals", "vars"))


class CannotJudge(ValueError):
    """The notebook ran something that is not run here, and the answer may depend on it; says what."""


class Notebook(Known):
    """What the code cells of a notebook leave behind, as far as it can be told without running all of them.

    Reads each cell as IPython does, and runs the statements that `safe` allows, in order, from the top as *Run All* does. A name
    is `unknown`, with the reason, once a statement that is not run, or fails here, may have bound it or changed its value. After
    a statement that fails, so is all that the rest of its cell binds. A cell that is no Python does nothing; `broken` says why.
    """

    def __init__(self, sources: Iterable[str]) -> None:
        super().__init__(names={"__name__": "__main__", "display": display}, unknown={"get_ipython": "it is IPython's own"})
        self.uses: dict[str, set[str]] = {}  # name -> the names that its definition mentions
        self.broken: list[str] = []
        self.anything = ""  # what may have bound any name
        self.flags = 0
        for self.cell, source in enumerate(sources, start=1):
            try:
                body = read_cell(source).body
            except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
                self.broken.append(f"code cell {self.cell} is no Python ({str(error)[:100]})")
                continue
            failed = ""
            for node in body:
                failed = self._forget(node, failed) if failed else self._run(node)

    def needed(self, name: str) -> Iterator[str]:
        """The names that `name` depends on: those its definition mentions, those that theirs mention, and so on."""
        todo, seen = [name], {name}
        while todo:
            new = self.uses.get(todo.pop(), set()) - seen
            yield from sorted(new)
            seen |= new
            todo += new

    def _run(self, node: ast.stmt) -> str:
        """Run one statement or forget what it may change. Returns why the rest of the cell is uncertain, or ""."""
        known = self.names.keys() | self.unknown.keys() | set(bound(node)) | set(vars(builtins))
        if (missing := sorted(set(loaded(node)) - known)) and not self.anything:
            return self._forget(node, f"{self._place(node)} fails, since {missing[0]} is not defined", None)
        try:
            require_safe(node, self)
        except Unsafe as error:
            return self._pass_over(node, f"{self._place(node)} is not run here, since {error}")
        except RecursionError:
            return self._pass_over(node, f"{self._place(node)} is nested too deeply")
        origins, bodies = dict(_origins(node, self)), _bodies(node, self)
        if isinstance(node, ast.ImportFrom) and node.module == "__future__":
            futures = import_module("__future__")
            self.flags |= sum(getattr(futures, alias.name).compiler_flag for alias in node.names if hasattr(futures, alias.name))
        try:
            code = compile(ast.Module([node], []), f"<cell {self.cell}>", "exec", self.flags, dont_inherit=True)
            exec(code, self.names)
        except (Exception, SystemExit) as error:  # a student's line can raise anything
            self._forget(node, f"{self._place(node)} raises {type(error).__name__} here: {str(error)[:100]}")
            return (
                "" if isinstance(node, ast.Import | ast.ImportFrom) else f"{self._place(node)} raises {type(error).__name__} here"
            )
        mentioned = _free(node)
        mentioned |= {name for other in mentioned for name in self.uses.get(other, ())}  # as they are now: other names for it
        for name in self.unknown.keys() & self.names.keys():
            del self.unknown[name]
        for name in bound(node):
            self.origins.pop(name, None)
            self.bodies.pop(name, None)
            self.uses[name] = mentioned
        self.origins |= origins
        self.bodies |= bodies
        return ""

    def _pass_over(self, node: ast.stmt, reason: str) -> str:
        if isinstance(node, ast.If) and (taken := self._take(node.test)) is not None:
            return next(filter(None, map(self._run, node.body if taken else node.orelse)), "")
        return self._forget(node, reason, failed="")

    def _take(self, test: ast.expr) -> bool | None:
        """The value of an `if`'s condition; None if it cannot be told."""
        try:
            require_safe(ast.Expr(test), self)
            return bool(eval(compile(ast.Expression(test), "<if>", "eval", dont_inherit=True), self.names))
        except Exception:  # Unsafe, or a student's condition raises anything
            return None

    def _forget(self, node: ast.stmt, reason: str, failed: str | None = None) -> str:
        """Make unknown what a statement that is not run may have changed."""
        commands = list(_commands(node))
        quiet = all(name in ALLOWED["commands"] for name, _ in commands)
        own = {part.id for part in ast.walk(node) if isinstance(part, ast.Name)} & _REBINDS - self.names.keys()
        if own or not quiet or "*" in bound(node):
            self.anything = reason
            for name in self.names.keys() - self.origins.keys() - {"__builtins__", "__name__", "display"}:
                self._lose(name, reason)
        for _, text in commands:  # %%capture out
            for name in (
                {word for word in text.replace("=", " ").split() if word.isidentifier()} - self.names.keys() - set(vars(builtins))
            ):
                self._lose(name, reason)
        binds = set(bound(node)) | set(self._declared(node))
        for name in changed(node, self) | binds:
            if name in binds or not _fixed(self.names.get(name)) or name in self.origins:
                self._lose(name, reason)
        return reason if failed is None else failed

    def _declared(self, node: ast.stmt) -> Iterator[str]:
        """The names that functions which a statement mentions declare as global; none for the call of a check."""
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Call) and self.path(node.value.func).startswith(_CHECKS):
            return
        for name in {reached for mentioned in _free(node) for reached in (mentioned, *self.needed(mentioned))}:
            for part in ast.walk(self.bodies.get(name, ast.Pass())):
                if isinstance(part, ast.Global):
                    yield from part.names

    def _lose(self, name: str, reason: str) -> None:
        self.names.pop(name, None)
        self.origins.pop(name, None)
        self.bodies.pop(name, None)
        self.unknown[name] = reason

    def _place(self, node: ast.stmt) -> str:
        line = next((f"%{name}" for name, _ in _commands(node)), ast.unparse(node).splitlines()[0])
        return f"`{line if len(line) <= 60 else line[:57] + '...'}` (code cell {self.cell})"


def attempt(name: str, check: str, notebook: Notebook) -> Feedback:
    """The feedback of `check` ("module:function") on the function `name` of a notebook.

    Raises CannotJudge where the verdict could be another one if all of the notebook were run.
    """
    if name not in notebook.names:
        if reason := notebook.unknown.get(name) or notebook.anything:
            raise CannotJudge(reason)
        broken = f": {notebook.broken[-1]}" if notebook.broken else ""
        return Feedback(False, f"There is no function {name}{broken}.")
    module, function = check.split(":")
    feedback: Feedback = getattr(import_module(module), function)(notebook.names[name])
    for needed in notebook.needed(name):
        builtin = hasattr(builtins, needed)
        reason = notebook.unknown.get(needed) or ("" if builtin or needed in notebook.names else notebook.anything)
        if reason and (builtin or not feedback.passed):
            raise CannotJudge(f"{name} uses {needed}: {reason}")
    return feedback


def _fixed(value: object) -> bool:
    """Whether no call can change a value."""
    return all(map(_fixed, value)) if isinstance(value, tuple | frozenset) else isinstance(value, _FIXED)


def _free(node: ast.stmt) -> set[str]:
    """The names of the notebook that a statement mentions, also in the bodies of its functions."""
    try:
        tables = [symtable.symtable(ast.unparse(node), "<cell>", "exec")]
    except (SyntaxError, ValueError, RecursionError):
        return {part.id for part in ast.walk(node) if isinstance(part, ast.Name)}
    found: set[str] = set()
    while tables:
        table = tables.pop()
        tables += table.get_children()
        top = table.get_type() == "module"
        found |= {symbol.get_name() for symbol in table.get_symbols() if symbol.is_referenced() and (top or symbol.is_global())}
    return found


def _origins(node: ast.stmt, known: Known) -> Iterator[tuple[str, str]]:
    """The imported names of a statement, and other names given to them, with their full paths."""
    match node:
        case ast.Import(names=names):
            for alias in names:
                yield (alias.asname, alias.name) if alias.asname else (alias.name.split(".")[0],) * 2
        case ast.ImportFrom(module=str(module), names=names, level=0):
            yield from ((alias.asname or alias.name, f"{module}.{alias.name}") for alias in names)
        case ast.Assign(targets=[ast.Name(id=name)], value=value) if path := known.path(value):
            yield name, path
        case ast.Try(body=body):
            for part in body:
                yield from _origins(part, known)


def _bodies(node: ast.stmt, known: Known) -> dict[str, ast.AST]:
    """The functions and classes that a statement defines at its top level, or gives another name."""
    match node:
        case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name) | ast.ClassDef(name=name):
            return {name: node}
        case ast.Assign(targets=[ast.Name(id=name)], value=ast.Lambda() as value):
            return {name: value}
        case ast.Assign(targets=[ast.Name(id=name)], value=ast.Name(id=other)) if other in known.bodies:
            return {name: known.bodies[other]}
    return {}


def _commands(node: ast.stmt) -> Iterator[tuple[str, str]]:
    """IPython's commands in a statement: name and arguments. `!ls` counts as none."""
    for part in ast.walk(node):
        match part:
            case ast.Call(func=ast.Attribute(value=ast.Call(func=ast.Name(id="get_ipython")), attr=attr), args=[*given]):
                words = [str(word.value) for word in given if isinstance(word, ast.Constant)]
                if attr in ("run_line_magic", "run_cell_magic") and words:
                    yield words[0].lstrip("%"), words[1] if len(words) > 1 else ""
                elif attr not in ("system", "getoutput"):
                    yield attr, ""
