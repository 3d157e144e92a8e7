"""Readers' own pictures: good ones are cut, turned and resized as image folders do; of bad ones the message says why."""

from __future__ import annotations

import datetime
import io
import re

import ipywidgets as widgets
import numpy as np
import pytest
import torch
from PIL import Image

from facesr_lib.data import BadImages, image_folder
from facesr_lib.explore.upload import Gallery, own_picture, uploaded_files


def encoded(image: Image.Image, kind: str = "png", **options: object) -> bytes:
    content = io.BytesIO()
    image.save(content, kind, **options)
    return content.getvalue()


def gradient(width: int = 200, height: int = 150) -> Image.Image:
    y, x = np.mgrid[:height, :width]
    return Image.fromarray(np.stack([x % 256, y % 256, (x + y) % 256], axis=2).astype(np.uint8))


def send(button: widgets.FileUpload, name: str, content: bytes) -> None:
    """What the browser does, in either version of ipywidgets."""
    if widgets.__version__.startswith("7"):
        button.metadata, button.data = [{"name": name}], [content]
        button._counter += 1
    else:
        now = datetime.datetime.now(datetime.UTC)
        file = {"name": name, "type": "", "size": len(content), "last_modified": now, "content": memoryview(content)}
        button.value = (file,)


def test_both_forms_of_the_value_are_read() -> None:
    file = {"metadata": {"name": "a.png"}, "content": b"abc"}
    assert uploaded_files({"a.png": file}) == [("a.png", b"abc")]
    assert uploaded_files(({"name": "a.png", "content": memoryview(b"abc")},)) == [("a.png", b"abc")]
    assert uploaded_files({}) == uploaded_files(()) == []


def test_own_pictures_become_what_an_image_folder_makes_of_them(tmp_path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FACESR_CACHE", str(tmp_path / "cache"))
    exif = Image.Exif()
    exif[0x0112] = 6  # lies on its side
    content = encoded(gradient(), "jpeg", exif=exif.tobytes())
    (tmp_path / "faces").mkdir()
    (tmp_path / "faces" / "a.jpg").write_bytes(content)
    picture, note = own_picture(content, 64)
    assert torch.equal(picture, image_folder(tmp_path / "faces", 64).take([0]))
    assert (picture.shape, picture.dtype) == ((1, 3, 64, 64), torch.float32)
    assert note == "the centre 150x150 of 150x200 px, resized to 64 px"


def test_the_note_says_what_was_done() -> None:
    assert own_picture(encoded(gradient(64, 80)), 128)[1] == "the centre 64x64 of 64x80 px, enlarged to 128 px"
    assert own_picture(encoded(gradient().convert("CMYK"), "jpeg"), 150)[1].endswith("kept to 150 px, CMYK")


BAD = {
    "empty": (b"", "empty file"),
    "text": (b"not a picture at all", "not an image that Pillow can read"),
    "cut short": (encoded(gradient(), "jpeg")[:-1000], "damaged or cut short"),
    "tiny": (encoded(gradient(63, 200)), "63x200 px, smaller than the minimum of 64 px"),
    "bomb": (encoded(Image.new("1", (20_000, 10_000))), "too many pixels to be a photograph"),
    "huge": (encoded(Image.new("1", (6000, 5000))), "6000x5000 px, more than 25 million pixels"),
}


@pytest.mark.parametrize("kind", BAD)
def test_bad_files_are_refused_with_a_reason_and_a_remedy(kind: str) -> None:
    content, reason = BAD[kind]
    with pytest.raises(BadImages, match=re.escape(reason) + ".*; choose a JPEG or PNG"):
        own_picture(content, 64)


@pytest.mark.parametrize("kind", BAD)
def test_the_widget_says_so_and_goes_on(kind: str, gallery: Gallery) -> None:
    content, reason = BAD[kind]
    button, message = gallery.box.children[1].children
    send(button, "<i>me</i>.png", content)
    assert reason in message.value
    assert "<b>&lt;i&gt;me&lt;/i&gt;.png cannot be used:</b>" in message.value  # a name is no HTML
    assert list(gallery.pictures) == ["black", "white"]
    send(button, "good.png", encoded(gradient()))
    assert message.value.startswith("good.png: the centre 150x150")
    assert gallery.pictures["good.png (yours)"].shape == (1, 3, 64, 64)


@pytest.fixture
def gallery() -> Gallery:
    return Gallery({"black": torch.zeros(1, 3, 64, 64), "white": torch.ones(1, 3, 64, 64)})


def test_an_own_picture_comes_on_the_menu_and_is_chosen(gallery: Gallery) -> None:
    _, upload_box = gallery.box.children
    button = upload_box.children[0]
    assert gallery.menu.value == "black"
    send(button, "white", encoded(gradient()))
    assert gallery.menu.value == "white (yours)"
    assert list(gallery.menu.options) == ["black", "white", "white (yours)"]
    assert torch.equal(gallery.pictures["white (yours)"], own_picture(encoded(gradient()), 64)[0])
    assert (gallery.pictures["white"] == 1).all()


def test_replacing_the_own_picture_that_is_shown_redraws(gallery: Gallery) -> None:
    shown: list[float] = []
    gallery.menu.observe(lambda change: shown.append(gallery.pictures[change["new"]].mean().item()), names="value")
    gallery.add("me", torch.full((1, 3, 64, 64), 0.25))
    assert shown[-1] == 0.25
    gallery.add("me", torch.full((1, 3, 64, 64), 0.75))
    assert shown[-1] == 0.75
    assert list(gallery.menu.options) == ["black", "white", "me (yours)"]


def test_a_gallery_takes_single_square_colour_pictures_only() -> None:
    with pytest.raises(ValueError, match="at least one"):
        Gallery({})
    for wrong in (torch.zeros(2, 3, 8, 8), torch.zeros(1, 3, 8, 9), torch.zeros(1, 1, 8, 8)):
        with pytest.raises(ValueError, match="face: expected"):
            Gallery({"face": wrong})
