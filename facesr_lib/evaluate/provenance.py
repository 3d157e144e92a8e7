"""What produced a result: code version, packages, hardware, seeds, data, time and memory. No user, host or folder names."""

import importlib.metadata
import os
import platform
import re
import subprocess
import sys
from collections.abc import Mapping
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import torch

from facesr_lib import __version__
from facesr_lib.files import checkout_root

MIB = 1024 * 1024


def provenance(started: datetime, seed: int, data: Mapping[str, str], backends: Mapping[str, str]) -> dict[str, Any]:
    """Describe this process and its machine. A fact that the system does not tell is None, never an error.

    started: when the run began (UTC). seed, data (checksum by data set name) and backends (implementation and weights by metric)
    are recorded as given. Memory is in MiB, time in seconds.
    """
    now = datetime.now(UTC)
    usable = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else None
    cores = {"logical_cores": os.cpu_count(), "usable_cores": usable, "torch_threads": torch.get_num_threads()}
    return {
        "facesr": __version__,
        "git": git_state(),
        "python": platform.python_version(),
        "platform": platform.platform(),
        "packages": package_versions(),
        "cpu": {"model": cpu_model(), **cores},
        "gpu": gpu(),
        "ram_mib": memory_mib(),
        "seeds": {"run": seed},
        "data": dict(data),
        "metric_backends": dict(backends),
        "started": started.isoformat(timespec="seconds"),
        "finished": now.isoformat(timespec="seconds"),
        "wall_seconds": round((now - started).total_seconds(), 1),
        "peak_memory_mib": peak_memory_mib(),
        "peak_gpu_memory_mib": torch.cuda.max_memory_allocated() // MIB if torch.cuda.is_initialized() else None,
    }


def git_state() -> dict[str, Any]:
    """The checkout's commit (`sha`) and whether a tracked or new file differs from it (`dirty`); None where git cannot tell."""
    root, unknown = checkout_root(), {"sha": None, "dirty": None}
    # A copy of the sources inside someone else's repository must not take that repository's commit for its own.
    if root is None or (top := _output("git", "-C", str(root), "rev-parse", "--show-toplevel")) is None:
        return unknown
    sha = _output("git", "-C", str(root), "rev-parse", "HEAD")
    if sha is None or Path(top).resolve() != root:
        return unknown
    status = _output("git", "--no-optional-locks", "-C", str(root), "status", "--porcelain")
    return {"sha": sha, "dirty": None if status is None else bool(status)}


def package_versions() -> dict[str, str | None]:
    """The installed version of each package that facesr and its tools ask for."""
    try:
        wanted = importlib.metadata.requires("facesr") or []
    except importlib.metadata.PackageNotFoundError:  # run from a folder that was never installed
        wanted = ["torch", "torchvision", "numpy", "opencv-python-headless", "pillow", "matplotlib"]
    names = [re.split(r"[^\w.-]", text, maxsplit=1)[0] for text in wanted if not re.search(r"extra == .(?!tools)", text)]
    return {name: _version(name) for name in sorted(names, key=str.lower)}


def cpu_model() -> str | None:
    """The processor's model name where the system tells it, else its architecture."""
    with suppress(OSError):
        if match := re.search(r"^model name\s*:\s*(.+)$", Path("/proc/cpuinfo").read_text(), re.MULTILINE):
            return match[1].strip()
    return platform.processor() or platform.machine() or None


def gpu() -> dict[str, Any] | None:
    """Name, memory (MiB), driver and CUDA version of the first CUDA device; None without one."""
    if not torch.cuda.is_available():
        return None
    properties = torch.cuda.get_device_properties(0)
    driver = _output("nvidia-smi", "--id=0", "--query-gpu=driver_version", "--format=csv,noheader")
    return {"name": properties.name, "memory_mib": properties.total_memory // MIB, "driver": driver, "cuda": torch.version.cuda}


def memory_mib() -> int | None:
    """This machine's memory (MiB) where the system tells it."""
    with suppress(AttributeError, OSError, ValueError):  # Windows
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") // MIB
    return None


def peak_memory_mib() -> int | None:
    """The most memory (resident set, MiB) this process has held so far."""
    # Linux lets ru_maxrss start at the peak of the process that launched this one, so a small notebook started by a large
    # runner would report the runner; VmHWM counts this program alone.
    with suppress(OSError):
        if match := re.search(r"^VmHWM:\s+(\d+) kB$", Path("/proc/self/status").read_text(), re.MULTILINE):
            return int(match[1]) // 1024
    try:
        import resource
    except ImportError:  # Windows
        return None
    unit = 1 if sys.platform == "darwin" else 1024  # macOS counts bytes, the others KiB
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit // MIB


def _version(name: str) -> str | None:
    with suppress(importlib.metadata.PackageNotFoundError):
        return importlib.metadata.version(name)
    return None


def _output(*command: str) -> str | None:
    """The stripped output of a short command; None if it is missing, fails or hangs."""
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=10, check=True)
    except (OSError, subprocess.SubprocessError, UnicodeDecodeError):
        return None
    return done.stdout.strip()
