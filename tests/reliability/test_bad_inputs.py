"""Bad inputs, each through the command or function that a user gives it to: a typed error, or passed over by name.

Each answer names the file and what to do, comes in seconds, runs nothing that the input holds, and leaves nothing half-written.
"""

from __future__ import annotations

import hashlib
import json
import re
import shutil
import signal
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path

import bad_inputs
import nbformat
import numpy as np
import pytest
import torch
from PIL import Image
from safetensors.torch import save
from typer.testing import CliRunner

from facesr_lib.data import ImageSet, image_folder, load_faces, open_packed
from facesr_lib.data.packed import PackedError, pack
from facesr_lib.evaluate import Run
from facesr_lib.files import CannotWrite
from facesr_lib.metrics import PSNR
from facesr_lib.papers import isr_kd
from facesr_lib.training import save_checkpoint
from facesr_lib.training.checkpoint import load_latest
from facesr_tools.cli.main import app
from facesr_tools.prepare.archives import ArchiveError, unpack
from facesr_tools.runner.notebooks import find_folder

LIMIT = 10  # seconds of work; thirty times as long to wait
TYPED = (ValueError, FileNotFoundError, FileExistsError, CannotWrite, PackedError, ArchiveError)
TO_DO = "ask|call|choose|copy|delete|download|free|give|install|make|move|open|pack|put|remove|repair|replace|run|save|take|train"
WITHOUT = "passed over|left out|trying the one before it"
PLAIN = "there is no such file|there is no function|DATA_ROOT may be"  # the last begins the list of what it may be
# What to do, at the beginning of a sentence or of half of one; that the rest was done; or what says all.
REMEDY = re.compile(rf"(^|[.:;,(?] |\b(and|or|then) )({TO_DO})\b|{WITHOUT}|{PLAIN}", re.I | re.M)
HALF = re.compile("tmp|partial|unpacking|incomplete")


class Late(BaseException):
    """No answer in time."""


def facesr(*arguments: object) -> str:
    """What the command answers. Raises what would be a traceback, and AssertionError if it takes the input without a word."""
    done = CliRunner().invoke(app, list(map(str, arguments)))
    if done.exception is not None and not isinstance(done.exception, SystemExit | CannotWrite):
        raise done.exception
    text = f"{done.output}{done.exception if isinstance(done.exception, CannotWrite) else ''}"
    assert done.exit_code or "assed over" in text or "could not be used" in text, f"taken without a word: {text}"
    return text


def called(function: Callable[..., object], *arguments: object, **named: object) -> str:
    """What a function warns of or raises, of the typed errors. Raises AssertionError if it takes the input without a word."""
    with warnings.catch_warnings(record=True) as said:
        warnings.simplefilter("error", DeprecationWarning)
        warnings.simplefilter("always", UserWarning)
        try:
            function(*arguments, **named)
        except TYPED as error:
            return str(error)
    assert said, "taken without a word"
    return "\n".join(str(one.message) for one in said)


class Bed:
    """Offers inputs and collects what was wrong with the answers."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.mark = folder, folder / "mark"
        self.answers, self.wrong = 0, list[str]()

    def offer(self, label: str, name: str, to: Callable[..., str], given: tuple[object, ...], done: Path | None = None) -> None:
        """Call `to(*given)`. name: what its answer must hold. done: where something may lie then, as in the cache."""
        self.answers += 1
        before = self._entries()
        signal.setitimer(signal.ITIMER_PROF, LIMIT)  # of this process, so that a busy machine makes nothing late
        signal.setitimer(signal.ITIMER_REAL, 30 * LIMIT)  # waits for ever
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                text = to(*given)
        except BaseException as error:  # also a panic of Rust
            if isinstance(error, KeyboardInterrupt):
                raise
            self.wrong.append(f"{label}: {type(error).__name__}: {str(error)[:200]}")
            return
        finally:
            signal.setitimer(signal.ITIMER_PROF, 0)
            signal.setitimer(signal.ITIMER_REAL, 0)
            if self.mark.exists():
                self.mark.unlink()
                self.wrong.append(f"{label}: the input's code was run")
        if name not in text.replace("\n", ""):
            self.wrong.append(f"{label}: does not name {name}: {text[:300]}")
        if not REMEDY.search(text):
            self.wrong.append(f"{label}: no remedy: {text[:300]}")
        places = {self.folder / "cache", done}
        new = self._entries() - before
        half = {path for path in new if HALF.search(str(path.relative_to(self.folder)))}
        if left := half | {path for path in new if not places & {path, *path.parents}}:
            self.wrong.append(f"{label}: left {left}")

    def _entries(self) -> set[Path]:
        return set(self.folder.rglob("*"))

    def late(self, *_: object) -> None:
        """End an answer that takes too long."""
        raise Late


@pytest.fixture
def bed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, record_property: Callable[[str, object], None]) -> Iterator[Bed]:
    monkeypatch.setenv("FACESR_CACHE", str(tmp_path / "cache"))
    monkeypatch.chdir(tmp_path)
    bed = Bed(tmp_path)
    before = {kind: signal.signal(kind, bed.late) for kind in (signal.SIGPROF, signal.SIGALRM)}
    yield bed
    for kind, handler in before.items():
        signal.signal(kind, handler)
    record_property("count", bed.answers)
    assert bed.wrong == [], f"{len(bed.wrong)} of {bed.answers}:\n" + "\n".join(bed.wrong)


def test_the_bed_sees_what_is_wrong(tmp_path: Path) -> None:
    """Else no test below could fail."""

    def says(text: str, *leaves: str) -> str:
        for name in leaves:
            (tmp_path / name).touch()
        return text

    (tmp_path / "made").mkdir()
    good, bed = "x.png: save it again", Bed(tmp_path)
    bed.offer("right", "x.png", says, (good, "made/y.png"), tmp_path / "made")
    assert bed.wrong == []
    bed.offer("0", "x.png", says, ("picture: save it again",))
    bed.offer("1", "x.png", says, ("x.png: cannot open it",))
    bed.offer("2", "x.png", says, (good, "mark"))
    bed.offer("3", "x.png", says, (good, "new"))
    bed.offer("4", "x.png", says, (good, "made/z.tmp"), tmp_path / "made")
    bed.offer("5", "x.png", says, (), None)
    bed.offer("6", "x.png", called, (bool,))
    assert [line[0] for line in bed.wrong] == list("0123456")


def faces(folder: Path, n: int = 3, size: int = 32) -> Path:
    """A folder of n pictures of noise."""
    folder.mkdir(parents=True)
    for number, pixels in enumerate(np.random.default_rng(0).integers(0, 256, (n, size, size, 3), np.uint8)):
        Image.fromarray(pixels).save(folder / f"good {number}.png")
    return folder


def test_pictures(bed: Bed) -> None:
    """Each in an album with a good one, which is done."""
    for number, (name, content) in enumerate(bad_inputs.pictures(1)):
        album = faces(bed.folder / f"album {number}", 1)
        (album / name).write_bytes(content)
        out = bed.folder / f"out {number}"
        bed.offer(name, name, facesr, ("upscale", album, out, "--method", "bicubic", "--scale", 2), out)
        assert [path.name for path in out.iterdir()] == ["good 0.png"], name
        bed.offer(f"{name} as a face", name, called, (image_folder, album, 16))


def folders(root: Path) -> Iterator[tuple[str, Path]]:
    """Folders that hold no faces, or not in a layout that is known."""
    root.mkdir()
    yield "not there", root / "given 0"
    (root / "given 1").write_text("x")
    yield "a file", root / "given 1"
    contents: dict[str, tuple[str, ...]] = {
        "empty": (),
        "hidden": (".a.png", "__MACOSX/b.png", ".git/c.png"),
        "texts": ("a.txt", "b.docx"),
        "folders in folders": ("a/b/c/d/e/f/readme",),
        "no test": ("train/a/1.png", "train/b/1.png"),
        "only test": ("test/a/1.png",),
        "two spellings": ("train/a/1.png", "Training/b/1.png", "test/c/1.png"),
        "parts by number": ("train_1/a.png", "train_2/b.png", "test_1/c.png"),
        "a person in both": ("train/anna/1.png", "test/anna/2.png"),
        "one person": ("anna/1.png",),
        "all tiny": ("a/1.png", "b/1.png", "c/1.png"),
    }
    for number, (label, names) in enumerate(contents.items(), 2):  # a name that no message holds by chance
        (folder := root / f"given {number}").mkdir()
        for name in names:
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            if name.endswith(".png"):
                size = 8 if label == "all tiny" else 32
                Image.fromarray(np.full((size, size, 3), len(name), np.uint8)).save(folder / name)
            else:
                (folder / name).write_text("x")
        yield label, folder
    for label, links in {"a loop": {"again": "."}, "links to nothing": {f"{name}.png": "gone.png" for name in "abc"}}.items():
        (folder := root / f"given {label}").mkdir()
        for name, target in links.items():
            (folder / name).symlink_to(target)
        yield label, folder


def test_folders(bed: Bed) -> None:
    """As DATA_ROOT, as an album, and as SR and HR."""
    good, given = faces(bed.folder / "good"), dict(folders(bed.folder / "given"))
    for label, folder in given.items():
        shown = "anna" if label == "a person in both" else folder.name
        bed.offer(f"DATA_ROOT {label}", shown, called, (load_faces, folder, "train", 16))
        bed.offer(f"SR {label}", folder.name, facesr, ("score", folder, good))
    for label in ("empty", "hidden", "texts", "a loop", "not there"):
        folder = given[label]
        bed.offer(f"HR {label}", folder.name, facesr, ("score", good, folder))
        bed.offer(f"album {label}", folder.name, facesr, ("upscale", folder, bed.folder / "out", "--method", "bicubic"))


def checkpoint(folder: Path) -> Path:
    """A checkpoint that `facesr upscale` takes."""
    torch.manual_seed(0)
    method = isr_kd.ISRKD(isr_kd.Config.preset("smoke"))
    method.build()
    return save_checkpoint(folder, method, 10, "identity")


def test_checkpoints(bed: Bed) -> None:
    """Facts, config, weights and state of a checkpoint; with their checksums mended, so that these alone refuse nothing."""
    album, valid = faces(bed.folder / "album", 1), checkpoint(bed.folder / "valid")
    facts = json.loads((valid / "checkpoint.json").read_text())
    number = 0

    def offer(label: str, file: str, content: bytes, mended: bool) -> None:
        nonlocal number
        number += 1
        copy = bed.folder / f"given {number}" / "step-00000010"
        shutil.copytree(valid, copy)
        (copy / file).write_bytes(content)
        if mended:
            sums = facts["sha256"] | {file: hashlib.sha256(content).hexdigest()}
            (copy / "checkpoint.json").write_text(json.dumps(facts | {"sha256": sums}))
        command = ("upscale", album, bed.folder / "out", "--checkpoint", copy)
        bed.offer(f"{file}, {label}", f"given {number}/", facesr, command)

    for label, content in bad_inputs.spoiled(facts, 2, 10):
        if not label.startswith(("identity", "step")):  # what enlarging does without
            offer(label, "checkpoint.json", content, False)
    config = facts["config"]
    for label, other in {
        "null": None,
        "a list": [],
        "a number": 1,
        "no type": {},
        "text": "x",
        "another type": {"type": "Path"},
        "no fields": {"type": config["type"]},
        "a field too many": config | {"x": 1},
        "wide": config | {"width": 2.0},
    }.items():
        offer(f"config, {label}", "checkpoint.json", json.dumps(facts | {"config": other}).encode(), False)
    for label, content in bad_inputs.tensors((valid / "weights.safetensors").read_bytes()):
        offer(label, "weights.safetensors", content, True)
    for label, content in bad_inputs.pickles(bed.mark):
        offer(label, "weights.safetensors", content, True)


def test_models(bed: Bed) -> None:
    """Files of weights from elsewhere: pickles that act, safetensors that lie about their size."""
    hr = faces(bed.folder / "hr")
    valid = save({"a.weight": torch.zeros(8, 3), "b.weight": torch.ones(4)})
    contents = [(label, content, "pth") for label, content in bad_inputs.pickles(bed.mark)]
    contents += [(label, content, "safetensors") for label, content in bad_inputs.tensors(valid)]
    contents += [
        ("no model", valid, "safetensors"),
        ("a pickle", contents[0][1], "safetensors"),
        ("a page", bad_inputs.PAGE, "pth"),
    ]
    for number, (label, content, ending) in enumerate(contents):
        (model := bed.folder / f"model {number}.{ending}").write_bytes(content)
        bed.offer(f"{ending}, {label}", model.name, facesr, ("score", hr, "--model", model))


def begin_anew(folder: Path, method: isr_kd.ISRKD) -> None:
    """Resume where nothing can be resumed. Raises KeyError, which is no typed error, if that ends the training."""
    try:
        assert load_latest(folder, method, "identity") == 0
    except TYPED as error:
        raise KeyError("the training is ended") from error


def test_states_of_a_training(bed: Bed) -> None:
    """Pickles in the place of an optimizer's state, with a checksum that fits: the training goes on without them."""
    valid = checkpoint(bed.folder / "valid")
    facts = json.loads((valid / "checkpoint.json").read_text())
    method = isr_kd.ISRKD(isr_kd.Config.preset("smoke"))
    method.build()
    for label, content in bad_inputs.pickles(bed.mark):
        (valid / "state.pt").write_bytes(content)
        sums = facts["sha256"] | {"state.pt": hashlib.sha256(content).hexdigest()}
        (valid / "checkpoint.json").write_text(json.dumps(facts | {"sha256": sums}))
        bed.offer(label, "step-00000010", called, (begin_anew, bed.folder / "valid", method))


def test_packed_sets(bed: Bed) -> None:
    """Arrays and manifests of prepared images."""
    pixels = np.random.default_rng(0).integers(0, 256, (6, 16, 16, 3), np.uint8)
    images = ImageSet("train", pixels, tuple("aabbcc"), "noise")
    for part in ("train", "test"):
        pack(images, bed.folder / "set" / part)
    manifest = bed.folder / "set" / "train.json"
    text = manifest.read_bytes()
    array = manifest.with_name(json.loads(text)["array"])
    valid = array.read_bytes()
    contents = [*bad_inputs.arrays(valid), *((label, content) for label, content in bad_inputs.pickles(bed.mark))]
    for label, content in contents:
        array.write_bytes(content)
        bed.offer(f"array, {label}", array.name, called, (open_packed, manifest, True))
    array.write_bytes(valid)
    for label, content in bad_inputs.spoiled(json.loads(text), 11, 14):
        if not label.startswith(("credit", "name")):
            manifest.write_bytes(content)
            bed.offer(f"manifest, {label}", "train.json", called, (open_packed, manifest, True))
            bed.offer(f"DATA_ROOT, {label}", "train.json", called, (load_faces, manifest.parent, "train", 16))


def test_results(bed: Bed) -> None:
    """A notebook's result, before `facesr report` and `facesr check`; answers to a blind test."""
    run = Run.start(
        "09_toy", title="A toy", paper=None, profile="smoke", seed=3, device="cpu", output_dir=str(bed.folder / "runs")
    )
    images = load_faces("", "test", 16).limit(4)
    run.score("bicubic", images, PSNR, torch.arange(4.0))
    run.finish()
    path = run.folder / "result.json"
    valid = json.loads(path.read_bytes())
    needed = {
        key: value for key, value in valid.items() if key in ("schema", "notebook", "profile", "seed", "scores", "data", "tables")
    }
    for label, content in bad_inputs.spoiled(needed, 12, 12):
        if label.partition(" is ")[0] in needed:
            content = json.dumps(valid | json.loads(content)).encode()
        path.write_bytes(content)
        bed.offer(f"check, {label}", "result.json", facesr, ("check", bed.folder / "runs", "--against", bed.folder / "runs"))
    answers = {"sheet": "ab", "answers": {"1": "A", "2": "B"}}
    key = {"sheet": "ab", "questions": [{"asked": "x", "other": "y", "rows": ["1", "2"]}], "key": {"1": "A", "2": "A"}}
    for name, other in (("answers.json", answers), ("key.json", key)):
        for file, content in (("answers.json", answers), ("key.json", key)):
            (bed.folder / file).write_text(json.dumps(content))
        for label, spoiled in bad_inputs.spoiled(other, 13, 8):
            (bed.folder / name).write_bytes(spoiled)
            command = ("blind", "--score", bed.folder / "answers.json", bed.folder / "key.json")
            bed.offer(f"{name}, {label}", name, facesr, command)


def test_archives(bed: Bed) -> None:
    """Zip and tar files that are broken, or would write elsewhere or too much."""
    picture = bad_inputs.saved(Image.fromarray(np.zeros((16, 16, 3), np.uint8)), "PNG")
    for name, content in bad_inputs.archives(picture):
        (archive := bed.folder / name).write_bytes(content)
        out = bed.folder / f"unpacked {name}"
        bed.offer(name, name, called, (unpack, archive, out))
    (bed.folder / "root").mkdir()
    archive = bed.folder / "noise.zip"
    command = ("data", "prepare", "celeba", "--root", bed.folder / "root", "--archive", archive, "--yes")
    bed.offer("through the command", archive.name, facesr, command, bed.folder / "root" / "sources")
    assert not (bed.folder / "root" / "celeba").exists()


def test_hand_ins(bed: Bed) -> None:
    """Notebooks before `facesr grade`. What a whole one does outside of its exercises is not run."""
    (bed.folder / "lessons").mkdir()
    lesson = shutil.copy(find_folder(None) / "10_human_face_gan.ipynb", bed.folder / "lessons")
    valid = nbformat.read(lesson, 4)
    for number, (label, content) in enumerate(bad_inputs.notebooks(json.loads(nbformat.writes(valid)), bed.mark)):
        (file := bed.folder / f"student {number}.ipynb").write_bytes(content)
        bed.offer(label, file.name, facesr, ("grade", file, "--notebooks", bed.folder / "lessons"))
