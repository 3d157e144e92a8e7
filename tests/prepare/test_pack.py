"""Packing: the same bytes however many workers, and however often it was interrupted."""

from __future__ import annotations

import os
import resource
import signal
import subprocess
import sys
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import psutil
import pytest
from PIL import Image

from facesr_lib.data import open_packed
from facesr_tools.prepare import PrepareError, pack
from facesr_tools.prepare.description import Sample
from facesr_tools.prepare.pack import pack_samples

COUNT = 40


@pytest.fixture
def source(tmp_path: Path) -> Path:
    folder = tmp_path / "source"
    folder.mkdir()
    rng = np.random.default_rng(0)
    for i in range(COUNT):
        Image.fromarray(rng.integers(0, 256, (24, 20, 3), dtype=np.uint8)).save(folder / f"{i:03d}.png")
    return folder


@pytest.fixture
def small_chunks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pack, "CHUNK_SAMPLES", 8)


def run(source: Path, manifest: Path, **changes: Any) -> dict[str, str]:
    samples = [Sample(f"{i:03d}.png", f"p{i // 4}") for i in range(COUNT)]
    options = {"name": "set", "size": 16, "credit": "made", "facts": {"a": 1}, "workers": 1} | changes
    return pack_samples(source, options.pop("samples", samples), manifest, **options)


def contents(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in sorted(folder.iterdir())}


def test_another_way_to_resize_is_another_packing(source: Path, tmp_path: Path) -> None:
    run(source, tmp_path / "one/train.json")
    run(source, tmp_path / "one/train.json", resize="linear")
    run(source, tmp_path / "two/train.json", resize="linear", workers=2)
    found = [open_packed(tmp_path / f"{name}/train.json").pixels[5] for name in ("one", "two")]
    centre = np.ascontiguousarray(np.asarray(Image.open(source / "005.png"))[2:22])
    for pixels in found:
        np.testing.assert_array_equal(pixels, cv2.resize(centre, (16, 16), interpolation=cv2.INTER_LINEAR))


def test_pictures_people_and_facts_arrive_in_order(source: Path, tmp_path: Path, small_chunks: None) -> None:
    assert run(source, tmp_path / "one/train.json") == {}
    found = open_packed(tmp_path / "one/train.json", verify=True)
    assert found.groups == tuple(f"p{i // 4}" for i in range(COUNT))
    centre = Image.open(source / "005.png").crop((0, 2, 20, 22)).resize((16, 16), Image.Resampling.BICUBIC)
    np.testing.assert_array_equal(found.pixels[5], np.asarray(centre))
    assert found.credit == "made"
    run(source, tmp_path / "two/train.json", workers=2)
    assert contents(tmp_path / "one") == contents(tmp_path / "two")
    assert len(contents(tmp_path / "one")) == 2


@pytest.mark.parametrize("after", [1, 3, 5])
def test_an_interrupted_packing_goes_on_to_the_same_bytes(
    source: Path, tmp_path: Path, small_chunks: None, monkeypatch: pytest.MonkeyPatch, after: int
) -> None:
    run(source, tmp_path / "whole/train.json")
    made: list[int] = []
    crop = pack.crop_chunk

    def counted(*job: Any) -> Any:
        made.append(len(job[1]))
        return crop(*job)

    def stop(done: int, total: int) -> None:
        if done >= 8 * after:
            raise KeyboardInterrupt

    monkeypatch.setattr(pack, "crop_chunk", counted)
    with pytest.raises(KeyboardInterrupt):
        run(source, tmp_path / "broken/train.json", progress=stop)
    assert sorted(contents(tmp_path / "broken")) == [".train.journal", ".train.part"]
    with open(tmp_path / "broken/.train.journal", "ab") as journal:
        journal.write(b'{"people": ["p9"], "ba')  # a line that a power cut left half-written
    with open(tmp_path / "broken/.train.part", "ab") as part:
        part.write(b"\xff" * 100)
    run(source, tmp_path / "broken/train.json")
    assert contents(tmp_path / "broken") == contents(tmp_path / "whole")
    assert sum(made) == COUNT  # nothing was decoded twice
    run(source, tmp_path / "broken/train.json")
    assert sum(made) == COUNT  # and nothing at all once it is whole


def test_a_damaged_or_foreign_beginning_is_made_again(source: Path, tmp_path: Path, small_chunks: None) -> None:
    def stop(done: int, total: int) -> None:
        if done >= 24:
            raise KeyboardInterrupt

    run(source, tmp_path / "whole/train.json")
    with pytest.raises(KeyboardInterrupt):
        run(source, tmp_path / "broken/train.json", progress=stop)
    with open(tmp_path / "broken/.train.part", "r+b") as part:
        part.seek(128 + 9 * 16 * 16 * 3)  # in the second chunk
        part.write(b"\x00" * 50)
    run(source, tmp_path / "broken/train.json")
    assert contents(tmp_path / "broken") == contents(tmp_path / "whole")
    with pytest.raises(KeyboardInterrupt):
        run(source, tmp_path / "other/train.json", progress=stop, size=8)
    run(source, tmp_path / "other/train.json")
    assert contents(tmp_path / "other") == contents(tmp_path / "whole")


KILLED = """
import sys, time
from pathlib import Path
from facesr_tools.prepare import pack
from facesr_tools.prepare.description import Sample
pack.CHUNK_SAMPLES = 8
source, target = map(Path, sys.argv[1:])
samples = [Sample(f"{i:03d}.png", f"p{i // 4}") for i in range(40)]
def slow(done, total):
    print(done, flush=True)
    time.sleep(0.05)
if __name__ == "__main__":
    pack.pack_samples(source, samples, target, name="set", size=16, credit="made", facts={"a": 1}, workers=2, progress=slow)
"""


def test_a_killed_process_leaves_what_the_next_one_needs(source: Path, tmp_path: Path, small_chunks: None) -> None:
    run(source, tmp_path / "whole/train.json")
    script = tmp_path / "killed.py"
    script.write_text(KILLED)
    command = [sys.executable, str(script), str(source), str(tmp_path / "killed/train.json")]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, start_new_session=True) as process:
        assert process.stdout is not None
        while int(process.stdout.readline()) < 16:
            pass
        os.killpg(process.pid, signal.SIGKILL)
    assert sorted(contents(tmp_path / "killed")) == [".train.journal", ".train.part"]
    run(source, tmp_path / "killed/train.json")
    assert contents(tmp_path / "killed") == contents(tmp_path / "whole")


def test_a_killed_worker_is_named_and_the_next_call_goes_on(
    source: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pack, "CHUNK_SAMPLES", 1)
    run(source, tmp_path / "whole/train.json")

    def kill(done: int, total: int) -> None:
        if done == 3:
            for server in psutil.Process().children():
                for worker in server.children():
                    with suppress(psutil.NoSuchProcess):  # the pool ends the others as soon as it misses one
                        worker.kill()

    with pytest.raises(PrepareError, match=r"a worker process was killed .* --workers 1"):
        run(source, tmp_path / "killed/train.json", workers=2, progress=kill)
    assert not (tmp_path / "killed/train.json").exists()
    run(source, tmp_path / "killed/train.json")
    assert contents(tmp_path / "killed") == contents(tmp_path / "whole")


def damage(source: Path, *numbers: int) -> None:
    for number in numbers:
        path = source / f"{number:03d}.png"
        path.write_bytes(path.read_bytes()[:100])


def test_one_bad_picture_is_reported_and_left_out(source: Path, tmp_path: Path, small_chunks: None) -> None:
    damage(source, 9)
    bad = run(source, tmp_path / "train.json")
    assert list(bad) == ["009.png"]
    found = open_packed(tmp_path / "train.json", verify=True)
    assert len(found) == COUNT - 1
    assert found.groups[8:10] == ("p2", "p2")
    assert run(source, tmp_path / "train.json") == bad  # remembered


def test_many_bad_pictures_are_fatal_and_leave_nothing(source: Path, tmp_path: Path, small_chunks: None) -> None:
    damage(source, 3, 20, 30)
    with pytest.raises(PrepareError, match=r"2 of 40 pictures .* cannot be used, more than 1%(.|\n)*003\.png(.|\n)*020\.png"):
        run(source, tmp_path / "out/train.json")
    assert contents(tmp_path / "out") == {}


def test_a_full_disk_leaves_no_set_and_the_next_call_goes_on(
    source: Path, tmp_path: Path, small_chunks: None, file_limit: Callable[[int], None]
) -> None:
    run(source, tmp_path / "whole/train.json")
    file_limit(128 + 20 * 16 * 16 * 3)
    with pytest.raises(OSError, match="too large"):
        run(source, tmp_path / "full/train.json")
    assert sorted(contents(tmp_path / "full")) == [".train.journal", ".train.part"]
    file_limit(resource.RLIM_INFINITY)
    run(source, tmp_path / "full/train.json")
    assert contents(tmp_path / "full") == contents(tmp_path / "whole")


def test_no_pictures(source: Path, tmp_path: Path) -> None:
    with pytest.raises(PrepareError, match="there are no pictures"):
        run(source, tmp_path / "train.json", samples=[])
