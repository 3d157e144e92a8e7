"""The four papers: the one table that notebooks, report, site and data preparation read.

Nothing here imports torch: a paper's own package does, and is imported when it is asked for.
"""

from __future__ import annotations

from dataclasses import dataclass
from importlib import import_module
from importlib.resources import files
from types import ModuleType
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from facesr_lib.evaluate.claims import Claim
    from facesr_lib.evaluate.reference import Reference
    from facesr_lib.training import Setting


@dataclass(frozen=True)
class Paper:
    """One paper.

    key: its package below `facesr_lib.papers`, and the `paper` of its notebooks.  name: the method's, for headings.
    data_sets: the sets that it used, as `facesr data` calls them; the first of each kind is preferred.
    """

    key: str
    name: str
    title: str
    authors: str
    data_sets: tuple[str, ...]

    @property
    def package(self) -> ModuleType:
        """Networks, objective and presets: `Config`, `networks` and the `Method`s."""
        return import_module(f"{__name__}.{self.key}")

    @property
    def experiments(self) -> type[Setting[Any]]:
        """`Experiments`: the paper's images and stages in a setting, as its notebooks use them."""
        return import_module(f"{__name__}.{self.key}.experiments").Experiments

    @property
    def claims(self) -> tuple[Claim, ...]:
        """What the paper claims, each with the scores that can decide it."""
        from facesr_lib.evaluate.claims import read_claims

        return read_claims(self._text("claims.toml"), self.data_sets)

    def published(self, **wanted: str) -> list[Reference]:
        """The paper's published numbers, in the order of its file: all, or those of one `table`, `row` or `column`.

        A single cell: `(reference,) = SELFSR.published(table="Table I", row="DIC", column="CelebA PSNR")`.
        Raises ValueError for a table, row or column that it does not have; the message lists what it has.
        """
        from facesr_lib.evaluate.reference import read_references

        return read_references(self._text("published.csv"), **wanted)

    def _text(self, file: str) -> str:
        return files(__name__).joinpath(self.key, file).read_text(encoding="utf-8")


HUMAN_GAN = Paper(
    "human_gan", "Human-face GAN", "Image super resolution of human face images using GAN", "Jiang, Xu, Sun", ("ffhq-1024",)
)
SELFSR = Paper(
    "selfsr",
    "SelfSR",
    "SelFSR: self-conditioned face super-resolution in the wild via flow field degradation network",
    "Zeng, Zhang, Liu, Tian, Liu",
    ("celeba-wild", "helen", "bulat", "widerface"),
)
TEACHER_STUDENT = Paper(
    "teacher_student",
    "Teacher and student",
    "Teacher-student network for real-world face super-resolution with progressive embedding of edge information",
    "Liu, Zhang",
    ("scgan", "ffhq-128", "widerface"),
)
ISR_KD = Paper(
    "isr_kd",
    "Incremental SR",
    "Face to cartoon incremental super-resolution using knowledge distillation",
    "Devkatte, Dubey, Singh, Hadid",
    ("celeba", "icartoonface"),
)
PAPERS = (HUMAN_GAN, SELFSR, TEACHER_STUDENT, ISR_KD)


def find_paper(key: str) -> Paper:
    """The paper called `key`. Raises ValueError that lists the keys."""
    for paper in PAPERS:
        if paper.key == key:
            return paper
    raise ValueError(f"unknown paper {key!r}: choose one of {', '.join(paper.key for paper in PAPERS)}")
