"""result.json: what one finished notebook run found, as strict JSON that `facesr_tools/report/result.schema.json` describes.

JSON has no infinity and no not-a-number, and a PSNR of identical images is infinite. Such numbers are written as the strings
"inf", "-inf" and "nan" and become floats again when the report reads it; nothing is rounded, dropped or replaced.
"""

import json
import math
import os
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch

from facesr_lib.files import write_atomically

Score = dict[str, Any]
# 2 added: seed and replicates of a score, role and groups of a data set. 3 added: key, family and unit of a score's metric.
# 4: replicates are those of a jackknife, no longer of a bootstrap.
SCHEMA_VERSION = 4  # older ones can still be read


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
        return without_home(value)
    if value is None or isinstance(value, bool | int | float):
        return value
    raise TypeError(f"cannot write a {type(value).__name__} to JSON: give numbers, texts, lists, mappings or arrays")


def write_json(path: Path, value: Any) -> None:
    """Write `value` as strict, indented UTF-8 JSON, atomically."""
    text = json.dumps(jsonable(value), indent=1, allow_nan=False, ensure_ascii=False)
    write_atomically(path, text + "\n")


def without_home(text: str) -> str:
    """A text with the reader's home folder written as "~"."""
    home = os.path.expanduser("~").rstrip("/\\")  # unlike Path.home(), none is no error
    return re.sub(rf"{re.escape(home)}(?![\w.-])", "~", text) if home else text


def pool_seeds(scores: Sequence[Score]) -> list[Score]:
    """Pool the scores of one method over its training seeds: every image's mean over the seeds, in the order of the first.

    `seeds` of a pooled record is their number. Seeds that were scored on another number of images than the first are left out.
    """
    found: dict[tuple[str, ...], list[Score]] = {}
    for score in scores:
        found.setdefault(tuple(score[name] for name in ("method", "dataset", "metric", "convention")), []).append(score)
    return [_pooled([s for s in members if len(s["values"]) == len(members[0]["values"])]) for members in found.values()]


def _pooled(members: list[Score]) -> Score:
    if len(members) == 1:
        return {**members[0], "seeds": 1}
    values = np.mean([score["values"] for score in members], axis=0)
    return {**members[0], **described(values), "seeds": len(members)}


def described(values: np.ndarray) -> Score:
    """The part of a record that scores (N,) determine: mean, sample standard deviation (None for one), values."""
    with np.errstate(invalid="ignore"):  # the spread of infinite scores is nan, which is meant
        spread = float(values.std(ddof=1)) if len(values) > 1 else None
    return {"mean": float(values.mean()), "std": spread, "values": values.tolist()}
