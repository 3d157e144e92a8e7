"""Preparing a set takes little memory: neither `facesr data prepare` nor its workers import torch."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import layouts

# Stands for the command, and looks into the workers from inside: they crop with `watched`.
WATCHED = """
import sys
from pathlib import Path
from facesr_tools.prepare import crop, pack

def watched(*job):
    Path(sys.argv[1], f"worker torch={'torch' in sys.modules}").touch()
    return crop.crop_chunk(*job)

if __name__ == "__main__":
    from facesr_tools.cli.main import app

    pack.crop_chunk = watched
    app(["data", "prepare", "vggface2", "--yes", "--workers", "2", "--root", sys.argv[2], "--archive", sys.argv[3]],
        standalone_mode=False)
    Path(sys.argv[1], f"command torch={'torch' in sys.modules}").touch()
"""


def test_neither_the_command_nor_its_workers_import_torch(tmp_path: Path) -> None:
    given, seen = layouts.made("vggface2", tmp_path / "given"), tmp_path / "seen"
    seen.mkdir()
    script = tmp_path / "watched.py"
    script.write_text(WATCHED)
    command = [sys.executable, str(script), str(seen), str(tmp_path / "root"), str(given)]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert sorted(path.name for path in seen.iterdir()) == ["command torch=False", "worker torch=False"]
    assert (tmp_path / "root/vggface2/prepared.json").is_file()


OTHERS = """
import sys
from facesr_tools.cli.main import app

for arguments in (["list"], ["info", "celeba"], ["verify", "celeba", "--root", "."], ["prepare", "--help"]):
    app(["data", *arguments], standalone_mode=False)
print("torch" in sys.modules)
"""


def test_the_other_commands_do_without_torch(tmp_path: Path) -> None:
    done = subprocess.run([sys.executable, "-c", OTHERS], capture_output=True, text=True, cwd=tmp_path)
    assert done.stdout.splitlines()[-1:] == ["False"], done.stderr
