"""Formulas as MathML: those of the notebooks all of them, and what a broken one looks like."""

from __future__ import annotations

import json
import re
from pathlib import Path
from xml.etree import ElementTree

import pytest

from facesr_tools.site.mathml import mathml

NOTEBOOKS = sorted((Path(__file__).parents[2] / "notebooks").glob("*.ipynb"))
KINDS = {  # a formula -> elements that its MathML must have, in this order
    r"\hat{y} = G(x) + s \cdot \mathrm{up}(x),\quad s \in [0.2, 0.8]": ["mover", "mspace"],
    r"\mathcal{L}_G = -\frac{1}{N}\sum_{i=1}^{N} \log D(G(x_i))": ["msub", "mfrac", "munderover", "mspace", "msub"],
    r"\mathbb{E}_{x \sim p}\left[1 - D(x)\right]": ["msub"],
    r"\begin{cases} 1 & x > 0 \\ 0 & \text{else} \end{cases}": ["mtable", "mtr", "mtd", "mtd", "mtr", "mtd", "mtd"],
    r"\begin{align} a &= b \\ &= c \end{align}": ["mtable", "mtr", "mtd", "mtd", "mtr", "mtd", "mtd"],
    r"\sqrt{x^2} \le 1": ["msqrt", "msup"],
}


def formulas(notebook: Path) -> list[tuple[str, bool]]:
    """The formulas of a notebook, and whether each stands on a line of its own."""
    text = "\n\n".join(
        "".join(cell["source"])
        for cell in json.loads(notebook.read_text(encoding="utf-8"))["cells"]
        if cell["cell_type"] == "markdown"
    )
    text = re.sub(r"```.*?```|`[^`\n]+`", "", text, flags=re.DOTALL)
    found = re.findall(r"\$\$(.+?)\$\$|(?<![\\$\w])\$([^$\n]+?)\$(?!\d)", text, re.DOTALL)
    return [(display or inline, bool(display)) for display, inline in found]


@pytest.mark.parametrize(("tex", "elements"), KINDS.items())
def test_what_a_formula_is_made_of(tex: str, elements: list[str]) -> None:
    tree = ElementTree.fromstring(re.sub(r"^<div[^>]*>|<span.*|</div>\s*$", "", mathml(tex, display=True)))
    names = [part.tag.partition("}")[2] for part in tree.iter()]
    assert [name for name in names if name in elements] == elements


@pytest.mark.parametrize("notebook", NOTEBOOKS, ids=lambda path: path.stem)
def test_every_formula_of_the_notebooks_can_be_set(notebook: Path) -> None:
    assert [tex for tex, display in formulas(notebook) if "<math" not in mathml(tex, display=display)] == []


def test_the_number_of_a_formula_stands_beside_it() -> None:
    page = mathml(r"\frac{a}{b} \tag{3}", display=True)
    assert '<span class="number">(3)</span>' in page
    assert "tag" not in page


def test_what_cannot_be_set_stays_visible_and_escaped() -> None:
    page = mathml(r"\nonsense{a} < <script>", display=True)
    assert page == r'<pre class="tex">\nonsense{a} &lt; &lt;script&gt;</pre>'
    assert mathml(r"\nonsense", display=False) == r'<code class="tex">$\nonsense$</code>'
    assert "x^{" in mathml("x^{", display=True)
