"""A real `Run` of notebook 10's two trainings, short enough for a test: `smoke`, with more steps, so that a loss weight shows.

    python tests/check/short_run.py

trains seeds 0 to 4 and writes the reference tests/check/reference.
"""

from __future__ import annotations

import csv
import json
import sys
import tempfile
from dataclasses import replace
from pathlib import Path

from facesr_lib.evaluate import Run
from facesr_lib.evaluate.scoring import Backends, Scoring
from facesr_lib.image import resize_bicubic
from facesr_lib.papers.human_gan import Config
from facesr_lib.papers.human_gan.experiments import PIXEL_WEIGHT, Experiments
from facesr_lib.papers.human_gan.names import GAN, WITH_PIXEL_TERM
from facesr_tools.check import read_run

REFERENCE = Path(__file__).parent / "reference"
SEEDS = range(5)
CONFIG = replace(Config.preset("smoke"), images=(64, 8, 40), epochs=(8, 4))


def short_run(out: Path, seed: int, pixel_weight: float = PIXEL_WEIGHT) -> None:
    """Train the paper's GAN and the one with a pixel term of this weight, score both and bicubic, and leave a result.json."""
    run = Run.start(
        "10_human_face_gan",
        title="The human-face GAN",
        paper="human_gan",
        profile="smoke",
        seed=seed,
        device="cpu",
        output_dir=str(out),
    )
    run.config(CONFIG)
    experiments = Experiments(CONFIG, "", run.stages, seed, "cpu")
    scoring = Scoring(run, experiments.test, CONFIG.degradation, crop=0, backends=Backends(None, None), y=False)
    scoring("bicubic", lambda lr: resize_bicubic(lr, 2))
    for name, config in ((GAN, CONFIG), (WITH_PIXEL_TERM, replace(CONFIG, pixel_weight=pixel_weight))):
        scoring(name, experiments._stage(name, config).train(run.stages).method.super_resolve)
    run.finish()


def write_reference() -> None:
    """Write scores.csv and provenance.json, as `facesr results` does, from a run of every seed."""
    REFERENCE.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as scratch:
        for seed in SEEDS:
            short_run(Path(scratch) / f"seed-{seed}", seed)
        side = read_run(Path(scratch))
    rows = []
    for place, score in side.scores.items():
        rows += [
            {**place._asdict(), "label": score.label, "n": score.n, "people": score.people, "seed": seed, "mean": f"{mean:.6g}"}
            for seed, mean in score.means.items()
        ]
    with open(REFERENCE / "scores.csv", "w", encoding="utf-8", newline="") as file:
        table = csv.DictWriter(file, list(rows[0]), lineterminator="\n")
        table.writeheader()
        table.writerows(rows)
    data = {name: sorted(checksums) for name, checksums in side.data.items()}
    facts = {"profile": side.profile, "seeds": list(SEEDS), "data": data}
    (REFERENCE / "provenance.json").write_text(json.dumps(facts, indent=1) + "\n")


if __name__ == "__main__":
    sys.exit(write_reference())
