"""Writes the table of docs/reliability.md from what pytest measured: python tests/reliability/table.py BEDS.xml ...

BEDS.xml is pytest's own report (--junitxml). How many inputs, kills or runs a bed had is its property "count"; its time is that
of its test. A bed that did not run keeps its row; one that failed is no row to show, and ends the command.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple
from xml.etree import ElementTree

PAGE = Path(__file__).parents[2] / "docs" / "reliability.md"
BEGIN, END = "<!-- beds: written by tests/reliability/table.py -->", "<!-- /beds -->"


class Bed(NamedTuple):
    """A test, what it does in words, and what it found when it was first run."""

    test: str
    does: str
    found: str


BEDS = (
    Bed(
        "test_killed_before_any_file_operation_and_done_again[train-3-13]",
        "a training is killed before every third file operation, then repeated",
        "nothing; with every operation tried once, 274 of 274 resumed bit for bit",
    ),
    Bed(
        "test_killed_before_any_file_operation_and_done_again[record-3-10]",
        "a notebook's record is killed before every third file operation, then repeated",
        "nothing",
    ),
    Bed(
        "test_killed_before_any_file_operation_and_done_again[report-12-4]",
        "a record and the report over it are killed before every twelfth file operation, then repeated",
        "nothing",
    ),
    Bed(
        "test_every_method_is_killed_at_random_and_done_again",
        "a training of every method at its smallest, with those that it starts from, is killed twice at random, then repeated",
        "nothing",
    ),
    Bed(
        "test_a_full_disk_is_named_and_nothing_is_half_written[train-20]",
        "a training on a disk that is too small, by steps larger until it fits",
        "errors that named no folder and no remedy; half-written files",
    ),
    Bed("test_a_full_disk_is_named_and_nothing_is_half_written[record-4]", "a notebook's record on such a disk", "the same"),
    Bed("test_pictures", "damaged pictures, drawings and bombs, to `facesr upscale` and as faces", "nothing"),
    Bed(
        "test_folders",
        "folders without faces or in unknown layouts, as DATA_ROOT, SR, HR and album",
        "a message without a remedy",
    ),
    Bed(
        "test_checkpoints",
        "facts, config, weights and state of a checkpoint, damaged, to `facesr upscale`",
        "9 tracebacks: JSON nested too deeply, a config that is no config",
    ),
    Bed(
        "test_models",
        "models from elsewhere, to `facesr score --model`: safetensors that lie, pickles that act",
        "18 tracebacks: every damaged safetensors file; no pickle was run",
    ),
    Bed(
        "test_states_of_a_training",
        "pickles that act in the place of an optimizer's state, to a training that resumes",
        "17 errors without the file's name, which ended the training; none was run",
    ),
    Bed(
        "test_packed_sets",
        "arrays and manifests of prepared images",
        "10 tracebacks: zip files, negative sizes, JSON nested too deeply; no pickle was run",
    ),
    Bed(
        "test_results",
        "results to `facesr check`, answers and keys to `facesr blind`",
        "JSON nested too deeply; keys of another shape",
    ),
    Bed(
        "test_archives",
        "zip and tar files that are damaged, lead elsewhere or unpack to too much",
        "3 errors without the archive's name; refusals without a remedy",
    ),
    Bed("test_hand_ins", "notebooks to `facesr grade`, broken or with code outside of exercises", "nothing; no code was run"),
    Bed("test_two_runs_into_one_folder", "two `facesr run` into one folder at once", "nothing: each stage is trained once"),
    Bed(
        "test_a_process_is_killed_and_the_order_is_another",
        "SIGKILL to a process of parallel jobs in the middle of a stage; notebooks in another order",
        "nothing: the run says which one died, the next command leaves the same bytes",
    ),
    Bed(
        "test_a_result_is_made_again_from_its_provenance_alone",
        "the commit of a provenance.json unpacked, its command run",
        "provenance.json did not say which command had made the result",
    ),
    Bed(
        "test_alone_and_nameless",
        "smoke notebooks without network, home and name of the user, in the C locale, odd letters in every path",
        "notebook 00 needs 21 test pictures of its DATA_ROOT",
    ),
    Bed(
        "test_every_package_is_free_and_none_is_gpl_or_non_commercial",
        "the terms of all packages that an installation brings",
        "nothing",
    ),
)


def measured(reports: Iterable[Path]) -> dict[str, tuple[float, str]]:
    """Seconds and count of every test of pytest's reports. Raises ValueError for one that failed."""
    found = {}
    for report in reports:
        for case in ElementTree.parse(report).getroot().iter("testcase"):
            if case.find("failure") is not None or case.find("error") is not None:
                raise ValueError(f"{report}: {case.get('name')} failed: mend that first")
            counts = [one.get("value", "") for one in case.iter("property") if one.get("name") == "count"]
            if case.find("skipped") is None:
                found[case.get("name", "")] = (float(case.get("time", "0")), counts[0] if counts else "1")
    return found


def table(page: str, found: dict[str, tuple[float, str]]) -> str:
    """The page with its table written anew; rows of beds that did not run stay."""
    before, _, rest = page.partition(BEGIN)
    old, _, after = rest.partition(END)
    kept = dict(re.findall(r"^\| (.+?) \|.*?\| (\d+ \| \d+ s) \|", old, re.MULTILINE))
    rows = ["| bed | tests | how many | how long | found at first |", "|---|---|---|---|---|"]
    for bed in BEDS:
        seconds, count = found.get(bed.test, (0.0, ""))
        numbers = f"{count} | {max(1, round(seconds))} s" if count else kept.get(bed.does, "not measured |")
        rows.append(f"| {bed.does} | `{bed.test.partition('[')[0]}` | {numbers} | {bed.found} |")
    return "\n".join([f"{before}{BEGIN}", *rows, f"{END}{after}"])


if __name__ == "__main__":
    PAGE.write_text(table(PAGE.read_text(), measured(map(Path, sys.argv[1:]))))
