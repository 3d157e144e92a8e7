"""`Run`: one run of one notebook, from its first cell (`Run.start`) to its last (`run.finish`)."""

import io
import re
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import torch
from accelerate.utils import set_seed
from IPython import get_ipython
from IPython.display import display
from matplotlib import pyplot as plt
from matplotlib.figure import Figure

from facesr_lib import __version__
from facesr_lib.config import check_profile, config_hash, plain, read_fresh_since
from facesr_lib.data.images import ImageSet, listed
from facesr_lib.evaluate.bootstrap import numbered
from facesr_lib.evaluate.provenance import cpu_model, git_state, provenance
from facesr_lib.evaluate.reading import Reading
from facesr_lib.evaluate.reference import Reference, beside
from facesr_lib.evaluate.result import SCHEMA_VERSION, Score, described, jsonable, pool_seeds, write_json
from facesr_lib.evaluate.tables import Table
from facesr_lib.files import checkout_root, make_folder, write_atomically
from facesr_lib.metrics.metric import Metric
from facesr_lib.plot.figures import DPI, SavedFigure
from facesr_lib.training import StageCache, resolve_device

Values = torch.Tensor | np.ndarray | Sequence[float]


def default_output_dir() -> Path:
    """Where runs go unless told otherwise: `runs` in the source checkout, or in the current folder for an installed copy."""
    return (checkout_root() or Path.cwd()) / "runs"


class Run:
    """What a notebook records. Recording the same thing again (a cell run twice) replaces it. Only `finish` writes result.json:
    a run that stops early leaves none, so no report shows it as complete.

    Attributes: `folder` (this run's own folder), `device`, `profile`, `seed`, `out`, `stages` (the cache of trainings), and
    `data_root`, which is None unless it was given.
    """

    def __init__(
        self, notebook: str, title: str, paper: str | None, profile: str, seed: int, device: str, data_root: str, output_dir: str
    ) -> None:
        self.notebook, self.title, self.paper = _plain_name(notebook, "notebook"), title, paper
        self.profile, self.seed, self.device = check_profile(profile), seed, resolve_device(device)
        self.out = Path(output_dir).expanduser().resolve() if output_dir else default_output_dir()
        self.data_root = Path(data_root).expanduser().resolve() if data_root else None
        self.folder = self.out / self.profile / notebook
        self.stages = StageCache(self.out / "stages", read_fresh_since(self.folder))
        self.started = datetime.now(UTC)
        self._configs: dict[str, dict[str, Any]] = {}
        self._hashes: dict[str, str] = {}
        self._scores: dict[tuple[str, str, str, str, int], dict[str, Any]] = {}
        self._published: dict[tuple[Reference, str, str, str], str] = {}
        self._tables: dict[str, Table] = {}
        self._figures: dict[str, SavedFigure] = {}
        self._data: dict[str, dict[str, Any]] = {}
        self._notes: dict[str, None] = {}
        self._backends: dict[str, str] = {}

    @classmethod
    def start(
        cls,
        notebook: str,
        *,
        title: str,
        paper: str | None,
        profile: str,
        seed: int,
        device: str,
        data_root: str = "",
        output_dir: str = "",
    ) -> "Run":
        """Check the parameters, seed everything, and make an empty `<out>/<profile>/<notebook>/{tables,figures}`.

        notebook: the file's name without suffix; title: its heading; paper: a module of `facesr_lib.papers`, or None.
        Deletes what an earlier run left there (result, provenance, tables, figures); logs and notebooks stay. From here on torch
        computes with one thread on a CPU, so that no result hangs on the number of cores.
        Shown as a cell's last value, the run is one line of provenance. Raises ValueError for an unknown profile or device,
        or a seed outside 0 <= seed < 2**32.
        """
        if not title.strip():
            raise ValueError("a run needs a title: the notebook's heading")
        if not 0 <= seed < 2**32:
            raise ValueError(f"seed {seed} is out of range: choose 0 <= seed < 2**32")
        run = cls(notebook, title, paper, profile, seed, device, data_root, output_dir)
        set_seed(seed)  # Python's, NumPy's and PyTorch's generators, for what libraries draw from them
        if run.device.type == "cpu":
            torch.set_num_threads(1)  # rounding depends on the number of threads, and so would training and every score
        for name in ("result.json", "provenance.json"):
            (run.folder / name).unlink(missing_ok=True)
        for name in ("tables", "figures"):
            make_folder(run.folder / name)
            for old in (run.folder / name).iterdir():
                if old.suffix in (".csv", ".md", ".png", ".tmp"):
                    old.unlink()
        return run

    def __repr__(self) -> str:
        git = git_state()
        commit = "no git commit" if git["sha"] is None else f"git {git['sha'][:7]}{' (dirty)' if git['dirty'] else ''}"
        hardware = torch.cuda.get_device_name(0) if self.device.type == "cuda" else f"CPU {cpu_model()}, one thread"
        hardware += ", training on its GPU (MPS)" if self.device.type == "mps" else ""
        versions = f"facesr {__version__} · {commit} · torch {torch.__version__}"
        return f"{versions} · {hardware} · profile {self.profile} · seed {self.seed}"

    def config(self, config: Any, name: str = "config") -> Table:
        """Record a config (a dataclass or mapping of plain data) and its hash, and return it as a table to show."""
        fields = plain(config)
        if not isinstance(fields, dict):
            raise TypeError(f"a config is a dataclass or a mapping, not {type(config).__name__}")
        self._configs[name], self._hashes[name] = fields, config_hash(config)
        rows = [{"setting": key, "value": str(value)} for key, value in fields.items()]
        return Table.from_records(name, rows, f"{name} (hash {self._hashes[name]})")

    def score(self, method: str, images: ImageSet, metric: Metric, values: Values, *, seed: int | None = None) -> Score:
        """Record one score per image and return the record: n, mean, and the sample standard deviation over images.

        images: the test set, which is recorded too, as `data` does. values: (N,), one per image of it, in its order; infinite
        scores stay infinite and so does their mean. seed: of the training, where a notebook trains a method several times
        (default: the run's own). Call the plain baseline "bicubic": the report compares every other method with it.
        Raises ValueError if `values` does not have one number per image.
        """
        array = np.asarray(values.detach().cpu() if isinstance(values, torch.Tensor) else values, dtype=np.float64)
        if array.shape != (len(images),):
            expected = f"one value per image of {images.name!r}, shape ({len(images)},)"
            raise ValueError(f"score of {method!r}: expected {expected}, not {array.shape}")
        return self._record(method, images, metric, seed, n=array.size, **described(array), replicates=None)

    def set_score(
        self, method: str, images: ImageSet, metric: Metric, value: float, *, replicates: Values = (), seed: int | None = None
    ) -> Score:
        """Record the one score that a whole image set has (FID, KID), and return the record. images, seed: as in `score`.

        replicates: its values without each person in turn, from `facesr_lib.evaluate.bootstrap.set_replicates`; without them
        no claim can be decided on this score.
        """
        found = {"n": len(images), "mean": float(value), "std": None}
        left_out = [float(replicate) for replicate in replicates]
        return self._record(method, images, metric, seed, **found, values=[float(value)], replicates=left_out)

    def _record(self, method: str, images: ImageSet, metric: Metric, seed: int | None, **found: Any) -> Score:
        self.data(images)
        record: Score = {"method": method, "dataset": images.name, "metric": metric.label}
        record |= {"convention": metric.convention, "key": metric.key, "family": metric.family, "unit": metric.unit}
        record |= {"higher_is_better": metric.higher_is_better, "seed": self.seed if seed is None else seed, **found}
        self._scores[method, images.name, metric.label, metric.convention, record["seed"]] = record
        return {key: value for key, value in record.items() if key not in ("values", "replicates")}

    def values(self, method: str, images: ImageSet, metric: Metric, *, seed: int | None = None) -> np.ndarray:
        """The recorded scores (N,) of one method, in the images' order; seed: as in `score`. Raises KeyError for none."""
        name = (method, images.name, metric.label, metric.convention, self.seed if seed is None else seed)
        if name not in self._scores:
            raise KeyError(f"no score of {', '.join(map(str, name))} was recorded")
        return np.array(self._scores[name]["values"])

    def table(self, name: str, rows: Sequence[Mapping[str, Any]], caption: str) -> Table:
        """Write tables/<name>.csv (every digit) and .md (rounded) and return the table to show."""
        table = Table.from_records(_plain_name(name, "table"), rows, caption)
        write_atomically(self.folder / "tables" / f"{name}.csv", table.csv())
        write_atomically(self.folder / "tables" / f"{name}.md", table.markdown())
        self._tables[name] = table
        return table

    def figure(self, figure: Figure, name: str, caption: str, alt: str) -> SavedFigure:
        """Save figures/<name>.png (150 dpi, tight), close the figure, and return it with caption and alt text to show.

        caption: what to see in it; alt: what it shows, for someone who cannot see it. Raises ValueError if either is empty.
        """
        if not caption.strip() or not alt.strip():
            raise ValueError(f"figure {name!r} needs a caption and an alt text")
        path = self.folder / "figures" / f"{_plain_name(name, 'figure')}.png"
        content = io.BytesIO()
        figure.savefig(content, format="png", dpi=DPI, bbox_inches="tight")
        write_atomically(path, content.getvalue())
        plt.close(figure)  # or the notebook would show it a second time, without caption and alt text
        self._figures[name] = SavedFigure(name, caption, alt, path)
        return self._figures[name]

    def note(self, text: str) -> None:
        """Record a remark for the report, and show it: what was found, what did not work, what a number does not show."""
        self._notes[text] = None
        if get_ipython():  # a command's output is its own
            display(Reading(text))

    def backend(self, metric: str, description: str) -> None:
        """Record which implementation and weights computed a metric, as in ("LPIPS", "HED-VGG, a named substitute")."""
        self._backends[metric] = description

    def data(self, images: ImageSet) -> None:
        """Record an image set: name, checksum, number of images, size, credit, role, and which images show the same person.
        What was passed over when it was read is recorded too.

        Scoring a set records it; call this for a set that is trained on or shown, but not scored.
        """
        members = numbered(images.groups, len(images)).tolist()  # people as 0, 1, ...: their names are nobody's business
        record = {"name": images.name, "checksum": images.checksum, "n": len(images), "size": list(images.size)}
        passed = {"passed_over": listed(images.passed_over)} if images.passed_over else {}
        self._data[images.name] = {**record, "credit": images.credit, "role": images.role, "groups": members, **passed}

    def published(self, reference: Reference, *, method: str, images: ImageSet, metric: Metric, differs: str) -> Table:
        """Set a recorded score beside a published number. differs: every condition that is not the paper's, in words.

        Raises ValueError if no score of this method, image set and metric was recorded, or in two conventions, or if
        `differs` is empty (write "nothing" where that is true).
        """
        name = (method, images.name, metric.label)
        scores = pool_seeds([score for key, score in self._scores.items() if key[:3] == name])
        if len(scores) != 1:
            known = "; ".join(", ".join(key[:4]) for key in self._scores) or "none yet"
            count = "no score" if not scores else "more than one convention"
            raise ValueError(f"{count} of {', '.join(name)} was recorded; recorded: {known}")
        if not differs.strip():
            raise ValueError("say in `differs` which conditions are not the paper's, or 'nothing'")
        self._published[(reference, *name)] = differs
        return beside(reference, scores[0], f"this run ({self.profile})", differs)

    def result(self) -> dict[str, Any]:
        """Everything recorded so far, as `finish` writes it to result.json."""
        comparisons = [
            {"reference": asdict(reference), "method": method, "dataset": dataset, "metric": metric, "differs": differs}
            for (reference, method, dataset, metric), differs in self._published.items()
        ]
        figures = [{"name": f.name, "caption": f.caption, "alt": f.alt} for f in self._figures.values()]
        result = {"schema": SCHEMA_VERSION, "notebook": self.notebook, "title": self.title, "paper": self.paper}
        result |= {"profile": self.profile, "seed": self.seed, "device": self.device.type}
        result |= {"config": self._configs, "config_hash": self._hashes, "scores": list(self._scores.values())}
        result |= {"published": comparisons, "tables": [asdict(table) for table in self._tables.values()]}
        result |= {"figures": figures, "notes": list(self._notes), "data": list(self._data.values())}
        return result

    def finish(self) -> Path:
        """Write provenance.json, then result.json, each atomically, and return the path of the latter."""
        result = jsonable(self.result())
        checksums = {name: record["checksum"] for name, record in self._data.items()}
        command = f"facesr run {self.notebook} --profile {self.profile} --seed {self.seed} --device {self.device.type}"
        command += " --data-root DATA_ROOT" if self.data_root else ""  # no folder names
        facts = {"command": command} | provenance(self.started, self.seed, checksums, self._backends)
        write_json(self.folder / "provenance.json", facts)
        write_json(self.folder / "result.json", result)
        return self.folder / "result.json"


def _plain_name(name: str, what: str) -> str:
    if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9_.-]*", name):
        raise ValueError(f"{what} name {name!r}: use letters, digits, '_', '.' and '-'; it becomes a file name")
    return name
