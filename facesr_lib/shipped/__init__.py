"""Networks that come with the package: a folder each, which `facesr weights export` writes from a finished run."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from safetensors.torch import load_file

import facesr_lib.image
from facesr_lib.config import restore
from facesr_lib.files import file_digest
from facesr_lib.papers import find_paper
from facesr_lib.training.trained import M

FOLDER = Path(__file__).parent


def load_shipped(name: str, rebuild: Callable[[Any], M]) -> tuple[M, dict[str, Any]] | None:
    """The method whose network comes as `name`, such as "isr_kd-face-only", on the CPU, and its config.json; None if none does.

    rebuild: a config's method, not built; its other networks stay untrained. Raises ValueError for a damaged or outdated file.
    """
    path = FOLDER / name / "model.safetensors"
    if not path.is_file():
        return None
    facts = json.loads(path.with_name("config.json").read_bytes())
    if file_digest(path) != facts["sha256"]:
        raise ValueError(f"{path} does not match the checksum in its config.json: install facesr again")
    method = rebuild(restore(facts["config"], {**vars(facesr_lib.image), **vars(find_paper(facts["paper"]).package)}))
    method.build()
    method.inference_network(facts["network"]).load_state_dict(load_file(path))
    method.begin_step(facts["steps"] - 1)
    return method, facts
