"""A blind test: pairs of pictures without labels, for someone who has not seen them, and the count of right answers."""

from __future__ import annotations

import hashlib
import io
import json
import math
import secrets
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import matplotlib as mpl
import numpy as np
from PIL import Image, ImageDraw, ImageFont
from scipy.stats import binomtest
from torch import Tensor

from facesr_lib.data import ImageSet, eval_batches
from facesr_lib.data.images import spread
from facesr_lib.files import write_atomically
from facesr_lib.image import Bicubic, Degradation, resize_bicubic, to_uint8
from facesr_lib.papers import ISR_KD, SELFSR, TEACHER_STUDENT, Paper
from facesr_lib.papers.isr_kd import names as isr
from facesr_lib.papers.selfsr import names as selfsr
from facesr_lib.papers.teacher_student import names as teacher
from facesr_lib.training import resolve_device
from facesr_tools.runner.execute import Settings
from facesr_tools.stages import experiments, stage_cache, target

ROWS = 10  # pairs of a question
SEEN = 0.8  # share of right answers from which on two methods count as told apart
ENLARGED, CELL = 3, 192  # the least factor, and the least side of a picture on the sheet in pixels
GAP, HEAD = 12, 58  # pixels between pictures, and above the first row


class BlindError(ValueError):
    """A sheet cannot be made or scored; the message names the training or file, and what to do."""


@dataclass(frozen=True)
class Question:
    """Two methods on the same faces. asked, other: in the reader's words; stage, rival: their trainings ("": bicubic).

    faces: of the paper's `Experiments`, the test images, how they become LR, and the seed of that.
    """

    paper: Paper
    asked: str
    other: str
    stage: str
    rival: str
    faces: Callable[[Any], tuple[ImageSet, Degradation, int]]

    @property
    def text(self) -> str:
        """What is asked of every row."""
        return f"Which one is {self.asked}?"


def _real(of: Any) -> tuple[ImageSet, Degradation, int]:
    return of.real_faces.test, of.real_faces.hidden, of.real_faces.seed


QUESTIONS = (
    Question(TEACHER_STUDENT, "SNet", "bicubic", teacher.trained_jointly(teacher.FULL), "", _real),
    Question(
        SELFSR,
        "adapted to real LR (flow field)",
        "not adapted",
        selfsr.on_real_faces(selfsr.FLOW),
        selfsr.on_real_faces(selfsr.NO_ADAPTATION),
        _real,
    ),
    Question(SELFSR, "SelfSR", "bicubic", selfsr.PAIRED, "", lambda of: (of.test, Bicubic(of.config.paired.scale), of.seed)),
    Question(
        ISR_KD,
        "distilled (remembers faces)",
        "fine-tuned on cartoons alone",
        isr.REPLAY_2_1,
        isr.REPLAY_2_0,
        lambda of: (of.test[isr.FACES], of.config.degradation, of.seed),
    ),
)


def write_blind_test(settings: Settings, draw: int | None = None) -> Path:
    """Write sheet.png, key.json and an answers.json to fill in to OUT/PROFILE/blind, and return that folder.

    The pictures come from the stages of finished notebooks. draw: seed of the faces and of the order; None: a secret one, which
    key.json alone tells. Raises BlindError if a training is missing, or if answers to an earlier sheet lie there.
    """
    folder = settings.out / settings.profile / "blind"
    if (folder / "answers.json").is_file() and any(json.loads((folder / "answers.json").read_bytes())["answers"].values()):
        raise BlindError(f"{folder / 'answers.json'} answers an earlier sheet: move that folder away first")
    draw = secrets.randbits(32) if draw is None else draw
    generator = np.random.default_rng(draw)
    blocks, questions, key = [], [], dict[str, str]()
    for question in QUESTIONS:
        numbers, pairs = [], []
        for lr, right, wrong in _pictures(question, settings, generator):
            first = bool(generator.integers(2))
            numbers.append(str(len(key) + 1))
            key[numbers[-1]] = "A" if first else "B"
            pairs.append((lr, right, wrong) if first else (lr, wrong, right))
        blocks.append(_block(question.text, numbers, pairs))
        questions.append({"asked": question.asked, "other": question.other, "rows": numbers})
    content = _sheet(blocks)
    sheet = hashlib.sha256(content).hexdigest()
    facts = {"sheet": sheet, "draw": draw, "profile": settings.profile, "seed": settings.seed, "questions": questions, "key": key}
    folder.mkdir(parents=True, exist_ok=True)
    write_atomically(folder / "sheet.png", content)
    write_atomically(folder / "key.json", json.dumps(facts, indent=1))
    asked = {"sheet": sheet, "answers": dict.fromkeys(key)}
    write_atomically(folder / "answers.json", json.dumps(asked, indent=1))
    return folder


def score_answers(answers: Path, key: Path) -> list[dict[str, Any]]:
    """Count the right answers of each question: asked, other, right, n, p (as many or more by guessing), seen (8 of 10).

    Raises BlindError for a file that is none of `write_blind_test`'s, answers to another sheet, or a row without "A" or "B".
    """
    given, facts = _read(answers, "answers"), _read(key, "key")
    if given["sheet"] != facts["sheet"]:
        raise BlindError(f"{answers} answers another sheet than that of {key}: give those of one sheet")
    if open_rows := [row for row in facts["key"] if given["answers"].get(row) not in ("A", "B")]:
        raise BlindError(f'{answers}: rows {", ".join(open_rows)} have neither "A" nor "B" as answer')
    found = []
    try:
        for question in facts["questions"]:
            rows = question["rows"]
            right = sum(given["answers"][row] == facts["key"][row] for row in rows)
            p = float(binomtest(right, len(rows), 0.5, alternative="greater").pvalue)
            found.append({**question, "right": right, "n": len(rows), "p": p, "seen": right >= SEEN * len(rows)})
    except (KeyError, TypeError, ValueError) as error:
        raise BlindError(f"{key} is damaged ({error!r}): give the key as facesr blind wrote it") from error
    return found


def _pictures(question: Question, settings: Settings, generator: np.random.Generator) -> Iterator[tuple[Tensor, ...]]:
    """LR, the asked method's picture and the other's, each (3, H, W) in [0, 1], of people drawn by `generator`."""
    of = experiments(question.paper.key, settings)
    images, degrade, seed = question.faces(of)
    one_each = spread(images.groups, max(min(ROWS, len(images)), len(set(images.groups))))
    rows = np.sort(generator.permutation(one_each)[:ROWS])
    enlarge = [_enlarger(of, stage, settings) for stage in (question.stage, question.rival)]
    for batch in eval_batches(images.subset(rows, images.name), degrade, ROWS, seed):
        scale = batch["hr"].shape[-1] // batch["lr"].shape[-1]
        yield from zip(batch["lr"], *(f(batch["lr"], scale).cpu() for f in enlarge), strict=True)


def _enlarger(of: Any, name: str, settings: Settings) -> Callable[[Tensor, int], Tensor]:
    if not name:
        return lambda lr, scale: resize_bicubic(lr, scale).clamp(0, 1)
    stage, cache = of.stage(name), stage_cache(settings)
    if not stage.is_done(cache):
        where = f"--profile {settings.profile} --seed {settings.seed} --out {settings.out}"
        raise BlindError(f"{name!r} is not trained: facesr stage {target(stage)} {where}")
    method = stage.train(cache).method  # only loaded
    return lambda lr, scale: method.super_resolve(lr.to(resolve_device(settings.device)))


def _block(title: str, numbers: Sequence[str], pairs: Sequence[tuple[Tensor, ...]]) -> Image.Image:
    """The rows of one question: number, LR, A and B, all enlarged to the same size with their pixels as they are."""
    side = pairs[0][1].shape[-1]
    cell = side * max(ENLARGED, math.ceil(CELL / side))
    block = Image.new("RGB", (3 * (cell + GAP) + 4 * GAP + 24, HEAD + len(pairs) * (cell + GAP)), "white")
    pen = ImageDraw.Draw(block)
    large, small = (ImageFont.truetype(str(Path(mpl.get_data_path(), "fonts/ttf/DejaVuSans.ttf")), size) for size in (18, 15))
    pen.text((GAP, 6), title, "black", large)
    for column, name in enumerate(("LR", "A", "B")):
        pen.text((GAP + 40 + column * (cell + GAP), 34), name, "black", small)
    for row, (number, pictures) in enumerate(zip(numbers, pairs, strict=True)):
        top = HEAD + row * (cell + GAP)
        pen.text((GAP, top), number, "black", large)
        for column, picture in enumerate(pictures):
            pixels = to_uint8(picture[None])[0].permute(1, 2, 0).contiguous().numpy()
            enlarged = Image.fromarray(pixels).resize((cell, cell), Image.Resampling.NEAREST)
            block.paste(enlarged, (GAP + 40 + column * (cell + GAP), top))
    return block


def _sheet(blocks: list[Image.Image]) -> bytes:
    """The questions beside each other, as PNG."""
    sheet = Image.new("RGB", (sum(block.width for block in blocks), max(block.height for block in blocks)), "white")
    left = 0
    for block in blocks:
        sheet.paste(block, (left, 0))
        left += block.width
    content = io.BytesIO()
    sheet.save(content, "PNG")
    return content.getvalue()


def _read(path: Path, part: str) -> dict[str, Any]:
    try:
        found = json.loads(path.read_bytes())
        if isinstance(found["sheet"], str) and isinstance(found[part], dict):
            return dict(found)
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        pass
    raise BlindError(f'{path} is no JSON file with "sheet" and "{part}": give the one that facesr blind wrote')
