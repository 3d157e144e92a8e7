"""Score systems that were not trained here: a folder of SR images made elsewhere, or a pretrained model's file."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image, UnidentifiedImageError
from torch import Tensor

from facesr_lib.data.images import ImageSet
from facesr_lib.image import check_images, to_float
from facesr_lib.metrics.evaluate import Metric, evaluate
from facesr_lib.metrics.precise import full_precision


def evaluate_folder(
    sr_folder: Path,
    images: ImageSet,
    metrics: Mapping[str, Metric],
    *,
    names: Sequence[str] | None = None,
    batch_size: int = 16,
    device: torch.device | str = "cpu",
) -> dict[str, Tensor]:
    """Score the PNG files in a folder against an HR set; returns per metric a float64 tensor (N,) in the set's order.

    One 8-bit RGB or grey PNG per image, of its size. With `names`, image i is the file "<names[i]>.png" and other files are
    passed over; without, the files in natural order (2.png before 10.png) are the images in order, and their number must be
    the set's. Nothing is resized, cropped or stretched. All files are examined before the first one is scored.
    Raises FileNotFoundError or ValueError naming the files that are missing, too many, not PNG, of another size or depth.
    """
    paths = _sr_files(Path(sr_folder), len(images), names)
    problems = [f"{path.name}: {reason}" for path in paths if (reason := _unfit(path, images.size))]
    if problems:
        more = f"\n  and {len(problems) - 10} more" if len(problems) > 10 else ""
        raise ValueError(
            f"{len(problems)} files in {sr_folder} cannot be scored:\n  " + "\n  ".join(problems[:10]) + more
        )

    def batches() -> Iterator[dict[str, Tensor]]:
        for start in range(0, len(images), batch_size):
            rows = range(start, min(start + batch_size, len(images)))
            yield {"lr": torch.cat([_read(paths[i]) for i in rows]), "hr": images.take(rows)}

    return evaluate(lambda sr: sr, batches(), metrics, device)  # these images are super-resolved already


def _sr_files(folder: Path, n: int, names: Sequence[str] | None) -> list[Path]:
    if not folder.is_dir():
        raise FileNotFoundError(f"{folder} is not a folder: give the folder of the SR images")
    if names is not None:
        if len(names) != n:
            raise ValueError(f"names: {len(names)} names for {n} images; give one each")
        if len(set(names)) != n:
            raise ValueError("names: a name occurs twice")
        missing = [name for name in names if not (folder / f"{name}.png").is_file()]
        if missing:
            shown = ", ".join(f"{name}.png" for name in missing[:10])
            raise FileNotFoundError(f"{len(missing)} of {n} SR images are missing in {folder}: {shown}")
        return [folder / f"{name}.png" for name in names]
    visible = [path for path in folder.iterdir() if path.is_file() and not path.name.startswith(".")]
    others = sorted(path.name for path in visible if path.suffix.lower() in (".jpg", ".jpeg", ".webp", ".bmp", ".tif"))
    if others:
        raise ValueError(
            f"{folder} holds {', '.join(others[:5])}: save SR images as PNG, since JPEG changes every score"
        )
    found = sorted((path for path in visible if path.suffix.lower() == ".png"), key=_natural)
    if len(found) != n:
        ends = f" ({found[0].name} to {found[-1].name})" if found else ""
        raise ValueError(f"{folder} holds {len(found)} PNG files{ends} for {n} images; give one each, or `names`")
    return found


def _natural(path: Path) -> list[tuple[int, str]]:
    """Sort key in which numbers count by their value."""
    return [(int(part), "") if part.isdecimal() else (-1, part) for part in re.split(r"(\d+)", path.stem) if part]


def _unfit(path: Path, size: tuple[int, int]) -> str:
    """Why a file cannot be scored, or nothing."""
    try:
        with Image.open(path) as image:
            if image.format != "PNG":
                return f"it is {image.format} in spite of its name; save as PNG"
            if image.size != (size[1], size[0]):
                return f"{image.size[0]} x {image.size[1]} pixels, the HR images have {size[1]} x {size[0]}"
            if image.mode not in ("RGB", "L", "P"):
                return f"colour mode {image.mode}; save as 8-bit RGB without transparency"
            image.load()
    except UnidentifiedImageError:
        return "not an image"
    except (OSError, SyntaxError, ValueError) as error:  # Pillow raises these on damaged files
        return f"damaged ({error})"
    return ""


def _read(path: Path) -> Tensor:
    with Image.open(path) as image:
        pixels = np.array(image.convert("RGB"))
    return to_float(torch.from_numpy(pixels).permute(2, 0, 1)[None].contiguous())


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
        raise ValueError(f"{path}: spandrel does not know this model's architecture") from error
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

        return dict(load_file(path))
    try:
        state = torch.load(path, "cpu", weights_only=True)
    except Exception as error:  # torch raises pickle, zip and runtime errors here
        raise ValueError(
            f"{path} cannot be read as a file of tensors; ask for a .safetensors file ({error})"
        ) from error
    if not isinstance(state, dict):
        raise ValueError(f"{path} holds a {type(state).__name__}, not a dictionary of tensors")
    return state
