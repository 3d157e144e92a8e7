"""Model cards: what a reader must know of the networks that a run trained, before using them or passing them on.

One Markdown file per paper, in the form that model hubs read (YAML in front). What the networks are, their limits and their
misuse is written in its folder, as `model_card.md.j2`; weights, scores, verdicts and origin come from the run.
"""

import json
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from jinja2 import ChoiceLoader, Environment, PackageLoader, StrictUndefined, Template
from safetensors import safe_open
from torch import Tensor

from facesr_lib import __version__
from facesr_lib.data import ImageSet
from facesr_lib.evaluate.result import pool_seeds
from facesr_lib.evaluate.tables import Table
from facesr_lib.files import write_atomically
from facesr_lib.papers import PAPERS, Paper
from facesr_tools.judge import Judged
from facesr_tools.report.rivals import is_rival
from facesr_tools.upscale import FoundCheckpoint, trained_checkpoints
from facesr_tools.verdicts import summary

FOLDER = "model_cards"


def write_model_cards(
    out: Path, profile: str, entries: Sequence[dict[str, Any]], verdicts: Mapping[str, Sequence[Judged]]
) -> list[Path]:
    """Write `<out>/<profile>/model_cards/<paper>.md` for every paper that left scores; return the paths.

    entries: from `collect`; verdicts: per paper, from `judge`. Cards of papers that have no results any more are removed.
    Weights are those in `<out>/stages` whose config one of the paper's notebooks recorded.
    """
    folder = out / profile / FOLDER
    for old in folder.glob("*.md"):
        old.unlink()
    trained = trained_checkpoints(out / "stages")
    cards = []
    for paper in PAPERS:
        own = [entry for entry in entries if entry["result"] and not is_rival(entry["result"])]
        found = [entry for entry in own if entry["result"]["paper"] == paper.key]
        results = [entry["result"] for entry in found]
        if not any(result["scores"] for result in results):
            continue
        card = _template(paper).render(
            frame="card.md.j2",
            paper=paper,
            profile=profile,
            version=__version__,
            summary=summary(verdicts[paper.key], profile),
            weights=_weights([one for one in trained if one.paper == paper.key], results),
            data=_data(results),
            scores=list(_scores(results)),
            origins=[entry["provenance"] for entry in found if entry["provenance"]],
        )
        folder.mkdir(parents=True, exist_ok=True)
        write_atomically(folder / f"{paper.key}.md", card)
        cards.append(folder / f"{paper.key}.md")
    return cards


def shipped_card(
    name: str,
    paper: Paper,
    facts: Mapping[str, Any],
    weights: Mapping[str, Tensor],
    trained_on: Sequence[ImageSet],
    result: dict[str, Any],
    provenance: dict[str, Any],
    method: str,
    precision: str,
) -> str:
    """The card of one network that comes with the package, `name`, with the fields that model hubs read in front.

    facts: its config.json.  result, provenance: of the notebook that scored it as `method`.  precision: a sentence on it.
    """
    scores = [score for score in result["scores"] if score["seed"] == facts["seed"]]
    own = [score for score in scores if score["method"] == method]
    there = {score["dataset"] for score in own}
    compared = [score for score in scores if score["method"] in (method, "bicubic") and score["dataset"] in there]
    entries = [
        {
            "task": {"type": "image-to-image", "name": f"face super-resolution, x{facts['scale']}"},
            "dataset": {"type": dataset, "name": dataset},
            "metrics": [
                {"type": _kind(score), "name": f"{score['metric']}, {score['convention']}", "value": score["mean"]}
                for score in own
                if score["dataset"] == dataset
            ],
        }
        for dataset in sorted(there)
    ]
    return _template(paper).render(
        frame="shipped.md.j2",
        name=name,
        paper=paper,
        facts=facts,
        parameters=sum(weight.numel() for weight in weights.values()),
        trained_on=trained_on,
        datasets=sources(trained_on),
        metrics=list(dict.fromkeys(map(_kind, own))),
        index=[{"name": name, "results": entries}],
        scores=list(_scores([{**result, "scores": compared}])),
        notebook=result["notebook"],
        origin=provenance,
        precision=precision,
    )


def sources(sets: Sequence[ImageSet]) -> list[str]:
    """What image sets are made of: "olivetti" for "olivetti/train"."""
    return list(dict.fromkeys(images.name.partition("/")[0] for images in sets))


def _kind(score: Mapping[str, Any]) -> str:
    """The name by which hubs know a metric; a substitute of another name keeps that."""
    family = str(score["family"])
    return family.lower() if score["metric"].startswith(family) else str(score["metric"])


def _template(paper: Paper) -> Template:
    """A paper's own text on its networks; it extends the `frame` that it is rendered with."""
    environment = Environment(
        loader=ChoiceLoader([PackageLoader("facesr_tools.report"), PackageLoader("facesr_lib", "papers")]),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    return environment.get_template(f"{paper.key}/model_card.md.j2")


def _data(results: Sequence[dict[str, Any]]) -> Table | None:
    records = {(record["name"], record["checksum"]): record for result in results for record in result["data"]}
    rows = [
        {"images": name, "number": record["n"], "size (px)": "x".join(map(str, record["size"] or ())), "credit": record["credit"]}
        for (name, _), record in records.items()
    ]
    return Table.from_records("data", rows, "Images that the notebooks scored, and their source") if rows else None


def _weights(trained: Sequence[FoundCheckpoint], results: Sequence[dict[str, Any]]) -> Table | None:
    """The trainings whose config and seed a result recorded, under its name there, with each network's parameters."""
    rows = []
    for one in sorted(trained, key=lambda one: one.stage):
        folder = one.path.parent.parent
        key = json.loads((folder / "done.json").read_bytes())["key"] if (folder / "done.json").is_file() else {}
        names = {
            name
            for result in results
            for name, config in result["config"].items()
            if key.get("seed") == result["seed"] and _same(key.get("config"), config)
        }
        if names:
            networks = ", ".join(f"{name} {count:,}" for name, count in sorted(_parameters(one.path).items()))
            row = {"training": folder.name, "config": ", ".join(sorted(names)), "steps": one.step}
            rows.append(row | {"networks and their parameters": networks})
    return Table.from_records("weights", rows, "Folders below runs/stages; configs as in result.json") if rows else None


def _same(stage: Any, recorded: dict[str, Any]) -> bool:
    """Whether a stage's config is a recorded one; a name of the class beside the fields does not count."""
    return isinstance(stage, dict) and _fields(stage) == _fields(recorded)


def _fields(config: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in config.items() if name != "type"}


def _parameters(checkpoint: Path) -> Counter[str]:
    """How many numbers a checkpoint holds per network (running averages of weights apart), without loading them."""
    count: Counter[str] = Counter()
    with safe_open(checkpoint / "weights.safetensors", "pt") as file:
        for name in file.keys():  # noqa: SIM118  no mapping, only a method of that name
            kind, _, network = name.partition("/")[0].partition(".")
            size = 1
            for length in file.get_slice(name).get_shape():
                size *= length
            if kind == "network":
                count[network] += size
    return count


def _scores(results: Sequence[dict[str, Any]]) -> Iterator[Table]:
    """Per notebook and data set: a line per method, a column per metric, means over images."""
    for result in results:
        scores = pool_seeds(result["scores"])
        for dataset in dict.fromkeys(score["dataset"] for score in scores):
            rows: dict[str, dict[str, Any]] = {}
            ours = [score for score in scores if score["dataset"] == dataset]
            for score in ours:
                arrow = "↑" if score["higher_is_better"] else "↓"
                rows.setdefault(score["method"], {"method": score["method"]})[f"{score['metric']} {arrow}"] = score["mean"]
            caption = f"{result['notebook']}: {dataset}, {ours[0]['n']} images"
            yield Table.from_records("scores", list(rows.values()), caption)
