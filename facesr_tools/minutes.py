"""Write how long notebooks take, from the estimates that a finished run left: in their metadata, their first cell and README.

`python -m facesr_tools.minutes PROFILE`, in a checkout, after `python -m facesr_tools.plan RUNS PROFILE`; then `make sync`.
The time is that of two cores with nothing trained before: half of all its work, or its longest chain if that is more.
"""

import re
import sys
import tempfile
from pathlib import Path

from facesr_lib.files import checkout_root
from facesr_tools.durations import duration
from facesr_tools.plan import estimates, plan, remaining
from facesr_tools.runner.execute import Settings
from facesr_tools.runner.notebooks import Notebook, find_folder, read_notebooks

CORES = 2


def minutes(notebook: Notebook, profile: str) -> float:
    """Minutes on two cores by the kept estimates, two digits. Raises ValueError where the profile has none."""
    if not estimates(profile):
        raise ValueError(f"no estimates of {profile}: first python -m facesr_tools.plan RUNS {profile}")
    with tempfile.TemporaryDirectory() as nothing:
        work, chain = remaining(plan([notebook], Settings(profile, Path(nothing))))
    return float(f"{max(work / CORES, chain) / 60:.2g}")


def in_script(text: str, profile: str, found: float) -> str:
    """A notebook's py:percent text with `found` minutes in its metadata, and after "about" in its first cell."""
    text = re.sub(rf"(#     minutes:\n(?:#       \w+: .*\n)*?#       {profile}: )\S+", rf"\g<1>{found:g}", text, count=1)
    told = "a minute" if found == 1 else f"{found:g} minutes"
    return re.sub(rf"about \S+ minutes? in `{profile}`", f"about {told} in `{profile}`", text, count=1)


def in_readme(text: str, name: str, found: float) -> str:
    """README's text with the time of `quick` in the row of a notebook."""
    row = rf"(\[{name}\]\(notebooks/{name}\.ipynb\) \|[^|]*\| )[^|]*( \|)"
    return re.sub(row, rf"\g<1>{duration(60 * found)}\g<2>", text)


def main(profile: str) -> None:
    """Write the minutes of every paper notebook of this checkout. Raises ValueError where the profile has no estimates."""
    root = checkout_root()
    assert root is not None
    readme = root / "README.md"
    for notebook in read_notebooks(find_folder(None)):
        if notebook.paper is None:
            continue
        found, script = minutes(notebook, profile), root / "notebooks" / "py" / f"{notebook.name}.py"
        script.write_text(in_script(script.read_text(encoding="utf-8"), profile, found), encoding="utf-8")
        if profile == "quick":
            readme.write_text(in_readme(readme.read_text(encoding="utf-8"), notebook.name, found), encoding="utf-8")
        print(f"{notebook.name}: {found:g} min")


if __name__ == "__main__":
    main(sys.argv[1])
