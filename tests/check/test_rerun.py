"""A real run of notebook 10's trainings passes the check against a reference of five seeds; one with another loss weight fails.

The reference is made by `python tests/check/short_run.py`.
"""

from __future__ import annotations

from pathlib import Path

import pytest
from short_run import REFERENCE, SEEDS, short_run
from typer.testing import CliRunner

from facesr_lib.papers.human_gan.experiments import PIXEL_WEIGHT
from facesr_lib.papers.human_gan.names import WITH_PIXEL_TERM
from facesr_tools.check import compare, read_reference, read_run
from facesr_tools.cli.main import app


@pytest.mark.slow
def test_a_second_run_passes_and_a_changed_loss_weight_fails(tmp_path: Path) -> None:
    seed = max(SEEDS) + 3  # one that the reference has not
    for weight, code in ((PIXEL_WEIGHT, 0), (PIXEL_WEIGHT / 10, 1)):
        short_run(tmp_path, seed, weight)  # the second time, the other training is found in the cache
        done = CliRunner().invoke(app, ["check", str(tmp_path), "--against", str(REFERENCE)])
        assert done.exit_code == code, done.output
    found = compare(read_run(tmp_path), read_reference(REFERENCE))
    assert [method.method for method in found.named] == [WITH_PIXEL_TERM]
    assert found.moved == []
