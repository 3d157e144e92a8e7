"""Which lines of a handed-in notebook `facesr grade` runs again, by their syntax tree.

Runs imports, definitions, and statements made of literals, operators, known names, and calls of what `allowed.toml` lists. These
are functions of Python and the libraries that compute a value and do nothing else, and methods of numbers, texts, lists and
arrays. Of the notebook's own functions, those whose bodies are made of the same. Opens no file, draws no figure, trains nothing,
and runs no `while`. So grading is short and leaves no traces. It is no protection: an answer's body runs when its check calls it.
"""

import ast
import builtins
import tomllib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from importlib.resources import files
from typing import Any

_LISTS = tomllib.loads((files("facesr_tools.classroom") / "allowed.toml").read_text(encoding="utf-8"))
ALLOWED = {name: frozenset(text.split()) for name, text in _LISTS.items()}
_MODULES = tuple(f"{name}." for name in ALLOWED["modules"])
_NODES = (
    *(ast.Constant, ast.Attribute, ast.Subscript, ast.Slice, ast.Starred, ast.Tuple, ast.List, ast.Set, ast.Dict, ast.BinOp),
    *(ast.UnaryOp, ast.BoolOp, ast.Compare, ast.IfExp, ast.JoinedStr, ast.FormattedValue, ast.NamedExpr, ast.keyword),
    *(ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp, ast.comprehension, ast.expr_context, ast.operator),
    *(ast.unaryop, ast.boolop, ast.cmpop, ast.Assign, ast.AnnAssign, ast.AugAssign, ast.Delete, ast.Expr, ast.Pass, ast.If),
    *(ast.For, ast.Break, ast.Continue, ast.Try, ast.ExceptHandler, ast.With, ast.withitem, ast.Raise, ast.Assert, ast.Return),
    *(ast.Import, ast.ImportFrom, ast.alias, ast.Nonlocal),
)
_FUNCTIONS = ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda


class Unsafe(Exception):
    """A statement is not run; says why."""


@dataclass
class Known:
    """What is known of a notebook so far.

    names: the values.  unknown: name -> why its value is not known.  origins: name -> "torch.nn.functional", from the imports.
    bodies: the notebook's own functions and classes.
    """

    names: dict[str, Any] = field(default_factory=dict)
    unknown: dict[str, str] = field(default_factory=dict)
    origins: dict[str, str] = field(default_factory=dict)
    bodies: dict[str, ast.AST] = field(default_factory=dict)

    def path(self, node: ast.AST | None) -> str:
        """`F.softplus` -> "torch.nn.functional.softplus", by the imports; "" for what was not imported."""
        if isinstance(node, ast.Name):
            return self.origins.get(node.id, "")
        if isinstance(node, ast.Attribute) and (before := self.path(node.value)):
            return f"{before}.{node.attr}"
        return ""

    def computes(self, function: ast.AST) -> bool:
        """Whether a call of this expression only computes a value, by the lists above."""
        if isinstance(function, ast.Name) and function.id not in self.names.keys() | self.unknown.keys():
            value = getattr(builtins, function.id, None)
            return function.id in ALLOWED["builtins"] or (isinstance(value, type) and issubclass(value, BaseException))
        library, _, name = self.path(function).partition(".")
        if library in ("numpy", "torch") and name in ALLOWED["arrays"]:
            return True
        return f"{library}.{name}".startswith(_MODULES) and not name.endswith("_")

    def value(self, node: ast.AST) -> Any:
        """What a name, or an attribute of an imported module, stands for; None if nothing."""
        if isinstance(node, ast.Attribute) and self.path(node):
            return getattr(self.value(node.value), node.attr, None)
        return self.names.get(node.id, getattr(builtins, node.id, None)) if isinstance(node, ast.Name) else None


def require_safe(statement: ast.stmt, known: Known) -> None:
    """Raise Unsafe, which says why, unless every part of a statement is on the lists."""
    _Visitor(known, frozenset(bound(statement)) - known.names.keys()).visit(statement)


class _Visitor(ast.NodeVisitor):
    def __init__(self, known: Known, local: frozenset[str]) -> None:
        self.known, self.local = known, local
        self.inside: tuple[ast.AST, ...] = ()

    def generic_visit(self, node: ast.AST) -> None:
        if not isinstance(node, _NODES):
            raise Unsafe(f"it has `{ast.unparse(node).splitlines()[0][:40]}`")
        super().generic_visit(node)

    def visit_Name(self, node: ast.Name) -> None:
        if node.id in self.local or isinstance(node.ctx, ast.Store):
            return
        if node.id in self.known.unknown:
            raise Unsafe(f"{node.id} is not known: {self.known.unknown[node.id]}")
        if node.id not in self.known.names and not hasattr(builtins, node.id):
            raise Unsafe(f"{node.id} is not defined")

    def visit_Attribute(self, node: ast.Attribute | ast.Subscript) -> None:
        if isinstance(node.ctx, ast.Store | ast.Del) and root(node) & self.known.origins.keys() - self.local:
            raise Unsafe(f"it changes {ast.unparse(node)}")
        self.generic_visit(node)

    visit_Subscript = visit_Attribute

    def visit_FunctionDef(self, node: ast.FunctionDef | ast.AsyncFunctionDef) -> None:
        self._decorators(node.decorator_list)
        self._signature(node.args)
        self._mentioned(node.returns)

    visit_AsyncFunctionDef = visit_FunctionDef

    def visit_Lambda(self, node: ast.Lambda) -> None:
        self._signature(node.args)

    def visit_ClassDef(self, node: ast.ClassDef) -> None:
        self._decorators(node.decorator_list)
        self._mentioned(*node.bases, *(keyword.value for keyword in node.keywords))
        for part in node.body:
            self.visit(part)

    def visit_AnnAssign(self, node: ast.AnnAssign) -> None:
        self._mentioned(node.annotation)
        for part in filter(None, (node.target, node.value)):
            self.visit(part)

    def visit_Call(self, node: ast.Call) -> None:
        self._called(node.func)
        keeps = self.known.path(node.func) in ALLOWED["keepers"] or getattr(node.func, "id", "") in ("isinstance", "issubclass")
        for part in (*node.args, *node.keywords):
            self.visit(part)
            given = part.value if isinstance(part, ast.keyword) else part
            if isinstance(given, ast.Lambda) and not keeps:  # map, sorted and the like call what they are given
                self._body(given)
            elif callable(self.known.value(given)) and not keeps:
                self._called(given)

    def _decorators(self, decorators: list[ast.expr]) -> None:
        for decorator in decorators:
            self.visit(decorator) if isinstance(decorator, ast.Call) else self._called(decorator)

    def _signature(self, arguments: ast.arguments) -> None:
        self._mentioned(*(a.annotation for a in (*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs)))
        for part in filter(None, (*arguments.defaults, *arguments.kw_defaults)):
            self.visit(part)

    def _mentioned(self, *nodes: ast.AST | None) -> None:
        """Bases, annotations and modules: known, and nothing called."""
        for part in (part for node in nodes if node for part in ast.walk(node)):
            if isinstance(part, ast.Call):
                self.visit(part)
            elif isinstance(part, ast.Name) and part.id in self.known.unknown.keys() - self.local:
                self.visit_Name(part)

    def _called(self, function: ast.AST) -> None:
        """Raise Unsafe unless a call of this expression is allowed."""
        if isinstance(function, ast.Attribute) and not self.known.path(function):
            ours = bool(root(function) & self.local)
            plain = isinstance(self.known.value(function.value), list | dict | set)
            if function.attr in ALLOWED["methods"] or (function.attr in ALLOWED["changes"] and (ours or plain)):
                return self.visit(function.value)
        elif not root(function) & self.local:
            self._mentioned(function)
            if self.known.computes(function):
                return None
            if isinstance(function, ast.Name) and function.id in self.known.bodies:
                return self._body(self.known.bodies[function.id])
        raise Unsafe(f"it calls {ast.unparse(function)[:60]}")

    def _body(self, node: ast.AST | None) -> None:
        """Raise Unsafe unless what a function does, or a class when it makes an object, is allowed; nothing for other nodes."""
        if node in self.inside:
            return
        before = self.local, self.inside
        self.inside = (*self.inside, *([node] if node else []))
        if isinstance(node, ast.ClassDef):
            for base in node.bases:
                self._called(base)
            for part in node.body:
                if isinstance(part, ast.FunctionDef) and part.name in ("__init__", "__new__", "__post_init__"):
                    self._body(part)
        elif isinstance(node, _FUNCTIONS):
            self.local = self.local | frozenset(bound(node, inner=True))
            for statement in node.body if isinstance(node.body, list) else [node.body]:
                self.visit(statement)
        self.local, self.inside = before


def bound(node: ast.AST, *, inner: bool = False) -> Iterator[str]:
    """The names that a statement binds or deletes. inner: the arguments and names of the function `node` itself."""
    for part in _parts(node, inner):
        match part:
            case ast.Name(id=name, ctx=ast.Store() | ast.Del()) | ast.arg(arg=name):
                yield name
            case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name) | ast.ClassDef(name=name):
                yield name
            case ast.alias(name=name, asname=asname):
                yield asname or name.split(".")[0]
            case ast.ExceptHandler(name=str(name)) | ast.MatchAs(name=str(name)) | ast.MatchStar(name=str(name)):
                yield name


def loaded(node: ast.AST) -> Iterator[str]:
    """The names that a statement looks up when it runs."""
    return (part.id for part in _parts(node, False) if isinstance(part, ast.Name) and isinstance(part.ctx, ast.Load))


def changed(node: ast.AST, known: Known, inside: tuple[ast.AST, ...] = ()) -> set[str]:
    """The names that a statement which is not run may bind, or whose values it may change. inside: functions that call it."""
    found = set() if inside else set(bound(node))
    for part in _parts(node, bool(inside)):
        match part:
            case (
                ast.Attribute(ctx=ast.Store() | ast.Del(), value=value) | ast.Subscript(ctx=ast.Store() | ast.Del(), value=value)
            ):
                if not (isinstance(value, ast.Attribute) and known.path(value)):  # torch.backends.x.y = z is an option
                    found |= root(value)
            case ast.Call():
                found |= _changed_by(part, known, inside) - known.origins.keys()  # a call changes no module
    return found


def _changed_by(call: ast.Call, known: Known, inside: tuple[ast.AST, ...]) -> set[str]:
    function, path = call.func, known.path(call.func)
    given = {
        name for value in (*call.args, *call.keywords) for name in root(value.value if isinstance(value, ast.keyword) else value)
    }
    own = known.bodies.get(function.id) if isinstance(function, ast.Name) else None
    if own in inside or known.computes(function) or path.startswith(("matplotlib.", "facesr_lib.exercises.")):
        return set()
    if isinstance(function, ast.Name) and function.id in ALLOWED["readers"]:
        return set()
    if own is not None:
        within = changed(own, known, (*inside, own))
        parameters = set(bound(own, inner=True))
        declared = {name for node in ast.walk(own) if isinstance(node, ast.Global) for name in node.names}
        return within - parameters | declared | (given if isinstance(own, ast.ClassDef) or within & parameters else set())
    if path:
        return given
    return set() if isinstance(function, ast.Attribute) and function.attr in ALLOWED["methods"] else given | root(function)


def root(node: ast.AST) -> set[str]:
    """The name at the start of `name.x[y].z()`, or those of a tuple or list; empty for other expressions."""
    while isinstance(node, ast.Attribute | ast.Subscript | ast.Starred | ast.Call):
        node = node.func if isinstance(node, ast.Call) else node.value
    if isinstance(node, ast.Tuple | ast.List):
        return {name for item in node.elts for name in root(item)}
    return {node.id} if isinstance(node, ast.Name) else set()


def _parts(node: ast.AST, inner: bool) -> Iterator[ast.AST]:
    """All nodes that count when a statement runs: not the bodies of functions in it (inner: but that of `node`)."""
    yield node
    parts: Iterable[ast.AST | None] = ast.iter_child_nodes(node)
    if isinstance(node, _FUNCTIONS) and not inner:
        parts = (*getattr(node, "decorator_list", ()), *node.args.defaults, *node.args.kw_defaults)
    for part in parts:
        if part is not None:
            yield from _parts(part, False)
