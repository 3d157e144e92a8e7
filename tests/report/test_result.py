from __future__ import annotations

import json
import math
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from facesr_lib.config import PROFILES
from facesr_lib.evaluate.result import jsonable, write_json
from facesr_tools.report import BrokenResult, load_result
from facesr_tools.report.result import check_result

SOUND = {
    "schema": 1,
    "notebook": "10_demo",
    "title": "t",
    "paper": None,
    "profile": "quick",
    "seed": 0,
    "device": "cpu",
    "config": {},
    "config_hash": {},
    "scores": [],
    "published": [],
    "tables": [],
    "figures": [],
    "notes": [],
    "data": [],
}

SCORE = {"method": "m", "dataset": "d", "metric": "x", "convention": "", "higher_is_better": True}
SCORE |= {"n": 1, "mean": 1.0, "std": None, "values": [1.0]}
DATA = {"name": "d", "checksum": "c", "n": 1, "size": None, "credit": ""}


@given(st.floats(allow_nan=True, allow_infinity=True))
def test_any_float_survives_strict_json(value: float) -> None:
    text = json.dumps(jsonable({"x": [value]}), allow_nan=False)
    back = float(json.loads(text)["x"][0])
    assert back == value or (math.isnan(back) and math.isnan(value))


def test_arrays_tensors_and_numbers_become_plain() -> None:
    given_value = {"a": np.float32(0.5), "b": torch.tensor([1, 2]), "c": (np.int64(3), True, None), 4: Path("x") / "y"}
    assert jsonable(given_value) == {"a": 0.5, "b": [1, 2], "c": [3, True, None], "4": str(Path("x") / "y")}


def test_other_things_are_refused() -> None:
    with pytest.raises(TypeError, match="set"):
        jsonable({"a": {1, 2}})


def test_the_home_folder_is_never_written(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", "/home/somebody")
    assert jsonable(["/home/somebody/faces", Path("/home/somebody"), "/home/somebody2"]) == ["~/faces", "~", "/home/somebody2"]


def test_a_sound_result_passes_and_each_missing_field_is_named() -> None:
    check_result(SOUND)
    for key in SOUND:
        with pytest.raises(BrokenResult, match=key):
            check_result({name: value for name, value in SOUND.items() if name != key})


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("profile", "fast"),
        ("notebook", "../up"),
        ("schema", 5),
        ("scores", [{**SCORE, "key": ""}]),
        ("scores", [{**SCORE, "family": ""}]),
        ("scores", [{**SCORE, "unit": None}]),
        ("scores", [{**SCORE, "seed": -1}]),
        ("scores", [{**SCORE, "replicates": "none"}]),
        ("data", [{**DATA, "groups": ["s31"]}]),
        ("data", [{**DATA, "role": ""}]),
        ("figures", [{"name": "../../secret", "caption": "c", "alt": "a"}]),
        ("figures", [{"name": "x", "caption": "c", "alt": ""}]),
        ("extra", 1),
    ],
)
def test_an_unsound_field_is_refused(field: str, value: object) -> None:
    with pytest.raises(BrokenResult):
        check_result({**SOUND, field: value})


def test_an_older_result_is_read_with_what_it_could_not_say(tmp_path: Path) -> None:
    write_json(tmp_path / "result.json", {**SOUND, "seed": 5, "scores": [SCORE], "data": [DATA]})
    result = load_result(tmp_path / "result.json")
    assert (result["scores"][0]["seed"], result["scores"][0]["replicates"]) == (5, None)
    assert (result["data"][0]["role"], result["data"][0]["groups"]) == ("faces", None)


@pytest.mark.parametrize(("schema", "kept"), [(3, []), (4, [1.0, 3.0])])
def test_replicates_of_a_bootstrap_are_not_taken_for_those_of_a_jackknife(tmp_path: Path, schema: int, kept: list[float]) -> None:
    scores = [{**SCORE, "metric": metric, "replicates": drawn} for metric, drawn in (("FID", [1.0, 3.0]), ("PSNR (dB)", None))]
    write_json(tmp_path / "result.json", {**SOUND, "schema": schema, "scores": scores})
    assert [score["replicates"] for score in load_result(tmp_path / "result.json")["scores"]] == [kept, None]


@pytest.mark.parametrize(
    ("label", "family", "unit"),
    [
        ("PSNR (dB)", "PSNR", "dB"),
        ("PSNR Y (dB)", "PSNR", "dB"),
        ("SSIM Y", "SSIM", ""),
        ("LPIPS (HED-VGG)", "LPIPS", ""),
        ("FID (Inception)", "FID", ""),
        ("FD (MobileNetV2)", "FID", ""),
        ("FD (MobileNetV2) of LR", "FID of LR", ""),
        ("KID (MobileNetV2) x1000", "KID", ""),
        ("NIQE (Y, BasicSR blocks, bicubic x4)", "NIQE", ""),
        ("colour drift", "colour drift", ""),
    ],
)
def test_an_older_score_gets_the_family_that_claims_speak_of(tmp_path: Path, label: str, family: str, unit: str) -> None:
    write_json(tmp_path / "result.json", {**SOUND, "schema": 2, "scores": [{**SCORE, "metric": label}]})
    (score,) = load_result(tmp_path / "result.json")["scores"]
    assert (score["key"], score["family"], score["unit"]) == (label, family, unit)


def test_non_finite_numbers_return_as_floats_only_where_numbers_stand(tmp_path: Path) -> None:
    score = {"method": "nan", "dataset": "d", "metric": "m", "convention": "", "higher_is_better": True}
    score |= {"n": 2, "mean": math.inf, "std": math.nan, "values": [math.inf, -math.inf]}
    table = {"name": "t", "caption": "c", "columns": ["a"], "rows": [[math.inf], ["x"]]}
    write_json(tmp_path / "result.json", {**SOUND, "scores": [score], "tables": [table], "notes": ["inf"]})
    result = load_result(tmp_path / "result.json")
    read = result["scores"][0]
    assert (read["method"], read["mean"], read["values"]) == ("nan", math.inf, [math.inf, -math.inf])
    assert math.isnan(read["std"])
    assert result["tables"][0]["rows"] == [[math.inf], ["x"]]
    assert result["notes"] == ["inf"]


@pytest.mark.parametrize("content", [b"", b"{", b'{"schema": NaN}', b"[]", b"\xff\xfe", b"[" * 100_000])
def test_a_file_that_is_no_result_is_named(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "10_demo" / "result.json"
    path.parent.mkdir()
    path.write_bytes(content)
    with pytest.raises(BrokenResult, match=r"10_demo/result\.json"):
        load_result(path)


@pytest.mark.parametrize("profile", PROFILES)
def test_results_of_every_profile_are_read(tmp_path: Path, profile: str) -> None:
    write_json(tmp_path / "result.json", {**SOUND, "profile": profile})
    assert load_result(tmp_path / "result.json")["profile"] == profile
