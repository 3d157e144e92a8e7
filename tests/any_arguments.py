"""Finds every public function of images, losses and metrics, and makes arguments for it from its annotations and docstring."""

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
import torch
from hypothesis import strategies as st
from numpy.typing import ArrayLike
from torch import Tensor

from facesr_lib import image, losses, metrics
from facesr_lib.metrics.features import Extractor, set_metrics
from facesr_lib.metrics.frechet import Features
from facesr_lib.metrics.lpips import Lpips

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
    doc = (
        str(image.Degradation.__doc__)
        .replace("maps", "")
        .replace("] to (", "] -> (")
        .replace("W / scale)", "W / scale) in [0, 1]")
    )

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
            kinds = {
                "rank": x.sum(0),
                "fewer": x[:, :-1],
                "nan": np.where(x > 1, np.nan, x),
                "half": x.clip(-9, 9).astype(np.float16),
            }
            return kinds[self.draw(st.sampled_from(list(kinds)))]
        return x


def of_type(hint: Any, valid: bool) -> st.SearchStrategy[Any]:
    """Values of a parameter that is neither an image nor features."""
    if hint == bool | int:
        return st.booleans() | st.integers(-1, 9)
    if torch.device in typing.get_args(hint):
        return st.sampled_from(["cpu", torch.device("cpu")])
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
        int: st.sampled_from([1, 3, 2, 5, 7]) if valid else st.integers(1, 7) | st.integers(-3, 130),
        float: st.sampled_from([0.5, 0.6, 1.0, 1.6, 2.0]) if valid else st.sampled_from(odd) | st.floats(0.01, 30),
        str: st.just("x"),
        types.NoneType: st.none(),
        torch.Generator: st.builds(Seed, st.integers(0, 9)),
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
