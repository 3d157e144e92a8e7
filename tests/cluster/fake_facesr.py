"""Stands for the `facesr` command: a job is a few short steps, and each step is in its checkpoint before the next begins.

It writes what it does into OUT/events.log, a line each: "start NAME from STEP", "end NAME".
FAKE_STEPS and FAKE_SECONDS: steps of a job, seconds of a step. FAKE_FAILS: the job that fails after its first step.
"""

import os
import sys
import time
from pathlib import Path


def main(*words: str) -> None:
    name, *rest = words if words[0] == "report" else words[1:]
    options = dict(zip(rest[::2], rest[1::2], strict=True))
    out = Path(options["--out"])
    profile = out / options["--profile"]
    done = profile / "report.html" if name == "report" else output(profile, name)
    if done.exists() and name != "report":
        return  # what is done is not done again
    steps = done.parent / f"{done.stem}.steps"
    done.parent.mkdir(parents=True, exist_ok=True)
    taken = len(steps.read_text()) if steps.exists() else 0
    note(out, f"start {name} from {taken}")
    while taken < int(os.environ["FAKE_STEPS"]):
        time.sleep(float(os.environ["FAKE_SECONDS"]))
        taken += steps.open("a").write(".")
        if os.environ.get("FAKE_FAILS") == name:
            sys.exit(f"{name}: as asked, this fails")
    done.write_text(" ".join(sys.argv[1:]))
    note(out, f"end {name}")


def output(profile: Path, name: str) -> Path:
    """Where a stage or notebook says that it is done."""
    return profile / name.replace("/", "-") / "done.json"


def note(out: Path, line: str) -> None:
    with (out / "events.log").open("a") as file:
        file.write(line + "\n")


if __name__ == "__main__":
    main(*sys.argv[1:])
