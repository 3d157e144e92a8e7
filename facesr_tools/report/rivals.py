"""Scores of rivals' pictures (`facesr score --as`) beside those of the notebooks' own methods on the same images."""

from collections.abc import Sequence
from typing import Any

RIVAL = "rival_"  # how the names of their results begin


def with_rivals(results: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """The notebooks' results of one paper, each with the rivals' scores on the sets that it scored: as `judge` needs them.

    A set is the same if its name and its pixels are; then its people and their order are too.
    """
    rivals = [result for result in results if is_rival(result)]
    joined = []
    for result in results:
        if not is_rival(result):
            sets = {(data["name"], data["checksum"]) for data in result["data"]}
            shared = [(rival, {d["name"] for d in rival["data"] if (d["name"], d["checksum"]) in sets}) for rival in rivals]
            scores = [score for rival, names in shared for score in rival["scores"] if score["dataset"] in names]
            joined.append({**result, "scores": result["scores"] + scores})
    return joined


def is_rival(result: dict[str, Any]) -> bool:
    """Whether a result is of pictures made elsewhere."""
    return str(result["notebook"]).startswith(RIVAL)
