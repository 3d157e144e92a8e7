"""Configs hash by content; stages run once per key."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
import torch
from toy import ToyGAN, batches, validate

from facesr_lib.config import config_hash, fingerprint
from facesr_lib.training import CsvLog, Setting, Stage, StageCache, Trained, TrainerOptions


@dataclass(frozen=True)
class Blur:
    sigma: float = 1.0


@dataclass(frozen=True)
class Noise:
    sigma: float = 1.0


@dataclass(frozen=True)
class Config:
    degradation: object = Blur()
    sizes: tuple[int, int] = (4, 8)


def test_hash_sees_values_and_types_but_not_order() -> None:
    assert config_hash(Config()) == config_hash(Config(sizes=(4, 8)))
    assert config_hash({"a": 1, "b": 2}) == config_hash({"b": 2, "a": 1})
    assert len({config_hash(c) for c in (Config(), replace(Config(), sizes=(4, 9)), Config(Noise()), Config(Blur(2.0)))}) == 4


def test_hash_is_the_same_on_every_machine() -> None:
    # sha256 of {"a":[1,2.5,"x",null]} by sha256sum
    assert config_hash({"a": (1, 2.5, "x", None)}) == "a4f988f6e6aa"


def test_what_cannot_be_hashed_honestly_is_refused() -> None:
    with pytest.raises(TypeError, match="object"):
        config_hash({"a": object()})


def test_stage_is_done_once_its_block_ends_and_keeps_what_an_interruption_left(tmp_path: Path) -> None:
    cache, key = StageCache(tmp_path), {"config": Config()}
    folder = cache.folder("train", key)

    def interrupted() -> None:
        with cache.stage("train", key) as there:
            (there / "partial").write_text("x")
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted()
    assert not cache.is_done("train", key)
    with cache.stage("train", key) as again:
        assert again == folder
        assert (folder / "partial").exists()  # to go on from
        assert not cache.is_done("train", key)
    assert cache.is_done("train", key)
    marker = (folder / "done.json").read_bytes()
    with cache.stage("train", key):
        assert (folder / "partial").exists()
    assert (folder / "done.json").read_bytes() == marker
    assert not cache.is_done("train", {"config": Config(sizes=(1, 1))})


def test_fresh_redoes_only_what_is_older(tmp_path: Path) -> None:
    def work(cache: StageCache) -> bool:
        with cache.stage("train", {}) as folder:
            found = (folder / "result").exists()
            (folder / "result").touch()
        return found

    assert not work(StageCache(tmp_path))
    time.sleep(0.02)
    fresh = StageCache(tmp_path, fresh_since=time.time())
    assert not work(fresh)
    assert work(fresh)
    assert work(StageCache(tmp_path))


def write_package(root: Path, files: dict[str, str]) -> Path:
    for name, text in files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text)
    return root


SOURCE = '''"""A module."""

import torch


class Network(torch.nn.Module):
    """A network."""

    def forward(self, x):
        """Twice x."""
        # because
        return 2 * x
'''


@pytest.mark.parametrize(
    ("old", "new", "same"),
    [
        ("A module.", "Another story.", True),
        ('    """A network."""\n\n', "", True),
        ("Twice x.", "x, doubled.", True),
        ("# because", "# for another reason", True),
        ("return 2 * x", "return (2 *\n                x)", True),
        ("return 2 * x", "return 3 * x", False),
        ("Network(", "Net(", False),
        ('"""Twice x."""', 'note = """Twice x."""', False),
    ],
)
def test_fingerprint_sees_code_but_no_words_about_it(tmp_path: Path, old: str, new: str, same: bool) -> None:
    assert old in SOURCE
    before = write_package(tmp_path / "before", {"nn/network.py": SOURCE})
    after = write_package(tmp_path / "after", {"nn/network.py": SOURCE.replace(old, new)})
    assert (fingerprint(before) == fingerprint(after)) == same


def test_fingerprint_sees_names_of_files_but_not_what_trains_nothing(tmp_path: Path) -> None:
    files = {"papers/x/__init__.py": "a = 1", "papers/x/claims.toml": "b = 1", "plot/figures.py": "c = 1"}
    plain = fingerprint(write_package(tmp_path / "plain", files))
    others = {"papers/x/claims.toml": "b = 2", "plot/figures.py": "c = 2"}
    assert fingerprint(write_package(tmp_path / "others", files | others)) == plain
    moved = {"papers/x/moved.py" if name.endswith("__init__.py") else name: text for name, text in files.items()}
    assert fingerprint(write_package(tmp_path / "moved", moved)) != plain
    assert fingerprint(write_package(tmp_path / "changed", files | {"papers/x/__init__.py": "a = 2"})) != plain


OPTIONS = TrainerOptions(steps=12, log_every=3, checkpoint_every=5, validate_every=4, device="cpu")


def toy_stage(name: str = "A toy", *needs: Stage, seed: int = 7, taught: list[Trained] | None = None, **key: object) -> Stage:
    def method(*left: Trained) -> ToyGAN:
        if taught is not None:
            taught.extend(left)
        return ToyGAN()

    return Stage("paper", name, ("10",), key, OPTIONS, seed, method, lambda *left: batches, needs, validate)


def test_a_stage_is_trained_once_and_then_loaded_with_the_same_weights(tmp_path: Path) -> None:
    cache = StageCache(tmp_path)
    assert not toy_stage().is_done(cache)

    def run() -> Trained:
        return toy_stage().train(cache)

    first, second = run(), run()
    assert (first.reused, second.reused) == (False, True)
    assert first.log == second.log
    assert [row["step"] for row in second.validation] == [4, 8, 12]
    lr = batches(99)["lr"]
    torch.testing.assert_close(first.method.super_resolve(lr), second.method.super_resolve(lr), rtol=0, atol=0)
    assert toy_stage().is_done(cache)
    assert toy_stage().folder(cache) == first.folder
    assert first.folder.name.startswith("paper-a-toy-")


def test_a_stage_depends_on_its_key_its_seed_and_what_its_needs_depend_on(tmp_path: Path) -> None:
    cache = StageCache(tmp_path)
    teacher = toy_stage("teacher")
    others = [toy_stage("teacher", seed=8), toy_stage("teacher", width=2)]
    students = [toy_stage("student", need) for need in (teacher, *others)]
    assert len({stage.folder(cache) for stage in (teacher, *others, *students)}) == 6
    assert toy_stage("student", toy_stage("teacher")).folder(cache) == students[0].folder(cache)


def test_what_a_stage_needs_is_trained_first_and_handed_over(tmp_path: Path) -> None:
    cache, taught = StageCache(tmp_path), list[Trained]()
    teacher = toy_stage("teacher")
    student = toy_stage("student", teacher, taught=taught)
    assert not student.train(cache).reused
    assert [trained.folder for trained in taught] == [teacher.folder(cache)]
    assert teacher.is_done(cache)


def test_progress_is_told_step_by_step(tmp_path: Path) -> None:
    told: list[int] = []
    toy_stage().train(StageCache(tmp_path), told.append)
    assert told == list(range(1, 13))


def test_an_unknown_name_lists_the_stages(tmp_path: Path) -> None:
    class Toys(Setting[None]):
        def stages(self) -> Iterator[Stage]:
            yield toy_stage("teacher")
            yield toy_stage("student")

    toys = Toys(None, "", StageCache(tmp_path), 0)
    assert toys.trained("teacher").folder == toy_stage("teacher").folder(toys.cache)
    with pytest.raises(ValueError, match="unknown stage 'pupil': choose one of 'teacher', 'student'"):
        toys.trained("pupil")


TWO_WRITERS = """
import sys
from pathlib import Path
sys.path.insert(0, {tests!r})
from test_stages import toy_stage
from facesr_lib.training import StageCache
print(len(toy_stage().train(StageCache(sys.argv[1])).log))
"""


def test_two_processes_make_one_stage_once(tmp_path: Path) -> None:
    """Each step once, in order, whoever trained; nothing is left over."""
    code = TWO_WRITERS.format(tests=str(Path(__file__).parent))
    both = [subprocess.Popen([sys.executable, "-c", code, tmp_path], stdout=subprocess.PIPE, text=True) for _ in range(2)]
    answers = [process.communicate(timeout=600)[0].splitlines() for process in both]
    assert [process.returncode for process in both] == [0, 0]
    assert [answer[-1] for answer in answers] == ["12", "12"]
    (folder,) = (path for path in tmp_path.iterdir() if path.is_dir())
    assert [row["step"] for row in CsvLog(folder / "log.csv").rows()] == list(range(1, 13))
    assert not [path.name for path in folder.rglob("*.tmp")]


HOLD = """
import sys, time
from pathlib import Path
from facesr_lib.files import one_writer
with one_writer(Path(sys.argv[1])):
    print("in", flush=True)
    time.sleep(float(sys.argv[2]))
"""


def test_a_writer_waits_says_for_whom_and_is_let_in_when_the_owner_is_killed(tmp_path: Path) -> None:
    def writer(seconds: str) -> subprocess.Popen[str]:
        return subprocess.Popen([sys.executable, "-c", HOLD, tmp_path / "stage", seconds], stdout=subprocess.PIPE, text=True)

    with writer("600") as owner:
        assert owner.stdout
        assert owner.stdout.readline() == "in\n"
        with writer("0") as second:
            assert second.stdout
            assert second.stdout.readline() == f"Another process ({owner.pid}) is writing stage: waiting for it to end\n"
            assert second.poll() is None
            owner.kill()
            assert second.communicate(timeout=600)[0] == "in\n"
            assert second.returncode == 0


@pytest.mark.parametrize("threads", [1, 4])
def test_trainings_compute_with_one_thread_whatever_was_set(tmp_path: Path, threads: int) -> None:
    seen: list[int] = []

    def counting(step: int) -> dict[str, torch.Tensor]:
        seen.append(torch.get_num_threads())
        return batches(step)

    before = torch.get_num_threads()
    torch.set_num_threads(threads)
    try:
        replace(toy_stage(), batches=lambda: counting).train(StageCache(tmp_path))
        assert torch.get_num_threads() == threads
    finally:
        torch.set_num_threads(before)
    assert set(seen) == {1}


def test_fingerprint_is_the_same_in_every_python(tmp_path: Path) -> None:
    """Taken with Python 3.11, 3.12 and 3.13, whose `ast.unparse` writes this function in two ways."""
    source = "def f(x: int) -> str:\n    'Words.'\n    return f'{x!r} {d[\"a\"]:.2f} {{}}\\n' + str(x) * 2\n"
    assert fingerprint(write_package(tmp_path, {"papers/x.py": source})) == "078964ba7aa7"
