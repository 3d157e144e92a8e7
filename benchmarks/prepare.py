"""How fast data sets are packed, against Pillow one picture after the other, and how much memory that takes.

    python benchmarks/prepare.py [--images 4000] [--workers N] [--listed 3300000]

Makes JPEG files of CelebA's size (178x218 px, quality 95, from scikit-image's public-domain photograph) in a temporary folder and
packs them at 128x128 px. Prints pictures per second of each way, taken in turns, their ratio, and how long CelebA's 202,599 would
take; then the memory of this process and its workers together (proportional shares, Linux only), and the same where as many
pictures as VGGFace2 has are listed with their table of boxes, of which the first `--images` are packed.
"""

from __future__ import annotations

import argparse
import contextlib
import gc
import os
import tempfile
import threading
import time
from itertools import islice
from pathlib import Path

import numpy as np
import psutil
from PIL import Image
from skimage.data import astronaut

from facesr_tools.prepare.description import Sample, Samples
from facesr_tools.prepare.lists import detector_boxes
from facesr_tools.prepare.pack import CHUNK_SAMPLES, pack_samples

SIZE = 128
CELEBA = 202_599


def make_pictures(folder: Path, count: int) -> list[Sample]:
    """JPEG files cut at random out of one photograph, and their samples."""
    photo, rng = Image.fromarray(astronaut()), np.random.default_rng(0)
    for i in range(count):
        x, y, width = (int(value) for value in (rng.integers(200), rng.integers(150), rng.integers(150, 290)))
        picture = photo.crop((x, y, x + width, y + width * 218 // 178)).resize((178, 218))
        picture.save(folder / f"{i:06d}.jpg", quality=95)
    return [Sample(f"{i:06d}.jpg", f"person{i // 20}") for i in range(count)]


def one_by_one(folder: Path, samples: list[Sample], target: Path) -> None:
    """What a simple script does: decode, squash, save one array."""
    pixels = np.empty((len(samples), SIZE, SIZE, 3), np.uint8)
    for row, sample in enumerate(samples):
        picture = Image.open(folder / sample.file).convert("RGB")
        pixels[row] = np.asarray(picture.resize((SIZE, SIZE), Image.Resampling.BICUBIC))
    np.save(target / "pixels.npy", pixels)


def packed(folder: Path, samples: list[Sample], target: Path, workers: int) -> None:
    """What `facesr data prepare celeba` does, with its checksums and journal."""
    pack_samples(
        folder, samples, target / "train.json", name="benchmark", size=SIZE, credit="", facts={}, without_box="whole",
        workers=workers,
    )  # fmt: skip


class Enough(Exception):
    """As many pictures are packed as were wanted."""


def list_and_pack(folder: Path, samples: list[Sample], listed: int, workers: int) -> None:
    """What `facesr data prepare vggface2` does, until so many pictures are packed as there are `samples`.

    361 pictures per person, as in VGGFace2; the folder of each is a link to the same pictures.
    """
    names = [f"n{i // 361:06d}/{Path(samples[i % len(samples)].file).stem}" for i in range(listed)]
    for person in range(0, len(samples) + 2 * CHUNK_SAMPLES, 361):
        (folder / f"n{person // 361:06d}").symlink_to(folder)
    table = folder / "loose_bb_train.csv"
    with open(table, "w") as file:
        file.write("NAME_ID,X,Y,W,H\n")
        file.writelines(f'"{name}",{20 + i % 9},{30 + i % 7},100,120\n' for i, name in enumerate(names))
    del names
    gc.collect()

    def stop(done: int, total: int) -> None:
        if done >= len(samples):
            raise Enough

    with contextlib.suppress(Enough):
        boxes = detector_boxes(table)
        with open(table) as file:
            found = (line[1:].partition('"')[0] for line in islice(file, 1, None))
            of_all = Samples(Sample(f"{name}.jpg", name.partition("/")[0], boxes.get(name)) for name in found)
        del boxes
        pack_samples(
            folder, of_all, folder / "listed/train.json", name="benchmark", size=64, credit="", facts={}, workers=workers,
            progress=stop,
        )  # fmt: skip


class Memory(threading.Thread):
    """Watches the proportional set size of this process and its descendants; `peak` in bytes."""

    def __init__(self) -> None:
        super().__init__(daemon=True)
        self.peak, self.asked = 0, threading.Event()

    def run(self) -> None:
        this = psutil.Process()
        while not self.asked.wait(0.2):
            total = 0
            for process in [this, *this.children(recursive=True)]:
                try:
                    total += getattr(process.memory_full_info(), "pss", 0)
                except psutil.Error:
                    continue
            self.peak = max(self.peak, total)

    def __enter__(self) -> Memory:
        self.start()
        return self

    def __exit__(self, *error: object) -> None:
        self.asked.set()
        self.join()


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--images", type=int, default=4000)
    parser.add_argument("--workers", type=int, default=len(os.sched_getaffinity(0)))
    parser.add_argument("--listed", type=int, default=3_300_000)
    parser.add_argument("--rounds", type=int, default=3)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        samples = make_pictures(folder, arguments.images)
        warm = folder / "warm"
        packed(folder, samples[:64], warm, arguments.workers)  # starts the fork server
        best = {"one by one": 0.0, "packed": 0.0}
        with Memory() as memory:
            for number in range(arguments.rounds):
                for name in best:
                    target = folder / f"{name}-{number}"
                    target.mkdir()
                    start = time.perf_counter()
                    if name == "packed":
                        packed(folder, samples, target, arguments.workers)
                    else:
                        one_by_one(folder, samples[: arguments.images // 2], target)
                    count = arguments.images if name == "packed" else arguments.images // 2
                    best[name] = max(best[name], count / (time.perf_counter() - start))
        with Memory() as memory_of_all:
            list_and_pack(folder, samples, arguments.listed, arguments.workers)
    for name, rate in best.items():
        print(f"{name:<11} {rate:7.0f} pictures/s; CelebA's {CELEBA:,} in {CELEBA / rate / 60:.1f} min")
    print(f"ratio       {best['packed'] / best['one by one']:7.2f} with {arguments.workers} workers")
    print(f"memory      {memory.peak / 2**20:7.0f} MiB at most, all processes together")
    print(f"listed      {memory_of_all.peak / 2**20:7.0f} MiB at most, with {arguments.listed:,} pictures and boxes listed")


if __name__ == "__main__":
    main()
