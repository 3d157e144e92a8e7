"""result.json: what one finished notebook run found, as strict JSON that `result.schema.json` describes.

JSON has no infinity and no not-a-number, and a PSNR of identical images is infinite. Such numbers are written as the strings
"inf", "-inf" and "nan" and become floats again in `load_result`; nothing is rounded, dropped or replaced by a large number.
"""

from __future__ import annotations

import functools
import json
import math
import re
from collections.abc import Mapping
from importlib.resources import files
from pathlib import Path
from typing import Any

import numpy as np
import torch

from facesr_lib.files import write_atomically

SCHEMA_VERSION = 2  # 2 added: seed and replicates of a score, role and groups of a data set; 1 can still be read
ROLES = ("faces", "cartoons", "real LR faces", "validation faces")  # what a data set can stand for in a paper's claims
DEFAULT_ROLE = ROLES[0]
NON_FINITE = {"inf": math.inf, "-inf": -math.inf, "nan": math.nan}


class BrokenResult(ValueError):
    """A result.json that cannot be read or does not follow the schema; the message names the file and the fault."""


def jsonable(value: Any) -> Any:
    """Turn mappings, sequences, arrays, tensors, paths and numbers into strict JSON data (see the module's text on inf and nan).

    The reader's home folder is written as "~" wherever it occurs in a text. Raises TypeError for anything else.
    """
    if isinstance(value, Mapping):
        return {str(key): jsonable(item) for key, item in value.items()}
    if isinstance(value, torch.Tensor):
        value = value.detach().cpu().tolist()
    if isinstance(value, np.ndarray | np.generic):
        value = value.tolist()
    if isinstance(value, list | tuple):
        return [jsonable(item) for item in value]
    if isinstance(value, float) and not math.isfinite(value):
        return "nan" if math.isnan(value) else "inf" if value > 0 else "-inf"
    if isinstance(value, Path):
        value = str(value)
    if isinstance(value, str):
        return _without_home(value)
    if value is None or isinstance(value, bool | int | float):
        return value
    raise TypeError(f"cannot write a {type(value).__name__} to JSON: give numbers, texts, lists, mappings or arrays")


def write_json(path: Path, value: Any) -> None:
    """Write `value` as strict, indented UTF-8 JSON, atomically."""
    text = json.dumps(jsonable(value), indent=1, allow_nan=False, ensure_ascii=False)
    write_atomically(path, (text + "\n").encode())


def check_result(result: Any, name: str = "result") -> None:
    """Raise BrokenResult, naming the offending field, unless `result` (JSON data) follows the schema."""
    from jsonschema.exceptions import best_match  # type: ignore[import-untyped]  # slow to import, needed once per run

    error = best_match(_validator().iter_errors(result))
    if error is not None:
        message = error.message if len(error.message) < 200 else error.message[:200] + " ..."
        raise BrokenResult(f"{name}: {'.'.join(str(part) for part in error.absolute_path) or 'top level'}: {message}")


def load_result(path: Path) -> dict[str, Any]:
    """Read and check a result.json; scores and table cells hold floats again where "inf", "-inf" or "nan" was written.

    What schema 1 did not have is filled in: the run's seed, no replicates, role "faces", groups unknown.
    Raises BrokenResult for a file that is unreadable, not strict JSON, or of another schema version.
    """
    name = f"{path.parent.name}/{path.name}"
    try:
        result = json.loads(path.read_bytes(), parse_constant=_refuse_constant)
    except (OSError, ValueError, RecursionError) as error:
        raise BrokenResult(f"{name} cannot be read: {type(error).__name__}: {_without_home(str(error))}") from error
    check_result(result, name)
    for score in result["scores"]:
        score.setdefault("seed", result["seed"])
        score.setdefault("replicates", None)
        score |= {key: _numbers_back(score[key]) for key in ("mean", "std", "values", "replicates")}
    for data in result["data"]:
        data.setdefault("role", DEFAULT_ROLE)
        data.setdefault("groups", None)
    for table in result["tables"]:
        table["rows"] = _numbers_back(table["rows"])
    return dict(result)


@functools.cache
def _validator() -> Any:
    from jsonschema import Draft202012Validator  # type: ignore[import-untyped]

    schema = json.loads(files("facesr_lib.report").joinpath("result.schema.json").read_text(encoding="utf-8"))
    return Draft202012Validator(schema)


def _refuse_constant(name: str) -> None:
    raise ValueError(f"{name} is not strict JSON")


def _numbers_back(value: Any) -> Any:
    if isinstance(value, list):
        return [_numbers_back(item) for item in value]
    return NON_FINITE.get(value, value) if isinstance(value, str) else value


def _without_home(text: str) -> str:
    home = str(Path.home()).rstrip("/\\")
    return re.sub(rf"{re.escape(home)}(?![\w.-])", "~", text) if home else text
