"""The cartoons of the first page: what stands in which column, and that their words are kept beside them."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from facesr_lib.data.cartoons import dicebear_cartoons
from facesr_lib.image import Bicubic, resize_bicubic
from facesr_lib.papers import ISR_KD
from facesr_tools.demo.networks import DemoNetwork
from facesr_tools.shipping import MAIN_NETWORKS
from facesr_tools.site.cover_pictures import CHOSEN, COLUMNS, FOLDER, GAP, SIDE, STYLES, main, write_covers


def test_a_row_per_drawing_and_a_column_per_image(tmp_path: Path) -> None:
    twin = DemoNetwork(ISR_KD, "bicubic's twin", "not at all", Bicubic(4), 44, lambda lr: resize_bicubic(lr, 4).clamp(0, 1))
    assert [path.name for path in write_covers([twin], tmp_path)] == ["isr_kd.png"]
    words = json.loads((tmp_path / "isr_kd.json").read_bytes())
    assert (words["columns"], words["trained"]) == (["LR", "bicubic", "bicubic's twin", "HR"], ["not at all"])
    assert "Pablo Stanley" in words["credit"]
    picture = np.asarray(Image.open(tmp_path / "isr_kd.png"))
    assert picture.shape == (2 * SIDE + GAP, 4 * SIDE + 3 * GAP, 3)
    lr, bicubic, enlarged, hr = (picture[:SIDE, left : left + SIDE] for left in range(0, 4 * (SIDE + GAP), SIDE + GAP))
    assert (enlarged == bicubic).all()
    drawn = dicebear_cartoons(max(CHOSEN) + 1, 44, style=STYLES, split="test").take(CHOSEN)
    assert (hr[::4, ::4] == np.round(255 * drawn[0].permute(1, 2, 0).numpy())).all()  # 4 x 4 squares of each pixel
    assert (lr.reshape(11, 16, 11, 16, 3) == lr.reshape(11, 16, 11, 16, 3)[:, :1, :, :1]).all()  # 16 x 16 of each of LR's
    assert len(np.unique(lr.reshape(-1, 3), axis=0)) <= 11 * 11 < len(np.unique(bicubic.reshape(-1, 3), axis=0))


def test_every_column_is_a_main_network_of_its_paper() -> None:
    main_networks = {(one.paper, one.scored) for one in MAIN_NETWORKS}
    assert {(paper, name) for paper, names in COLUMNS.items() for name in names} <= main_networks


def test_without_a_network_it_says_what_is_missing(tmp_path: Path, capsys) -> None:
    with pytest.raises(SystemExit, match="there is no network to draw with"):
        main(["--out", str(tmp_path)])
    assert "holds no trainings" in capsys.readouterr().err


def test_the_pictures_are_of_the_networks_that_ship(tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setattr("facesr_tools.site.cover_pictures.write_covers", lambda networks: write_covers(networks, tmp_path))
    main([])
    for drawn in sorted(tmp_path.iterdir()):
        if drawn.suffix == ".json":
            assert drawn.read_bytes() == (FOLDER / drawn.name).read_bytes()
        else:
            now, kept = (np.asarray(Image.open(path), dtype=float) for path in (drawn, FOLDER / drawn.name))
            assert np.abs(now - kept).max() <= 2, drawn.name  # grey levels: rounding on another processor
    assert {path.name for path in tmp_path.iterdir()} == {path.name for path in FOLDER.iterdir()}
