"""What a check says: passed, not yet, or what is wrong. A check never raises, so that a notebook runs on."""

import copy
import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import wraps
from typing import Any, TypeVar, cast

import numpy as np
import torch
from torch import Tensor

Answer = TypeVar("Answer")
Mistakes = Iterable[tuple[Tensor, str]]  # the result of a typical mistake, and what to say of it


@dataclass(frozen=True)
class Feedback:
    """The outcome of a check; shown when it is a cell's last value."""

    passed: bool
    message: str

    def __repr__(self) -> str:
        return f"{'✓' if self.passed else '✗'} {self.message}"


def check(praise: str) -> Callable[[Callable[[Answer], None]], Callable[[Answer], Feedback]]:
    """Turn a function that asserts what a right answer does into a check that returns `Feedback`; `praise` is for passing.

    The function draws its inputs from torch's CPU generator with seed 0; the reader's own random stream is restored afterwards.
    The answer gets copies of tensors and arrays, so that one which works in place meets the same truth.
    """

    def decorate(examine: Callable[[Answer], None]) -> Callable[[Answer], Feedback]:
        @wraps(examine)
        def checked(answer: Answer) -> Feedback:
            def asked(*given: object) -> object:
                found = answer(*map(_copied, given))  # type: ignore[operator]
                assert found is not None, "Your function returns nothing. To print is not enough: end it with `return`."
                return found

            try:
                with torch.random.fork_rng(devices=[]):
                    torch.manual_seed(0)
                    examine(cast(Answer, asked))
            except NotImplementedError:
                return Feedback(False, "Not solved yet: replace the line that raises NotImplementedError and run the cell again.")
            except AssertionError as wrong:
                return Feedback(False, f"Not yet: {wrong}")
            except Exception as error:  # the reader's own code may raise anything
                if "does not require grad" in str(error):
                    return Feedback(False, "Not yet: no gradient arrives: a constant, .detach(), .item() or no_grad() stops it.")
                return Feedback(False, f"Your code raised {type(error).__name__}: {error}")
            return Feedback(True, praise)

        return checked

    return decorate


def _copied(given: object) -> object:
    return given.clone() if isinstance(given, Tensor) else copy.copy(given)


def expect_tensor(answer: object, shape: tuple[int, ...], hint: str = "") -> Tensor:
    """Return a reader's result. Raises AssertionError, which ends with `hint`, if it is no tensor of this shape."""
    assert isinstance(answer, Tensor), f"expected a tensor, got {type(answer).__name__}"
    assert answer.shape == shape, f"expected shape {tuple(shape)}, got {tuple(answer.shape)}. {hint}".rstrip()
    return answer


def expect_number(answer: object, name: str = "") -> float:
    """Return a reader's result, also from numpy or torch. Raises AssertionError, which begins with `name`, if not finite."""
    prefix = f"{name}: " if name else ""
    value: Any = answer.item() if isinstance(answer, Tensor | np.ndarray | np.generic) and answer.shape in ((), (1,)) else answer
    assert type(value) in (int, float), f"{prefix}expected a number, got {answer!r}"
    assert math.isfinite(value), f"{prefix}expected a finite number, got {answer!r}"
    return value


def expect_positions(answer: Iterable[object], hint: str = "") -> set[int]:
    """Return a reader's positions. Raises AssertionError, which ends with `hint`, if one comes twice, as in a mask."""
    given = np.asarray(answer if isinstance(answer, Tensor | np.ndarray) else list(answer)).ravel()
    found = [int(position) for position in given]
    assert given.dtype != bool and len(set(found)) == len(found), f"Return positions, each once, not a mask. {hint}".rstrip()  # noqa: PT018
    return set(found)


def expect_pair(answer: object, *names: str) -> tuple[float, float]:
    """Return a reader's two finite numbers; `names` are theirs. Raises AssertionError if there are others."""
    pair = np.asarray(answer, dtype=object).ravel()
    assert len(pair) == 2, f"return two numbers: {', '.join(names)}"
    first, second = map(expect_number, pair, names)
    return first, second


def expect_close(answer: object, expected: Tensor, hint: str, tolerance: float = 1e-4, mistakes: Mistakes = ()) -> None:
    """Raise AssertionError unless a reader's result is a finite tensor of the expected shape and values.

    The message says what differs and ends with `hint`. tolerance: largest error allowed, relative to 1 + the largest value.
    mistakes: the results of typical mistakes; the hint beside one replaces `hint` if the answer is equal to it.
    """
    got = expect_tensor(answer, expected.shape, hint)
    assert torch.isfinite(got).all(), f"the result holds NaN or infinity. {hint}"
    error = (got - expected).abs().max().item()
    if error > tolerance * (1 + expected.abs().max().item()):
        found = got.to(expected)
        hint = next((named for wrong, named in mistakes if torch.allclose(found, wrong, atol=1e-4)), hint)
        raise AssertionError(f"the largest error is {error:.3g}. {hint}")


def expect_numbers(answer: object, expected: object, hint: str, mistakes: Iterable[tuple[object, str]] = ()) -> None:
    """`expect_close` in float64 and to 1e-6, for a number, a sequence, an array or a tensor."""

    def tensor(numbers: object) -> Tensor:
        return torch.as_tensor(np.asarray(numbers, dtype=np.float64))

    numeric = isinstance(answer, float | int | list | tuple | np.ndarray | np.generic)
    wrong = [(tensor(mistake), named) for mistake, named in mistakes]
    expect_close(tensor(answer) if numeric else answer, tensor(expected), hint, 1e-6, wrong)
