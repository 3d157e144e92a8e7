"""What a check says: passed, not yet, or what is wrong. A check never raises, so that a notebook runs on."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

import torch
from torch import Tensor


@dataclass(frozen=True)
class Verdict:
    """The outcome of a check; shown when it is a cell's last value."""

    passed: bool
    message: str

    def __repr__(self) -> str:
        return f"{'✓' if self.passed else '✗'} {self.message}"


def verdict(examine: Callable[[], None], praise: str) -> Verdict:
    """Run `examine`, which asserts what a right answer does, and turn what happens into a Verdict."""
    try:
        examine()
    except NotImplementedError:
        return Verdict(
            False, "Not solved yet: replace the line that raises NotImplementedError, and run the cell again."
        )
    except AssertionError as wrong:
        return Verdict(False, f"Not yet: {wrong}")
    except Exception as error:  # the reader's own code may raise anything
        return Verdict(False, f"Your code raised {type(error).__name__}: {error}")
    return Verdict(True, praise)


def expect_close(
    answer: object,
    expected: Tensor,
    hint: str,
    tolerance: float = 1e-4,
    mistakes: Iterable[tuple[Tensor, str]] = (),
) -> None:
    """Assert that a reader's result is a tensor of the expected shape and values; messages say what differs, then the hint.

    mistakes: what typical mistakes would give, each with the hint that takes the place of `hint` for an answer equal to it.
    """
    assert isinstance(answer, Tensor), f"expected a tensor, got {type(answer).__name__}"
    assert answer.shape == expected.shape, f"expected shape {tuple(expected.shape)}, got {tuple(answer.shape)}. {hint}"
    assert torch.isfinite(answer).all(), f"the result holds NaN or infinity. {hint}"
    error = (answer - expected).abs().max().item()
    if error > tolerance * (1 + expected.abs().max().item()):
        got = answer.to(expected)
        hint = next((named for wrong, named in mistakes if torch.allclose(got, wrong, atol=1e-4)), hint)
        raise AssertionError(f"the largest error is {error:.3g}. {hint}")
