"""Where a method is not, word for word, its paper's: read from the marks in the library's sources, which are not imported.

[ours]: the paper, and its released code where there is one, are silent; we chose, or added something. [departs]: they say
otherwise, and we do not follow. So does every sentence of a docstring's paragraph "Departures". A mark may give its reason, as
in "[ours: ...]". A claim with `mark = "ours"` is one that we added.
"""

import ast
import io
import re
import tokenize
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.resources import files
from importlib.resources.abc import Traversable

from facesr_lib.papers import Paper

SILENT, OTHERWISE = "the paper is silent, we chose", "we do otherwise"
_MARK = re.compile(r"\[(ours|departs)\b[^\]]*\]")
_BORDER = re.compile(r"(?<=[.!?])\s+")
_ABBREVIATION = re.compile(r"(?:^|\W)(?:al|eqs?|Eqs?|Figs?|figs?|sec|e\.g|i\.e|cf|vs|No)\.$")


@dataclass(frozen=True)
class Departure:
    """One marked sentence or comment.

    paper: its key, or "" for what papers share. where: module (below `facesr_lib.papers`, or `facesr_lib`) and class, function,
    field or constant. value: a field's or constant's as written, which is that of the `paper` preset. kind: SILENT or OTHERWISE.
    """

    paper: str
    where: str
    value: str
    text: str
    kind: str


def departures(paper: Paper | None) -> list[Departure]:
    """Those of one paper's folder and claims, or, for None, of the modules that papers share; what is done otherwise first."""
    folder = files("facesr_lib.papers") / paper.key if paper else files("facesr_lib")
    key, module = (paper.key, f"{paper.key}.") if paper else ("", "")
    found = [
        Departure(key, f"{name}{'.' * bool(place)}{place}", value, text, kind)
        for name, source in _sources(folder, module)
        for place, value, text, kind in read_marks(source.read_text(encoding="utf-8"))
    ]
    added = [claim for claim in paper.claims if claim.mark == "ours"] if paper else []
    found += [Departure(key, f"claim {claim.id}", "", f"{claim.text} [ours]", SILENT) for claim in added]
    return sorted(found, key=lambda one: one.kind != OTHERWISE)


def read_marks(source: str) -> Iterator[tuple[str, str, str, str]]:
    """The marked docstring sentences, then the marked comments of a module's source: place, value, text, kind."""
    tree = ast.parse(source)
    scopes = [("", tree), *_scopes(tree, "")]
    for place, node in scopes:
        for sentence, departs in _docstring(ast.get_docstring(node) or ""):
            if departs or _MARK.search(sentence):
                yield place, "", sentence, OTHERWISE if departs else _kind(sentence)
    for line, text in _comments(source):
        if _MARK.search(text):
            yield *_place(scopes, source, line), text, _kind(text)


def sentences(text: str) -> list[str]:
    """A paragraph cut at the ends of its sentences; "et al." and the like end none."""
    found: list[str] = []
    for piece in _BORDER.split(" ".join(text.split())):
        if found and _ABBREVIATION.search(found[-1]):
            found[-1] += f" {piece}"
        else:
            found.append(piece)
    return found


def _docstring(text: str) -> Iterator[tuple[str, bool]]:
    """A docstring's sentences, and whether each stands in its paragraph of departures; without those that explain the marks."""
    for block in re.split(r"\n\s*\n", text):
        head = re.match(r"Departures[.:]\s*", block)
        for item in re.split(r"\n(?=- )", block[head.end() :] if head else block):
            for sentence in sentences(item.removeprefix("- ")):
                if sentence and not re.match(r"Marks\b", sentence):
                    yield sentence[:1].upper() + sentence[1:] if head else sentence, bool(head)


def _comments(source: str) -> Iterator[tuple[int, str]]:
    """Comments, each with the line that it speaks of: one beside code is whole, one above code is cut into sentences."""
    lines = source.splitlines()
    block: list[str] = []
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        if token.type == tokenize.COMMENT:
            text = re.sub(r"^#\s*(noqa: \w+\s*)?", "", token.string)
            if lines[token.start[0] - 1].lstrip().startswith("#"):
                block.append(text)
            else:
                yield token.start[0], text
        elif block and token.type not in (tokenize.NL, tokenize.INDENT, tokenize.DEDENT):
            yield from ((token.start[0], sentence) for sentence in sentences(" ".join(block)))
            block = []


def _scopes(node: ast.AST, outer: str) -> Iterator[tuple[str, ast.ClassDef | ast.FunctionDef]]:
    """Every class and function below a node with its dotted name; a constructor goes by its class's."""
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.ClassDef | ast.FunctionDef):
            name = outer if child.name == "__init__" else f"{outer}.{child.name}".lstrip(".")
            yield name, child
            yield from _scopes(child, name)
        else:
            yield from _scopes(child, outer)


def _place(scopes: list[tuple[str, ast.Module | ast.ClassDef | ast.FunctionDef]], source: str, line: int) -> tuple[str, str]:
    """The innermost name around a line, and the value if the line belongs to a constant or field."""

    def holds(node: ast.stmt) -> bool:
        first = min([node.lineno, *(item.lineno for item in getattr(node, "decorator_list", []))])
        return first <= line <= (node.end_lineno or first)

    place, scope = [(name, node) for name, node in scopes if isinstance(node, ast.Module) or holds(node)][-1]
    if isinstance(scope, ast.FunctionDef):
        return place, ""
    for node in scope.body:
        if isinstance(node, ast.Assign | ast.AnnAssign) and holds(node):
            target = node.targets[0] if isinstance(node, ast.Assign) else node.target
            short = node.lineno == node.end_lineno and node.value is not None
            value = ast.get_source_segment(source, node.value) if short and node.value else source.splitlines()[line - 1]
            value = (value or "").partition("  #")[0].strip(" ,")
            return f"{place}.{ast.unparse(target).strip('()')}".lstrip("."), value if len(value) <= 60 else ""
    return place, ""


def _kind(text: str) -> str:
    return OTHERWISE if "[departs" in text else SILENT


def _sources(folder: Traversable, prefix: str) -> Iterator[tuple[str, Traversable]]:
    """Python files in and below a folder with their module names; the papers' only from their own folder on."""
    for entry in sorted(folder.iterdir(), key=lambda entry: entry.name):
        if entry.is_dir() and entry.name != "papers":
            yield from _sources(entry, f"{prefix}{entry.name}.")
        elif entry.name.endswith(".py"):
            yield f"{prefix}{entry.name.removesuffix('.py')}".removesuffix("__init__").rstrip("."), entry
