"""Write how long notebooks take, from the estimates that a finished run left: in metadata, first cells and documents.

`python -m facesr_tools.minutes PROFILE`, in a checkout, after `python -m facesr_tools.plan RUNS PROFILE`; then `make sync`.
The time is that of two cores with nothing trained before: half of all its work, or its longest chain if that is more.
"""

import re
import sys
import tempfile
from collections.abc import Sequence
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


def one_cpu_table(notebooks: Sequence[Notebook], profile: str) -> str:
    """A Markdown table of what each notebook takes on one CPU: opened alone, and in a session that ran those above it."""
    rows, total, waiting = ["| notebook | alone | after those above |", "|---|---:|---:|"], 0.0, 0.0
    with tempfile.TemporaryDirectory() as nothing:
        settings = Settings(profile, Path(nothing))
        alone = {one.name: remaining(plan([one], settings))[0] for one in notebooks if not one.always}
        for task in plan(notebooks, settings):
            waiting += task.seconds or 0.0
            if task.name in alone:
                rows.append(f"| {task.name[:2]} | {duration(alone[task.name])} | {duration(waiting)} |")
                total, waiting = total + waiting, 0.0
    return "\n".join([*rows, f"| all | | {duration(total)} |"])


def in_document(text: str, profile: str, table: str) -> str:
    """A document's text with the table between its marks `<!-- one-cpu:PROFILE -->` and `<!-- /one-cpu -->`."""
    marked = rf"(?s)(<!-- one-cpu:{profile} -->\n).*?(<!-- /one-cpu -->)"
    return re.sub(marked, lambda found: f"{found[1]}\n{table}\n\n{found[2]}", text)


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
    readme, binder = root / "README.md", root / "docs" / "binder.md"
    notebooks = read_notebooks(find_folder(None))
    text = in_document(binder.read_text(encoding="utf-8"), profile, one_cpu_table(notebooks, profile))
    binder.write_text(text, encoding="utf-8")
    for notebook in notebooks:
        if notebook.paper is None:
            continue
        found, script = minutes(notebook, profile), root / "notebooks" / "py" / f"{notebook.name}.py"
        script.write_text(in_script(script.read_text(encoding="utf-8"), profile, found), encoding="utf-8")
        if profile == "quick":
            readme.write_text(in_readme(readme.read_text(encoding="utf-8"), notebook.name, found), encoding="utf-8")
        print(f"{notebook.name}: {found:g} min")


if __name__ == "__main__":
    main(sys.argv[1])
