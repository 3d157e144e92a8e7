"""The cells "The paper's own test set(s)": with small prepared sets in their true layout, the notebooks score them."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from facesr_tools.cli.main import app

sys.path.append(str(Path(__file__).parents[1] / "prepare"))  # where the layouts are
import layouts

METRICS = {"PSNR", "SSIM", "LPIPS", "FID"}


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A DATA_ROOT with Helen, Bulat et al.'s release, and SCGAN's archive with the originals of its synthetic sets."""
    place = tmp_path_factory.mktemp("own")
    for name in ("helen", "bulat", "scgan"):
        source = layouts.made(name, place / name)
        if name == "scgan":
            layouts.scgan_originals(source, "reference/FFHQ", "reference/LS3D-w_balanced")
        layouts.run(name, place / "root", source)
    return place / "root"


@pytest.fixture(autouse=True)
def _one_thread(monkeypatch: pytest.MonkeyPatch) -> None:
    """In the kernel too: on a busy machine two threads wait for each other."""
    monkeypatch.setenv("OMP_NUM_THREADS", "1")


@pytest.fixture(scope="module")
def out(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("runs")


def run(notebook: str, root: Path, out: Path) -> dict[str, Any]:
    options = ["--profile", "smoke", "--device", "cpu", "--data-root", str(root), "--out", str(out)]
    done = CliRunner().invoke(app, ["run", notebook, *options])
    assert done.exit_code == 0, done.output
    return json.loads((out / "smoke" / notebook / "result.json").read_text())


def beside(result: dict[str, Any], dataset: str) -> set[tuple[str, str, str]]:
    """(table, row, column) of the published numbers that a set's scores stand beside."""
    lines = [line for line in result["published"] if line["dataset"] == dataset]
    return {tuple(line["reference"][key] for key in ("table", "row", "column")) for line in lines}


def families(result: dict[str, Any], dataset: str) -> set[str]:
    return {score["family"] for score in result["scores"] if score["dataset"] == dataset} - {"KID", "KID of LR"}


def known(result: dict[str, Any]) -> set[str]:
    """The metrics whose weights this machine has, by what the notebook scored on its other set."""
    return {score["family"] for score in result["scores"]} & (METRICS | {"NIQE"})


def roles(result: dict[str, Any]) -> dict[str, str]:
    return {data["name"]: data["role"] for data in result["data"]}


def test_20_scores_bulats_real_faces(root: Path, out: Path) -> None:
    result = run("20_selfsr_degradation", root, out)
    assert roles(result)["bulat/real_lr/test"] == "real LR faces"
    has_fid = "FID" in known(result)
    assert families(result, "bulat/real_lr/test") == {"colour drift"} | ({"FID", "FID of LR"} if has_fid else set())
    if has_fid:
        found = beside(result, "bulat/real_lr/test")
        assert {("Table II", "SelfSR", "FID"), ("Table III", "flow field + identity loss", "FID of translated LR")} <= found
        fid = next(s for s in result["scores"] if s["dataset"] == "bulat/real_lr/test" and s["family"] == "FID")
        assert "4 SR vs 4 HR images" in fid["convention"]


def test_21_scores_helen(root: Path, out: Path) -> None:
    result = run("21_selfsr_super_resolution", root, out)
    assert roles(result)["helen/test"] == "faces"
    rows = ("Bicubic", "SelfSR paired", "SelfSR unpaired")
    wanted = {("Table I", row, f"Helen {family}") for row in rows for family in known(result)}
    assert len(wanted) >= 6
    assert wanted <= beside(result, "helen/test")


def test_30_scores_scgans_four_sets(root: Path, out: Path) -> None:
    result = run("30_teacher_student", root, out)
    taken = known(result)
    for part, table, place in (("ffhq", "Table 1", "FFHQ"), ("ls3dw", "Table 1", "LS3D-W")):
        dataset = f"scgan/real_lr/{part}"
        assert roles(result)[dataset] == "real LR faces"
        assert families(result, dataset) == taken
        wanted = {(table, row, f"{place} {family}") for row in ("Bicubic", "ours") for family in taken & METRICS}
        assert beside(result, dataset) == wanted
    for part, place in (("test", "WIDER"), ("webface", "WebFace")):
        dataset = f"scgan/real_lr/{part}"
        assert roles(result)[dataset] == "real LR faces"
        assert families(result, dataset) == taken & {"FID", "NIQE"}
        wanted = {("Table 2", row, f"{place} {family}") for row in ("Bicubic", "ours") for family in taken & {"FID", "NIQE"}}
        assert beside(result, dataset) == wanted


def test_31_fills_table_3_on_ffhq_and_wider_face(root: Path, out: Path) -> None:
    result = run("31_teacher_student_ablations", root, out)
    for part, place, metrics in (("ffhq", "FFHQ", METRICS), ("test", "WIDER", {"FID", "NIQE"})):
        found = beside(result, f"scgan/real_lr/{part}")
        assert {column for _, _, column in found} == {f"{place} {family}" for family in known(result) & metrics}
        assert len({row for _, row, _ in found}) == (9 if known(result) & metrics else 0)
    assert not beside(result, "scgan/real_lr/webface")
