"""What takes minutes: environments of readers, whole runs. CI asks for it after `make test`, which must not take so long."""

import os

import pytest


@pytest.fixture(autouse=True, scope="session")
def _asked_for() -> None:
    if os.environ.get("FACESR_TEST_ENVIRONMENTS") != "required":
        pytest.skip("whole runs and environments, ten minutes together: FACESR_TEST_ENVIRONMENTS=required, as in CI, runs them")
