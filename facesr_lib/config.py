"""What a result depends on, as plain data: profile, config, code. Nothing here imports torch."""

import ast
import dataclasses
import functools
import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal, get_args

Profile = Literal["smoke", "quick", "evening", "workshop", "paper"]
PROFILES: tuple[Profile, ...] = get_args(Profile)
FRESH_SINCE = "fresh-since.txt"  # seconds since 1970, in the run folder of a notebook

# The parts of the library whose code decides what a stage computes; the report and the command line only show it.
_COMPUTING = ("image", "data", "nn", "losses", "metrics", "training", "papers")


def check_profile(name: str) -> Profile:
    """Return `name` if it is one of smoke, quick, evening, workshop, paper; otherwise raise a ValueError that lists them."""
    if name in PROFILES:
        return name
    raise ValueError(f"unknown profile {name!r}: choose one of {', '.join(PROFILES)}")


def plain(value: Any) -> Any:
    """Turn a config (dataclasses, mappings, sequences, paths, scalars) into JSON data.

    A dataclass keeps its class name under the key `type`, so that two degradations with the same fields differ.
    Raises TypeError for anything that has no obvious JSON form (a tensor, a function), since it could not be hashed honestly.
    """
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        fields = {f.name: plain(getattr(value, f.name)) for f in dataclasses.fields(value)}
        return {"type": type(value).__name__, **fields}
    if isinstance(value, Mapping):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [plain(item) for item in value]
    if isinstance(value, Path):
        return str(value)
    if value is None or isinstance(value, bool | int | float | str):
        return value
    raise TypeError(f"a config holds {type(value).__name__}, which is not plain data (numbers, strings, tuples, dataclasses)")


def restore(data: Any, classes: Mapping[str, Any]) -> Any:
    """The inverse of `plain` for configs: JSON data -> dataclasses, looked up by name in `classes`; lists become tuples.

    Raises ValueError, naming the class, for a class or field that this version does not know or lacks.
    """
    if isinstance(data, list):
        return tuple(restore(item, classes) for item in data)
    if not isinstance(data, dict):
        return data
    values = {key: restore(value, classes) for key, value in data.items() if key != "type"}
    try:
        return classes[data["type"]](**values) if "type" in data else values
    except (KeyError, TypeError) as error:  # a class or a field that is gone, or one more without a default
        raise ValueError(f"the setting {data['type']!r} is unknown or has other fields in this version ({error})") from error


def config_hash(config: Any) -> str:
    """Twelve hexadecimal digits of the SHA-256 of a config's canonical JSON; equal configs give equal hashes on any machine."""
    text = json.dumps(plain(config), sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()[:12]


@functools.cache
def code_fingerprint() -> str:
    """The `fingerprint` of this installation, so that old results never pass for those of new code."""
    return fingerprint(Path(__file__).resolve().parent)


def fingerprint(package: Path) -> str:
    """Twelve hexadecimal digits of the SHA-256 of a package's computing sources without comments and docstrings."""
    digest = hashlib.sha256()
    for folder in _COMPUTING:
        for source in sorted((package / folder).rglob("*.py")):
            digest.update(source.relative_to(package).as_posix().encode())
            digest.update(_code_of(source.read_text(encoding="utf-8")).encode())
    return digest.hexdigest()[:12]


def _code_of(source: str) -> str:
    """Python source as the parser sees it: formatting and comments are gone, and so are the docstrings."""
    tree = ast.parse(source)
    for node in ast.walk(tree):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef) and ast.get_docstring(node):
            node.body = node.body[1:]
    return _shape(tree)


def _shape(node: object) -> str:
    """A syntax tree as text, the same in every Python: from 3.12 on `ast.unparse` quotes, and `ast.dump` fills in, otherwise."""
    if isinstance(node, ast.AST):
        fields = (f"{name}={_shape(value)}" for name, value in ast.iter_fields(node) if value is not None and value != [])
        return f"{type(node).__name__}({' '.join(fields)})"
    return f"[{' '.join(map(_shape, node))}]" if isinstance(node, list) else repr(node)


def read_fresh_since(folder: Path) -> float:
    """The moment before which trainings do not count, left by `facesr run --fresh` in the run folder; 0 if there is none."""
    try:
        return float((folder / FRESH_SINCE).read_text())
    except FileNotFoundError:
        return 0.0
    except ValueError:
        raise ValueError(f"{folder / FRESH_SINCE} is damaged: delete it, or run with --fresh again") from None
