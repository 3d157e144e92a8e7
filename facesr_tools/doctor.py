"""Examine this machine: what it has, what is missing, and which profiles can run."""

import asyncio
import importlib.metadata
import platform
import re
import shutil
import subprocess
import time
import urllib.request
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import psutil

from facesr_lib import __version__
from facesr_lib.config import PROFILES
from facesr_lib.files import file_digest
from facesr_tools.runner.machine import GIB, cpu_limit, memory_limit, readable, usable_cores


@dataclass(frozen=True)
class Check:
    """One line of the doctor's list. `ok` is None for a fact that is neither good nor bad."""

    section: str
    name: str
    value: str
    ok: bool | None = None
    fix: str = ""


@dataclass(frozen=True)
class Needs:
    """What a profile needs; sizes in GiB."""

    memory: float
    disk: float
    gpu: float = 0.0
    own_data: bool = False


NEEDS = {
    "smoke": Needs(memory=1.0, disk=0.5),
    "quick": Needs(memory=1.5, disk=1.0),
    "evening": Needs(memory=3.0, disk=3.0),
    "workshop": Needs(memory=6.0, disk=5.0, gpu=8.0),
    "paper": Needs(memory=16.0, disk=50.0, gpu=14.0, own_data=True),
}


@dataclass(frozen=True)
class Diagnosis:
    """All checks and, per profile, what is missing (empty: it can run)."""

    checks: tuple[Check, ...]
    missing: dict[str, tuple[str, ...]]


def examine(out: Path, data_root: str = "", online: bool = False) -> Diagnosis:
    """Run all checks, which takes a few seconds.

    out: folder of the results, for its free space.  data_root: folder to check, or "".  online: also ask the hosts whether
    missing weights can be downloaded. Installs, downloads and writes nothing. A check that cannot run counts as failed.
    """
    required = _guarded("versions", "packages", _packages)
    torch = _guarded("torch", "torch and torchvision", _torch)
    data = _guarded("data", "Olivetti faces", _olivetti) + _guarded("data", "DiceBear cartoons", _cartoons)
    own = _guarded("data", "DATA_ROOT", lambda: _data_root(data_root))
    kernel = _guarded("kernel", "notebook kernel", _kernel)
    gpu_memory, device = _device() if all(check.ok is not False for check in torch) else (0.0, [])
    memory, disk = memory_limit() / GIB, _disk_free(out) / GIB

    checks = [
        Check("versions", "facesr", __version__),
        Check("versions", "python", platform.python_version()),
        *required,
        *torch,
        *device,
        Check("machine", "memory", f"{readable(memory_limit())}, {readable(psutil.virtual_memory().available)} available"),
        Check("machine", "disk", f"{disk:.1f} GiB free for {out}"),
        *_guarded("machine", "cache", _cache),
        *data,
        *own,
        *_guarded("paper presets", "data", lambda: _paper_data(data_root)),
        *_guarded("weights", "weights", lambda: _weights(online)),
        *kernel,
    ]
    broken = [f"{check.name}: {check.fix or check.value}" for check in [*required, *torch, *data, *kernel] if check.ok is False]
    missing: dict[str, tuple[str, ...]] = {}
    for profile in PROFILES:
        needs, lacks = NEEDS[profile], list(broken)
        if memory < needs.memory:
            lacks.append(f"memory: {memory:.1f} GiB, {needs.memory:g} GiB needed")
        if disk < needs.disk:
            lacks.append(f"disk: {disk:.1f} GiB free, {needs.disk:g} GiB needed (--out DIR puts the results elsewhere)")
        if gpu_memory < needs.gpu:
            lacks.append(f"a CUDA GPU with {needs.gpu:g} GiB" + (f" (this one has {gpu_memory:.1f})" if gpu_memory else ""))
        if needs.own_data and not any(check.ok for check in own):
            lacks.append("the paper's data: --data-root DIR")
        missing[profile] = tuple(lacks)
    return Diagnosis(tuple(checks), missing)


def _guarded(section: str, name: str, look: Callable[[], list[Check]]) -> list[Check]:
    try:
        return look()
    except Exception as error:  # the doctor must survive whatever is broken
        return [Check(section, name, f"{type(error).__name__}: {error}", ok=False)]


def _packages() -> list[Check]:
    requirements = importlib.metadata.requires("facesr") or []
    names = [re.split(r"[^\w.-]", text, maxsplit=1)[0] for text in requirements if not re.search(r"extra == .(?!tools)", text)]
    checks = []
    for name in [*sorted(names), "jupyterlab"]:
        try:
            checks.append(Check("versions", name, importlib.metadata.version(name), ok=True))
        except importlib.metadata.PackageNotFoundError:
            optional = name == "jupyterlab"  # needed to read and change notebooks, not to run them
            checks.append(Check("versions", name, "not installed", None if optional else False, f"pip install {name}"))
    return checks


def _torch() -> list[Check]:
    try:
        import torch
        import torchvision  # fails on a missing operator when it was built for another torch
    except Exception as error:
        versions = {}
        for name in ("torch", "torchvision"):
            try:
                versions[name] = importlib.metadata.version(name)
            except importlib.metadata.PackageNotFoundError:
                versions[name] = "not installed"
        pair = ", ".join(f"{name} {version}" for name, version in versions.items())
        fix = "take both from one package index: pip install --force-reinstall torch torchvision"
        return [Check("torch", "torch and torchvision", f"{pair} do not import together: {error}", False, fix)]
    pair = f"torch {torch.__version__} and torchvision {torchvision.__version__} import together"
    return [Check("torch", "torch and torchvision", pair, True)]


def _device() -> tuple[float, list[Check]]:
    import torch

    from facesr_lib.evaluate.provenance import cpu_model, gpu

    limit = cpu_limit()
    quota = f", limited to {limit:g}" if limit else ""
    cpu = Check("machine", "cpu", f"{cpu_model()}, {usable_cores()} cores{quota}, {torch.get_num_threads()} torch threads")
    card = gpu()
    if card is None:
        return 0.0, [cpu, Check("machine", "gpu", "no CUDA device: notebooks run on the CPU")]
    text = f"{card['name']}, {card['memory_mib'] / 1024:.1f} GiB, driver {card['driver']}, CUDA {card['cuda']}"
    return card["memory_mib"] / 1024, [cpu, Check("machine", "gpu", text, True)]


def _disk_free(folder: Path) -> int:
    existing = next(place for place in [folder, *folder.absolute().parents] if place.exists())
    return shutil.disk_usage(existing).free


def _cache() -> list[Check]:
    from facesr_lib.data import cache_dir

    return [Check("machine", "cache", f"{_disk_free(cache_dir()) / GIB:.1f} GiB free for {cache_dir()}")]


def _olivetti() -> list[Check]:
    from facesr_lib.data import olivetti_faces

    faces = olivetti_faces("all")  # compares the files with their checksum
    return [Check("data", "Olivetti faces", f"{len(faces)} photographs, checksum matches", True)]


def _cartoons() -> list[Check]:
    import dicebear  # noqa: F401
    import resvg_py  # noqa: F401

    return [Check("data", "DiceBear cartoons", "can be drawn", True)]


def _data_root(data_root: str) -> list[Check]:
    if not data_root:
        return [Check("data", "DATA_ROOT", "not given: the packaged faces are used (--data-root DIR checks a folder)")]
    folder = Path(data_root).expanduser()
    if not folder.is_dir():
        return [Check("data", "DATA_ROOT", f"{folder} is not a folder", False, "give the folder that holds your images")]
    content = sorted(entry.name for entry in folder.iterdir())
    if not content:
        return [Check("data", "DATA_ROOT", f"{folder} is empty", False, "give the folder that holds your images")]
    there = Check("data", "DATA_ROOT", f"{folder}: {len(content)} entries ({', '.join(content[:4])}, ...)", True)
    return [there, *_one_photograph_two_people(folder)]


def _one_photograph_two_people(folder: Path) -> list[Check]:
    """A check for each file, at most three, whose very bytes lie in another folder too. Only files of equal size are read."""
    from facesr_lib.data.folder import picture_files

    alike: dict[int, list[Path]] = {}
    for path in (folder / name for name in picture_files(folder, lambda note: None)):
        if path.is_file():
            alike.setdefault(path.stat().st_size, []).append(path)
    same: dict[str, list[Path]] = {}
    for path in (path for paths in alike.values() if len(paths) > 1 for path in paths):
        same.setdefault(file_digest(path), []).append(path)
    found = [paths for paths in same.values() if len({path.parent for path in paths}) > 1]
    fix = "a picture in training and test makes the test say nothing: keep one of them"
    shown = [", ".join(str(path.relative_to(folder)) for path in paths[:3]) for paths in found[:3]]
    return [Check("data", "one picture, two folders", f"{names} ({len(found)} such in all)", None, fix) for names in shown]


def _paper_data(data_root: str) -> list[Check]:
    """Which papers' `paper` presets can run on the data that the paper used."""
    from facesr_lib.papers import PAPERS
    from facesr_tools.prepare import paper_data

    checks = []
    for paper in PAPERS:
        found, lacking = paper_data(paper, Path(data_root).expanduser()) if data_root else ([], ["--data-root DIR"])
        has = f"has {', '.join(found)}" if found else ""
        lacks = f"lacks {', '.join(lacking)}" if lacking else "can run on its own data"
        fix = f"facesr data prepare {lacking[0].split()[0]} --root {data_root}" if data_root and lacking else ""
        checks.append(Check("paper presets", paper.key, "; ".join(filter(None, (has, lacks))), not lacking or None, fix))
    return checks


def _weights(online: bool) -> list[Check]:
    from facesr_lib.metrics.weights import WEIGHTS, state

    checks = []
    for weights in WEIGHTS.values():
        found = state(weights)
        value = f"found: {weights.path}" if found == "ready" else f"{found}; facesr weights fetch {weights.name}"
        if online and found != "ready" and "://" in weights.source:
            value += ", can be downloaded" if _reachable(weights.source) else ", cannot be downloaded from here"
        checks.append(Check("weights", weights.backend, value, True if found == "ready" else None))
    return checks


def _reachable(url: str) -> bool:
    try:
        with urllib.request.urlopen(urllib.request.Request(url, method="HEAD"), timeout=5) as answer:
            return bool(answer.status == 200)
    except OSError:
        return False


def _kernel() -> list[Check]:
    from facesr_tools.runner.kernel import kernel_environment, kernel_manager

    async def answer() -> None:
        manager = kernel_manager()
        await manager.start_kernel(env=kernel_environment(), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        client = manager.client()
        try:
            client.start_channels()
            await client.wait_for_ready(timeout=60)
        finally:
            client.stop_channels()
            await manager.shutdown_kernel(now=True)

    began = time.monotonic()
    with ThreadPoolExecutor(1) as thread:  # a notebook that calls examine() has a running event loop already
        thread.submit(asyncio.run, answer()).result()
    return [Check("kernel", "notebook kernel", f"starts in {time.monotonic() - began:.1f} s", True)]
