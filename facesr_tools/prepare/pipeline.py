"""From a download, an archive or a folder to a packed set; every step resumes after an interruption."""

import hashlib
import json
import shutil
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any

from facesr_lib import __version__
from facesr_lib.data.images import spread
from facesr_lib.data.packed import PackedError, open_packed, read_manifest
from facesr_lib.data.prepared import FORMAT, PREPARED, prepared_facts
from facesr_lib.data.split import refuse_shared_groups
from facesr_lib.files import write_atomically
from facesr_tools.prepare.description import REAL_LR, Description, Parts, PrepareError, Samples
from facesr_tools.prepare.pack import pack_samples
from facesr_tools.prepare.sources import DataSource, OnStep

BAD_IMAGES = "bad_images.json"


def prepare(
    description: Description,
    root: Path,
    given: Sequence[Path] = (),
    *,
    limit: int | None = None,
    workers: int | None = None,
    progress: OnStep = lambda step, done, total: None,
) -> dict[str, Any]:
    """Prepare a data set in `root`/NAME and return its facts; a complete set is not prepared again.

    given: archives (unpacked to `root`/sources/FAMILY), or one folder that holds the set's files and is only read. Other ones
    than before make the set anew.
    limit: largest number of pictures per part, spread over the people. The caller asks about licence and terms.
    After an interruption, the same call resumes. Raises PrepareError, ArchiveError, DownloadFailed, ValueError (a person in two
    splits) and OSError (disk full), each saying what to do. The set's folder then has no PREPARED file and no incomplete part.
    """
    target = root / description.name
    options, place = _options(description, limit), _place(given)
    known = prepared_facts(target)
    if known and known["options"] == options and place in ("", known.get("place", "")) and not verify(target, rehash=False):
        return known
    source = DataSource(description, root, given, progress)
    parts = source.parts(limit)
    limits = {part: limit for part in parts} if limit else dict(description.limits or {})
    for part, samples in parts.items():
        if limits.get(part, len(samples)) < len(samples):
            parts[part] = Samples(samples[row] for row in spread(samples.people(), limits[part]))
    _need_train_and_test(description, parts)
    _refuse_shared_people(parts)
    _need_room(description, parts, target)
    (target / PREPARED).unlink(missing_ok=True)
    origin = description.origin
    facts: dict[str, Any] = {
        "format": FORMAT, "name": description.name, "title": description.title, "kind": description.kind,
        "licence": origin.licence, "terms": origin.terms, "credit": origin.credit, "identities": origin.identities,
        "protocol": description.protocol, "options": options, "files": source.checksums(), "facesr": __version__,
    }  # fmt: skip
    bad: dict[str, str] = {}
    for part, samples in sorted(parts.items()):
        size = description.size_of(part)
        bad |= pack_samples(
            source.folder, samples, target / f"{part}.json", name=f"{description.name}/{part}", size=size, credit=origin.credit,
            facts={"kind": "prepared", "part": part, **facts}, without_box=description.without_box, resize=description.resize,
            workers=workers, progress=partial(progress, f"pack {part}"),
        )  # fmt: skip
    write_atomically(target / BAD_IMAGES, json.dumps(bad, indent=1).encode())
    facts = {**facts, "parts": {part: _part_facts(target, part) for part in sorted(parts)}, "bad": len(bad), "place": place}
    write_atomically(target / PREPARED, json.dumps(facts, indent=1).encode())
    return facts


def verify(folder: Path, *, rehash: bool = True) -> list[str]:
    """The problems of a prepared set, one sentence each; empty if it is complete. rehash: read every picture again."""
    facts = prepared_facts(folder)
    if facts is None:
        return [f"{folder} holds no prepared set: facesr data prepare {folder.name}"]
    problems: list[str] = []
    people: dict[str, Sequence[str]] = {}
    for part, promised in facts["parts"].items():
        try:
            images = open_packed(folder / f"{part}.json", verify=rehash)
        except PackedError as error:
            problems.append(str(error))
            continue
        if (len(images), images.checksum) != (promised["images"], promised["sha256"]):
            problems.append(f"{folder / part}.json is not the packing that {PREPARED} names: prepare the set again")
        people[part] = images.groups
    for group in (False, True):
        try:
            refuse_shared_groups({part: who for part, who in people.items() if part.startswith(REAL_LR) == group})
        except ValueError as error:
            problems.append(str(error))
    return problems


def _need_train_and_test(description: Description, parts: Parts) -> None:
    below = REAL_LR if description.kind == "real LR" else ""
    if empty := [part for part in (f"{below}train", f"{below}test") if not parts.get(part)]:
        raise PrepareError(
            f"{description.name}: there is no picture for {' and '.join(empty)}: the source has too few pictures or people, or "
            "is not complete"
        )


def _refuse_shared_people(parts: Parts) -> None:
    for lr in (False, True):
        refuse_shared_groups({part: samples.people() for part, samples in parts.items() if part.startswith(REAL_LR) == lr})


def _need_room(description: Description, parts: Parts, target: Path) -> None:
    """Raise PrepareError if the disk cannot hold the set."""
    target.mkdir(parents=True, exist_ok=True)
    needed = sum(len(samples) * 3 * description.size_of(part) ** 2 for part, samples in parts.items())
    begun = sum(path.stat().st_size for path in target.rglob(".*.part"))
    if (free := shutil.disk_usage(target).free) < needed - begun:
        raise PrepareError(
            f"{description.name} needs {needed / 1e9:.1f} GB in {target}, {free / 1e9:.1f} GB are free: free some, choose "
            "another --root, or take fewer pictures with --limit"
        )


def _part_facts(target: Path, part: str) -> dict[str, Any]:
    manifest = read_manifest(target / f"{part}.json")
    count, size = manifest["shape"][0], manifest["shape"][1]
    return {"images": count, "people": len(set(manifest["groups"])), "size": size, "sha256": manifest["sha256"]}


def _place(given: Sequence[Path]) -> str:
    """A hash of where the given folder lies, or where the archives lie and when they were written; "" for none."""
    stamps: list[Any] = [str(path.resolve()) for path in given]
    stamps += [(path.stat().st_size, path.stat().st_ctime_ns) for path in given if path.is_file()]
    return hashlib.sha256(json.dumps(stamps).encode()).hexdigest()[:16] if stamps else ""


def _options(description: Description, limit: int | None) -> str:
    """A hash of the options that, with the source, decide the content of a prepared set."""
    facts = [description.protocol, description.size, description.lr_size, limit, dict(description.limits or {})]
    return hashlib.sha256(json.dumps(facts, sort_keys=True).encode()).hexdigest()[:16]
