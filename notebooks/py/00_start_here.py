# ---
# jupyter:
#   facesr:
#     hardware:
#       evening: CPU
#       paper: CPU
#       quick: CPU
#       smoke: CPU
#       workshop: CPU
#     minutes:
#       evening: 0.24
#       paper: 0.3
#       quick: 0.24
#       smoke: 0.2
#       workshop: 0.3
#     paper: null
#     study: 30
#     title: Start here
#   kernelspec:
#     display_name: Python 3 (ipykernel)
#     language: python
#     name: python3
# ---

# %% [markdown]
# # Start here
#
# [![Open in Binder](https://mybinder.org/badge_logo.svg)](https://mybinder.org/v2/gh/facesr/facesr/v0.1.0?urlpath=lab/tree/notebooks/00_start_here.ipynb)
# [![Open in Colab](https://colab.research.google.com/assets/colab-badge.svg)](https://colab.research.google.com/github/facesr/facesr/blob/v0.1.0/notebooks/00_start_here.ipynb)
#
# **Aim:** see in five minutes what face super-resolution is, what the four papers of this course ask, and what your machine can run.
#
# You will
# - make a low-resolution (LR) face from a high-resolution (HR) one, and enlarge it again;
# - measure the damage in decibels, and see why one number is not enough;
# - meet the four papers and the profiles in which the notebooks run.
#
# **You need:** Python; a first course in machine learning helps later on.
# **Time:** about 30 minutes of yours; under half a minute in every profile, on a CPU. **Hardware:** any.

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
DEVICE = "auto"  # @param ["auto", "cpu", "cuda"]
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

# %% cellView="form" jupyter={"source_hidden": true} tags=["hide-input"]
# @title Imports, and the run that records the results
from facesr_lib.evaluate import Run
from facesr_lib.plot import image_grid, style

style()
run = Run.start(
    "00_start_here",
    title="Start here",
    paper=None,
    profile=PROFILE,
    seed=SEED,
    device=DEVICE,
    data_root=DATA_ROOT,
    output_dir=OUTPUT_DIR,
)
run

# %% [markdown]
# That line is the stamp on everything this notebook writes: the code's version, the hardware, the profile and the seed.
#
# ## A face loses its pixels
#
# The packaged pictures are 400 grey photographs of 40 people, taken at Olivetti Research in the early 1990s.
# People are kept apart: nobody whose picture a network learns from is ever used to score it.

# %%
from facesr_lib.data import load_faces

faces = load_faces(DATA_ROOT, "test", size=64)
faces

# %%
hr = faces.take([0, 10, 20])
hr.shape, hr.min().item(), hr.max().item()  # (images, channels, height, width), values in [0, 1]

# %% [markdown]
# A **degradation** makes the LR image. Here: MATLAB's bicubic reduction, the usual benchmark. The **scale** is 4: sixteen pixels become one.
#
# Enlarging it back with bicubic interpolation is the baseline that every method has to beat.
# *Before you run the next cell: which parts of the face will suffer most?*

# %%
from facesr_lib.image import Bicubic, resize_bicubic

degrade = Bicubic(scale=4)
lr = degrade(hr)
bicubic = resize_bicubic(lr, 4).clamp(0, 1)
lr.shape, bicubic.shape

# %%
from facesr_lib.metrics import psnr, ssim

scores = psnr(bicubic, hr)
labels = {"bicubic": [f"{value:.1f} dB" for value in scores]}
grid = image_grid({"LR 16x16": lr, "bicubic": bicubic, "HR 64x64": hr}, labels=labels, zoom=(0.28, 0.2, 0.3))
run.figure(
    grid,
    "first_look",
    "A face at a sixteenth of its pixels, enlarged again, and the original; the frame is shown enlarged below each row.",
    "Three rows of grey portraits: coarse pixels on the left, a blurred enlargement in the middle, the sharp original on the right.",
)

# %% [markdown]
# Eyes, nostrils and the rims of glasses are gone, skin survives. **Super-resolution (SR)** is the attempt to do better than that blur.
#
# What it puts there cannot come from the LR image alone: many faces shrink to the same 16 x 16 pixels. It comes from what the
# network has learned about faces. A sharp eye in an SR image is a guess, and can be somebody else's eye. Keep that in mind
# when you see a convincing picture.
#
# ## One number, and what it misses
#
# $$\mathrm{PSNR} = 10 \log_{10} \frac{255^2}{\mathrm{MSE}}$$
#
# in decibels, on 8-bit images: 3 dB more means half the squared error. SSIM compares local patterns instead of single pixels.
#
# *Predict: three damages with exactly the same PSNR: will they look equally bad?*

# %%
import torch

from facesr_lib.image import gaussian_blur, quantize

face = hr[:1]
blurred = gaussian_blur(face, 9, 1.6)
error = (blurred - face).square().mean().sqrt()  # the root-mean-square error to reproduce
brighter = face + error
noisy = face + error * torch.randn(face.shape, generator=torch.Generator().manual_seed(SEED))
damaged = {name: quantize(image) for name, image in {"blur": blurred, "brighter": brighter, "noise": noisy}.items()}

# %%
labels = {name: [f"{psnr(image, face).item():.1f} dB, SSIM {ssim(image, face).item():.2f}"] for name, image in damaged.items()}
run.figure(
    image_grid({"HR": face, **damaged}, labels=labels, cell=2.2),
    "same_psnr",
    "Three damages of (nearly) the same PSNR. SSIM tells them apart; so does the eye, in another order.",
    "Four portraits of one person: the original, blurred, brightened, and with noise, each with its scores.",
)

# %% [markdown]
# The brightened face looks perfect and scores like the blurred one. That is why the reports of this project give several metrics,
# name how each was taken, and show pictures. The notebook on metrics goes into this.
#
# ## How good is bicubic on everybody?

# %%
from facesr_lib.data import eval_batches
from facesr_lib.metrics import PSNR, SSIM, evaluate

rows = []
for scale in (2, 4, 8):
    batches = eval_batches(faces, Bicubic(scale), batch_size=20, seed=SEED)
    found = evaluate(lambda x, s=scale: resize_bicubic(x, s), batches, [PSNR, SSIM])
    for metric, values in found.items():
        run.score("bicubic", faces.named(f"{faces.name}, x{scale}"), metric, values)
    rows.append(
        {
            "scale": f"x{scale}",
            "LR size": f"{64 // scale} px",
            **{metric.label: values.mean().item() for metric, values in found.items()},
        }
    )
run.table("bicubic", rows, f"Bicubic enlargement to 64 px, mean over {len(faces)} test images")

# %% [markdown]
# ## The four papers

# %%
from facesr_tools.roadmap import roadmap

run.figure(
    roadmap(),
    "roadmap",
    "The four papers: what each asks, where its LR images come from, what it trains and on what signal.",
    "Four cards in a row, one per paper, each listing degradation, network and training signal.",
)

# %% [markdown]
# | paper | scale | trained on | what is new | notebook |
# |---|---|---|---|---|
# | Human-face GAN (Jiang, Xu, Sun) | x2 | FFHQ, 250 images | the plainest GAN: a shortcut with a learned, clamped scale | `10_human_face_gan` |
# | SelfSR (Zeng et al.) | x8, x4 | CelebA, Helen, real faces | a flow field learns the real degradation; features scaled by the LR image | `20_…` to `22_…` |
# | Teacher-student (Liu, Zhang) | x4 | FFHQ, WIDER FACE | Canny, then DoG edges of the own output fed back; a teacher stands in for HR | `30_…`, `31_…` |
# | ISR-KD (Devkatte et al.) | x8 | CelebA, iCartoonFace | learns cartoons without forgetting faces, taught by its frozen old self | `40_…`, `41_…` |
#
# Before them come short lessons on what all four build on: `01_degradation_and_upsampling`, `02_edges`, `03_metrics`. Notebooks that your copy does not
# have yet are being written in this order.
#
# ## Profiles
#
# Every notebook takes a `PROFILE`. Sizes and steps change between them; every network part and every term of every objective stays on. Where minutes of training need
# more help than that, the small profiles have it and the notebook says so: other loss weights and learning rates, SelfSR's output added to the enlarged input, ISR-KD's gentler start.
#
# | profile | for | numbers mean |
# |---|---|---|
# | `smoke` | tests | only that it runs |
# | `quick` | a laptop's CPU, the default | whether the method learns |
# | `evening` | a CPU for an evening, several seeds | which claims hold at this scale |
# | `workshop` | one GPU, ten minutes | the trend |
# | `paper` | reviewers with the papers' data and a large GPU | a reproduction |
#
# From a terminal: `facesr list`, `facesr run 10 --profile quick`, `facesr report`. Here: change the parameters cell on top.
#
# ## Your machine

# %%
from facesr_tools.doctor import examine

diagnosis = examine(run.out, DATA_ROOT)
checks = [check for check in diagnosis.checks if check.section in ("torch", "machine", "data", "kernel")]
run.table(
    "machine", [{"check": c.name, "found": c.value, "fix": c.fix if c.ok is False else ""} for c in checks], "What was found here"
)

# %%
verdicts = [
    {"profile": name, "can run": not missing, "missing": "; ".join(missing)} for name, missing in diagnosis.missing.items()
]
run.table("profiles", verdicts, "Which profiles could run on this machine now")

# %% [markdown]
# ## Exercises
#
# Replace the line that raises `NotImplementedError`, run the cell, then the check below it. The folded cell holds one solution.
#
# **1. PSNR.** One value per image, for float images in [0, 1].


# %% tags=["exercise"]
def my_psnr(sr, hr):
    raise NotImplementedError


# %%
from facesr_lib.exercises.degradation import check_average_pool
from facesr_lib.exercises.metrics import check_psnr

check_psnr(my_psnr)


# %% tags=["solution"] jupyter={"source_hidden": true}
def my_psnr(sr, hr):
    mse = (sr - hr).square().mean(dim=(1, 2, 3))
    return -10 * torch.log10(mse)


check_psnr(my_psnr)

# %% [markdown]
# **2. Another degradation.** ISR-KD makes LR by averaging: each LR pixel is the mean of a `factor` x `factor` square. No loops.


# %% tags=["exercise"]
def my_average_pool(x, factor):
    raise NotImplementedError


# %%
check_average_pool(my_average_pool)


# %% tags=["solution"] jupyter={"source_hidden": true}
def my_average_pool(x, factor):
    n, c, h, w = x.shape
    return x.reshape(n, c, h // factor, factor, w // factor, factor).mean(dim=(3, 5))


check_average_pool(my_average_pool)

# %% [markdown]
# **Next:** `01_degradation_and_upsampling` looks closer at LR images; `10_human_face_gan` trains the first network.

# %%
run.finish()
