"""The tables that `facesr list`, `facesr models` and `facesr doctor` print."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING

from rich.console import Console
from rich.table import Table
from rich.text import Text

from facesr_lib.config import PROFILES
from facesr_tools.runner.notebooks import Notebook

if TYPE_CHECKING:  # these bring torch
    from facesr_tools.doctor import Diagnosis
    from facesr_tools.models import NetworkFacts


def make_console() -> Console:
    """A console with colours and bars on a terminal; elsewhere plain text, 120 columns wide, even if FORCE_COLOR is set."""
    terminal = sys.stdout.isatty()
    if hasattr(sys.stdout, "reconfigure"):
        sys.stdout.reconfigure(errors="replace")  # a character that the encoding lacks must not stop a run
    return Console(force_terminal=terminal, no_color=not terminal, width=None if terminal else 120, highlight=False)


def notebooks_table(notebooks: Sequence[Notebook]) -> Table:
    """Name, title, paper, minutes per profile, hardware."""
    table = Table("notebook", "title", "paper", *PROFILES, "hardware", caption="minutes per profile")
    for notebook in notebooks:
        minutes = [f"{notebook.minutes[profile]:g}" if profile in notebook.minutes else "" for profile in PROFILES]
        table.add_row(notebook.name, Text(notebook.title), notebook.paper or "", *minutes, Text(notebook.needs()))
    return table


def networks_table(networks: Sequence[NetworkFacts], preset: str) -> Table:
    """Parameters, FLOPs and sizes of each network."""
    caption = f"preset {preset}; multiply-add = 2 FLOPs"
    table = Table("paper", "network", "parameters", "GFLOPs", "input", "output", caption=caption)
    for facts in networks:
        sizes = [" + ".join("×".join(map(str, shape)) for shape in shapes) for shapes in ((facts.input,), facts.outputs)]
        table.add_row(facts.paper, facts.network, f"{facts.parameters:,}", f"{facts.flops / 1e9:.3g}", *sizes)
    return table


def print_diagnosis(found: Diagnosis, console: Console) -> None:
    """Print all checks by section, then a verdict per profile."""
    table = Table("", "", "", "", box=None, show_header=False)
    section = ""
    for check in found.checks:
        mark = {True: Text("✓", "green"), False: Text("✗", "red"), None: Text("")}[check.ok]
        value = Text(check.value + (f"\n→ {check.fix}" if check.fix and not check.ok else ""))
        table.add_row(Text("" if check.section == section else check.section, "bold"), mark, check.name, value)
        section = check.section
    console.print(table)
    console.print()
    for profile, missing in found.missing.items():
        lacks = Text(f"{profile} lacks: {'; '.join(missing)}", "yellow")
        console.print(lacks if missing else Text(f"{profile} can run", "green"), soft_wrap=True)
