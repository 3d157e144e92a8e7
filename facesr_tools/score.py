"""Score systems that were not trained here: a folder of SR images made elsewhere, or a pretrained model's file."""

import re
import unicodedata
import warnings
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from facesr_lib.data.folder import HIDDEN, SUFFIXES, BadImages, is_16_bit, opened
from facesr_lib.data.images import ImageSet, PassedOver, listed
from facesr_lib.image import check_images, to_float, to_uint8
from facesr_lib.metrics import (
    Metric,
    evaluate,
    identity_metric,
    if_available,
    lpips_metric,
    make_extractor,
    niqe_metric,
    psnr_metric,
    set_scores,
    ssim_metric,
)
from facesr_lib.metrics.precise import full_precision
from facesr_tools.landmarks import landmark_metric

SuperResolve = Callable[[Tensor], Tensor]
Note = Callable[[str], object]


@dataclass(frozen=True)
class FolderScore:
    """One metric's result. values: one per image, NaN where this image has no score; one in all for a set-level metric.

    n: the images behind it.
    """

    metric: Metric
    values: tuple[float, ...]
    n: int

    @property
    def mean(self) -> float:
        """Mean over the images that have a score."""
        return float(np.nanmean(self.values))

    @property
    def std(self) -> float | None:
        """Sample standard deviation over these images; None for fewer than two."""
        known = [value for value in self.values if not np.isnan(value)]
        with np.errstate(invalid="ignore"):  # identical images have an infinite PSNR, whose spread is undefined
            return float(np.std(known, ddof=1)) if len(known) > 1 else None


def score_all(
    super_resolve: SuperResolve,
    batches: Iterable[Mapping[str, Tensor]],
    size: tuple[int, int],
    *,
    y: bool = False,
    crop: int = 0,
    device: torch.device | str = "cpu",
    note: Callable[[str], object],
) -> list[FolderScore]:
    """Score by PSNR and SSIM, and by LPIPS, NIQE, identity, landmarks, FID and KID where their weights are.

    batches: as `evaluate` takes them. size: height and width of HR. y, crop: as in `psnr`. note: called with a sentence for
    every metric or image without a score; missing weights come with the command that fetches them.
    Raises ValueError where PSNR or SSIM cannot be taken, as for a crop that leaves nothing.
    """
    optional = (
        if_available(lambda: lpips_metric("auto", device).metric, note),
        if_available(lambda: niqe_metric(min(size)), note),
        if_available(lambda: identity_metric(device), note),
        if_available(lambda: landmark_metric(device), note),
    )
    problems: dict[str, str] = {}
    careful = [replace(metric, function=partial(_or_nan, metric, problems)) for metric in optional if metric]
    metrics = [psnr_metric(y=y, crop=crop), ssim_metric(y=y, crop=crop), *careful]
    of_sr, of_hr, of_sets = Metric("sr", "features of SR"), Metric("hr", "features of HR"), []
    if extractor := if_available(lambda: make_extractor("auto").to(device), note):
        of_sets = [
            replace(of_sr, function=lambda sr, hr: extractor(to_uint8(sr))),
            replace(of_hr, function=lambda sr, hr: extractor(to_uint8(hr))),
        ]
    with torch.no_grad():
        found = evaluate(super_resolve, batches, [*metrics, *of_sets], device)
    scores = []
    for metric in metrics:
        values = found[metric].numpy()
        n = int((~np.isnan(values)).sum())
        if n < len(values):
            note(f"{'n/a' if n == 0 else f'{len(values) - n} images left out'}: {metric.label}: {problems[metric.key]}")
        if n:
            scores.append(FolderScore(metric, tuple(values.tolist()), n))
    if extractor:
        try:
            with warnings.catch_warnings(record=True) as remarks:
                warnings.simplefilter("always")
                distances = set_scores(found[of_sr].numpy(), found[of_hr].numpy(), extractor)
        except ValueError as error:
            note(f"n/a: {extractor.fid.label}: {error}")
        else:
            scores += [FolderScore(metric, (value,), len(found[of_sr])) for metric, value in distances.items()]
            for remark in remarks:
                note(str(remark.message))
    return scores


def _or_nan(metric: Metric, problems: dict[str, str], sr: Tensor, hr: Tensor) -> Tensor:
    """The metric image by image; NaN for one that is too small or too flat for it, whose reason goes to `problems`."""
    found = []
    for one, other in zip(sr.split(1), hr.split(1), strict=True):
        try:
            found.append(metric(one, other).double())
        except ValueError as error:
            problems[metric.key] = str(error)
            found.append(torch.full((1,), torch.nan, dtype=torch.float64, device=sr.device))
    return torch.cat(found)


def reference_set(folder: Path, note: Note = warnings.warn) -> tuple[ImageSet, list[str]]:
    """The HR images in a folder, in natural order, and their names without suffix.

    8-bit RGB or grey pictures of one size, in any common format. Nothing is resized or cropped. note: called with what is passed
    over, such as subfolders.
    Raises FileNotFoundError without such pictures; ValueError naming the files that differ in size or cannot be read, and two
    files of one name.
    """
    folder = Path(folder)
    if not folder.is_dir():
        raise FileNotFoundError(f"{folder} is not a folder: give the folder of the HR references")
    paths, others = _pictures(folder, SUFFIXES)
    _say(note, others)
    if not paths:
        raise FileNotFoundError(f"{folder} holds no pictures: give the folder of the HR references")
    names = [path.stem for path in paths]
    _by_name(folder, paths)
    try:
        with opened(paths[0]) as first:
            size = first.height, first.width
    except BadImages as error:
        raise ValueError(f"{paths[0]} cannot be read as a picture ({error}): replace it or take it out") from error
    _refuse(folder, paths, size, png=False)
    pixels = np.stack([_pixels(path) for path in paths])
    return ImageSet(folder.resolve().name or "references", pixels, tuple(names), f"{folder.name}/"), names


def evaluate_folder(
    sr_folder: Path,
    images: ImageSet,
    metrics: Sequence[Metric],
    *,
    names: Sequence[str] | None = None,
    batch_size: int = 16,
    device: torch.device | str = "cpu",
    note: Note = warnings.warn,
) -> dict[Metric, Tensor]:
    """Score the PNG files in a folder against an HR set; returns per metric a float64 tensor (N,) in the set's order.

    Files, names and errors: as in `folder_batches`.
    """
    return evaluate(given, folder_batches(sr_folder, images, names, batch_size, note), metrics, device)


def given(sr: Tensor) -> Tensor:
    """The super-resolver of images that are super-resolved already."""
    return sr


def folder_batches(
    sr_folder: Path, images: ImageSet, names: Sequence[str] | None = None, batch_size: int = 16, note: Note = warnings.warn
) -> Iterator[dict[str, Tensor]]:
    """Batches for `evaluate` in which "lr" holds the SR images of a folder.

    names: of the files, as in `sr_batches`; without them, the last part of the images' groups, which is the file's name for
    pictures that `image_folder` found directly in a folder. Never by order. All files are examined before the first one is
    scored. Raises ValueError where several images have one name, and as `sr_batches`.
    """
    names = [group.rpartition("/")[2] for group in images.groups] if names is None else names
    made = sr_batches(sr_folder, len(images), images.size, names, batch_size, note)
    rows = (range(start, min(start + batch_size, len(images))) for start in range(0, len(images), batch_size))
    return ({"lr": sr, "hr": images.take(row)} for sr, row in zip(made, rows, strict=True))


def sr_batches(
    sr_folder: Path, n: int, size: tuple[int, int], names: Sequence[str], batch_size: int = 16, note: Note = warnings.warn
) -> Iterator[Tensor]:
    """The SR images of a folder, in batches (b, 3, H, W) in [0, 1]: one 8-bit RGB or grey PNG of `size` for each of n images.

    Image i is the file "<names[i]>.png", with composed or decomposed accents. Nothing is resized, cropped or stretched.
    note: called with what is passed over: files that no name asks for.
    Raises, when called, FileNotFoundError or ValueError naming the files that are missing, not PNG, of another size or depth.
    """
    paths = _sr_files(Path(sr_folder), n, names, note)
    _refuse(Path(sr_folder), paths, size)

    def batches() -> Iterator[Tensor]:
        for start in range(0, n, batch_size):
            levels = torch.from_numpy(np.stack([_pixels(path) for path in paths[start : start + batch_size]]))
            yield to_float(levels.permute(0, 3, 1, 2).contiguous())

    return batches()


def _refuse(folder: Path, paths: Sequence[Path], size: tuple[int, int], *, png: bool = True) -> None:
    """Raise ValueError naming the files that cannot be scored."""
    problems = [f"{path.name}: {reason}" for path in paths if (reason := _unfit(path, size, png=png))]
    if problems:
        more = f"\n  and {len(problems) - 10} more" if len(problems) > 10 else ""
        raise ValueError(f"{len(problems)} files in {folder} cannot be scored:\n  " + "\n  ".join(problems[:10]) + more)


def _sr_files(folder: Path, n: int, names: Sequence[str], note: Note) -> list[Path]:
    if not folder.is_dir():
        raise FileNotFoundError(f"{folder} is not a folder: give the folder of the SR images")
    if len(names) != n:
        raise ValueError(f"names: {len(names)} names for {n} images; give one each")
    if len({unicodedata.normalize("NFC", name) for name in names}) != n:
        raise ValueError("names: a name occurs twice, so files cannot be paired by name; give `names`, one for each image")
    paths, others = _pictures(folder, {".png"})
    there = _by_name(folder, paths)
    if missing := [name for name in names if unicodedata.normalize("NFC", name) not in there]:
        wanted = {unicodedata.normalize("NFC", name) for name in names}
        unpaired = [path.name for name, path in there.items() if name not in wanted]
        unpaired += [one.what for one in others if Path(one.what).suffix.lower() in SUFFIXES]
        rest = f"; without a reference: {', '.join(unpaired[:10])}" if unpaired else ""
        shown = ", ".join(f"{name}.png" for name in missing[:10])
        remedy = "Save SR images as PNG, named as HR"
        raise FileNotFoundError(f"{len(missing)} of {n} SR images are missing in {folder}: {shown}{rest}. {remedy}")
    chosen = [there.pop(unicodedata.normalize("NFC", name)) for name in names]
    _say(note, [PassedOver(path.name, "no reference has this name") for path in there.values()] + others)
    return chosen


def _pictures(folder: Path, endings: Collection[str]) -> tuple[list[Path], list[PassedOver]]:
    """The files in a folder with one of the endings, in natural order, and what else is there, without hidden files."""
    visible = sorted((path for path in folder.iterdir() if not path.name.startswith(HIDDEN)), key=_natural)
    found = [path for path in visible if path.suffix.lower() in endings and not path.is_dir()]
    reason = f"expected files ending in {', '.join(sorted(endings))}"
    return found, [PassedOver(path.name, "a folder" if path.is_dir() else reason) for path in visible if path not in found]


def _by_name(folder: Path, paths: Sequence[Path]) -> dict[str, Path]:
    """Files by their name without ending, accents composed. Raises ValueError for two files of one name."""
    found: dict[str, Path] = {}
    for path in paths:
        if (first := found.setdefault(unicodedata.normalize("NFC", path.stem), path)) != path:
            raise ValueError(f"{folder} holds two files of one name, {first.name} and {path.name}: keep one of them")
    return found


def _say(note: Note, passed: Sequence[PassedOver]) -> None:
    for line in listed(passed):
        note(f"Passed over {line}")


def _natural(path: Path) -> list[tuple[int, str]]:
    """Sort key in which numbers count by their value."""
    return [(int(part), "") if part.isdecimal() else (-1, part) for part in re.split(r"(\d+)", path.stem) if part]


def _unfit(path: Path, size: tuple[int, int], *, png: bool) -> str:
    """Why a file cannot be scored, or nothing."""
    try:
        with opened(path) as image:
            if png and image.format != "PNG":
                return f"it is {image.format} in spite of its name; save as PNG"
            if image.size != (size[1], size[0]):
                return f"{image.size[0]} x {image.size[1]} pixels, the HR images have {size[1]} x {size[0]}"
            if is_16_bit(image):  # of which Pillow would keep the upper byte: up to a level too dark
                return "16 bit per colour; save it with 8, rounded: round(v / 257)"
            if image.mode not in ("RGB", "L", "P") or "transparency" in image.info:
                return f"colour mode {image.mode} or transparent; save as 8-bit RGB without transparency"
            image.load()
    except BadImages as error:
        return str(error)
    return ""


def _pixels(path: Path) -> np.ndarray:
    with Image.open(path) as image:
        return np.array(image.convert("RGB"))


class SpandrelMethod:
    """A pretrained super-resolver from a file; `method(lr)` gives SR. Made by `spandrel_method`.

    name: architecture and file, for tables.  scale: how many times larger SR is.
    """

    def __init__(self, model: Any, path: Path, device: torch.device) -> None:
        self.scale: int = model.scale
        self.name = f"{model.architecture.name} x{model.scale} ({path.name})"
        self._model, self._device = model, device

    def __call__(self, lr: Tensor) -> Tensor:
        """RGB (N, 3, h, w) in [0, 1] -> (N, 3, h * scale, w * scale) in [0, 1], one image at a time. No gradient."""
        check_images(lr, "lr", channels=3)
        with full_precision(self._device):
            return torch.cat([self._model(one[None].to(self._device)).clamp(0, 1) for one in lr])


def spandrel_method(path: Path, device: torch.device | str = "cpu") -> SpandrelMethod:
    """Load a super-resolution model (Real-ESRGAN, SwinIR, GFPGAN, ...) that you have as a .pth or .safetensors file.

    spandrel (MIT; `pip install spandrel`) recognises the architecture; the weights keep their own licence. Only tensors are
    read, nothing is unpickled. A face restorer such as GFPGAN wants the input size that its authors state.
    Raises ModuleNotFoundError when spandrel is missing, FileNotFoundError, and ValueError for a file that holds more than
    tensors, an unknown architecture, or a model that is no RGB super-resolver.
    """
    try:
        import spandrel
    except ImportError as error:
        raise ModuleNotFoundError("spandrel is needed to load foreign models: pip install spandrel") from error
    path = Path(path)
    if not path.is_file():
        raise FileNotFoundError(f"{path} is missing: give the model's file (.pth or .safetensors)")
    try:
        state = _tensors(path)
        model = spandrel.ModelLoader().load_from_state_dict(spandrel.canonicalize_state_dict(state))
    except spandrel.UnsupportedModelError as error:
        raise ValueError(f"{path}: spandrel does not know this model's architecture; choose another model") from error
    purposes = ("SR", "FaceSR", "Restoration")
    if not isinstance(model, spandrel.ImageModelDescriptor) or model.purpose not in purposes:
        raise ValueError(f"{path}: this {model.architecture.name} is for {model.purpose}, not for super-resolution")
    if (model.input_channels, model.output_channels) != (3, 3):
        raise ValueError(f"{path}: expected an RGB model, this one takes {model.input_channels} channels")
    model.to(torch.device(device)).eval()
    return SpandrelMethod(model, path, torch.device(device))


def _tensors(path: Path) -> dict[str, Any]:
    """A state dict, read without unpickling anything but tensors."""
    if path.suffix == ".safetensors":
        from safetensors.torch import load_file

        read: Callable[[], Any] = partial(load_file, path)
    else:
        read = partial(torch.load, path, "cpu", weights_only=True)
    try:
        state = read()
    except Exception as error:  # torch raises pickle, zip and runtime errors here, safetensors one of its own
        raise ValueError(f"{path} cannot be read as a file of tensors; ask for a whole .safetensors file ({error})") from error
    if not isinstance(state, dict):
        raise ValueError(f"{path} holds a {type(state).__name__}, not a dictionary of tensors")
    return state
