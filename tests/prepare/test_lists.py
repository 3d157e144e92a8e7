"""Readers of the sets' own lists: the true layouts, and files that are cut, garbled or web pages."""

from __future__ import annotations

import json
import sqlite3
from pathlib import Path

import numpy as np
import pytest

from facesr_tools.prepare import PrepareError, lists


def write(path: Path, text: str) -> Path:
    path.write_text(text)
    return path


def test_celeba_tables(tmp_path: Path) -> None:
    plain = write(tmp_path / "p.txt", "000001.jpg 0\n000002.jpg 2\n")
    assert lists.celeba_table(plain) == {"000001.jpg": (0,), "000002.jpg": (2,)}
    headed = write(tmp_path / "l.txt", "2\nlefteye_x lefteye_y\n000001.jpg  165  184\n000002.jpg  140 204\n")
    assert lists.celeba_table(headed, header=2)["000002.jpg"] == (140, 204)
    with pytest.raises(PrepareError, match="announces 3 rows and has 2: it is cut short"):
        lists.celeba_table(write(headed, headed.read_text().replace("2\n", "3\n", 1)), header=2)


@pytest.mark.parametrize("text", ["a.jpg x\n", "a.jpg 1\nb.jpg 1 2\n", "a.jpg 1\n\nb.jpg 2\n", "a.jpg\n"])
def test_a_garbled_table_is_named_with_its_line(tmp_path: Path, text: str) -> None:
    with pytest.raises(PrepareError, match=r"p\.txt, line [123]: expected an image's name"):
        lists.celeba_table(write(tmp_path / "p.txt", text))


@pytest.mark.parametrize("text", ["", "\n\n", "<!DOCTYPE html><html>quota</html>"])
def test_no_list_at_all(tmp_path: Path, text: str) -> None:
    with pytest.raises(PrepareError, match=r"p\.txt is (empty|a web page).*get it again"):
        lists.celeba_table(write(tmp_path / "p.txt", text))


WIDER = """0--Parade/0_Parade_1.jpg
2
10 20 15 18 1 0 0 0 2 0
30 40 0 9 2 0 0 0 0 0
0--Parade/0_Parade_2.jpg
0
0 0 0 0 0 0 0 0 0 0
1--Handshaking/x.jpg
1
5 6 7 8 0 1 1 1 0 1
"""


def test_wider_faces(tmp_path: Path) -> None:
    found = dict(lists.wider_faces(write(tmp_path / "w.txt", WIDER)))
    assert list(found) == ["0--Parade/0_Parade_1.jpg", "0--Parade/0_Parade_2.jpg", "1--Handshaking/x.jpg"]
    assert found["0--Parade/0_Parade_1.jpg"] == [lists.WiderFace((10, 20, 25, 38), 1, 2, False)]  # a box without width is none
    assert found["0--Parade/0_Parade_2.jpg"] == []
    assert found["1--Handshaking/x.jpg"][0].invalid


@pytest.mark.parametrize("cut", [30, 50, len(WIDER) - 30])
def test_a_cut_wider_list(tmp_path: Path, cut: int) -> None:
    with pytest.raises(PrepareError, match=r"w\.txt, line \d+: expected a photograph"):
        list(lists.wider_faces(write(tmp_path / "w.txt", WIDER[:cut])))


def test_boxes_as_dic_publishes_them(tmp_path: Path) -> None:
    entries = {"a.jpg": {"bbox": [1, 2, 33, 34]}, "b.jpg": {"landmark": [[0, 0], [80, 0], [40, 40], [20, 80], [60, 80]]}}
    path = write(tmp_path / "landmarks.json", json.dumps(entries))
    assert lists.dic_boxes(path) == {"a.jpg": (1, 2, 33, 34), "b.jpg": (-10, -10, 90, 90)}
    with pytest.raises(PrepareError, match=r"landmarks\.json: the entry 'c' has neither"):
        lists.dic_boxes(write(path, '{"c": {"bbox": [1, 2, 3]}}'))
    with pytest.raises(PrepareError, match="is not readable JSON"):
        lists.dic_boxes(write(path, '{"c": '))


def test_helens_own_landmarks(tmp_path: Path) -> None:
    write(tmp_path / "1.txt", "100032540_1\n1.5 , 2\n3 , 4\n")
    assert lists.helen_points(tmp_path)["100032540_1"].tolist() == [[1.5, 2], [3, 4]]
    write(tmp_path / "2.txt", "name\n1.5 2\n")
    with pytest.raises(PrepareError, match=r"2\.txt, line 2: expected x , y"):
        lists.helen_points(tmp_path)


def test_landmarks_and_boxes_in_csv_files(tmp_path: Path) -> None:
    path = write(tmp_path / "l.csv", "file,x0,y0\na.jpg,0,0,80,0,40,40,20,80,60,80,40,40\n")
    assert lists.landmark_boxes(path) == {"a.jpg": (-10, -10, 90, 90)}
    with pytest.raises(PrepareError, match=r"l\.csv, line 3"):
        lists.landmark_boxes(write(path, path.read_text() + "b.jpg,1,2,x\n"))
    path = write(tmp_path / "b.csv", 'NAME_ID,X,Y,W,H\n"n000002/0001_01",161,140,224,324\n')
    assert lists.detector_boxes(path).get("n000002/0001_01") == (111, 140, 435, 464)
    with pytest.raises(PrepareError, match=r"b\.csv, line 2: expected the columns NAME_ID"):
        lists.detector_boxes(write(path, "NAME_ID,X,Y\na,1,2\n"))


def test_a_box_table_is_a_dictionary_of_boxes(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    names = [f"n{person}/{picture}" for person, picture in rng.integers(0, 30, (500, 2))] + ["é", "n1"]  # some twice
    boxes = rng.normal(size=(len(names), 4))
    truth = {name: tuple(box) for name, box in zip(names, boxes.tolist(), strict=True)}
    table = lists.BoxTable([name.encode() for name in names], boxes.ravel().tolist())
    absent = ["", "a", "n1/", "zz", "n29/29x", "n1/1 but longer than any", "\udcff"]
    for name in [*truth, *absent, *(f"n{person}/{picture}" for person in range(30) for picture in range(30))]:
        assert table.get(name) == truth.get(name), name
    assert lists.BoxTable([], []).get("a") is None


def test_aflw_reads_without_writing(tmp_path: Path) -> None:
    path = tmp_path / "aflw.sqlite"
    base = sqlite3.connect(path)
    base.executescript(
        "CREATE TABLE Faces(face_id INTEGER, file_id TEXT, db_id TEXT); CREATE TABLE FaceImages(file_id TEXT, filepath TEXT);"
        "CREATE TABLE FaceRect(face_id INTEGER, x INTEGER, y INTEGER, w INTEGER, h INTEGER);"
        "INSERT INTO Faces VALUES (7, 'i.jpg', 'flickr'), (8, 'i.jpg', 'flickr');"
        "INSERT INTO FaceImages VALUES ('i.jpg', '0/i.jpg');"
        "INSERT INTO FaceRect VALUES (7, 10, 20, 30, 30);"
    )
    base.close()
    before = path.read_bytes()
    assert lists.aflw_faces(path) == [("0/i.jpg", "7", (10, 20, 40, 50))]
    assert path.read_bytes() == before
    with pytest.raises(PrepareError, match=r"is not AFLW's data base"):
        lists.aflw_faces(write(tmp_path / "x.sqlite", "not a data base" * 100))


def test_ffhqs_list_is_read_entry_by_entry(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    entries = {str(i): {"category": "training", "image": {"file_path": f"{i}.png", "x": ["}", {"a": i}]}} for i in range(50)}
    for block in (1, 7, 1000, 1 << 16):
        monkeypatch.setattr(lists, "_BLOCK", block)
        for indent in (None, 2):
            path = write(tmp_path / "f.json", json.dumps(entries, indent=indent))
            assert {str(number): entry for number, entry in lists.ffhq_entries(path)} == entries
    with pytest.raises(PrepareError, match="is cut short or not FFHQ's list"):
        list(lists.ffhq_entries(write(path, path.read_text()[:-20])))
