"""What a test does without a program, package or weights that it needs."""

import os

import pytest


def lacking(variable: str, why: str) -> None:
    """Skip the test; where the variable says "required", as in CI, fail it. why: what is missing, and how to get it."""
    (pytest.fail if os.environ.get(variable) == "required" else pytest.skip)(why)
