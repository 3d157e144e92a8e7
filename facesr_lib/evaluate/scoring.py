"""Score super-resolvers on one image set by everything that a paper's tables ask for, and record it in a run."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from facesr_lib.data import ImageSet
from facesr_lib.evaluate.bootstrap import SET_RESAMPLES, set_replicates
from facesr_lib.evaluate.run import Run
from facesr_lib.image import to_uint8
from facesr_lib.metrics import (
    evaluate,
    frechet_distance,
    if_available,
    lpips_metric,
    make_extractor,
    niqe,
    niqe_name,
    psnr,
    ssim,
)
from facesr_lib.metrics.evaluate import Metric
from facesr_lib.metrics.features import Extractor, set_convention, set_scores
from facesr_lib.metrics.lpips import Lpips
from facesr_lib.metrics.weights import find

Features = npt.NDArray[np.float64]


@dataclass
class Backends:
    """The networks behind LPIPS and FID in one run; None where no weights are, which is noted in the run once."""

    lpips: Lpips | None
    extractor: Extractor | None

    @classmethod
    def find(cls, run: Run) -> Backends:
        """The best that this machine has (official weights, else named substitutes), recorded as the run's backends."""
        lpips = if_available(lambda: lpips_metric("auto", run.device), run.note)
        extractor = if_available(lambda: make_extractor("auto").to(run.device), run.note)
        if lpips:
            run.backend("LPIPS", f"{lpips.name}: {lpips.convention}")
        if extractor:
            run.backend("FID", f"{extractor.name}: {extractor.convention}")
        return cls(lpips, extractor)


@dataclass
class Scoring:
    """PSNR, SSIM, LPIPS, FID and KID on `images`, in one pass per method, recorded with what the claims need.

    images: the HR faces, recorded in the run under `role`. batches: called for every method, yields {"lr", "hr"} as
    `facesr_lib.data.eval_batches` does. crop: border left out of PSNR and SSIM, in pixels, usually the scale.
    y: PSNR and SSIM on the Y of YCbCr, else on RGB.
    extra: further per-image metrics, name -> (function of (sr, hr), convention, whether higher is better).
    """

    run: Run
    images: ImageSet
    batches: Callable[[], Iterable[Mapping[str, Tensor]]]
    crop: int
    backends: Backends
    role: str = "faces"
    y: bool = True
    extra: Mapping[str, tuple[Metric, str, bool]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.run.data(self.images, role=self.role)
        border = f"border of {self.crop} cropped" if self.crop else "no crop"
        convention = f"{'Y of YCbCr' if self.y else 'RGB'}, 8-bit, {border}"
        psnr_name, ssim_name = ("PSNR Y (dB)", "SSIM Y") if self.y else ("PSNR (dB)", "SSIM")
        self._metrics: dict[str, tuple[Metric, str, bool]] = {
            psnr_name: (lambda sr, hr: psnr(sr, hr, y=self.y, crop=self.crop), convention, True),
            ssim_name: (lambda sr, hr: ssim(sr, hr, y=self.y, crop=self.crop), convention, True),
        }
        if lpips := self.backends.lpips:
            self._metrics[lpips.name] = (lpips, lpips.convention, False)
        self._metrics |= self.extra
        self._reference: Features | None = None

    def __call__(
        self, method: str, super_resolve: Callable[[Tensor], Tensor], *, seed: int | None = None
    ) -> dict[str, Any]:
        """Score `super_resolve(lr)` under the name `method`; returns a row for a table: {"method": ..., metric: mean, ...}.

        seed: of the training, where a method is trained several times (default: the run's own).
        """
        functions = {name: metric for name, (metric, _, _) in self._metrics.items()}
        extractor = self.backends.extractor
        if extractor:
            functions["features"] = lambda sr, hr: extractor(to_uint8(sr))
            if self._reference is None:
                functions["reference"] = lambda sr, hr: extractor(to_uint8(hr))
        with torch.no_grad():
            found = evaluate(super_resolve, self.batches(), functions, self.run.device)

        row: dict[str, Any] = {"method": method}
        for name, (_, convention, higher) in self._metrics.items():
            values, dataset = found[name], self.images.name
            self.run.score(method, dataset, name, values, convention=convention, higher_is_better=higher, seed=seed)
            row[name] = values.mean().item()
        if extractor:
            if self._reference is None:
                self._reference = found["reference"].numpy()
            made, real = found["features"].numpy(), self._reference
            row |= record_set_scores(self.run, method, self.images, made, real, extractor, seed=seed)
        return row


def niqe_metric(size: int) -> dict[str, tuple[Metric, str, bool]]:
    """NIQE as an `extra` of Scoring, for images of `size` pixels, enlarged to the 192 that it needs; {} without its weights."""
    if not find("niqe"):
        return {}
    factor = -(-192 // size)
    name = niqe_name(enlarge=factor)
    return {name: (lambda sr, hr: niqe(sr, enlarge=factor), name, False)}


def record_set_scores(
    run: Run,
    method: str,
    images: ImageSet,
    made: Features,
    real: Features,
    extractor: Extractor,
    *,
    of: str = "",
    seed: int | None = None,
) -> dict[str, float]:
    """Record both distances of the features of what `method` made of `images` and of real ones, and return them by name.

    The Frechet distance comes with bootstrap replicates over people, but in smoke runs, on which no claim is judged.
    of: what was compared if not SR with HR, added to the metric's name: "LR" records "FD (...) of LR".
    """
    suffix = f" of {of}" if of else ""
    convention = set_convention(made, real, extractor)
    a, b = in_their_span(made, real)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of few images: the convention says how many
        scores = set_scores(made, real, extractor)
        resamples = 0 if run.profile == "smoke" else SET_RESAMPLES
        replicates = set_replicates(a, b, frechet_distance, images.groups, resamples=resamples)
    found = {f"{name}{suffix}": value for name, value in scores.items()}
    for metric, value in found.items():
        draws = replicates if metric == f"{extractor.name}{suffix}" else ()
        n = len(made)
        run.set_score(method, images.name, metric, value, n=n, replicates=draws, convention=convention, seed=seed)
    return found


def in_their_span(a: Features, b: Features) -> tuple[Features, Features]:
    """Both feature sets (N, D), (M, D) in an orthonormal basis of their joint span: at most N + M numbers each.

    Distances of Gaussians fitted to them stay as they are, and a bootstrap takes half the time where N + M < D.
    """
    if len(a) + len(b) >= a.shape[1]:
        return a, b
    basis = np.linalg.qr(np.concatenate([a, b]).T)[0]
    return a @ basis, b @ basis
