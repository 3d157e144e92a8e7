"""A run as nobody expects it: without network, home folder or user's name, in the C locale, with odd letters in every path.

`unshare` gives the command a user number that no passwd knows and a network with nothing in it, of which only the loopback is
switched on: the kernels of notebooks talk to it.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

ROOT = Path(__file__).parents[2]
NOTEBOOKS = os.environ.get("FACESR_BARE_NOTEBOOKS", "00 10 90").split()  # "all" takes a quarter of an hour
ALONE = ["unshare", "--user", "--map-user=4242", "--net", "--keep-caps"]
ODD = "Läufe [a] 50% #1 'q' 模"
START = """
import fcntl, os, socket, struct, sys
with socket.socket() as any:
    fcntl.ioctl(any, 0x8914, struct.pack("16sh14x", b"lo", 0x1 | 0x40))  # SIOCSIFFLAGS: up, running
os.execv(sys.executable, [sys.executable, "-c", "from facesr_tools.cli import main; main()", *sys.argv[1:]])
"""
LOOK = """
import os, pathlib, pwd, socket
away = lambda: socket.create_connection(("192.0.2.1", 80), 2)
for what in (pathlib.Path.home, lambda: pwd.getpwuid(os.getuid()), away):
    try:
        print("there is", what())
    except (RuntimeError, KeyError, OSError):
        pass
"""


@pytest.fixture
def variables(tmp_path: Path) -> dict[str, str]:
    """All that the command is told by its environment; caches and temporary files in odd places."""
    places = {"FACESR_CACHE": tmp_path / ODD / "cache é", "TMPDIR": tmp_path / ODD / "tmp é"}
    for place in places.values():
        place.mkdir(parents=True)
    code = tmp_path / ODD / "code é"
    for name in ("facesr_lib", "facesr_tools", "notebooks"):
        shutil.copytree(ROOT / name, code / name, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "pyproject.toml", code)
    return {"PATH": os.environ["PATH"], "LC_ALL": "C", "PYTHONPATH": str(code), **{key: str(at) for key, at in places.items()}}


def test_alone_and_nameless(tmp_path: Path, variables: dict[str, str], record_property: Callable[[str, object], None]) -> None:
    look = subprocess.run([*ALONE, sys.executable, "-c", LOOK], env=variables, capture_output=True, text=True, check=False)
    assert look.returncode == 0, f"this system gives no user a network of his own: {look.stderr}"
    assert look.stdout == ""
    pictures = np.random.default_rng(0).integers(0, 256, (8, 70, 90, 3), np.uint8)  # the fewest that `load_faces` takes
    for number, pixels in enumerate(pictures):
        person = tmp_path / ODD / "Bilder é" / f"Jörg {number // 2}"
        person.mkdir(parents=True, exist_ok=True)
        Image.fromarray(pixels).save(person / f"bild {number} (Kopie).JPG")
    out = tmp_path / ODD / "runs é"
    options = ["--profile", "smoke", "--device", "cpu", "--jobs", "1", "--out", out, "--data-root", tmp_path / ODD / "Bilder é"]
    (here := tmp_path / ODD / "here é").mkdir()
    command = [*ALONE, sys.executable, "-c", START, "run", *NOTEBOOKS, *options]
    done = subprocess.run(command, cwd=here, env=variables, capture_output=True, text=True, encoding="utf-8", check=False)
    assert done.returncode == 0, done.stdout[-6000:] + done.stderr[-3000:]
    assert "there is no home folder to write to" in done.stderr
    assert "Traceback" not in done.stderr
    results = sorted(out.glob("smoke/*/result.json"))
    assert {"00", "10"} <= {path.parent.name[:2] for path in results}
    assert (out / "smoke" / "report.html").is_file()  # what 90 leaves
    assert any("Bilder é/test" in path.read_text() for path in results)
    assert list(here.iterdir()) == []
    record_property("count", len(results))
