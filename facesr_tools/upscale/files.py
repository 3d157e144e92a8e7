"""Super-resolve picture files: plan where each result goes, do one after the other, report what failed."""

import warnings
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from facesr_lib import __version__
from facesr_lib.data import BadImages
from facesr_lib.data.folder import Note, find_images, opened
from facesr_lib.data.images import PassedOver, listed
from facesr_tools.upscale.pictures import read_picture, write_picture
from facesr_tools.upscale.tiles import TILE, CannotTile, Upscaler

LARGEST = 89_478_485  # pixels of a result: above it, Pillow suspects a decompression bomb


@dataclass(frozen=True)
class Job:
    """One file to super-resolve and the path of its result. pixels: of the source; 0 if its header cannot be read."""

    source: Path
    target: Path
    pixels: int


@dataclass(frozen=True)
class JobOutcome:
    """How a job ended. problem: "" if it succeeded; remarks: what was not kept."""

    job: Job
    problem: str = ""
    remarks: tuple[str, ...] = ()


def warn(passed: PassedOver) -> None:
    """Say by a warning what was passed over."""
    warnings.warn(f"Passed over {listed([passed])[0]}", stacklevel=2)


def plan(inputs: Sequence[Path], out: Path, *, overwrite: bool = False, note: Note = warn) -> list[Job]:
    """List every picture in `inputs` (files and folders) with its target: a PNG below `out`, in the same subfolder.

    Of a.jpg and a.png in one folder, which would both become a.png, the targets are a.jpg.png and a.png.png. note: called with
    what is passed over in folders. Writes nothing.
    Raises FileNotFoundError for a missing input or a folder without pictures. Raises ValueError if `out` is a file or lies in an
    input folder (its results would be inputs of the next run), if two results would have the same name, or if a result would
    replace a source. Raises FileExistsError if a result exists already, unless `overwrite`.
    """
    if out.is_file():
        raise ValueError(f"OUT {out} is a file: name the folder for the results last")
    if out.suffix.lower() in (".png", ".jpg", ".jpeg", ".tif", ".tiff", ".webp") and not out.is_dir():
        raise ValueError(f"OUT {out} is to be a folder, and is called as a picture: name a folder, such as {out.with_suffix('')}")
    jobs: list[Job] = []
    for given in inputs:
        if given.is_dir():
            if out.resolve().is_relative_to(given.resolve()):
                raise ValueError(f"OUT {out} lies inside {given}, so results would become inputs: choose another folder")
            jobs += [_job(file, out / file.relative_to(given)) for file in find_images(given, note)]
        elif given.exists() or given.is_symlink():  # what cannot be read is reported when its turn comes
            jobs.append(_job(given, out / given.name))
        else:
            raise FileNotFoundError(f"{given}: there is no such file or folder")
    count = Counter(job.target for job in jobs)
    jobs = [replace(job, target=job.target.with_name(f"{job.source.name}.png")) if count[job.target] > 1 else job for job in jobs]
    sources = {job.source.resolve() for job in jobs}
    if replaced := [job.target for job in jobs if job.target.resolve() in sources]:
        raise ValueError(f"{_some(replaced)} would replace an original: choose another OUT")
    count = Counter(job.target for job in jobs)
    if doubled := [target for target, n in count.items() if n > 1]:
        raise ValueError(f"several inputs would become {_some(doubled)}: do them one after the other into folders of their own")
    if not overwrite and (there := [job.target for job in jobs if job.target.exists()]):
        raise FileExistsError(f"{_some(there)} exists already: choose another OUT, or say --overwrite")
    return jobs


def upscale_files(
    jobs: Sequence[Job], upscaler: Upscaler, *, tile: int = TILE, step: Callable[[int], object] = lambda pixels: None
) -> Iterator[JobOutcome]:
    """Do the jobs one after the other; a failed file yields a JobOutcome with its problem and does not stop the others.

    step: called with the source pixels of each finished tile; for a failed file, its remaining pixels are reported at its end.
    """
    for job in jobs:
        done = 0

        def advance(pixels: int) -> None:
            nonlocal done
            done += pixels
            step(pixels)

        try:
            remarks = _upscale(job, upscaler, tile, advance)
            yield JobOutcome(job, remarks=remarks)
        except (BadImages, CannotTile) as error:
            yield JobOutcome(job, str(error))
        except OSError as error:
            yield JobOutcome(job, f"cannot be read or written ({error.strerror or error})")
        except Exception as error:  # of a network, on a picture that it cannot take: the others go on
            scarce = isinstance(error, MemoryError) or "memory" in str(error).lower()  # torch's allocators raise RuntimeError
            lower = f"not enough memory: give a smaller --tile than {tile or 'the whole picture'}"
            yield JobOutcome(job, lower if scarce else f"{upscaler.name} failed on it ({type(error).__name__}: {error})")
        finally:
            step(max(0, job.pixels - done))


def _upscale(job: Job, upscaler: Upscaler, tile: int, step: Callable[[int], object]) -> tuple[str, ...]:
    picture = read_picture(job.source)
    height, width = picture.pixels.shape[:2]
    scale = upscaler.scale
    if height * width * scale**2 > LARGEST:
        raise BadImages(
            f"{width}x{height} px would become {width * scale}x{height * scale}, more than {LARGEST / 1e6:.0f} million "
            "pixels: crop or shrink it first"
        )
    result = picture.enlarged(upscaler(picture.rgb, tile, step))
    job.target.parent.mkdir(parents=True, exist_ok=True)
    made = f"super-resolved x{scale} by facesr {__version__} ({upscaler.name}); its detail is invented, not recorded"
    write_picture(job.target, result, {"Software": f"facesr {__version__}", "Comment": made})
    return picture.remarks


def _job(source: Path, target: Path) -> Job:
    try:
        with opened(source) as image:
            pixels = image.width * image.height
    except BadImages:  # reported when its turn comes
        pixels = 0
    return Job(source, target.with_suffix(".png"), pixels)


def _some(paths: Sequence[Path]) -> str:
    more = f" and {len(paths) - 3} more" if len(paths) > 3 else ""
    return ", ".join(map(str, paths[:3])) + more
