# ---
# jupyter:
#   facesr:
#     always: true
#     hardware:
#       evening: CPU
#       paper: CPU
#       quick: CPU
#       smoke: CPU
#       workshop: CPU
#     minutes:
#       evening: 0.62
#       paper: 0.1
#       quick: 0.62
#       smoke: 0.1
#       workshop: 0.1
#     paper: null
#     study: 5
#     title: The report
#   kernelspec:
#     display_name: Python 3 (ipykernel)
#     language: python
#     name: python3
# ---

# %% [markdown]
# # The report
#
# [![Open in Binder](https://mybinder.org/badge_logo.svg)](https://mybinder.org/v2/gh/facesr/facesr/v0.1.0?urlpath=lab/tree/notebooks/90_report.ipynb)
# [![Open in Colab](https://colab.research.google.com/assets/colab-badge.svg)](https://colab.research.google.com/github/facesr/facesr/blob/v0.1.0/notebooks/90_report.ipynb)
#
# **Aim:** put what every notebook of a profile found on one page that opens anywhere, without network.
#
# You will
# - see which notebooks finished, and with what headline score;
# - read tables, figures and published numbers side by side, with the conditions that differ;
# - know where the numbers came from: code, hardware, data, seeds.
#
# **You need:** at least one executed notebook (`facesr run all`). **Time:** about 5 minutes of yours; half a minute. **Hardware:** any.

# %% cellView="form" jupyter={"source_hidden": true} tags=["hide-input"]
# @title Install facesr (only Colab needs this, for about a minute)
import importlib.util
import subprocess
import sys

if importlib.util.find_spec("facesr_lib") is None:
    if "google.colab" not in sys.modules:
        raise ModuleNotFoundError("This kernel has no facesr: run `make setup`, then choose the project's kernel.")
    release, pip = "facesr[tools] @ git+https://github.com/facesr/facesr@v0.1.0", f"{sys.executable} -m pip"
    keep = f"{pip} list --format=freeze | {pip} install --quiet --constraint /dev/stdin"  # Colab's own stay as they are
    subprocess.run(f"{keep} '{release}'", shell=True, check=True)
    subprocess.run("facesr weights fetch", shell=True)  # for LPIPS, FID and NIQE; what is missing is shown as n/a

# %% cellView="form" jupyter={"source_hidden": true} tags=["parameters", "hide-input"]
# @title Parameters: profile, seed, device, your own faces, where results go
PROFILE = "quick"  # @param ["smoke", "quick", "evening", "workshop", "paper"]
SEED = 0  # @param {type: "integer"}
DEVICE = "auto"  # @param ["auto", "cpu", "cuda", "mps"]
DATA_ROOT = ""  # @param {type: "string"}
# @markdown DATA_ROOT: a folder with your own faces; empty: the packaged Olivetti faces, grey ones of 40 people.
# @markdown Colour faces of 5,749 people (230 MB): `!facesr data prepare lfw --root faces` in a new cell, then say `faces`.
OUTPUT_DIR = ""  # @param {type: "string"}
# @markdown OUTPUT_DIR: where results go; empty: the project's runs/.

# %% cellView="form" jupyter={"source_hidden": true} tags=["hide-input"]
# @title Keep results on Google Drive (only in Colab, whose own disk is emptied after a session)
KEEP_ON_DRIVE = False  # @param {type: "boolean"}
# @markdown Tick it, run this cell and allow access: the next session finds what was trained. OUTPUT_DIR, if given, comes first.

if KEEP_ON_DRIVE and not OUTPUT_DIR and "google.colab" in sys.modules:
    try:
        from google.colab import drive

        drive.mount("/content/drive")
        OUTPUT_DIR = "/content/drive/MyDrive/facesr"
        print(f"Results go to {OUTPUT_DIR} and stay there when this session ends.")
    except Exception as error:
        print(f"Google Drive was not opened ({type(error).__name__}: {error}).")
        print("Results go to this session's disk and are lost when it ends. To be asked again, run this cell again.")

# %%
from pathlib import Path

from facesr_lib.evaluate import default_output_dir
from facesr_tools.report import build_report, collect, show_report

out = Path(OUTPUT_DIR or default_output_dir()).resolve()
entries = [entry for entry in collect(out, PROFILE) if entry["notebook"] != "90_report"]
print(f"{len(entries)} notebooks of the profile '{PROFILE}'")

# %% [markdown]
# ## Which notebooks finished
#
# A notebook that stopped early has no `result.json`, and nothing of it is reported as if it were whole.

# %%
for entry in entries:
    state = "finished" if entry["result"] and not entry["problems"] else "; ".join(entry["problems"]) or "no result"
    print(f"{entry['notebook']}: {state}")

# %% [markdown]
# ## The page
#
# One HTML file with the pictures inside it. Below it is shown in a frame; open the file itself for the full width.
# Look first at the summary on top and at the profile's name in it: a `quick` number shows whether a method learns, no more.

# %%
from facesr_tools.site.export import export_notebooks

export_notebooks(out / PROFILE)  # each executed notebook as a page of its own, linked from the report
page = build_report(out, PROFILE, running="90_report")
print(page)

# %%
show_report(page)

# %% [markdown]
# ## Read it with a reviewer's eyes
#
# - Does a number stand beside the published one, and are the conditions that differ spelled out?
# - How many images, and which, is a mean taken over? Is its standard deviation larger than the difference you care about?
# - What does the picture show that the number hides?
#
# The same for machines: `claims.json` and `tables/*.csv` beside the page, `<notebook>/result.json` with every per-image score, and
# `provenance.json`.
