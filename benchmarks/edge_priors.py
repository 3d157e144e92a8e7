"""How much of a stage-2 training step goes into edge priors, and what OpenCV's Canny takes for the same images.

    python benchmarks/edge_priors.py [--preset paper] [--device auto] [--steps 20]

Prints milliseconds per joint step with the paper's edges and without any, the difference as a share, and the time of each
detector alone on the batch that a step gives it; beside Canny, OpenCV's on the CPU, with the way there. Nothing is written.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import partial

import cv2
import numpy as np
import torch
from torch import Tensor

from facesr_lib.image import average_pool, rgb_to_grey, to_uint8
from facesr_lib.papers.teacher_student import Config, TeacherStudent
from facesr_lib.papers.teacher_student.networks import Canny, DownsamplingNet, Edges, NoEdges
from facesr_lib.training import resolve_device


def milliseconds(works: Mapping[str, Callable[[], object]], steps: int, device: torch.device) -> dict[str, float]:
    """The quickest of `steps` runs of each, after three to warm up; taken in turns, so that a busy machine is busy for all."""
    times: dict[str, list[float]] = {name: [] for name in works}
    for index in range(steps + 3):
        for name, work in works.items():
            start = time.perf_counter()
            work()
            if device.type == "cuda":
                torch.cuda.synchronize()
            if index >= 3:
                times[name].append(1000 * (time.perf_counter() - start))
    return {name: min(values) for name, values in times.items()}


def detect(edges: Edges, sr: Tensor) -> Tensor:
    """What the network does with an SR image between two steps."""
    return average_pool(edges(sr), 2)


def detect_by_opencv(edges: Canny, sr: Tensor) -> Tensor:
    """The same with OpenCV, image by image."""
    grey = to_uint8(rgb_to_grey(sr))[:, 0].cpu().numpy()
    found = np.stack([cv2.Canny(image, edges.low, edges.high) for image in grey])
    return average_pool((torch.from_numpy(found)[:, None] > 0).to(sr), 2)


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--preset", default="quick", help="smoke, quick, evening, workshop or paper")
    parser.add_argument("--device", default="auto", choices=("auto", "cpu", "cuda"))
    parser.add_argument("--steps", type=int, default=20)
    arguments = parser.parse_args()
    device = resolve_device(arguments.device)
    config = Config.preset(arguments.preset)
    n, size = config.batch_sizes[1], config.hr_size
    batch = {"hr": (n, 3, size, size), "lr": (n, 3, size // 4, size // 4), "real_lr": (n, 3, size // 4, size // 4)}
    images = {name: torch.rand(shape, device=device) for name, shape in batch.items()}

    works = {}
    for name, edges in (("with edges", config.edges), ("without", (NoEdges(), NoEdges()))):
        method = TeacherStudent(replace(config, edges=edges), 1, DownsamplingNet(config.down_width, config.down_blocks))
        method.build()
        for network in method.networks.values():
            network.to(device)
        works[name] = partial(method.step, images)
    found = milliseconds(works, arguments.steps, device)
    for name, value in found.items():
        print(f"{name:<12} {value:8.1f} ms a step")
    share = 100 * (1 - found["without"] / found["with edges"])
    print(f"edge priors  {share:8.1f} % of a step ({arguments.preset}, batch {n}, {device})")
    alone = {edges.name: partial(detect, edges, images["hr"]) for edges in config.edges}
    alone["Canny by OpenCV"] = partial(detect_by_opencv, Canny(), images["hr"])
    for name, value in milliseconds(alone, arguments.steps, device).items():
        print(f"{name:<16} {value:8.2f} ms alone, three times a step")


if __name__ == "__main__":
    main()
