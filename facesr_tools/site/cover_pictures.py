"""The pictures of the site's first page: cartoons that each paper's networks enlarge, so that no person's face stands there.

    python -m facesr_tools.site.cover_pictures --out OUT --profile evening

draws them anew with the networks of a finished run in OUT, or without --out with those that ship with the package. For each
paper that has some it writes PAPER.png and PAPER.json: what the columns show, how the networks were trained, whose drawings.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

import torch
from PIL import Image
from torch import Tensor
from torch.nn.functional import pad

from facesr_lib.config import PROFILES
from facesr_lib.data.cartoons import dicebear_cartoons
from facesr_lib.evaluate.result import write_json
from facesr_lib.image import quantize, resize_bicubic
from facesr_lib.image.quantize import to_uint8
from facesr_lib.papers import HUMAN_GAN, ISR_KD, PAPERS, SELFSR, TEACHER_STUDENT
from facesr_lib.papers.human_gan import names as gan
from facesr_lib.papers.isr_kd import names as isr
from facesr_lib.papers.selfsr import names as selfsr
from facesr_lib.papers.teacher_student import names as teacher
from facesr_tools.demo.networks import DemoNetwork, find_networks
from facesr_tools.runner.execute import Settings
from facesr_tools.shipping import MAIN_NETWORKS

FOLDER = Path(__file__).with_name("covers")
SIDE, GAP = 176, 4  # pixels of a face, and between faces
STYLES = ("avataaars", "open-peeps")
CHOSEN = (6, 5)  # of the drawn test faces: one of each style whose features can be told apart
COLUMNS = {
    HUMAN_GAN: (gan.GAN, gan.WITH_PIXEL_TERM),
    SELFSR: (selfsr.PAIRED,),
    TEACHER_STUDENT: (teacher.TEACHER_BICUBIC,),
    ISR_KD: (isr.FACE_ONLY, isr.REPLAY_2_1),
}


def write_covers(networks: Sequence[DemoNetwork], folder: Path = FOLDER) -> list[Path]:
    """Write the picture and the words of every paper that has some of `networks`; return the pictures' paths."""
    written = []
    for paper in PAPERS:
        own = [network for network in networks if network.paper == paper]
        if own:
            drawn = dicebear_cartoons(max(CHOSEN) + 1, own[0].size, style=STYLES, split="test")
            columns = _columns(own, drawn.take(CHOSEN))
            written.append(folder / f"{paper.key}.png")
            _picture(list(columns.values())).save(written[-1], optimize=True)
            words = {"columns": list(columns), "trained": [network.about for network in own], "credit": drawn.credit}
            write_json(written[-1].with_suffix(".json"), words)
    return written


def _columns(networks: Sequence[DemoNetwork], hr: Tensor) -> dict[str, Tensor]:
    """By what they are called: LR, its enlargements and HR, each (N, 3, h, w)."""
    lr = networks[0].degradation(hr, torch.Generator().manual_seed(0))
    size = (hr.shape[-2], hr.shape[-1])
    enlarged = {"LR": lr, "bicubic": resize_bicubic(lr, size=size).clamp(0, 1)}
    enlarged |= {network.label: network.enlarge(lr) for network in networks}
    return {name: quantize(images) for name, images in enlarged.items()} | {"HR": hr}


def _picture(columns: Sequence[Tensor]) -> Image.Image:
    """A row per face and a column per image, each pixel a square."""
    at = torch.arange(SIDE)
    faces = [images[..., at * images.shape[-2] // SIDE, :][..., at * images.shape[-1] // SIDE] for images in columns]
    rows = torch.cat([pad(one, (0, GAP, 0, GAP), value=1.0) for one in faces], dim=-1)  # (N, 3, h, w)
    whole = torch.cat(list(rows), dim=-2)[:, :-GAP, :-GAP]
    return Image.fromarray(to_uint8(whole[None])[0].permute(1, 2, 0).numpy())


def main(arguments: Sequence[str] | None = None) -> None:
    """Draw the pictures; print their paths, and what is missing."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--out", type=Path, help="results of a run; default: the networks that ship with the package")
    parser.add_argument("--profile", choices=PROFILES, default="evening")
    parser.add_argument("--seed", type=int, default=0)
    given = parser.parse_args(arguments)
    wanted = [
        next(m for m in MAIN_NETWORKS if (m.paper, m.scored) == (p, name)) for p, names in COLUMNS.items() for name in names
    ]
    settings = Settings(given.profile, (given.out or Path("runs")).expanduser().resolve(), given.seed, "cpu")
    networks, missing = find_networks(settings, shipped=given.out is None, wanted=wanted)
    for line in missing:
        print(f"not drawn: {line}", file=sys.stderr)
    if not networks:
        sys.exit("facesr: there is no network to draw with; give --out, the results of a run")
    for path in write_covers(networks):
        print(path)


if __name__ == "__main__":
    main()
