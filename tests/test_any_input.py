"""Every public function of images, losses and metrics, under inputs of any shape, type, layout and value.

Functions are found, not listed, and their arguments are made from their annotations. What they promise is read off their
docstrings: the shape after "->", "in [0, 1]", "Differentiable". A function that is new is tested without a word here.
"""

from __future__ import annotations

import dataclasses
import inspect
import math
import re
import types
import typing
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import cache
from typing import Any, Literal, Union

import numpy as np
import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from numpy.typing import ArrayLike
from torch import Tensor

from facesr_lib import image, losses, metrics
from facesr_lib.metrics.features import Extractor, set_metrics
from facesr_lib.metrics.frechet import Features
from facesr_lib.metrics.lpips import Lpips

ANY = settings(max_examples=30, deadline=None, database=None, derandomize=True, suppress_health_check=list(HealthCheck))
FEW = settings(ANY, max_examples=8)
pytestmark = pytest.mark.filterwarnings("ignore:Frechet distance of")
FLOATS = [torch.float32, torch.float64, torch.float16, torch.bfloat16]
NEVER = {"squared_slope"}  # takes scores that were made of the images: `r1_penalty` calls it so


@dataclass(frozen=True)
class Target:
    """A function, the types of its parameters, those that it needs, and its promises in words."""

    name: str
    call: Callable[..., Any]
    hints: dict[str, Any]
    needed: frozenset[str]
    doc: str

    @property
    def tensors(self) -> list[str]:
        return [name for name, hint in self.hints.items() if hint is Tensor]


def needed_of(thing: Callable[..., Any]) -> set[str]:
    parameters = inspect.signature(thing).parameters.values()
    return {one.name for one in parameters if one.default is one.empty and one.name != "self"}


def hints_of(thing: Any) -> dict[str, Any]:
    hints = typing.get_type_hints(thing)
    return {name: hints[name] for name in inspect.signature(thing).parameters if name in hints}


def degradation(name: str, kind: type) -> Target:
    fields = {one.name: typing.get_type_hints(kind)[one.name] for one in dataclasses.fields(kind)}
    called = hints_of(kind.__call__)
    doc = str(image.Degradation.__doc__).replace("maps", "").replace("] to (", "] -> (") + " in [0, 1]"

    def call(**given: Any) -> Tensor:
        return kind(**{key: given.pop(key) for key in fields if key in given})(**given)

    return Target(name, call, fields | called, frozenset(needed_of(kind) | needed_of(kind.__call__)), doc)


def scorer(name: str, make: Callable[..., Any]) -> Target:
    """The metric that a function makes, with that function's parameters before its own."""
    options = hints_of(make)
    made = cache(make)  # networks are read once

    def call(sr: Tensor, hr: Tensor, **given: Any) -> Tensor:
        return made(**given)(sr, hr)

    doc = "two RGB (N, 3, H, W) in [0, 1] -> (N,) float64"
    return Target(name, call, {"sr": Tensor, "hr": Tensor} | options, frozenset({"sr", "hr"} | needed_of(make)), doc)


def found() -> Iterator[Target]:
    for package in (image, losses, metrics):
        for short, thing in vars(package).items():
            name = f"{package.__name__.split('.')[1]}.{short}"
            if dataclasses.is_dataclass(thing) and "__call__" in vars(thing) and "scale" in thing.__dataclass_fields__:
                yield degradation(name, typing.cast(type, thing))
            elif inspect.isfunction(thing) and short not in NEVER:
                hints, gives = hints_of(thing), typing.get_type_hints(thing).get("return")
                module = inspect.getmodule(thing)
                doc = str(thing.__doc__) if "->" in str(thing.__doc__) or not module else f"{thing.__doc__} {module.__doc__}"
                if Tensor in hints.values() or ArrayLike in hints.values() or Features in hints.values():
                    yield Target(name, thing, hints, frozenset(needed_of(thing)), doc)
                elif gives in (metrics.Metric, Lpips):
                    yield scorer(name, thing)


TARGETS = list(found())
EACH = pytest.mark.parametrize("target", TARGETS, ids=[target.name for target in TARGETS])


# -- arguments of a type ----------------------------------------------------------------------------------------------------


class Toy(Extractor):
    fid, kid = set_metrics("toy", "none")


@dataclass
class World:
    """The sizes that one call's arguments share, and what they hold."""

    draw: Callable[[st.SearchStrategy[Any]], Any]
    valid: bool
    sizes: dict[str, int] = field(default_factory=dict)

    def number(self, seed: int) -> torch.Generator:
        return torch.Generator().manual_seed(seed)

    def shape(self, target: Target, name: str) -> list[int]:
        """As the docstring says of this argument, else of the first one."""
        own = re.search(rf"\b{name}`? \((N[^)]*)\)", target.doc) or re.search(r"\((N,[^)]*)\)", target.doc)
        words = own.group(1) if own and "..." not in own.group(1) else "N, C, H, W"
        if target.hints[name] is not Tensor and ", D" not in words:
            words = "N, D"
        options = [word.split(" or ") for word in words.split(",") if word.strip()]
        chosen = [self.draw(st.sampled_from(option)).strip() for option in options]
        return [self.sizes[one] if one in self.sizes else int(one) for one in chosen]

    def tensor(self, target: Target, name: str) -> Any:
        shape = self.shape(target, name)
        wrong = None if self.valid else self.draw(st.sampled_from([None] * 8 + ["rank", "more", "thin", "empty", "kind"]))
        if wrong == "rank":
            shape = shape[1:]
        elif wrong in ("more", "thin", "empty") and shape:
            axis = self.draw(st.integers(0, len(shape) - 1))
            shape[axis] = {"more": shape[axis] + 1, "thin": 1, "empty": 0}[wrong]
        x = torch.rand(shape, generator=self.number(self.draw(st.integers(0, 9))), dtype=torch.float64)
        if self.valid:
            return 0.05 + 0.9 * x
        values = self.draw(st.sampled_from(["", "", "", "", "zero", "one", "beyond", "tanh", "byte", "nan", "inf"]))
        x = {"zero": 0 * x, "one": x.clamp(1), "beyond": 1.1 * x - 0.05, "tanh": 2 * x - 1, "byte": 255 * x}.get(values, x)
        if values in ("nan", "inf") and x.numel():
            x.view(-1)[-1] = float(values)
        if wrong == "kind":
            kinds = [torch.uint8, torch.int16, torch.int64, torch.bool, torch.complex64, torch.float8_e4m3fn, "numpy", "list"]
            kind = self.draw(st.sampled_from(kinds))
            return x.numpy() if kind == "numpy" else x.tolist() if kind == "list" else x.nan_to_num(0, 0).to(kind)
        return x.to(self.draw(st.sampled_from(FLOATS)))

    def array(self, target: Target, name: str) -> Any:
        rng, shape = np.random.default_rng(self.draw(st.integers(0, 9))), self.shape(target, name)
        x = rng.normal(size=shape) * self.draw(st.sampled_from([1.0] if self.valid else [1.0, 1.0, 0.0, 1e-9, 1e9, 1e60, 1e300]))
        if not self.valid and self.draw(st.integers(0, 5)) == 0:
            x = [x[0], x[:, :-1], np.where(x > 1, np.nan, x), x.astype(np.float16)][self.draw(st.integers(0, 3))] if x.size else x
        return x


def of_type(hint: Any, valid: bool) -> st.SearchStrategy[Any]:
    """Values of a parameter that is neither an image nor features."""
    if hint == bool | int:
        return st.booleans() | st.integers(-1, 9)
    if typing.get_origin(hint) in (Union, types.UnionType):
        options = [one for one in typing.get_args(hint) if one is not types.NoneType or len(typing.get_args(hint)) == 2]
        return st.one_of([of_type(one, valid) for one in options])
    if typing.get_origin(hint) is Literal:
        return st.sampled_from(typing.get_args(hint))
    if typing.get_origin(hint) is tuple:
        return st.tuples(*(of_type(one, valid) for one in typing.get_args(hint)))
    if hint is not None and "Callable" in str(hint):
        return st.just(squared)
    odd = [math.nan, math.inf, -math.inf, -1.0, 0.0, 1e-12, 1e-320, 1e12]
    of_a_kind: dict[Any, st.SearchStrategy[Any]] = {
        bool: st.booleans(),
        int: st.integers(1, 7) if valid else st.integers(1, 7) | st.integers(-3, 130),
        float: st.sampled_from([0.5, 0.6, 1.0, 1.6, 2.0]) if valid else st.sampled_from(odd) | st.floats(0.01, 30),
        str: st.just("x"),
        types.NoneType: st.none(),
        torch.Generator: st.builds(Seed, st.integers(0, 9)),
        torch.device: st.just(torch.device("cpu")),
        torch.dtype: st.sampled_from([torch.float32, torch.float64] if valid else [torch.float16, torch.float32, torch.float64]),
        Extractor: st.builds(Toy),
    }
    assert hint in of_a_kind, f"teach this test how to make a {hint}"
    return of_a_kind[hint]


def squared(x: Tensor) -> Tensor:
    """A discriminator whose slope depends on the image."""
    return x.square().flatten(1).sum(1)


@dataclass(frozen=True)
class Seed:
    value: int


def run(target: Target, arguments: dict[str, Any]) -> Any:
    """Call with generators made anew, so that each call draws alike."""
    fresh = {key: torch.Generator().manual_seed(v.value) if isinstance(v, Seed) else v for key, v in arguments.items()}
    return target.call(**fresh)


def arguments_of(target: Target, data: st.DataObject, valid: bool) -> tuple[dict[str, Any], dict[str, int]]:
    world = World(data.draw, valid)
    side = st.integers(5, 9) | st.sampled_from([12, 24]) if valid else st.integers(1, 9) | st.sampled_from([12, 24, 31, 40])
    for key, several in {
        "N": st.integers(1, 3) if valid else st.integers(0, 3),
        "M": st.integers(1, 3),
        "C": st.integers(1, 4),
        "H": side,
        "W": side,
        "D": st.integers(1, 6),
    }.items():
        world.sizes[key] = data.draw(several)
    arguments = {}
    for name, hint in target.hints.items():
        if name not in target.needed and data.draw(st.booleans()):
            continue
        if hint is Tensor:
            arguments[name] = world.tensor(target, name)
        elif name == "size" and hint is int:
            arguments[name] = min(world.sizes["H"], world.sizes["W"])
        elif hint in (ArrayLike, Features):
            world.sizes["N"] = max(2, world.sizes["N"]) if valid else world.sizes["N"]
            arguments[name] = world.array(target, name)
        else:
            arguments[name] = data.draw(of_type(hint, valid))
    if "uint8 images (N" in target.doc:
        arguments = {k: (255 * v).byte() if isinstance(v, Tensor) and v.dtype in FLOATS else v for k, v in arguments.items()}
    return arguments, world.sizes


# -- what is promised -------------------------------------------------------------------------------------------------------


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
        return [torch.tensor(value) for value in result.values()]
    if isinstance(result, tuple):
        return [x for one in result for x in numbers(one)]
    return [] if result is None else [result.detach() if isinstance(result, Tensor) else torch.tensor(result)]


def finite(arguments: dict[str, Any]) -> bool:
    given = [torch.as_tensor(x) for x in arguments.values() if isinstance(x, Tensor | np.ndarray)]
    return all(bool(x.isfinite().all()) for x in given)


def scored_range(x: Any) -> bool:
    return bool(x.isfinite().all() and (not x.numel() or (x.min() >= -0.5 and x.max() <= 1.5)))


def check(target: Target, arguments: dict[str, Any], sizes: dict[str, int], result: Any) -> None:
    tensors = [arguments[name] for name in target.tensors]
    if target.name.startswith("metrics.") and tensors:
        assert all(scored_range(x) for x in tensors), "a score of values that are no image"
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


answers: dict[str, int] = {}


@EACH
@ANY
@given(st.data())
def test_a_typed_error_or_what_the_docstring_says(target: Target, data: st.DataObject) -> None:
    arguments, sizes = arguments_of(target, data, valid=False)
    result, said = None, ""
    try:
        result = run(target, arguments)
    except (TypeError, ValueError) as error:
        said = repr(error)
    except metrics.WeightsMissing:
        return
    known = {*target.hints, "x", "f1", "f2", "images", "sets", "features", "thresholds"}
    assert not said or known & set(re.findall(r"\w+", said)), f"which argument? {said}"
    if not said:
        check(target, arguments, sizes, result)


def laid_out(x: Tensor) -> Iterator[Tensor]:
    """The same values with other strides and offsets."""
    yield x.transpose(-1, -2).contiguous().transpose(-1, -2) if x.ndim > 1 else x.repeat_interleave(2)[::2]
    yield torch.cat([x, x], dim=-1)[..., : x.shape[-1]]
    yield x.flip(0).contiguous().flip(0)
    if x.ndim == 4:
        yield x.contiguous(memory_format=torch.channels_last)


@EACH
@FEW
@given(st.data())
def test_valid_calls_answer_whatever_layout_batch_and_slope(target: Target, data: st.DataObject) -> None:
    arguments, sizes = arguments_of(target, data, valid=True)
    try:
        result = run(target, arguments)
    except (TypeError, ValueError, metrics.WeightsMissing):
        return
    answers[target.name] = answers.get(target.name, 0) + 1
    check(target, arguments, sizes, result)
    if not (given_tensors := {name: arguments[name] for name in target.tensors if name in arguments}) or result is None:
        return
    for others in zip(*map(laid_out, given_tensors.values()), strict=False):
        again = run(target, arguments | dict(zip(given_tensors, others, strict=True)))
        torch.testing.assert_close(again, result, rtol=1e-5, atol=1e-6)
    if isinstance(result, Tensor) and result.ndim and not any(isinstance(value, Seed) for value in arguments.values()):
        for i, expected in enumerate(result):
            alone = run(target, arguments | {name: x[i : i + 1] for name, x in given_tensors.items()})
            torch.testing.assert_close(alone[0], expected, rtol=1e-5, atol=1e-6)
    slopes(target, arguments, given_tensors)


def slopes(target: Target, arguments: dict[str, Any], given_tensors: dict[str, Tensor]) -> None:
    """Gradients against differences, where there are any; a loss of a network with respect to its weight."""
    network = next((name for name, value in arguments.items() if value is squared), None)
    if network:
        weight = torch.ones((), dtype=torch.float64, requires_grad=True)
        inputs, names = [weight], [network]
    else:
        inputs, names = [x.clone().requires_grad_() for x in given_tensors.values() if x.is_floating_point()], list(given_tensors)

    def function(*values: Tensor) -> Any:
        new = [lambda x: squared(values[0] * x)] if network else values
        return run(target, arguments | dict(zip(names, new, strict=True)))

    made = numbers_with_slope(function(*inputs)) if inputs else []
    says = "Differentiable" in target.doc or "are differentiable" in target.doc
    assert bool(made) or not says, "the docstring says that it is differentiable"
    if made and not target.name.startswith("metrics."):
        assert torch.autograd.gradcheck(function, inputs, fast_mode=True)


def numbers_with_slope(result: Any) -> list[Tensor]:
    every = result if isinstance(result, tuple) else (result,)
    return [x for x in every if isinstance(x, Tensor) and x.requires_grad]


def test_every_function_has_answered() -> None:
    """After the tests above: who refuses everything passes them."""
    silent = {target.name for target in TARGETS} - answers.keys()
    assert not {name for name in silent if name.startswith(("image.", "losses."))}
