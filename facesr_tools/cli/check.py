"""`facesr check`: a run beside the committed reference, for someone who ran it again."""

from __future__ import annotations

from dataclasses import asdict
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from facesr_tools.cli.options import AsJson, clear_errors, print_json

if TYPE_CHECKING:  # these bring scipy
    from facesr_tools.check import Check

EPILOG = (
    "Examples:\n\n"
    "facesr check runs\n\n"
    "facesr check ~/runs --against results/quick --all --json\n\n"
    "facesr check runs --crate rerun.zip"
)


def check(
    run: Annotated[Path, typer.Argument(metavar="RUN", help="Folder of the results, as given to facesr run --out.")],
    against: Annotated[
        Path | None, typer.Option(help="Folder with scores.csv and provenance.json; default: results/PROFILE in the repository.")
    ] = None,
    profile: Annotated[str, typer.Option("--profile", "-p", help="Which one, if RUN holds several.")] = "",
    complete: Annotated[bool, typer.Option("--all", help="What the run lacks counts as drift.")] = False,
    crate: Annotated[
        Path | None, typer.Option(metavar="DIR|FILE.zip", help="Pack the run as a Workflow Run RO-Crate; needs the extra check.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Compare a run with a reference of several seeds: what drifted?

    Each score has a range in which a run with another seed lies in 95 of 100
    cases. A method is named if half of its scores lie far outside, so far that 95
    of 100 sound runs have none named; many notebooks a little outside count too.
    What no seed moves, such as bicubic, must be met within 0.1 %. Scores of other
    data, conventions or sets are named, not compared.

    Writes RUN/codecheck.yml, the manifest of a CODECHECK, in which you fill in who
    you are, and RUN/codecheck/check.json. The crate holds no pictures.

    Exit code: 0 inside, 1 drifted, 2 cannot be compared.
    """
    with clear_errors(OSError, ValueError):
        if crate is not None:
            _need_rocrate()
        from facesr_lib.evaluate.result import jsonable, write_json
        from facesr_tools.check import compare, read_reference, read_run
        from facesr_tools.check.codecheck import write_codecheck
        from facesr_tools.check.read import default_reference

        ours = read_run(run.expanduser().resolve(), profile)
        theirs = read_reference(against.expanduser().resolve() if against else default_reference(ours.profile))
        found = compare(ours, theirs, complete=complete)
        facts = jsonable(asdict(found) | {"exit_code": found.exit_code, "summary": _summary(found)})
        record = ours.folder / "codecheck" / "check.json"
        record.parent.mkdir(exist_ok=True)
        write_json(record, facts)
        written = [write_codecheck(ours, found, record, _summary(found)), record]
        if crate is not None:
            from facesr_tools.check.crate import write_crate

            written.append(write_crate(ours, crate.expanduser().resolve()))
    if as_json:
        print_json(facts)
    else:
        _print(found, written)
    raise typer.Exit(found.exit_code)


def _need_rocrate() -> None:
    from importlib.util import find_spec

    if find_spec("rocrate") is None:
        raise ValueError("--crate needs the library rocrate, of the extra \"check\": pip install 'facesr[check]'")


def _summary(found: Check) -> str:
    """One line: how many scores lie where, and what decides."""
    words = {0: "no drift found", 1: "drifted", 2: "cannot be judged"}[found.exit_code]
    counts = [(where, sum(score.where == where for score in found.scores)) for where in ("inside", "outside", "unjudged")]
    line = f"{words}: of {len(found.scores)} scores " + ", ".join(f"{count} {where}" for where, count in counts if count)
    if found.methods:
        line += f"; of {len(found.methods)} trained methods {len(found.named)} named"
        line += f"; of {len(found.notebooks)} notebooks {len(found.outside)} outside, {found.many} may be by chance"
    if found.moved:
        line += f"; {len(found.moved)} scores moved that no seed moves"
    if found.complete and found.missing:
        line += f"; {len(found.missing)} missing"
    return line


def _briefly(notes: list[str]) -> list[str]:
    """At most two notes on each notebook, and how many more there are."""
    lines = list[str]()
    for notebook, group in groupby(notes, key=lambda note: note.partition(":")[0]):
        several = list(group)
        lines += several[:2]
        if len(several) > 2:
            lines.append(f"{notebook}: {len(several) - 2} more of this kind, in check.json")
    return lines


def _print(found: Check, written: list[Path]) -> None:
    from rich.table import Table
    from rich.text import Text

    from facesr_lib.evaluate.tables import column_decimals, format_number
    from facesr_tools.check.compare import FEWEST_SEEDS, smallest_drift
    from facesr_tools.cli.tables import make_console

    console = make_console()
    named = {(method.notebook, method.method) for method in found.named}
    shown = [score for score in found.scores if score.where != "inside"]
    shown.sort(key=lambda score: (score.place[0], (score.place[0], score.place[2]) not in named))
    title = Text(f"Scores outside the reference's range, profile {found.profile}")
    table = Table("score", "ours", "reference ± sd", "range (95 %)", "sd away", "", title=title)
    for score in shown:
        decimals = column_decimals([score.mean])
        ours, mean, low, high = (format_number(x, decimals) for x in (score.ours, score.mean, score.low, score.high))
        spread = "" if score.sd is None else f" ± {score.sd:.2g}"
        away = "" if score.deviations is None else f"{score.deviations:+.1f}"
        word = "named" if (score.place[0], score.place[2]) in named else "moved" if score in found.moved else score.where
        name = f"{score.place.notebook}: {score.place.method}, {score.label}, {score.place.dataset}"
        table.add_row(Text(name), ours, f"{mean}{spread}", f"{low} to {high}", away, word)
    if shown:
        console.print(table)
    lines = [*_briefly(found.apart), *_briefly(found.missing)]
    lines += [f"{name}: another config than the reference's" for name in found.configs]
    if any(score.where == "unjudged" for score in shown):
        lines.append(f"unjudged: fewer than {FEWEST_SEEDS} seeds in the reference tell no spread")
    lines += [f"verdict on {claim}: {ours!r}, the reference says {theirs!r}" for claim, ours, theirs in found.opposed]
    if softer := len(found.verdicts) - len(found.opposed):
        lines.append(
            f"verdicts: {softer} differ in how much they decide, as other numbers of seeds make them; they are in check.json"
        )
    if (drift := smallest_drift(found)) is not None:
        lines.append(f"A method is named from about {drift:.1f} standard deviations (over seeds) on; more seeds see more.")
    for line in [*lines, _summary(found), *map(str, written)]:
        console.print(line, markup=False, soft_wrap=True)
