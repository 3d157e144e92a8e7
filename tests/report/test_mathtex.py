from __future__ import annotations

import re
from base64 import b64decode
from xml.etree import ElementTree

import pytest
from bs4 import BeautifulSoup

from facesr_tools.report.mathtex import math_html

SETTABLE = [
    r"\hat{y} = G(x) + s \cdot \mathrm{up}(x),\quad s \in [0.2, 0.8]",
    r"\mathcal{L}_G = -\frac{1}{N}\sum_{i=1}^{N} \log D(G(x_i))",
    r"\mathbb{E}_{x \sim p}\left[\log\bigl(1 - D(G(x))\bigr)\right]",
    r"\text{PSNR} = 10 \log_{10} \frac{255^2}{\text{MSE}}",
    r"\lVert x \rVert_2^2 \le 1 \ne \tfrac12 \ge \lambda_\text{pix}",
    r"\arg\min_G \max_D V(D, G)",
]


@pytest.mark.parametrize("tex", SETTABLE)
def test_formulas_become_pictures_with_their_source_as_text(tex: str) -> None:
    (picture,) = BeautifulSoup(math_html(tex, display=False), "html.parser").find_all("img")
    assert picture["alt"] == tex
    svg = b64decode(str(picture["src"]).removeprefix("data:image/svg+xml;base64,"))
    assert len(ElementTree.fromstring(svg).findall(".//{*}use")) > 5  # glyphs
    assert math_html(tex, display=False) == math_html(tex, display=False)
    assert not re.search(rb"\d{4}-\d\d-\d\d", svg)  # no date: the same page every time


def test_display_formulas_keep_their_lines_and_number() -> None:
    page = BeautifulSoup(math_html(r"\begin{align} a &= b \\ &= c \tag{3} \end{align}", display=True), "html.parser")
    assert [picture["alt"] for picture in page.find_all("img")] == ["a  = b", "= c"]
    assert "(3)" in page.get_text()


def test_what_cannot_be_set_stays_visible_and_escaped() -> None:
    page = math_html(r"\nonsense{a} < <script>", display=True)
    assert "<script>" not in page
    assert r"\nonsense{a} &lt;" in page
    assert "<img" not in page
    assert math_html(r"\nonsense", display=False) == r"<code>$\nonsense$</code>"
