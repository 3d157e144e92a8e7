"""evaluate: per-image scores of the rounded SR image, whatever the batch size."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from facesr_lib.image import average_pool, quantize, resize_bicubic
from facesr_lib.metrics import PSNR, SSIM, Metric, evaluate


def batches(size: int) -> list[dict[str, Tensor]]:
    hr = torch.rand(7, 3, 24, 24, generator=torch.Generator().manual_seed(0))
    return [{"hr": part, "lr": average_pool(part, 2)} for part in hr.split(size)]


def enlarge(lr: Tensor) -> Tensor:
    return resize_bicubic(lr, 2)


def test_scores_do_not_depend_on_the_batch_size() -> None:
    whole = evaluate(enlarge, batches(7), [PSNR, SSIM])
    for size in (1, 3):
        parts = evaluate(enlarge, batches(size), [PSNR, SSIM])
        for metric, values in whole.items():
            torch.testing.assert_close(parts[metric], values, rtol=0, atol=1e-6)


def test_metrics_see_the_rounded_image() -> None:
    seen: list[Tensor] = []

    def spy(sr: Tensor, hr: Tensor) -> Tensor:
        seen.append(sr)
        return torch.zeros(len(sr))

    evaluate(lambda lr: enlarge(lr) * 1.2 - 0.1, batches(7), [Metric("spy", "spy", spy)])
    assert torch.equal(seen[0], quantize(seen[0]))
    assert 0 <= seen[0].min() <= seen[0].max() <= 1


def test_wrong_scale_and_nothing_to_score_are_errors() -> None:
    with pytest.raises(ValueError, match="is the scale right"):
        evaluate(lambda lr: lr, batches(7), [PSNR])
    with pytest.raises(ValueError, match="nothing to score"):
        evaluate(enlarge, [], [PSNR])


def test_a_network_that_answers_in_another_range_is_not_clamped_into_a_score() -> None:
    for other in (lambda lr: 2 * enlarge(lr) - 1, lambda lr: 255 * enlarge(lr)):
        with pytest.raises(ValueError, match=r"super_resolve\(lr\): values from"):
            evaluate(other, batches(7), [PSNR])
