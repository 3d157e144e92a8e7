"""The environments that readers get, made here and used: Binder's, conda's and Colab's run two notebooks in the smoke profile.

conda-forge cannot be reached from everywhere, so PyPI's builds of the same versions stand in for conda's. On Binder and with
conda the notebooks have one CPU and 2 GiB of address space (RLIMIT_AS), the strictest limit that needs no privileges: it
counts what is reserved, not only what is touched. PyPI's torch for Linux maps the libraries of CUDA, even where there is
no GPU; the CPU build that Binder gets has none of them. Exactly those mappings, measured after `import torch`, are added to
the limit: 2.3 GiB of addresses for torch 2.11, with almost no memory behind them, and nothing for a CPU build.
"""

from __future__ import annotations

import json
import os
import resource
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml

from facesr_lib.data.cache import cache_dir

ROOT = Path(__file__).parents[2]
NOTEBOOKS = ("00_start_here", "10_human_face_gan")
GIB = 1024**3
IMAGE = ("pip", "jupyterlab==4.*", "notebook==7.*", "ipywidgets==8.*")  # what repo2docker puts into every image
ON_PYPI = {"pytorch-cpu": "torch"}  # conda's names, where they differ
CUDA_MAPPINGS = """
import torch
size = 0
for line in open("/proc/self/maps"):
    span, *_, path = line.split(maxsplit=5)
    if "/nvidia/" in path or "cuda" in path.rpartition("/")[2]:  # anonymous memory has no path, but a number there
        first, last = (int(end, 16) for end in span.split("-"))
        size += last - first
print(size)
"""


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """A home folder that is a clone of the repository, as on Binder: what git tracks or would track."""
    listed = ["git", "-C", str(ROOT), "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    for name in subprocess.run(listed, capture_output=True, text=True, check=True).stdout.split("\0"):
        if name and (ROOT / name).is_file():
            (tmp_path / "home" / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, tmp_path / "home" / name)
    return tmp_path / "home"


class Environment:
    """A new virtual environment, first on the PATH; commands run in `home`, with the weights of the machine's own cache."""

    def __init__(self, folder: Path, home: Path) -> None:
        self.bin, self.home = folder / "bin", home
        inherited = {name: value for name, value in os.environ.items() if name not in ("PYTHONPATH", "VIRTUAL_ENV")}
        path = f"{self.bin}{os.pathsep}{os.environ['PATH']}"
        self.variables = inherited | {"PATH": path, "FACESR_CACHE": str(cache_dir()), "HOME": str(home)}
        known = Path(os.environ.get("PYENV_ROOT", "~/.pyenv")).expanduser().glob("versions/3.12.*/bin/python")
        _uv("venv", "--quiet", "--python", next(map(str, known), "3.12"), str(folder))

    def install(self, *arguments: str) -> None:
        _uv("pip", "install", "--quiet", "--python", str(self.bin / "python"), *arguments, cwd=self.home)

    def attempt(
        self, *command: str, cwd: Path | None = None, limit: Callable[[], None] | None = None
    ) -> subprocess.CompletedProcess[str]:
        cwd, variables = cwd or self.home, self.variables
        return subprocess.run(command, cwd=cwd, env=variables, preexec_fn=limit, capture_output=True, text=True)

    def run(self, *command: str, cwd: Path | None = None, limit: Callable[[], None] | None = None) -> str:
        done = self.attempt(*command, cwd=cwd, limit=limit)
        assert done.returncode == 0, f"{command}\n{done.stdout[-4000:]}\n{done.stderr[-4000:]}"
        return done.stdout

    def versions(self) -> dict[str, str]:
        listed = json.loads(self.run("python", "-m", "pip", "list", "--format=json"))
        return {package["name"].lower().replace("_", "-"): package["version"] for package in listed}

    def run_notebooks(self, out: Path) -> None:
        """Both notebooks in smoke, as Binder starts a command, with one CPU and 2 GiB."""
        allowed = 2 * GIB + int(self.run("python", "-c", CUDA_MAPPINGS))
        cpu = min(os.sched_getaffinity(0))

        def limit() -> None:
            resource.setrlimit(resource.RLIMIT_AS, (allowed, allowed))
            os.sched_setaffinity(0, {cpu})

        options = ("--profile", "smoke", "--device", "cpu", "--out", str(out))
        self.run(str(self.home / "binder" / "start"), "facesr", "run", *NOTEBOOKS, *options, limit=limit)
        for name in NOTEBOOKS:
            facts = json.loads((out / "smoke" / name / "provenance.json").read_text())
            assert facts["cpu"]["usable_cores"] == facts["cpu"]["torch_threads"] == 1
            assert facts["peak_memory_mib"] < 1536


def _uv(*arguments: str, cwd: Path | None = None) -> None:
    program = shutil.which("uv") or shutil.which("uv", path=str(Path(sys.executable).parent))
    if program is None:
        pytest.fail("uv makes the environments and was not found: pip install uv")
    done = subprocess.run([program, *arguments], cwd=cwd, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def _parts(environment: Path) -> tuple[list[str], list[str]]:
    """The conda part of an environment.yml as PyPI's requirements (without Python and pip), and the lines of its pip part."""
    conda, pip = [], []
    for entry in yaml.safe_load(environment.read_text())["dependencies"]:
        if isinstance(entry, dict):
            pip = entry["pip"]
        elif entry.partition("=")[0] not in ("python", "pip"):
            name, _, version = entry.partition("=")
            conda.append(f"{ON_PYPI.get(name, name)}=={version}")
    return conda, pip


def test_binder(tmp_path: Path, home: Path) -> None:
    environment = Environment(tmp_path / "venv", home)
    conda, pip = _parts(home / "binder" / "environment.yml")
    environment.install(*IMAGE, *conda)
    before = environment.versions()
    (home / "binder" / "requirements.txt").write_text("\n".join(pip))  # as mamba does: a file beside environment.yml
    upgrade = ("python", "-m", "pip", "install", "--quiet", "--upgrade", "--requirement", "requirements.txt")
    environment.run(*upgrade, cwd=home / "binder")
    assert {name: version for name, version in environment.versions().items() if name in before} == before

    # The guard at the end of postBuild must notice whether this torch is Binder's kind.
    guarded = environment.attempt("binder/postBuild")
    cuda = environment.run("python", "-c", "import torch; print(torch.version.cuda or '')").strip()
    assert guarded.returncode == bool(cuda), guarded.stderr
    assert ("is a CUDA build" in guarded.stderr) == bool(cuda)
    assert "00_start_here  done" in guarded.stdout
    assert (tmp_path / "venv/share/jupyter/lab/settings/overrides.json").is_file()

    environment.run_notebooks(tmp_path / "runs")


def test_conda(tmp_path: Path, home: Path) -> None:
    environment = Environment(tmp_path / "venv", home)
    conda, pip = _parts(home / "environment.yml")
    (home / "requirements.txt").write_text("\n".join([*conda, *pip]))
    environment.install("--requirement", "requirements.txt")
    environment.run_notebooks(tmp_path / "runs")


def test_colab(tmp_path: Path, home: Path) -> None:
    """Colab's versions, and nothing of facesr but what the notebooks' second cell installs: a wheel, without the checkout."""
    environment = Environment(tmp_path / "venv", home)
    environment.install("pip", "--requirement", ".ci/colab-requirements.txt")
    environment.variables["OUT"] = str(tmp_path / "runs")
    environment.run("bash", str(ROOT / ".ci" / "colab"), *NOTEBOOKS, cwd=tmp_path)
    facts = json.loads((tmp_path / "runs" / "smoke" / NOTEBOOKS[-1] / "provenance.json").read_text())
    assert facts["git"]["sha"] is None  # the library ran from site-packages
    assert facts["packages"]["ipython"] == "7.34.0"
