"""The four papers as one figure: what each assumes about LR images, what it trains, what it adds."""

from matplotlib.patches import FancyBboxPatch

from facesr_lib.plot.figures import PALETTE, NotebookFigure

_ROWS = {0.54: "where LR\ncomes from", 0.345: "what is\ntrained", 0.15: "what it\nlearns from"}  # height -> label
# Title, question, and a text per row.
_CARDS = (
    (
        "1  Human-face GAN",
        "How far does\nthe plainest GAN get?",
        "Gaussian blur,\nthen half the size",
        "Generator with a scaled\nbilinear shortcut, x2",
        "Nothing but\nthe cross-entropy game",
    ),
    (
        "2  SelfSR",
        "What if real LR\nis not bicubic?",
        "A network bends pixels\n(flow field) to match real LR",
        "Progressive x2 > x4 > x8,\nconditioned on the LR itself",
        "L1 (or a cycle),\nhinge GAN, R1",
    ),
    (
        "3  Teacher-student",
        "Who teaches\nwhen there is no HR?",
        "DeNet learns real LR;\nbicubic of HR is its anchor",
        "Recurrent TNet and SNet,\nfed Canny, then DoG edges",
        "Teacher's SR as pseudo-HR,\ncycle back to LR",
    ),
    (
        "4  ISR-KD",
        "Can it learn cartoons\nand keep faces?",
        "Average pooling\nto an eighth",
        "Face GAN with edge heads;\nfrozen copy as teacher",
        "Distil outputs and bottleneck\nof the old model",
    ),
)


def roadmap() -> NotebookFigure:
    """A card per paper: its question, where LR images come from, the network, the training signal."""
    figure = NotebookFigure(figsize=(12, 4.4))
    axes = figure.add_axes((0, 0, 1, 1))
    axes.set(xlim=(-0.12, 4.35), ylim=(0, 1))
    axes.axis("off")
    for y, label in _ROWS.items():
        axes.text(0.3, y, label, ha="right", va="center", fontsize=10, color="#444444", style="italic")
    for column, ((title, question, *texts), color) in enumerate(zip(_CARDS, PALETTE, strict=False)):
        left, middle = 0.36 + column, 0.36 + column + 0.46
        box = "round,pad=0,rounding_size=0.03"
        axes.add_patch(FancyBboxPatch((left, 0.05), 0.92, 0.9, boxstyle=box, fill=False, edgecolor=color, lw=2))
        axes.text(middle, 0.87, title, ha="center", va="center", fontsize=14, weight="bold", color=color)
        axes.text(middle, 0.735, question, ha="center", va="center", fontsize=10.5, style="italic")
        for y, text in zip(_ROWS, texts, strict=True):
            axes.text(middle, y, text, ha="center", va="center", fontsize=10)
    return figure
