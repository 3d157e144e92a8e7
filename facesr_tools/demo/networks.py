"""Which trained networks the demo shows: one of each paper, out of a run or as they ship with the package."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from torch import Tensor

from facesr_lib.image import Bicubic, Degradation
from facesr_lib.papers import HUMAN_GAN, ISR_KD, SELFSR, TEACHER_STUDENT, Paper
from facesr_lib.papers.teacher_student.networks import SCALE
from facesr_lib.shipped import load_shipped
from facesr_lib.training import SuperResolver
from facesr_tools.runner.execute import Settings
from facesr_tools.shipping import MAIN_NETWORKS, CannotShip, MainNetwork, about, left_by
from facesr_tools.stages import experiments
from facesr_tools.upscale import choose
from facesr_tools.upscale.methods import enlarging, rebuilt
from facesr_tools.upscale.networks import NETWORKS

# How a network's LR is made: as its notebook makes it. A rule that draws at random cannot be shown, since the page would not
# show what Python computes; so of paper 3 the demo takes TNet on bicubic LR, not SNet.
DEGRADATIONS: dict[str, Callable[[Any], Degradation]] = {
    HUMAN_GAN.key: lambda config: config.degradation,
    SELFSR.key: lambda config: Bicubic(config.scale),
    TEACHER_STUDENT.key: lambda config: Bicubic(SCALE),
    ISR_KD.key: lambda config: config.degradation,
}
_NETWORKS = {HUMAN_GAN: "generator", SELFSR: "generator", TEACHER_STUDENT: "tnet", ISR_KD: "generator"}
SHOWN = tuple(
    next(main for main in MAIN_NETWORKS if (main.paper, main.network) == wanted)  # the one that the package prefers
    for wanted in _NETWORKS.items()
)


@dataclass(frozen=True)
class DemoNetwork:
    """A network for the page. enlarge: LR -> SR, (N, 3, h, w) in [0, 1]; size: side of HR; about: how it was trained."""

    paper: Paper
    label: str
    about: str
    degradation: Degradation
    size: int
    enlarge: Callable[[Tensor], Tensor]


def find_networks(
    settings: Settings, *, shipped: bool = True, wanted: Sequence[MainNetwork] = SHOWN
) -> tuple[list[DemoNetwork], list[str]]:
    """The `wanted` networks, in their order: one of each paper, unless said; and a line for each of them, or paper, without one.

    shipped: take those that come with the package; where none does, and without it, take those that a run left in `settings.out`.
    Raises ValueError for damaged weights.
    """
    found = [network for main in wanted if (network := _shipped(main))] if shipped else []
    if found:
        there = [network.paper for network in found]
        return found, [f"no network of {main.paper.name} ships with facesr" for main in wanted if main.paper not in there]
    if not (settings.out / "stages").is_dir():
        return [], [
            f"{settings.out} holds no trainings: facesr run 10 21 30 40 --profile {settings.profile} --out {settings.out}"
        ]
    missing = []
    for main in wanted:
        try:
            found.append(_trained(main, settings))
        except CannotShip as error:
            missing.append(str(error))
    return found, missing


def _shipped(main: MainNetwork) -> DemoNetwork | None:
    found = load_shipped(main.slug, NETWORKS[main.paper.key].rebuild)
    return found and _network(main, found[0], f"{found[1]['about']}; ships with facesr")


def _trained(main: MainNetwork, settings: Settings) -> DemoNetwork:
    of = experiments(main.paper.key, settings)
    checkpoint = choose(str(left_by(of.stage(main.stage), settings)), main.paper.key, settings.out / "stages")
    return _network(main, rebuilt(checkpoint), about(main, settings, checkpoint.step, main.images(of)[0]))


def _network(main: MainNetwork, method: SuperResolver, words: str) -> DemoNetwork:
    config: Any = method.config
    degradation = DEGRADATIONS[main.paper.key](config)
    enlarge = enlarging(method, main.network)
    return DemoNetwork(main.paper, main.scored, words, degradation, config.hr_size, enlarge)
