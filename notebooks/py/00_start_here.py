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
#     study: 40
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
# **Time:** about 40 minutes of yours; under half a minute in every profile, on a CPU. **Hardware:** any.

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

# %% cellView="form" jupyter={"source_hidden": true} tags=["hide-input"]
# @title Imports, and the run that records the results
import torch

from facesr_lib.evaluate import Run, answer
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
shown = faces.limit(3)  # of three people
hr = shown.take(range(len(shown)))
hr.shape, hr.min().item(), hr.max().item()  # (images, channels, height, width), values in [0, 1]

# %% [markdown]
# A **degradation** makes the LR image. Here: MATLAB's bicubic reduction, the usual benchmark. The **scale** is 4: sixteen pixels become one.
#
# Enlarging it back with bicubic interpolation is the baseline that every method has to beat.
#
# *Predict: which parts of the face will suffer most?*

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
grid = image_grid({"LR 16x16": lr, "bicubic": bicubic, "HR 64x64": hr}, labels=labels, zoom=(5 / 16, 2 / 16, 6 / 16))
run.figure(
    grid,
    "first_look",
    "A face at a sixteenth of its pixels, enlarged again, and the original. The framed eye is shown larger below each row.",
    "Three rows of portraits: coarse pixels on the left, a blurred enlargement in the middle, the sharp original on the right; below each an eye.",
)

# %% cellView="form" jupyter={"source_hidden": true} tags=["hide-input"]
# @title Answer
from facesr_lib.image import rgb_to_grey, sobel

slope = sobel(rgb_to_grey(hr)).square().sum(dim=1).flatten(1)  # how fast the brightness changes at each pixel
steep = slope > slope.quantile(0.75, dim=1, keepdim=True)
error = (bicubic - hr).square().mean(dim=1).flatten(1)
share = (error * steep).sum() / error.sum()
answer(
    f"The quarter of the pixels where the brightness changes fastest holds {share:.0%} of the squared error; an even spread would be 25 %. "
    "Such pixels lie at eyes, nostrils, lips, hair and the rims of glasses. Skin changes slowly, and a few pixels are enough for a slow change."
)

# %% [markdown]
# **Super-resolution (SR)** is the attempt to do better than that blur.
#
# What it puts there cannot come from the LR image alone: many faces shrink to the same 16 x 16 pixels. It comes from what the
# network has learned about faces. A sharp eye in an SR image is a guess, and can be somebody else's eye. Keep that in mind
# when you see a convincing picture.

# %% [markdown]
# **To think about.** An SR image shows a small scar on the cheek. You shrink the SR image again, and get exactly the LR image that you started from. Is
# the scar real?

# %% [markdown] tags=["solution"]
# <details><summary>One answer</summary>
#
# Nobody can tell from these two images. The test shows only that a face with the scar is *possible*. A face without it, or with another one, can shrink to
# the same LR image. Only another picture of the person can decide. This is why an SR image must never be used to identify anyone.
#
# </details>

# %% [markdown]
# ## One number, and what it misses
#
# $$\mathrm{PSNR} = 10 \log_{10} \frac{255^2}{\mathrm{MSE}}$$
#
# in decibels, on 8-bit images: 3 dB more means half the squared error. SSIM compares local patterns instead of single pixels; 1 means equal.
#
# *Predict: three damages with the same PSNR: will they look equally bad? Will SSIM see the difference?*

# %%
from facesr_lib.image import gaussian_blur, quantize

face = hr[:1]
blurred = gaussian_blur(face, 9, 1.6)
error = (blurred - face).square().mean().sqrt()  # the root-mean-square error that all three get


def with_same_error(damage):
    """Move from the face towards `damage` until the error is that of the blur."""
    step = damage - face
    return quantize(face + error * step / step.square().mean().sqrt())


covered = face.clone()
covered[..., 29:40, 8:24] = 0  # a dark patch where an eye is
damaged = {"blur": blurred, "brighter": face + 1, "dark patch": covered}
damaged = {name: with_same_error(damage) for name, damage in damaged.items()}

# %%
found = {name: (psnr(image, face).item(), ssim(image, face).item()) for name, image in damaged.items()}
labels = {name: [f"{decibels:.1f} dB, SSIM {similar:.2f}"] for name, (decibels, similar) in found.items()}
run.figure(
    image_grid({"HR": face, **damaged}, labels=labels, cell=2.2),
    "same_psnr",
    f"Three damages of nearly the same PSNR ({min(found.values())[0]:.1f} to {max(found.values())[0]:.1f} dB), with their SSIM.",
    "Four portraits of one person: the original, blurred, brightened, and with a dark patch on one eye, each with its scores.",
)

# %% cellView="form" jupyter={"source_hidden": true} tags=["hide-input"]
# @title Answer
order = sorted(found, key=lambda name: -found[name][1])
answer(
    "They do not look alike: the brighter face is hard to tell from the original, the blurred one has lost every detail, and the third one "
    "has lost an eye. PSNR adds up squared errors and does not know where they are. "
    f"SSIM orders them {', '.join(f'{name} ({found[name][1]:.2f})' for name in order)}: it looks at small neighbourhoods, so it reacts to lost detail and hardly "
    "to brightness. But it takes the mean over the picture, and one covered eye is only a small part of it."
)

# %% [markdown]
# No single number is enough. That is why the reports of this project give several metrics, name how each was taken, and show pictures. `03_metrics` goes
# into this.
#
# ### Exercise 1
#
# Replace the line that raises `NotImplementedError`, run the cell, then the check below it. The folded cell holds one solution.
#
# **1. PSNR.** One value per image, for float images in [0, 1].


# %% tags=["exercise"]
def my_psnr(sr, hr):
    raise NotImplementedError


# %%
from facesr_lib.exercises.metrics import check_psnr

check_psnr(my_psnr)


# %% tags=["solution"] jupyter={"source_hidden": true}
def my_psnr(sr, hr):
    mse = (sr - hr).square().mean(dim=(1, 2, 3))
    return -10 * torch.log10(mse)


check_psnr(my_psnr)

# %% [markdown]
# ## How good is bicubic on everybody?
#
# *Predict: each doubling of the scale leaves a quarter of the pixels. How many decibels does that cost?*

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

# %%
x2, x4, x8 = (row["PSNR (dB)"] for row in rows)
run.note(f"From x2 to x4 bicubic enlargement changes by {x4 - x2:+.1f} dB, from x4 to x8 by {x8 - x4:+.1f} dB.")

# %% cellView="form" jupyter={"source_hidden": true} tags=["hide-input"]
# @title Answer
times = 10 ** ((x2 - x8) / 10)
answer(
    f"{x2 - x4:.1f} dB for the first doubling, {x4 - x8:.1f} dB for the second. LR at x8 has a sixteenth of the pixels that it has at x2, and "
    f"the squared error is {times:.1f} times as large. A face has most of its contrast in large, slow shapes, and these survive."
)

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
# Six lessons teach what the papers build on. Read them in this order: this one, `01_degradation_and_upsampling`, `05_data`, `03_metrics` and `04_losses` before
# the first paper, and `02_edges` before papers 3 and 4.

# %% [markdown]
# **To think about.** Papers 2 and 3 *learn* how real LR faces differ from bicubic ones. Would it not be simpler to photograph every person twice, with a good camera
# and with a bad one?

# %% [markdown] tags=["solution"]
# <details><summary>One answer</summary>
#
# The two photographs would not show the same thing. Between them the head moves, the face changes, and so does the light; even a shift of one pixel is a large error. And the LR faces
# that people want to enlarge exist already, in old films or at the back of a group photograph. Nobody can take their HR twin any more.
#
# </details>

# %% [markdown]
# ### Exercise 2
#
# **2. Another degradation.** ISR-KD makes LR by averaging: each LR pixel is the mean of a `factor` x `factor` square. No loops.


# %% tags=["exercise"]
def my_average_pool(x, factor):
    raise NotImplementedError


# %%
from facesr_lib.exercises.degradation import check_average_pool

check_average_pool(my_average_pool)


# %% tags=["solution"] jupyter={"source_hidden": true}
def my_average_pool(x, factor):
    n, c, h, w = x.shape
    return x.reshape(n, c, h // factor, factor, w // factor, factor).mean(dim=(3, 5))


check_average_pool(my_average_pool)

# %% [markdown]
# ## Profiles
#
# Every notebook takes a `PROFILE`. Sizes and steps change between them; every network part and every term of every objective stays on. Minutes of training sometimes need
# more help than that. The small profiles then have it, and the notebook says so: other loss weights and learning rates, SelfSR's output added to the enlarged input,
# ISR-KD's gentler start.
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

# %% [markdown]
# **To think about.** In the `quick` profile a method reaches 1 dB less than in its paper. Has the paper been refuted?

# %% [markdown] tags=["solution"]
# <details><summary>One answer</summary>
#
# No. Data, image size, network size and number of steps all differ, so the two numbers do not answer one question. What `quick` can show is whether the method learns at all, and
# whether it beats the same method without its new part under equal conditions. The report says "not comparable here" beside such pairs.
#
# </details>

# %% [markdown]
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
ready = [row["profile"] for row in verdicts if row["can run"]]
run.table("profiles", verdicts, f"Profiles that could run on this machine now: {', '.join(ready) or 'none'}")

# %% [markdown]
# ## In short
#
# - An LR face does not determine its HR face. What super-resolution adds is learned from other faces, and is a guess about this one.
# - A score depends on how LR was made and on the scale. Bicubic enlargement is the baseline to beat under the same conditions.
# - PSNR counts squared errors and SSIM compares local patterns. Neither replaces looking at the pictures.
#
# The papers: human-face GAN (Jiang, Xu and Sun), [SelfSR](https://arxiv.org/abs/2112.10683), [teacher-student](https://arxiv.org/abs/2405.04778),
# [ISR-KD](https://arxiv.org/abs/2401.15366). On SSIM: [Wang et al., 2004](https://doi.org/10.1109/TIP.2003.819861).
#
# **Next:** `01_degradation_and_upsampling` looks closer at how LR images are made.

# %%
run.finish()
