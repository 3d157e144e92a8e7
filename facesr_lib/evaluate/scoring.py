"""Score super-resolvers on one image set by everything that a paper's tables ask for, and record it in a run."""

import hashlib
import json
import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import torch
from torch import Tensor

from facesr_lib.data import ImageSet, TestSet, degrade_set, pack
from facesr_lib.evaluate.bootstrap import set_replicates
from facesr_lib.evaluate.run import Run
from facesr_lib.image import Degradation
from facesr_lib.metrics import Metric, evaluate, if_available, lpips_metric, psnr_metric, ssim_metric
from facesr_lib.metrics.features import Extractor, features, image_set_features, make_extractor, set_scores
from facesr_lib.metrics.frechet import Features
from facesr_lib.metrics.lpips import Lpips


@dataclass
class Backends:
    """The networks behind LPIPS and FID in one run; None where no weights are, which is noted in the run once."""

    lpips: Lpips | None
    extractor: Extractor | None

    @classmethod
    def find(cls, run: Run) -> "Backends":
        """The best that this machine has (official weights, else named substitutes), recorded as the run's backends."""
        lpips = if_available(lambda: lpips_metric("auto", run.device), run.note)
        extractor = if_available(lambda: make_extractor("auto").to(run.device), run.note)
        for metric in (lpips and lpips.metric, extractor and extractor.fid):
            if metric:
                run.backend(metric.family, f"{metric.label}: {metric.convention}")
        return cls(lpips, extractor)


@dataclass
class Scoring:
    """PSNR, SSIM, LPIPS, FID and KID on `images`, in one pass per method, recorded with what the claims need.

    images: the HR faces, whose LR images `degrade` makes, as `facesr_lib.data.eval_batches` does with `seed` (default: the
    run's); or a `TestSet` and no `degrade`. Without originals what is left is FID, KID and `extra`.
    crop: border left out of PSNR and SSIM, in pixels, usually the scale. y: PSNR and SSIM on the Y of YCbCr, else on RGB.
    extra: further metrics of images; None, for one without weights, is left out.

    The images of a paper's run are kept in <out>/test_sets, so that `facesr score --as` can score others' results on them.
    """

    run: Run
    images: ImageSet | TestSet
    degrade: Degradation | None
    crop: int
    backends: Backends
    y: bool = True
    extra: Sequence[Metric | None] = ()
    batch_size: int = 10
    seed: int | None = None

    def __post_init__(self) -> None:
        seed = self.run.seed if self.seed is None else self.seed
        if isinstance(self.images, TestSet) and self.degrade is None:
            self.test = self.images
        elif isinstance(self.images, ImageSet) and self.degrade is not None:
            self.test = TestSet(degrade_set(self.images, self.degrade, seed), self.images)
        else:
            raise ValueError("degrade: give one with HR images, and None with a TestSet, which has its LR images")
        pixels = psnr_metric(y=self.y, crop=self.crop), ssim_metric(y=self.y, crop=self.crop)
        lpips = self.backends.lpips and self.backends.lpips.metric
        pairs = (*pixels, lpips) if self.test.hr else ()
        self._metrics = [metric for metric in (*pairs, *self.extra) if metric]
        if self.run.paper:
            self._keep()

    def _keep(self) -> None:
        """Pack the images in a folder that is named after them and the conventions; the facts go into the manifests."""
        test, extra = self.test, [metric.key for metric in self.extra if metric]
        facts = {"paper": self.run.paper, "crop": self.crop, "y": self.y, "extra": extra, "name": test.images.name}
        facts |= {"role": test.images.role, "checksum": test.images.checksum}
        parts = {"lr": test.lr, "hr" if test.hr else "others": test.real}
        key = json.dumps([facts, {part: images.checksum for part, images in parts.items()}])
        folder = self.run.out / "test_sets" / hashlib.sha256(key.encode()).hexdigest()[:16]
        for part, images in parts.items():
            if not (folder / f"{part}.json").is_file():
                pack(images, folder / part, facts)

    def columns(self) -> dict[str, Metric]:
        """The metrics that are taken here by their family, as papers head the columns of their tables; KID left out."""
        fid = self.backends.extractor and self.backends.extractor.fid
        return {metric.family: metric for metric in (*self._metrics, fid) if metric}

    def __call__(self, method: str, super_resolve: Callable[[Tensor], Tensor], *, seed: int | None = None) -> dict[str, Any]:
        """Score `super_resolve(lr)` under the name `method`; returns a row for a table: {"method": ..., label: mean, ...}.

        seed: of the training, where a method is trained several times (default: the run's own).
        """
        metrics, extractor, test = list(self._metrics), self.backends.extractor, self.test
        of_sr = Metric("sr", "features of SR")
        if extractor:
            metrics.append(replace(of_sr, function=lambda sr, hr: torch.from_numpy(features(extractor, [sr], self.run.device))))
        with torch.no_grad():
            found = evaluate(super_resolve, test.batches(self.batch_size), metrics, self.run.device)

        row: dict[str, Any] = {"method": method}
        for metric in self._metrics:
            self.run.score(method, test.images, metric, found[metric], seed=seed)
            row[metric.label] = found[metric].mean().item()
        if extractor:
            made, paired = found[of_sr].numpy(), test.hr is not None
            real = image_set_features(extractor, test.real, self.run.stages.root / "features", self.run.device)
            row |= record_set_scores(self.run, method, test.images, made, real, extractor, paired=paired, seed=seed)
        return row


def record_set_scores(
    run: Run,
    method: str,
    images: ImageSet,
    made: Features,
    real: Features,
    extractor: Extractor,
    *,
    of: str = "",
    paired: bool = True,
    seed: int | None = None,
) -> dict[str, float]:
    """Record both distances of the features of what `method` made of `images` and of real ones, and return them by label.

    Both come with jackknife replicates over people (`set_replicates`), on which claims are judged.
    of: what was compared if not SR with HR: "LR" records "FD (...) of LR", of the family "FID of LR".
    paired: row i of both shows the same person; otherwise the real images are a sample of their own.
    """
    scores = {}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of few images: the convention says how many
        for metric, value in set_scores(made, real, extractor).items():
            shown = of_other(metric, of) if of else metric
            left_out = set_replicates(made, real, metric, images.groups, paired=paired)
            run.set_score(method, images, shown, value, replicates=left_out, seed=seed)
            scores[shown.label] = value
    return scores


def of_other(metric: Metric, of: str) -> Metric:
    """The record of a set-level metric when it compares other images than SR with HR, such as "LR"."""
    key, label, family = f"{metric.key}_of_{of.lower()}", f"{metric.label} of {of}", f"{metric.family} of {of}"
    return replace(metric, key=key, label=label, family=family)
