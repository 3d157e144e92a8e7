"""A check passes a right answer, and tells a wrong, an empty and a crashing one apart."""

from __future__ import annotations

import numpy as np
import pytest
import torch
import torch.nn.functional as F

from facesr_lib.data.boxes import landmark_box
from facesr_lib.exercises import data, degradation, human_gan, metrics
from facesr_lib.image import gaussian_blur
from facesr_lib.metrics import kernel_distance, psnr


def test_a_check_draws_the_same_inputs_each_time_and_leaves_the_readers_stream_alone() -> None:
    seen = []

    def answer(sr, hr):
        seen.append(sr)
        return psnr(sr, hr)

    torch.manual_seed(7)
    before = torch.get_rng_state()
    metrics.check_psnr(answer)
    assert torch.equal(torch.get_rng_state(), before)
    torch.manual_seed(8)
    metrics.check_psnr(answer)
    assert torch.equal(*seen)


def unsolved(*arguments: object) -> None:
    raise NotImplementedError


def crashing(*arguments: object) -> None:
    raise ZeroDivisionError("by me")


RIGHT_AND_WRONG = {
    metrics.check_psnr: (
        lambda sr, hr: 10 * torch.log10(1 / (sr - hr).square().mean((1, 2, 3))),
        lambda sr, hr: 10 * torch.log10(1 / (sr - hr).square().mean()),
    ),
    degradation.check_average_pool: (lambda x, f: F.avg_pool2d(x, f), lambda x, f: x[..., ::f, ::f]),
    metrics.check_psnr_y: (lambda sr, hr, crop: psnr(sr, hr, y=True, crop=crop), lambda sr, hr, crop: psnr(sr, hr, crop=crop)),
    metrics.check_kernel_distance: (
        kernel_distance,
        lambda a, b: ((a @ a.T / 4 + 1) ** 3).mean() + ((b @ b.T / 4 + 1) ** 3).mean() - 2 * ((a @ b.T / 4 + 1) ** 3).mean(),
    ),
    data.check_face_box: (lambda points: landmark_box(points, "five"), lambda points: landmark_box(points, "outline")),
    data.check_split: (
        lambda groups, share, seed: [
            i
            for i, group in enumerate(groups)
            if group in set(np.random.default_rng(seed).permutation(sorted(set(groups)))[: round(share * 20)])
        ],
        lambda groups, share, seed: np.random.default_rng(seed).permutation(len(groups))[: len(groups) // 4].tolist(),
    ),
    data.check_near_duplicates: (
        lambda train, test: [i for i, x in enumerate(test) if (train - x).square().mean((1, 2, 3)).min() < 1e-3],
        lambda train, test: [i for i, x in enumerate(test) if (train == x).all(1).all(1).all(1).any()],
    ),
    human_gan.check_generator_loss: (lambda scores: F.softplus(-scores).mean(), lambda scores: -scores.sigmoid().log().mean()),
    human_gan.check_unsharp: (
        lambda x, amount: (x + amount * (x - gaussian_blur(x, 7, 5.0))).clamp(0, 1),
        lambda x, amount: x + amount * (x - gaussian_blur(x, 7, 5.0)),
    ),
    human_gan.check_bounded_scale: (lambda raw: 0.2 + 0.6 * torch.sigmoid(raw), lambda raw: (raw + 0.5).clamp(0.2, 0.8)),
}


@pytest.mark.parametrize("check", RIGHT_AND_WRONG, ids=lambda check: check.__name__)
def test_check(check) -> None:
    right, wrong = RIGHT_AND_WRONG[check]
    assert check(right).passed
    assert repr(check(right)).startswith("✓")
    assert not check(wrong).passed
    assert "Not yet" in repr(check(wrong))
    assert "Not solved yet" in repr(check(unsolved))
    assert "ZeroDivisionError: by me" in repr(check(crashing))
    assert not check(lambda *arguments: 1.0).passed
