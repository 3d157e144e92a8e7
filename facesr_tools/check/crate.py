"""A run packed as a Workflow Run RO-Crate, profile Process Run Crate 0.5 (w3id.org/ro/wfrun/process/0.5), by the library rocrate.

Every execution of a notebook is a CreateAction: its instrument is the notebook, its objects are the image sets (by checksum), the
seed and the configs (by hash), its results are result.json, provenance.json and the tables. Every verdict is a ClaimReview,
about the actions whose scores decided it. Process Run Crate, since several notebooks run side by side and none is the main one.

Pictures stay out: figures show people, and so do the outputs of an executed notebook, which are removed.
"""

from __future__ import annotations

import json
import re
import shutil
import tempfile
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import nbformat
from rocrate.model.contextentity import ContextEntity
from rocrate.rocrate import ROCrate

from facesr_lib import __version__
from facesr_lib.files import file_digest
from facesr_tools.check.codecheck import NAME, REPOSITORY, codechecker
from facesr_tools.check.read import Found, Side, run_claims

PROFILE = "https://w3id.org/ro/wfrun/process/0.5"
TERMS = {"sha256": "https://w3id.org/ro/terms/workflow-run#sha256"}  # which the context of RO-Crate 1.1 lacks
AUTHORS, AGENT = "#authors", "#codechecker"


def write_crate(run: Side, target: Path) -> Path:
    """Pack a run into a new folder, or into a zip file if the target's name ends so; return the target.

    Raises ValueError if the target is there already.
    """
    if target.exists():
        raise ValueError(f"--crate {target}: is there already; choose a new name or remove it")
    with tempfile.TemporaryDirectory() as scratch:
        crate = _crate(run, Path(scratch))
        if target.suffix == ".zip":
            crate.write_zip(target)
        else:
            try:
                crate.write(target)
            except BaseException:
                shutil.rmtree(target, ignore_errors=True)
                raise
    return target


def _crate(run: Side, scratch: Path) -> ROCrate:
    crate = ROCrate(version="1.1")
    crate.metadata.extra_terms |= TERMS
    crate.name = f"facesr {__version__}: the {run.profile} profile, rerun"
    crate.description = (
        "Scores, tables, verdicts and provenance of notebooks that reproduce four face super-resolution papers. "
        "Figures and the outputs of notebooks are left out: they show photographs of people."
    )
    crate.datePublished = datetime.now(UTC)
    crate.license = _add(
        crate, "https://spdx.org/licenses/MIT", "CreativeWork", name="MIT License", url="https://spdx.org/licenses/MIT"
    )
    crate.root_dataset["conformsTo"] = _add(crate, PROFILE, "CreativeWork", name="Process Run Crate", version="0.5")
    _add(crate, AUTHORS, "Organization", name="The facesr authors", url=REPOSITORY)
    crate.publisher, crate.root_dataset["author"] = {"@id": AUTHORS}, {"@id": AGENT}
    _add(crate, AGENT, "Person", name=codechecker(run.folder) or "whoever ran it: codecheck.yml does not say yet")
    actions: dict[str, list[Any]] = {}
    for found in run.results:
        actions.setdefault(found.result["notebook"], []).append(_action(crate, run, found, scratch))
    reviews = [review for claim in run_claims(run.folder, run.profile) if (review := _review(crate, claim, actions))]
    crate.root_dataset["mentions"] = _compact([action for several in actions.values() for action in several] + reviews)
    for name, description, kind in (
        (NAME, "CODECHECK: which outputs were checked", "application/yaml"),
        ("codecheck/check.json", "every score beside the reference's range over seeds", "application/json"),
        (f"pooled/{run.profile}/claims.json", "the verdicts on the papers' claims, from all seeds", "application/json"),
        (f"{run.profile}/claims.json", "the verdicts on the papers' claims", "application/json"),
    ):
        if (run.folder / name).is_file():
            _file(crate, run.folder / name, name, description, kind)
    return crate


def _action(crate: ROCrate, run: Side, found: Found, scratch: Path) -> Any:
    """One execution of a notebook, with what went in and what came out."""
    result, where = found.result, found.folder.relative_to(run.folder).as_posix()
    provenance = _provenance(found.folder)
    seed = _add(crate, f"#seed-{result['seed']}", "PropertyValue", name="seed", value=result["seed"])
    configs = [
        _add(crate, f"#config-{digest}", "PropertyValue", name=f"config hash of {name}", value=digest)
        for name, digest in result["config_hash"].items()
    ]
    sets = [_images(crate, data) for data in result["data"]]
    outputs = [_file(crate, found.folder / "result.json", f"{where}/result.json", "the scores, per image")]
    if provenance:
        outputs.append(_file(crate, found.folder / "provenance.json", f"{where}/provenance.json", "what produced it"))
    for table in result["tables"]:
        path = found.folder / "tables" / f"{table['name']}.csv"
        if path.is_file():
            outputs.append(_file(crate, path, f"{where}/tables/{path.name}", table["caption"], "text/csv"))
    properties = {
        "name": f"{result['notebook']}, profile {result['profile']}, seed {result['seed']}",
        "description": result["title"],
        "startTime": provenance.get("started"),
        "endTime": provenance.get("finished")
        or datetime.fromtimestamp((found.folder / "result.json").stat().st_mtime, UTC).isoformat(),
        "actionStatus": "http://schema.org/CompletedActionStatus",
        "agent": {"@id": AGENT},
    }
    return crate.add_action(
        _notebook(crate, found, scratch),
        identifier=f"#run-{where.replace('/', '-')}",
        object=[*sets, *configs, seed],
        result=_compact(outputs),
        properties={key: value for key, value in properties.items() if value},
    )


def _notebook(crate: ROCrate, found: Found, scratch: Path) -> Any:
    """The notebook's source as it ran, without outputs and without the parameters that name this machine's folders."""
    name, ran = found.result["notebook"], found.folder / "notebook.ipynb"
    version = (_provenance(found.folder).get("git") or {}).get("sha") or __version__
    about = {"name": found.result["title"], "version": version, "url": f"{REPOSITORY}/blob/main/notebooks/{name}.ipynb"}
    if not ran.is_file():  # not run by facesr run
        return _add(crate, f"#{name}", "SoftwareSourceCode", **about)
    path = f"notebooks/{name}.ipynb"
    if (known := crate.dereference(path)) is not None:
        return known
    notebook = nbformat.read(ran, as_version=4)
    notebook.cells = [cell for cell in notebook.cells if "injected-parameters" not in cell.metadata.get("tags", [])]
    for cell in notebook.cells:
        cell.metadata = {key: value for key, value in cell.metadata.items() if key == "tags"}
        if cell.cell_type == "code":
            cell.outputs, cell.execution_count = [], None
    notebook.metadata = {key: value for key, value in notebook.metadata.items() if key in ("kernelspec", "facesr")}
    nbformat.write(notebook, scratch / f"{name}.ipynb")
    code = {"@type": ["File", "SoftwareSourceCode"], **about}
    return _file(crate, scratch / f"{name}.ipynb", path, found.result["title"], "application/x-ipynb+json", **code)


def _review(crate: ROCrate, claim: dict[str, Any], actions: dict[str, list[Any]]) -> Any:
    """One verdict; None if no notebook of this run measured the claim."""
    notebooks = dict.fromkeys(part.get("notebook") for part in claim.get("measured", []))
    about = [action for notebook in notebooks for action in actions.get(notebook or "", [])]
    if not about:
        return None
    words = {
        "name": claim["id"],
        "claimReviewed": claim.get("text", claim["id"]),
        "reviewBody": claim.get("shown") or claim["verdict"],
    }
    properties = {"about": about, "author": {"@id": AUTHORS}, "additionalProperty": _effects(crate, claim)}
    return _add(crate, f"#claim-{claim['id']}", "ClaimReview", **words, **properties)


def _effects(crate: ROCrate, claim: dict[str, Any]) -> list[Any]:
    """What was measured for a claim: an effect per part, data set and metric; positive speaks for the claim."""
    return [
        _add(
            crate,
            f"#claim-{claim['id']}-{i}",
            "PropertyValue",
            name=f"{part.get('statement', 'effect')}: {part.get('metric', '')}, {part.get('dataset', '')}",
            value=part.get("effect"),
            minValue=part.get("low"),
            maxValue=part.get("high"),
        )
        for i, part in enumerate(claim.get("measured", []), 1)
    ]


def _images(crate: ROCrate, data: dict[str, Any]) -> Any:
    # One set can have several names, such as two scales of the same faces.
    identifier = f"#images-{data['checksum'][:12]}-{re.sub(r'[^a-zA-Z0-9]+', '-', data['name'])}"
    about = {"name": data["name"], "description": f"{data['n']} images, {data['size']} px. {data['credit']}".strip()}
    return _add(crate, identifier, "CreativeWork", identifier=f"sha256:{data['checksum']}", **about)


def _file(crate: ROCrate, source: Path, path: str, description: str, kind: str = "application/json", /, **more: Any) -> Any:
    about = {"name": path, "description": description, "sha256": file_digest(source), "encodingFormat": kind}
    return crate.add_file(source, dest_path=path, properties={**about, **more}, record_size=True)


def _add(crate: ROCrate, identifier: str, kind: str, /, **properties: Any) -> Any:
    """A contextual entity: the one that is there already, else a new one."""
    known = crate.dereference(identifier)
    given = {key: _compact(value) for key, value in properties.items() if value not in (None, [])}
    return known or crate.add(ContextEntity(crate, identifier, properties={"@type": kind, **given}))


def _compact(values: Any) -> Any:
    """A list of one as its value, as RO-Crate asks."""
    return values[0] if isinstance(values, list) and len(values) == 1 else values


def _provenance(folder: Path) -> dict[str, Any]:
    path = folder / "provenance.json"
    return dict(json.loads(path.read_bytes())) if path.is_file() else {}
