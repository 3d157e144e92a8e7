"""Every public function of images, losses and metrics, under inputs of any shape, type, layout and value.

Functions are found, not listed, and their arguments are made from their annotations (`any_arguments`). What they promise is read
off their docstrings: the shape after "->", "in [0, 1]", "Differentiable". A function that is new is tested without a word here.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
import torch
from any_arguments import TARGETS, Seed, Target, arguments_of, run, squared
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from torch import Tensor

from facesr_lib import metrics

pytestmark = pytest.mark.filterwarnings("ignore:Frechet distance of")


def some(target: Target, valid: bool) -> settings:
    """How many calls are tried; few of the metrics, whose networks take their time. The same ones every time."""
    most = (3 if valid else 12) if target.name.startswith("metrics.") else 12 if valid else 24
    return settings(max_examples=most, deadline=None, database=None, derandomize=True, suppress_health_check=list(HealthCheck))


EACH = pytest.mark.parametrize("target", TARGETS, ids=[target.name for target in TARGETS])


def promised_shape(target: Target, arguments: dict[str, Any], sizes: dict[str, int]) -> tuple[float, ...] | None:
    """The result's shape by the docstring; None where it depends on an argument that was not given."""
    _, arrow, after = target.doc.partition("->")
    first = next(value for name, value in arguments.items() if target.hints[name] is Tensor)
    if not arrow:
        assert "all return scalars" in target.doc, f"{target.name}: say in the docstring, after '->', what comes out"
        return ()
    if "size" in arguments and "or `size`" in after and arguments["size"] is not None:
        return (*first.shape[:2], *arguments["size"])
    if re.match(r"\s*(floats in \[0, 1\]|same shape|uint8 0..255 of the same shape)", after):
        return tuple(first.shape)
    if re.match(r"\s*scalar", after):
        return ()
    depth, words = 0, ""
    for letter in after.strip():
        depth += {"(": 1, ")": -1}.get(letter, 0)
        words += letter
        if not depth:
            break
    known = dict(zip("NCHW", first.shape, strict=True)) if first.ndim == 4 else sizes
    try:
        return tuple(eval(re.sub(r"(\d)([A-Z])", r"\1 * \2", words), {"ceil": math.ceil, **known, **arguments}))
    except (NameError, TypeError):
        return None


def numbers(result: Any) -> list[Tensor]:
    """All numbers of a result as tensors; scalars of a tuple count one by one."""
    if isinstance(result, dict):
        return numbers(tuple(result.values()))
    if isinstance(result, tuple):
        return [x for one in result for x in numbers(one)]
    return [] if result is None else [torch.as_tensor(result, dtype=torch.float64).detach()]


def finite(arguments: dict[str, Any]) -> bool:
    given = [torch.as_tensor(x) for x in arguments.values() if isinstance(x, Tensor | np.ndarray)]
    return all(bool(x.isfinite().all()) for x in given)


def scored_range(x: Any) -> bool:
    return bool(x.isfinite().all() and (not x.numel() or (x.min() >= -0.5 and x.max() <= 1.5)))


def check(target: Target, arguments: dict[str, Any], sizes: dict[str, int], result: Any) -> None:
    tensors = [arguments[name] for name in target.tensors]
    if target.name.startswith("metrics.") and tensors:
        looked_at = tensors[:1] if "niqe" in target.name else tensors  # NIQE needs no HR
        assert all(scored_range(x) for x in looked_at), "a score of values that are no image"
    if not finite(arguments):
        return
    for x in numbers(result):
        infinite_psnr = "psnr" in target.name.lower() and bool((x > 0).all())
        assert x.isfinite().all() or infinite_psnr, "not finite"
        in_range = all(bool(((y >= 0) & (y <= 1)).all()) for y in tensors[:1])
        if re.search(r"->[^:.]*in \[0, 1\]", target.doc) and in_range:
            assert ((x >= 0) & (x <= 1)).all(), "not in [0, 1]"
        if isinstance(result, Tensor | tuple) and tensors and (shape := promised_shape(target, arguments, sizes)) is not None:
            assert tuple(x.shape) == shape, f"of shape {tuple(x.shape)}, not {shape}"


@EACH
def test_a_typed_error_or_what_the_docstring_says(target: Target) -> None:
    known = {*target.hints, "x", "f1", "f2", "images", "sets", "features", "thresholds"}

    @some(target, valid=False)
    @given(st.data())
    def call(data: st.DataObject) -> None:
        arguments, sizes = arguments_of(target, data, valid=False)
        result, said = None, ""
        try:
            result = run(target, arguments)
        except (TypeError, ValueError) as error:
            said = repr(error)
        except metrics.WeightsMissing:
            return
        assert not said or known & set(re.findall(r"\w+", said)), f"which argument? {said}"
        if not said:
            check(target, arguments, sizes, result)

    call()


def laid_out(x: Tensor) -> Iterator[Tensor]:
    """The same values with other strides and offsets."""
    yield x.transpose(-1, -2).contiguous().transpose(-1, -2) if x.ndim > 1 else x.repeat_interleave(2)[::2]
    yield torch.cat([x, x], dim=-1)[..., : x.shape[-1]]
    yield x.flip(0).contiguous().flip(0)
    if x.ndim == 4:
        yield x.contiguous(memory_format=torch.channels_last)


@EACH
def test_valid_calls_answer_whatever_layout_batch_and_slope(target: Target) -> None:
    answers = 0

    @some(target, valid=True)
    @given(st.data())
    def call(data: st.DataObject) -> None:
        nonlocal answers
        arguments, sizes = arguments_of(target, data, valid=True)
        try:
            result = run(target, arguments)
        except (TypeError, ValueError, metrics.WeightsMissing):
            return
        answers += 1
        check(target, arguments, sizes, result)
        images = {name: arguments[name] for name in target.tensors if name in arguments}
        if images and result is not None:
            same_in_any_layout(target, arguments, images, result)
            slopes(target, arguments, images)

    call()
    assert answers or target.name.startswith("metrics."), "who refuses everything passes every test"


def same_in_any_layout(target: Target, arguments: dict[str, Any], images: dict[str, Tensor], result: Any) -> None:
    """As it is with other strides, and image by image, unless it draws at random."""
    for others in zip(*map(laid_out, images.values()), strict=False):
        again = run(target, arguments | dict(zip(images, others, strict=True)))
        torch.testing.assert_close(again, result, rtol=1e-5, atol=1e-6)
    if isinstance(result, Tensor) and result.ndim and not any(isinstance(value, Seed) for value in arguments.values()):
        for i, expected in enumerate(result):
            alone = run(target, arguments | {name: x[i : i + 1] for name, x in images.items()})
            torch.testing.assert_close(alone[0], expected, rtol=1e-5, atol=1e-6)


def slopes(target: Target, arguments: dict[str, Any], images: dict[str, Tensor]) -> None:
    """Gradients against differences, where there are any; a loss of a network with respect to its weight."""
    network = next((name for name, value in arguments.items() if value is squared), None)
    if network:
        weight = torch.ones((), dtype=torch.float64, requires_grad=True)
        inputs, names = [weight], [network]
    else:
        inputs, names = [x.clone().requires_grad_() for x in images.values() if x.is_floating_point()], list(images)

    def function(*values: Tensor) -> Any:
        new = [lambda x: squared(values[0] * x)] if network else values
        return run(target, arguments | dict(zip(names, new, strict=True)))

    found = function(*inputs) if inputs else ()
    made = [x for x in (found if isinstance(found, tuple) else (found,)) if isinstance(x, Tensor) and x.requires_grad]
    says = "Differentiable" in target.doc or "are differentiable" in target.doc
    assert bool(made) or not says, "the docstring says that it is differentiable"
    if made and not target.name.startswith("metrics."):
        assert torch.autograd.gradcheck(function, inputs, fast_mode=True)
