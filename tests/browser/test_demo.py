"""The demo in Chromium: the same decibels as Python, no other host, every control by keyboard, a phone, a camera."""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
import torch
from accessible import faults
from PIL import Image
from playwright.sync_api import Browser, Page
from shaken_networks import shaken
from visit import Visit, visit

from facesr_lib.data.images import square
from facesr_lib.image import to_float
from facesr_lib.metrics import psnr
from facesr_tools.demo import DemoNetwork, serve, write_demo
from facesr_tools.demo.build import FACE, LIST, SAMPLE
from facesr_tools.demo.export import outputs
from facesr_tools.demo.networks import SHOWN

# A camera: a canvas of one colour as a film, whose first picture takes a second.
CAMERA = """window.given = [];
navigator.mediaDevices.getUserMedia = async () => {
    const canvas = Object.assign(document.createElement("canvas"), { width: 64, height: 48 });
    const context = canvas.getContext("2d");
    setTimeout(() => setInterval(() => { context.fillStyle = "teal"; context.fillRect(0, 0, 64, 48); }, 50), 1000);
    window.given.push(canvas.captureStream());
    return window.given.at(-1);
};"""

PIXEL = "[...document.getElementById('source').getContext('2d').getImageData(9, 9, 1, 1).data]"


@dataclass(frozen=True)
class Demo:
    """A demo that is served, and its networks."""

    networks: list[DemoNetwork]
    folder: Path
    address: str


@pytest.fixture(scope="module")
def demo(demo_tools: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Demo]:
    folder = tmp_path_factory.mktemp("demo")
    networks = [shaken(main.paper.key) for main in SHOWN]
    write_demo(folder, networks)
    with serve(folder, 0) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.05,))
        thread.start()
        yield Demo(networks, folder, f"http://127.0.0.1:{server.server_port}/")
        server.shutdown()
        thread.join()


def done(opened: Visit) -> None:
    opened.until("the methods", lambda: "methods are done" in opened.page.locator("#status").inner_text(), 180)


def decibels(page: Page, key: str) -> list[float]:
    """Of a method and of bicubic, as its card says."""
    return [float(page.locator(f"#{key} .{name}").inner_text().removesuffix(" dB")) for name in ("own", "plain")]


def width_of_box(page: Page) -> float:
    box = page.locator("#box").bounding_box()
    assert box is not None
    return box["width"]


def test_equals_python_and_asks_nobody_else(demo: Demo, browser: Browser, screenshots: Path) -> None:
    with visit(browser, demo.address, demo.address, screenshots) as opened:
        done(opened)
        page = opened.page
        assert page.locator(".card").count() == len(SHOWN)
        x, y, side = FACE["x"], FACE["y"], FACE["side"]
        face = np.asarray(Image.open(demo.folder / SAMPLE))[None, y : y + side, x : x + side]
        for network in demo.networks:
            hr = to_float(torch.from_numpy(square(face, network.size)).permute(0, 3, 1, 2))
            _, bicubic, sr = outputs(network, hr)
            expected = [psnr(image, hr).item() for image in (sr, bicubic)]
            assert decibels(page, network.paper.key) == pytest.approx(expected, abs=0.1), network.paper.key
        page.screenshot(path=screenshots / "demo untrained 1200.png", full_page=True)
        assert page.evaluate("fetch('https://example.org').then(() => 'sent', () => 'refused')") == "refused"
    assert opened.refused == []  # the page's own policy stopped that one before the browser could ask
    assert [error for error in opened.errors if "Content Security Policy" not in error] == []


def test_everybody_can_read_it(demo: Demo, browser: Browser, screenshots: Path) -> None:
    with visit(browser, demo.address, demo.address, screenshots) as opened:
        done(opened)
        assert faults(opened.page) == []


def test_keyboard_moves_the_square_and_wipes(demo: Demo, browser: Browser, screenshots: Path) -> None:
    with visit(browser, demo.address, demo.address, screenshots) as opened:
        done(opened)
        page, key = opened.page, demo.networks[0].paper.key
        before, whole = decibels(page, key), width_of_box(page)
        page.locator("#box").focus()
        for _ in range(5):
            page.keyboard.press("-")
        page.keyboard.press("ArrowLeft")
        opened.until("another score", lambda: decibels(page, key) != before)
        assert width_of_box(page) < whole
        page.locator("#boundary").focus()
        page.keyboard.press("Home")
        assert page.evaluate("document.getElementById('above').style.clipPath") == "inset(0px 100% 0px 0px)"
        page.locator("#right").select_option("selfsr")
        page.locator("#left").select_option("lr")
        assert page.locator("#sides").inner_text() == "Left: the LR input. Right: SelfSR."
        reached = set()
        page.locator("body").focus()
        for _ in range(12):
            page.keyboard.press("Tab")
            reached.add(page.evaluate("document.activeElement.id"))
        assert {"file", "camera", "sample", "box", "side", "right", "left", "boundary"} <= reached
    assert opened.errors == []


def test_a_phone_a_photograph_and_a_camera(demo: Demo, browser: Browser, screenshots: Path, tmp_path: Path) -> None:
    with visit(browser, demo.address, demo.address, screenshots) as opened:
        page = opened.page
        page.set_viewport_size({"width": 390, "height": 844})
        page.add_init_script(CAMERA)
        page.reload()
        done(opened)
        assert page.locator("#problem").inner_text() == ""  # a good picture ends it
        assert page.evaluate("document.documentElement.scrollWidth") <= 390
        page.screenshot(path=screenshots / "demo untrained 390.png", full_page=True)
        page.locator("#camera").dblclick()
        assert page.locator("#shoot").is_disabled()
        page.locator("#shoot").click()  # as soon as it can be
        opened.until("the camera's picture", lambda: page.evaluate("document.getElementById('source').width") == 64)
        assert page.evaluate(PIXEL)[:3] == [0, 128, 128]
        assert not page.locator("#live").is_visible()
        assert page.evaluate("window.given.map(film => film.active)") == [False, False]
        no_picture = tmp_path / "notes.png"
        no_picture.write_text("not a picture")
        page.locator("#file").set_input_files(no_picture)
        opened.until("the reason", lambda: "is no picture" in page.locator("#problem").inner_text())
        page.locator("#file").set_input_files(demo.folder / SAMPLE)
        opened.until("the photograph", lambda: page.evaluate("document.getElementById('source').width") == 256)
        done(opened)
        assert page.evaluate("document.documentElement.scrollWidth") <= 390
    assert opened.refused == []
    assert opened.errors == []


def test_opened_from_the_disk_it_says_what_to_do(demo: Demo, browser: Browser, screenshots: Path) -> None:
    with visit(browser, (demo.folder / "index.html").as_uri(), demo.folder.as_uri(), screenshots) as opened:
        assert "facesr demo" in opened.page.locator("#status").inner_text()
    assert opened.errors == []


def test_the_page_names_what_it_shows(demo: Demo) -> None:
    """Nothing in the page's files leads to another host, and its list has every network."""
    for path in (*demo.folder.glob("*.html"), *demo.folder.glob("*.css"), *demo.folder.glob("*.js")):
        assert not re.search(r"https?://", path.read_text()), path.name
    listed = json.loads((demo.folder / LIST).read_text())["networks"]
    assert [one["key"] for one in listed] == [main.paper.key for main in SHOWN]
    assert all((demo.folder / one["file"]).is_file() for one in listed)
