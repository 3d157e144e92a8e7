"""Every training's step, up to its losses, on a CUDA GPU that is not there: torch computes shapes, dtypes and devices only.

What would fail on a GPU, or make the host wait for it, shows without one: tensors on two devices, reading a value, shapes that
depend on data, copies from and to the host. Gradients cannot be had so: `update` checks the terms instead of stepping, and the
R1 penalty, which is a gradient, is replaced by a term of the same scores.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from types import MethodType
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

from facesr_lib.image import blur, canny, dog, edge_residual, edges, gaussian_blur, resize_bicubic
from facesr_lib.papers import PAPERS, human_gan
from facesr_lib.papers.isr_kd.names import EXTENDED, FACE_ONLY, REPLAY_2_1
from facesr_lib.papers.selfsr import super_resolution
from facesr_lib.training import Batch, Method, SuperResolver, frozen
from facesr_tools.trainings import Training, trainings

fake_tensor = pytest.importorskip("torch._subclasses.fake_tensor")


def can_pretend() -> bool:
    """Whether this torch computes on a GPU that is not there: 2.11 does, 2.4 and 2.8 ask the driver for the first weights."""
    try:
        with fake_tensor.FakeTensorMode():
            nn.Conv2d(3, 8, 3, device="cuda")(torch.empty(1, 3, 8, 8, device="cuda")).mean()
    except RuntimeError as error:
        if "CUDA" not in str(error):
            raise
        return False
    return True


OLD = tuple(int(part) for part in torch.__version__.split(".")[:2]) < (2, 11)
pytestmark = [
    pytest.mark.skipif(OLD and not can_pretend(), reason=f"torch {torch.__version__} cannot pretend to have a GPU"),
    pytest.mark.filterwarnings("ignore:Accessing the data pointer of FakeTensor"),  # by `deepcopy`
]
STUDENTS_ALIKE = {"replay 2:0", "replay 2:2", "replay 5:1"}  # the same method as REPLAY_2_1, on other shares of the domains


@pytest.fixture(autouse=True)
def _fake_parameters(monkeypatch: pytest.MonkeyPatch) -> None:
    """`Module.to` exchanges parameters in a way that these tensors do not allow; all networks are made on the GPU anyway.

    A copy of such a tensor would get a copy of its mode, and two modes do not mix.
    """
    monkeypatch.setattr(nn.Module, "to", lambda module, *args, **kwargs: module)
    monkeypatch.setattr(fake_tensor.FakeTensorMode, "__deepcopy__", lambda mode, memo: mode, raising=False)


class Waits(AssertionError):
    """The host would have to wait for the GPU."""


class NoWaiting(TorchDispatchMode):
    """Refuses copies between host and GPU that the host would wait for; counts the convolutions in bfloat16."""

    half = 0
    narrow = False  # as on MPS, which has no float64

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Mapping[str, Any] | None = None) -> Any:
        kwargs = dict(kwargs or {})
        result = func(*args, **kwargs)
        name = func.overloadpacket.__name__
        if name in ("_to_copy", "copy_"):
            source = args[1] if name == "copy_" else args[0]
            waits = not (kwargs.get("non_blocking") or (name == "copy_" and args[2:] == (True,)))
            if source.device.type != result.device.type and waits:
                raise Waits(f"a copy of {tuple(source.shape)} from {source.device} to {result.device}")
        made = [one for one in tree_leaves(result) if isinstance(one, Tensor) and one.device.type == "cuda"]
        if self.narrow and any(one.dtype == torch.float64 for one in made):
            raise Waits(f"{func} makes float64")
        if name == "convolution" and args[0].dtype == torch.bfloat16:
            self.half += 1
        return result


@contextmanager
def watched() -> Iterator[NoWaiting]:
    """No waiting, under bfloat16 autocast; `torch.autocast` itself refuses to be enabled where there is no GPU."""
    enabled, dtype = torch.is_autocast_enabled("cuda"), torch.get_autocast_dtype("cuda")
    with NoWaiting() as watch:
        torch.set_autocast_enabled("cuda", True)
        torch.set_autocast_dtype("cuda", torch.bfloat16)
        try:
            yield watch
        except (fake_tensor.DataDependentOutputException, fake_tensor.DynamicOutputShapeException) as error:
            raise Waits(f"{type(error).__name__}: {error}") from error
        finally:
            torch.set_autocast_enabled("cuda", enabled)
            torch.set_autocast_dtype("cuda", dtype)


def check_terms(method: Method, name: str, terms: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """In place of `Method.update`."""
    assert name in method.optimizers
    for term, value in terms.items():
        assert value.device.type == "cuda", (term, value.device)
        assert value.shape == (), (term, value.shape)
        assert value.requires_grad, term
    return {term: value.detach() for term, value in terms.items()}


def step(make: Callable[[], Method], batch: Mapping[str, Tensor], number: int = 0) -> tuple[dict[str, Tensor], int]:
    """The terms of one step of a method on the absent GPU, and how many convolutions ran in bfloat16."""
    with fake_tensor.FakeTensorMode():
        with torch.device("cuda"):
            method = make()
            method.build()
            there = {name: torch.empty(value.shape, dtype=value.dtype) for name, value in batch.items()}
        method.update = MethodType(check_terms, method)  # type: ignore[method-assign]
        method.begin_step(number)
        with watched() as watch:
            terms = method.step(there)
        if isinstance(method, SuperResolver):
            lr = there["lr"]
            sr = method.super_resolve(lr)
            assert sr.device.type == "cuda"
            assert sr.shape[2] % lr.shape[2] == 0
    return terms, watch.half


def cases() -> Iterator[Any]:
    for profile in ("quick", "paper"):
        for paper in PAPERS:
            for training in trainings(paper.key, profile):
                for level in training.levels:
                    if training.name not in STUDENTS_ALIKE:
                        yield pytest.param(training, level, id=f"{profile}: {paper.key}, {training.name} {level}".rstrip())


@pytest.mark.parametrize(("training", "level"), list(cases()))
def test_a_step_stays_on_the_gpu_and_never_waits_for_it(training: Training, level: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(super_resolution, "squared_slope", lambda scores, images: scores.square().mean())
    batch = training.batches(2, torch.device("cpu"))(0)
    terms, half = step(training.make, batch, training.levels[level][0])
    assert {value.device.type for value in terms.values()} == {"cuda"}
    assert half > 0


def test_every_kind_of_training_is_among_the_cases() -> None:
    names = {case.values[0].name for case in cases()}
    assert {FACE_ONLY, REPLAY_2_1, EXTENDED} <= names
    assert names | STUDENTS_ALIKE == {training.name for paper in PAPERS for training in trainings(paper.key, "paper")}


# -- the test can fail ----------------------------------------------------------------------------------------------------------


def through_the_host(hr: Tensor, scores: Tensor) -> Tensor:
    return hr.cpu().to(hr.device)


def by_a_value(hr: Tensor, scores: Tensor) -> Tensor:
    return hr if scores.mean() > 0 else hr + 1


def by_an_item(hr: Tensor, scores: Tensor) -> Tensor:
    return hr * scores.mean().item()


def by_a_mask(hr: Tensor, scores: Tensor) -> Tensor:
    return hr[scores.flatten() > 0]


def by_new_numbers(hr: Tensor, scores: Tensor) -> Tensor:
    return hr * hr.new_tensor([0.2, 0.3, 0.5]).view(3, 1, 1)


def by_numbers_of_the_host(hr: Tensor, scores: Tensor) -> Tensor:
    return hr * torch.arange(3, device="cpu").view(3, 1, 1).to(hr)


def on_two_devices(hr: Tensor, scores: Tensor) -> Tensor:
    return hr + torch.zeros(hr.shape, device="cpu")


BROKEN = (through_the_host, by_a_value, by_an_item, by_a_mask, by_new_numbers, by_numbers_of_the_host)


@pytest.mark.parametrize("broken", [*BROKEN, on_two_devices])
def test_a_broken_method_is_found(broken: Callable[[Tensor, Tensor], Tensor]) -> None:
    class Broken(human_gan.HumanGAN):
        def step(self, batch: Batch) -> dict[str, Tensor]:
            with frozen(self.networks["discriminator"]) as discriminator:
                broken(batch["hr"], discriminator(batch["hr"]))
            return super().step(batch)

    config = human_gan.Config.preset("quick")
    batch = {"lr": torch.rand(2, 3, 46, 46), "hr": torch.rand(2, 3, 92, 92)}
    terms, _ = step(lambda: human_gan.HumanGAN(config, 10), batch)
    assert terms
    with pytest.raises(RuntimeError if broken is on_two_devices else Waits):
        step(lambda: Broken(config, 10), batch)


@pytest.mark.parametrize(
    "function",
    [
        lambda x: canny(x, 50, 255),
        lambda x: edge_residual(x, 5),
        dog,
        lambda x: gaussian_blur(x, 7, 5.0),
        lambda x: resize_bicubic(x, 0.5),
    ],
    ids=["canny", "edge_residual", "dog", "gaussian_blur", "resize_bicubic"],
)
def test_what_methods_do_with_images_needs_no_host(function: Callable[[Tensor], Tensor]) -> None:
    with fake_tensor.FakeTensorMode(), watched():
        found = function(torch.empty(2, 3, 32, 32, device="cuda"))
    assert found.device.type == "cuda"
    assert found.dtype == torch.float32


@pytest.mark.parametrize(("training", "level"), [case for case in cases() if case.id.startswith("quick")])
def test_a_step_makes_no_float64_where_the_gpu_has_none(training: Training, level: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """CUDA stands in for MPS: this torch cannot pretend to have that. Images ask `widest` which of them it is."""
    monkeypatch.setattr(super_resolution, "squared_slope", lambda scores, images: scores.square().mean())
    for module in (blur, edges):
        monkeypatch.setattr(module, "widest", lambda x: torch.float32)
    monkeypatch.setattr(NoWaiting, "narrow", True)
    batch = training.batches(2, torch.device("cpu"))(0)
    assert step(training.make, batch, training.levels[level][0])


def test_a_float64_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(NoWaiting, "narrow", True)
    with fake_tensor.FakeTensorMode(), watched(), pytest.raises(Waits, match="float64"):
        gaussian_blur(torch.empty(2, 3, 32, 32, device="cuda"), 7, 5.0)
