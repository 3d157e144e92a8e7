"""Whatever becomes of a file of a stage: training ends with the same weights and logs, or names the file and the remedy."""

from __future__ import annotations

import json
import shutil
import signal
import subprocess
import sys
import warnings
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from test_stages import toy_stage
from toy import batches

from facesr_lib.files import remove
from facesr_lib.training import CsvLog, StageCache, Trained
from facesr_lib.training.checkpoint import checkpoints


def stage():
    return replace(toy_stage("damaged"), preview=lambda method: method.super_resolve(batches(5)["lr"]))


def train(root: Path) -> tuple[Trained, str]:
    """What training leaves in the cache `root`, and what it says."""
    with warnings.catch_warnings(record=True) as said:
        warnings.simplefilter("always")
        trained = stage().train(StageCache(root))
    return trained, "\n".join(str(one.message) for one in said)


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Trained:
    return train(tmp_path_factory.mktemp("whole"))[0]


@pytest.fixture
def folder(whole: Trained, tmp_path: Path) -> Path:
    """A copy of the finished stage, in a cache of its own."""
    return Path(shutil.copytree(whole.folder, tmp_path / whole.folder.name))


def assert_same(trained: Trained, whole: Trained) -> None:
    for kind in ("networks", "averages"):
        for name, module in getattr(whole.method, kind).items():
            other = getattr(trained.method, kind)[name].state_dict()
            assert all(torch.equal(value, other[key]) for key, value in module.state_dict().items())
    assert (trained.log, trained.validation) == (whole.log, whole.validation)
    for name in ("log.csv", "validation.csv"):
        assert (trained.folder / name).read_bytes() == (whole.folder / name).read_bytes()


def place(path: Path, content: bytes) -> None:
    remove(path)
    path.write_bytes(content)


def put_folder(path: Path) -> None:
    remove(path)
    (path / "inside").mkdir(parents=True)


DAMAGES: dict[str, Callable[[Path], object]] = {
    "emptied": lambda path: place(path, b""),
    "cut": lambda path: place(path, path.read_bytes()[: path.stat().st_size // 2]),
    "cut in the first line": lambda path: place(path, path.read_bytes()[3:]),
    "one bit flipped": lambda path: place(path, bytes([path.read_bytes()[0] ^ 64]) + path.read_bytes()[1:]),
    "a folder": put_folder,
    "gone": remove,
    "a list": lambda path: place(path, b"[1, 2]"),
    "null": lambda path: place(path, b"null"),
    "other JSON": lambda path: place(path, b'{"format": 1, "step": "ten", "sha256": [1], "finished": null}'),
    "binary": lambda path: place(path, bytes(range(256))),
}
FILES = ["done.json", "log.csv", "validation.csv", "previews/step-00000008.npy"]
FILES += [f"checkpoints/step-000000{s}/{f}" for s in (10, 12) for f in ("checkpoint.json", "state.pt", "weights.safetensors")]


def test_the_list_of_files_is_complete(whole: Trained) -> None:
    found = {path.relative_to(whole.folder).as_posix() for path in whole.folder.rglob("*") if path.is_file()}
    assert {name for name in found if "preview" not in name} == {name for name in FILES if "preview" not in name}
    assert set(FILES) <= found


@pytest.mark.parametrize("damage", DAMAGES)
@pytest.mark.parametrize(("file", "finished"), [*((file, True) for file in FILES), *((file, False) for file in FILES[1:])])
def test_every_file_in_every_way(folder: Path, whole: Trained, file: str, damage: str, finished: bool) -> None:
    """finished: whether the stage has its marker, done.json, or was killed just before."""
    if not finished:
        (folder / "done.json").unlink()
    DAMAGES[damage](folder / file)
    trained, said = train(folder.parent)
    assert_same(trained, whole)
    assert stage().is_done(StageCache(folder.parent))
    if "step-00000012" in file or ".csv" in file:  # anything else is of no use to the newest checkpoint
        assert "step-00000012 is damaged" in said
        assert not trained.reused
    else:
        assert not said
    assert not train(folder.parent)[1]  # all is whole again


@pytest.mark.parametrize("name", ["checkpoints", "", "previews", "checkpoints/step-00000012", "checkpoints/step-00000010"])
def test_a_file_in_a_folders_place(folder: Path, whole: Trained, name: str) -> None:
    place(folder / name, b"a file")
    if name in ("checkpoints", ""):
        with pytest.raises(FileExistsError, match=r"a file stands where this folder has to be.*move or delete it") as caught:
            train(folder.parent)
        assert str(folder / name) in str(caught.value)
    else:
        assert_same(train(folder.parent)[0], whole)


def test_a_checkpoint_left_by_a_kill_between_rename_and_pruning_goes(folder: Path, whole: Trained) -> None:
    old = folder / "checkpoints" / "step-00000005"
    shutil.copytree(folder / "checkpoints" / "step-00000010", old)
    (folder / "done.json").unlink()
    assert_same(train(folder.parent)[0], whole)
    assert [path.name for path in checkpoints(folder / "checkpoints")] == ["step-00000010", "step-00000012"]


def test_a_damaged_later_checkpoint_takes_no_whole_ones_place(folder: Path, request) -> None:
    """A run that goes on from step 10 and is stopped at 11 keeps both, beside the damaged one of step 12."""
    place(folder / "checkpoints" / "step-00000012" / "state.pt", b"")
    (folder / "done.json").unlink()

    before = signal.signal(signal.SIGINT, signal.default_int_handler)  # which a job in the background would ignore
    request.addfinalizer(lambda: signal.signal(signal.SIGINT, before))

    def stops(step: int) -> dict[str, torch.Tensor]:
        signal.raise_signal(signal.SIGINT)
        return batches(step)

    with pytest.raises(KeyboardInterrupt, match="stopped after step 11"), pytest.warns(match="step-00000012 is damaged"):
        replace(stage(), batches=lambda: stops).train(StageCache(folder.parent))
    names = [path.name for path in checkpoints(folder / "checkpoints")]
    assert names == ["step-00000010", "step-00000011", "step-00000012"]


@pytest.mark.parametrize("row", ["2,3", "2,3\n", "2,3,x\n", "1,2,3\n", "2,3,4,5\n", "\n2,3,4\n"])
def test_a_log_ends_before_its_first_row_that_is_not_whole(tmp_path: Path, row: str) -> None:
    log = CsvLog(tmp_path / "log.csv")
    log.path.write_text("step,a,b\n1,2,3\n" + row)
    assert log.rows() == [{"step": 1, "a": 2, "b": 3}]
    log.forget_after(9)
    log.append([{"step": 2, "a": 0.5, "b": 1e-9}])
    assert log.path.read_text() == "step,a,b\n1,2,3\n2,0.5,1e-09\n"


@pytest.mark.parametrize("text", ["", "\n", "ep,a,b\n1,2,3\n", "1,2,3\n2,3,4\n", "step,a\n1,2,3\n", "\ufeff\x00"])
def test_a_log_without_its_header_is_begun_again(tmp_path: Path, text: str) -> None:
    log = CsvLog(tmp_path / "log.csv")
    log.path.write_text(text, encoding="utf-8")
    assert log.rows() == []
    log.forget_after(9)
    log.append([{"step": 1, "a": 0.5}])
    assert log.rows() == [{"step": 1, "a": 0.5}]


def test_a_whole_log_is_not_written_again(tmp_path: Path) -> None:
    log = CsvLog(tmp_path / "log.csv")
    log.append([{"step": 1, "a": 0.5}])
    before = log.path.stat()
    log.forget_after(1)
    assert log.path.stat() == before


TWO_READERS = """
import sys, warnings
sys.path.insert(0, {tests!r})
from pathlib import Path
from test_damage import train
print(len(train(Path(sys.argv[1]))[0].log))
"""


def test_two_readers_of_a_damaged_stage_repair_it_once(folder: Path, whole: Trained) -> None:
    place(folder / "log.csv", b"")
    code = TWO_READERS.format(tests=str(Path(__file__).parent))
    both = [subprocess.Popen([sys.executable, "-c", code, folder.parent], stdout=subprocess.PIPE, text=True) for _ in range(2)]
    assert [process.communicate(timeout=600)[0].splitlines()[-1] for process in both] == ["12", "12"]
    assert (folder / "log.csv").read_bytes() == (whole.folder / "log.csv").read_bytes()
    assert json.loads((folder / "done.json").read_text())["stage"] == "paper-damaged"
