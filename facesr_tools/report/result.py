"""Reading result.json back: nothing is shown or judged that does not follow `result.schema.json`."""

import functools
import json
import math
from importlib.resources import files
from pathlib import Path
from typing import Any

from facesr_lib.data.images import ROLES
from facesr_lib.evaluate.result import without_home

_NON_FINITE = {"inf": math.inf, "-inf": -math.inf, "nan": math.nan}  # as `jsonable` writes them


class BrokenResult(ValueError):
    """A result.json that cannot be read or does not follow the schema; the message names the file and the fault."""


def check_result(result: Any, name: str = "result") -> None:
    """Raise BrokenResult, naming the offending field, unless `result` (JSON data) follows the schema."""
    from jsonschema.exceptions import best_match  # type: ignore[import-untyped]

    error = best_match(_validator().iter_errors(result))
    if error is not None:
        message = error.message if len(error.message) < 200 else error.message[:200] + " ..."
        raise BrokenResult(f"{name}: {'.'.join(str(part) for part in error.absolute_path) or 'top level'}: {message}")


def load_result(path: Path) -> dict[str, Any]:
    """Read and check a result.json; scores and table cells hold floats again where "inf", "-inf" or "nan" was written.

    What older schemas did not have is filled in. Before 2: the run's seed, no replicates, role "faces", groups unknown.
    Before 3: the metric's key, family and unit, as its label tells them. Before 4, the replicates of set-level scores came from
    a bootstrap, whose intervals were too wide: they are dropped, and no claim is decided on them.
    Raises BrokenResult for a file that is unreadable, not strict JSON, or of another schema version.
    """
    name = f"{path.parent.name}/{path.name}"
    try:
        result = json.loads(path.read_bytes(), parse_constant=_refuse_constant)
    except (OSError, ValueError, RecursionError) as error:
        raise BrokenResult(f"{name} cannot be read: {type(error).__name__}: {without_home(str(error))}") from error
    return checked_result(result, name)


def checked_result(result: Any, name: str) -> dict[str, Any]:
    """As `load_result`, of JSON data that was read already; name: what a message calls it. Raises BrokenResult."""
    check_result(result, name)
    for score in result["scores"]:
        score.setdefault("seed", result["seed"])
        score.setdefault("replicates", None)
        if result["schema"] < 4 and score["replicates"]:
            score["replicates"] = []
        score.setdefault("key", score["metric"])
        score.setdefault("family", _family_of_older(score["metric"]))
        score.setdefault("unit", "dB" if "(dB)" in score["metric"] else "")
        score |= {key: numbers_back(score[key]) for key in ("mean", "std", "values", "replicates")}
    for data in result["data"]:
        data.setdefault("role", ROLES[0])
        data.setdefault("groups", None)
    for table in result["tables"]:
        table["rows"] = numbers_back(table["rows"])
    return dict(result)


def _family_of_older(label: str) -> str:
    names = {name: name for name in ("PSNR", "SSIM", "LPIPS", "FID", "KID", "NIQE")}
    names |= {"FD": "FID", "ID": "identity", "NME": "landmark error"}
    family = names.get(label.split(" ")[0])
    return label if family is None else f"{family} of LR" if label.endswith(" of LR") else family


@functools.cache
def _validator() -> Any:
    # Here, not on top: what jsonschema loads takes seconds, and the site needs nothing of it.
    from jsonschema import Draft202012Validator  # type: ignore[import-untyped]

    schema = json.loads(files("facesr_tools.report").joinpath("result.schema.json").read_text(encoding="utf-8"))
    return Draft202012Validator(schema)


def _refuse_constant(name: str) -> None:
    raise ValueError(f"{name} is not strict JSON")


def numbers_back(value: Any) -> Any:
    """JSON data with floats where `jsonable` wrote "inf", "-inf" or "nan", in lists however deep."""
    if isinstance(value, list):
        return [numbers_back(item) for item in value]
    return _NON_FINITE.get(value, value) if isinstance(value, str) else value
