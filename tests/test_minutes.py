"""How long a notebook takes stands in three places, and one command writes all of them."""

from pathlib import Path

from facesr_tools.durations import duration
from facesr_tools.minutes import in_document, in_readme, in_script, minutes, one_cpu_table
from facesr_tools.plan import estimates
from facesr_tools.runner.notebooks import find_folder, read_notebooks

SCRIPT = """# ---
#   facesr:
#     minutes:
#       evening: 8
#       quick: 2.5
#       smoke: 0.2
# ---
# **Time:** about 2.5 minutes in `quick` on a CPU, 10 minutes in `workshop` on a GPU.
"""


def test_a_script_says_it_in_its_metadata_and_in_its_first_cell() -> None:
    changed = in_script(SCRIPT, "quick", 3)
    assert changed == SCRIPT.replace("quick: 2.5", "quick: 3").replace("about 2.5 minutes", "about 3 minutes")
    assert "about a minute in `quick`" in in_script(SCRIPT, "quick", 1)
    assert "about 2 minutes in `quick`" in in_script(in_script(SCRIPT, "quick", 1), "quick", 2)


def test_readme_says_it_in_the_row_of_the_notebook() -> None:
    rows = "| [10_a](notebooks/10_a.ipynb) | one | 2 min | 10 min, GPU |\n| [20_b](notebooks/20_b.ipynb) | two | 5 min | 1 h |\n"
    assert in_readme(rows, "10_a", 0.5) == rows.replace("2 min", "30 s")


def test_two_cores_need_half_of_the_work_or_the_longest_chain() -> None:
    (gan,) = (notebook for notebook in read_notebooks(find_folder(None)) if notebook.name.startswith("10_"))
    known = estimates("quick")
    stages = [known["human_gan/gan"], known["human_gan/gan-pixel-term"]]
    expected = max((sum(stages) + known[gan.name]) / 2, max(stages) + known[gan.name]) / 60
    assert abs(minutes(gan, "quick") - expected) <= 0.06


def test_the_document_on_binder_has_the_times_of_one_cpu() -> None:
    text = (Path(__file__).parents[1] / "docs" / "binder.md").read_text(encoding="utf-8")
    table = one_cpu_table(read_notebooks(find_folder(None)), "quick")
    assert in_document(text, "quick", table) == text, "run python -m facesr_tools.minutes quick"
    assert table in text
    # Opened one after the other, nothing is trained twice: the whole is the sum of all estimates.
    assert table.endswith(f"| {duration(sum(estimates('quick').values()))} |")
