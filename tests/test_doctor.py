from __future__ import annotations

import asyncio
import shutil
import sys
from pathlib import Path

import pytest

from facesr_tools import doctor
from facesr_tools.doctor import Check, Diagnosis, examine


@pytest.fixture
def no_kernel(monkeypatch: pytest.MonkeyPatch) -> None:
    """The kernel check costs seconds; test_cli.py has it once for real."""
    monkeypatch.setattr(doctor, "_kernel", lambda: [Check("kernel", "notebook kernel", "starts", True)])


def find(found: Diagnosis, name: str) -> Check:
    return next(check for check in found.checks if check.name == name)


def test_torch_and_torchvision_that_do_not_match_come_with_the_fix(tmp_path, monkeypatch, no_kernel):
    monkeypatch.setitem(sys.modules, "torchvision", None)  # makes the import fail
    found = examine(tmp_path)
    check = find(found, "torch and torchvision")
    assert check.ok is False
    assert "do not import together" in check.value
    assert "--force-reinstall torch torchvision" in check.fix
    assert all(any("torchvision" in reason for reason in missing) for missing in found.missing.values())


def test_too_little_disk_and_memory_are_named(tmp_path, monkeypatch, no_kernel):
    monkeypatch.setattr(shutil, "disk_usage", lambda place: shutil._ntuple_diskusage(10, 5, int(0.7 * 2**30)))
    monkeypatch.setattr(doctor, "memory_limit", lambda: int(1.2 * 2**30))
    found = examine(tmp_path / "not" / "yet")
    assert found.missing["smoke"] == ()
    assert [reason.split(":")[0] for reason in found.missing["quick"]] == ["memory", "disk"]
    assert {"memory", "disk", "the paper's data"} <= {reason.split(":")[0] for reason in found.missing["paper"]}
    assert not (tmp_path / "not").exists()


def test_data_are_looked_at(tmp_path, monkeypatch, no_kernel):
    found = examine(tmp_path, data_root=str(tmp_path / "absent"))
    assert find(found, "Olivetti faces").ok is True
    assert find(found, "DiceBear cartoons").ok is True
    assert find(found, "DATA_ROOT").ok is False
    assert not any("DATA_ROOT" in reason for reason in found.missing["quick"])
    (tmp_path / "faces").mkdir()
    assert find(examine(tmp_path, str(tmp_path / "faces")), "DATA_ROOT").ok is False
    (tmp_path / "faces" / "train").mkdir()
    assert find(examine(tmp_path, str(tmp_path / "faces")), "DATA_ROOT").ok is True


def test_one_photograph_of_two_people_is_named(tmp_path: Path, monkeypatch, no_kernel) -> None:
    for person, content in (("train/anna", b"one"), ("train/bert", b"two"), ("test/dora", b"one")):
        (tmp_path / "faces" / person).mkdir(parents=True)
        (tmp_path / "faces" / person / f"{content.decode()}.png").write_bytes(content)
    (tmp_path / "faces" / "train" / "anna" / "again.png").write_bytes(b"one")
    check = find(examine(tmp_path, str(tmp_path / "faces")), "one picture, two folders")
    assert check.ok is None
    assert "train/anna/one.png" in check.value
    assert "test/dora/one.png" in check.value
    assert "bert" not in check.value
    (tmp_path / "faces" / "test" / "dora" / "one.png").unlink()
    assert not [one for one in examine(tmp_path, str(tmp_path / "faces")).checks if one.name == "one picture, two folders"]


def test_weights_are_named_by_backend_with_their_state(tmp_path: Path, monkeypatch, no_kernel):
    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    monkeypatch.setenv("FACESR_CACHE", str(tmp_path / "cache"))
    checkpoints = tmp_path / "hub" / "checkpoints"
    checkpoints.mkdir(parents=True)
    (checkpoints / "vgg16-397923af.pth").touch()
    found = examine(tmp_path)
    assert find(found, "LPIPS (vgg)").value.startswith("damaged")  # empty: neither its size nor its checksum
    assert find(found, "LPIPS (alex)").value == "missing; facesr weights fetch alexnet"
    assert find(found, "LPIPS (alex)").ok is None
    assert set(found.missing["quick"]) == set(found.missing["smoke"])  # no profile needs them


def test_a_gpu_makes_workshop_possible(tmp_path, monkeypatch, no_kernel):
    monkeypatch.setattr(doctor, "memory_limit", lambda: 64 * 2**30)
    monkeypatch.setattr(doctor, "_disk_free", lambda folder: 500 * 2**30)
    for memory, possible in ((0.0, False), (6.0, False), (15.0, True)):
        monkeypatch.setattr(doctor, "_device", lambda memory=memory: (memory, []))
        assert (examine(tmp_path).missing["workshop"] == ()) is possible


def test_what_cannot_be_examined_is_a_failed_check(tmp_path, monkeypatch):
    def broken() -> list[Check]:
        raise OSError("no such thing")

    monkeypatch.setattr(doctor, "_kernel", broken)
    found = examine(tmp_path)
    assert (find(found, "notebook kernel").ok, find(found, "notebook kernel").value) == (False, "OSError: no such thing")
    assert any("no such thing" in reason for reason in found.missing["smoke"])


def test_the_kernel_check_works_inside_a_running_event_loop() -> None:
    async def as_in_a_notebook() -> list[Check]:
        return doctor._kernel()

    (check,) = asyncio.run(as_in_a_notebook())
    assert check.ok
    assert check.value.startswith("starts in")
