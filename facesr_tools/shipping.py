"""Ship the main networks of a finished run with the package: half precision where the score stays the same, a card for each."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from safetensors.torch import save

from facesr_lib import __version__, shipped
from facesr_lib.config import plain
from facesr_lib.data import ImageSet
from facesr_lib.files import checkout_root, file_digest, write_atomically
from facesr_lib.image import Bicubic, Degradation
from facesr_lib.papers import HUMAN_GAN, ISR_KD, SELFSR, TEACHER_STUDENT, Paper
from facesr_lib.papers.human_gan import names as gan
from facesr_lib.papers.isr_kd import names as isr
from facesr_lib.papers.selfsr import names as selfsr
from facesr_lib.papers.teacher_student import names as teacher
from facesr_lib.papers.teacher_student.networks import SCALE
from facesr_lib.training import Stage
from facesr_lib.training.stages import slug
from facesr_tools.report.model_cards import shipped_card, sources
from facesr_tools.report.result import load_result
from facesr_tools.runner.execute import Settings
from facesr_tools.stages import experiments
from facesr_tools.upscale import choose
from facesr_tools.upscale.methods import enlarging, rebuilt

LARGEST = 12_000_000  # bytes, of all weights
SAME = 0.01  # dB: a smaller change of the mean PSNR counts as the same score

Images = tuple[list[ImageSet], list[tuple[ImageSet, Degradation]]]  # learned from, and scored on


class CannotShip(RuntimeError):
    """A network cannot be shipped; the message says what is missing or too large, and what to do."""


@dataclass(frozen=True)
class MainNetwork:
    """A network to ship. stage: its training; network: its name there; notebook: the one that scores it, as `scored`.

    images: of the paper's `Experiments`, what it learned from and what the two precisions are compared on.
    """

    paper: Paper
    stage: str
    network: str
    notebook: str
    scored: str
    images: Callable[[Any], Images]

    @property
    def slug(self) -> str:
        """What its training's folder, and its own in `facesr_lib/shipped`, is called."""
        return slug(f"{self.paper.key} {self.stage}")


def _gan(of: Any) -> Images:
    return [of.train], [(of.test, of.config.degradation)]


def _selfsr(of: Any) -> Images:
    return [of.train], [(of.test, Bicubic(of.config.paired.scale))]


def _real(of: Any) -> Images:
    return [of.real_faces.hr, of.real_faces.real_lr], [(of.real_faces.test, of.real_faces.hidden)]


def _teacher(of: Any) -> Images:
    return [of.real_faces.hr], [(of.clean, Bicubic(SCALE))]


def _faces(of: Any) -> Images:
    return [of.faces], [(images, of.config.degradation) for images in of.test.values()]


def _cartoons(of: Any) -> Images:
    return [of.cartoons, of.faces], _faces(of)[1]


_FLOW = selfsr.on_real_faces(selfsr.FLOW)
_TNET, _SNET, _NOISE = (teacher.trained_jointly(one) for one in (teacher.BICUBIC, teacher.FULL, teacher.NOISE))
_10, _20, _21, _30, _40 = NOTEBOOKS = (
    "10_human_face_gan", "20_selfsr_degradation", "21_selfsr_super_resolution", "30_teacher_student", "40_isr_kd",
)  # fmt: skip
# `facesr upscale` prefers the first: of all, and of a paper. Of papers 1 and 3 that is a row of ours: the published ones stay
# below bicubic here, since one's loss holds no colours, and the other's DeNet cannot draw noise.
MAIN_NETWORKS = (
    MainNetwork(TEACHER_STUDENT, _NOISE, "snet", _30, teacher.NOISE_STUDENT, _real),
    MainNetwork(TEACHER_STUDENT, _SNET, "snet", _30, teacher.STUDENT, _real),
    MainNetwork(TEACHER_STUDENT, _TNET, "tnet", _30, teacher.TEACHER_BICUBIC, _teacher),
    MainNetwork(HUMAN_GAN, gan.WITH_PIXEL_TERM, "generator", _10, gan.WITH_PIXEL_TERM, _gan),
    MainNetwork(HUMAN_GAN, gan.GAN, "generator", _10, gan.GAN, _gan),
    MainNetwork(SELFSR, selfsr.PAIRED, "generator", _21, selfsr.PAIRED, _selfsr),
    MainNetwork(SELFSR, selfsr.PSNR_ORIENTED, "generator", _21, selfsr.PSNR_ORIENTED, _selfsr),
    MainNetwork(SELFSR, _FLOW, "generator", _20, selfsr.FLOW, _real),
    MainNetwork(ISR_KD, isr.REPLAY_2_1, "generator", _40, isr.REPLAY_2_1, _cartoons),
    MainNetwork(ISR_KD, isr.FACE_ONLY, "generator", _40, isr.FACE_ONLY, _faces),
)


@dataclass(frozen=True)
class Exported:
    """A network as it will be shipped. lost: dB of mean PSNR that half precision would cost, the most of its test sets."""

    name: str
    weights: bytes
    facts: dict[str, Any]
    card: str
    lost: float


def export(settings: Settings, to: Path | None = None) -> list[Exported]:
    """Write the main networks of a finished run into the package (of this checkout, or `to`), in place of what was there.

    Nothing is written unless every network is trained, scored and, with the others, small enough. Raises CannotShip if one is
    not, and for an installed copy without `to`.
    """
    if to is None and checkout_root() is None:
        raise CannotShip("this is an installed copy, which nothing is written into: say where with --to")
    folder = to or shipped.FOLDER
    networks = [_export(main, rank, settings) for rank, main in enumerate(MAIN_NETWORKS)]
    if (total := sum(len(one.weights) for one in networks)) > LARGEST:
        sizes = ", ".join(f"{one.name} {len(one.weights) / 1e6:.1f}" for one in networks)
        raise CannotShip(f"{total / 1e6:.1f} MB of weights, more than {LARGEST / 1e6:.0f}: {sizes}; train narrower networks")
    for old in folder.glob("*/config.json"):
        shutil.rmtree(old.parent)
    for one in networks:
        place = folder / one.name
        place.mkdir(parents=True)
        write_atomically(place / "model.safetensors", one.weights)
        write_atomically(place / "README.md", one.card.encode())
        facts = one.facts | {"sha256": file_digest(place / "model.safetensors")}
        write_atomically(place / "config.json", (json.dumps(facts, indent=1) + "\n").encode())
    write_atomically(folder / "README.md", _index(networks))
    return networks


def _index(networks: Sequence[Exported]) -> str:
    """What the folder holds, as a page; `facesr upscale` prefers the first of a scale and paper."""
    lines = [
        "# Trained networks that come with facesr",
        "",
        "Written by `facesr weights export`, not by hand. Each folder has a model card: data, scores, limits, misuse.",
        "`facesr upscale` uses them where nothing was trained, the first unless told otherwise. The papers' notebooks show them.",
        "",
        "| network | what it is | scale | weights |",
        "|---|---|---:|---:|",
    ]
    for one in networks:
        size = f"{len(one.weights) / 1e3:,.0f} kB"
        lines += [f"| [{one.name}]({one.name}/README.md) | {one.facts['about']} | x{one.facts['scale']} | {size} |"]
    return "\n".join([*lines, f"| all | | | {sum(len(one.weights) for one in networks) / 1e6:.1f} MB |", ""])


def _export(main: MainNetwork, rank: int, settings: Settings) -> Exported:
    of = experiments(main.paper.key, settings)
    stage = of.stage(main.stage)
    left = left_by(stage, settings)
    result, provenance = _result(main, settings)
    method = rebuilt(found := choose(str(left), main.paper.key, settings.out / "stages"))
    module, enlarge = method.inference_network(main.network), enlarging(method, main.network)
    trained_on, tests = main.images(of)

    def psnr() -> list[float]:
        return [of.psnr(enlarge, images, degrade, 10, settings.seed).mean().item() for images, degrade in tests]

    full = {key: value.detach().cpu().contiguous().clone() for key, value in module.state_dict().items()}
    half = {key: value.half() if value.is_floating_point() else value for key, value in full.items()}
    before = psnr()
    module.load_state_dict(half)
    lost = max(abs(a - b) for a, b in zip(before, psnr(), strict=True))
    small = lost < SAME  # false if it is no number
    weights = half if small else full
    precision = f"In half precision the mean PSNR on the test images changes by {lost:.4f} dB"
    precision += "." if small else f", more than {SAME}, so it is kept in full."
    facts = {
        "paper": main.paper.key, "stage": main.stage, "network": main.network, "rank": rank, "profile": settings.profile,
        "seed": settings.seed, "steps": found.step, "seconds": json.loads((left / "done.json").read_bytes())["seconds"],
        "facesr": __version__, "dtype": "float16" if small else "float32", "scale": tests[0][1].scale,
        "about": about(main, settings, found.step, trained_on), "config": plain(method.config),
    }  # fmt: skip
    card = shipped_card(stage.slug, main.paper, facts, weights, trained_on, result, provenance, main.scored, precision)
    return Exported(stage.slug, save(weights), facts, card, lost)


def about(main: MainNetwork, settings: Settings, steps: int, trained_on: Sequence[ImageSet]) -> str:
    """In a line: what a network is called, how long and on what it was trained."""
    duration = "for an evening" if settings.profile == "evening" else f"in the profile {settings.profile}"
    images = f"{' and '.join(sources(trained_on))} ({steps:,} steps at {trained_on[0].size[0]} px)"
    return f"{main.scored}, trained {duration} on {images}"


def left_by(stage: Stage[Any], settings: Settings) -> Path:
    """The folder of a finished training, the newest whose config, data, seed and length are these; its code may be older.

    Raises CannotShip if there is none.
    """
    wanted = plain({**stage.key, "seed": stage.seed, "steps": stage.options.steps})
    markers = (settings.out / "stages").glob(f"{stage.slug}-*/done.json")
    for marker in sorted(markers, key=lambda path: path.stat().st_mtime, reverse=True):
        facts = json.loads(marker.read_bytes())
        if facts["stage"] == stage.slug and wanted.items() <= facts["key"].items():
            return marker.parent
    where = f"in {settings.out} with profile {settings.profile}, seed {settings.seed} and the packaged images"
    raise CannotShip(f"{stage.paper}/{stage.name} was not trained {where}: {_command(NOTEBOOKS, settings)}")


def _result(main: MainNetwork, settings: Settings) -> tuple[dict[str, Any], dict[str, Any]]:
    """What the notebook found and what produced it. Raises CannotShip unless it scored the network with this seed."""
    folder = settings.out / settings.profile / main.notebook
    if not (folder / "result.json").is_file():
        raise CannotShip(f"{folder} has no result.json: {_command([main.notebook], settings)}")
    result = load_result(folder / "result.json")
    if not any(score["method"] == main.scored and score["seed"] == settings.seed for score in result["scores"]):
        missing = f"has no score of {main.scored!r} with seed {settings.seed}"
        raise CannotShip(f"{folder / 'result.json'} {missing}: {_command([main.notebook], settings)}")
    return result, json.loads((folder / "provenance.json").read_bytes())


def _command(notebooks: Sequence[str], settings: Settings) -> str:
    numbers = " ".join(name.partition("_")[0] for name in notebooks)
    return f"facesr run {numbers} --profile {settings.profile} --seed {settings.seed} --out {settings.out}"
