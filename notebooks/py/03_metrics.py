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
#       evening: 0.85
#       paper: 0.6
#       quick: 0.85
#       smoke: 0.3
#       workshop: 0.6
#     paper: null
#     study: 35
#     title: What a score means
#   kernelspec:
#     display_name: Python 3 (ipykernel)
#     language: python
#     name: python3
# ---

# %% [markdown]
# # What a score means
#
# [![Open in Binder](https://mybinder.org/badge_logo.svg)](https://mybinder.org/v2/gh/facesr/facesr/v0.1.0?urlpath=lab/tree/notebooks/03_metrics.ipynb)
# [![Open in Colab](https://colab.research.google.com/assets/colab-badge.svg)](https://colab.research.google.com/github/facesr/facesr/blob/v0.1.0/notebooks/03_metrics.ipynb)
#
# **Aim:** learn to read the numbers of super-resolution papers: what each metric sees, what it misses, and how a convention moves it.
#
# You will
# - give one face several damages of the same error, and watch the metrics disagree;
# - change nothing but the convention, and gain more than a decibel;
# - plot the trade-off between fidelity and realism with small models trained here;
# - see why an FID of few images lies, and what KID does better.
#
# **You need:** `00_start_here`. **Time:** about 35 minutes of yours; about 50 seconds on a CPU. **Hardware:** any.

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
import torch

from facesr_lib.evaluate import Run
from facesr_lib.explore import show_source
from facesr_lib.plot import curves, image_grid, style

style()
run = Run.start(
    "03_metrics",
    title="What a score means",
    paper=None,
    profile=PROFILE,
    seed=SEED,
    device=DEVICE,
    data_root=DATA_ROOT,
    output_dir=OUTPUT_DIR,
)
run

# %%
from facesr_lib.data import load_faces

SIZE = 64
train, test = (load_faces(DATA_ROOT, split, SIZE) for split in ("train", "test"))
if PROFILE == "smoke":
    train, test = train.limit(16), test.limit(12)
face = test.take([0])
test

# %% [markdown]
# ## The metrics that are here
#
# PSNR and SSIM are formulas. The others ask a network, and networks need weights. Where the official weights cannot be had, this project uses a
# *named substitute*, or says n/a: a number never passes for another one. `facesr weights list` shows what is on this machine.

# %%
from facesr_lib.evaluate import Backends
from facesr_lib.metrics import PSNR, SSIM

backends = Backends.find(run)
lpips, extractor = backends.lpips, backends.extractor
per_image = [PSNR, SSIM, lpips.metric] if lpips else [PSNR, SSIM]
names = ", ".join(metric.label for metric in per_image)
print("per image:", names, "| of sets:", extractor.fid.label if extractor else "n/a")

# %% [markdown]
# ## Same error, different score
#
# Five damages, each scaled until its root-mean-square error is the same 8 grey levels. PSNR cannot tell them apart.
#
# *Predict: which will SSIM punish most? And which one a network that learned to see?*

# %%
from facesr_lib.image import gaussian_blur, quantize


def with_error(damage, target=8 / 255):
    """Move from the face towards `damage` until the root-mean-square error is `target`."""
    step = damage - face
    return quantize(face + target * step / step.square().mean().sqrt())


generator = torch.Generator().manual_seed(SEED)
damages = {
    "blur": with_error(gaussian_blur(face, 9, 2.0)),
    "noise": with_error(face + torch.randn(face.shape, generator=generator)),
    "brighter": with_error(face + 1),
    "more contrast": with_error(face.mean() + 1.5 * (face - face.mean())),
    "shifted": with_error(face.roll(1, dims=3)),
}

# %%
rows = [{"damage": name, **{metric.label: metric(image, face).item() for metric in per_image}} for name, image in damages.items()]
run.table("same_error", rows, "One face, five damages of (nearly) the same squared error; SSIM higher is better, LPIPS lower")

# %%
labels = {row["damage"]: [f"{row['PSNR (dB)']:.1f} dB, SSIM {row['SSIM']:.2f}"] for row in rows}
run.figure(
    image_grid({"HR": face, **damages}, labels=labels, cell=1.9),
    "same_error",
    "Five damages of the same squared error, with PSNR and SSIM below. Which one would you rather be shown?",
    "Six portraits of one person: the original and five damaged versions with their scores.",
)

# %% [markdown]
# ## Same images, different convention
#
# Papers crop the border by the scale, score the Y channel instead of RGB, or use another grey. Each is legitimate. Comparing across them is not.

# %%
from facesr_lib.data import eval_batches
from facesr_lib.image import Bicubic, resize_bicubic, rgb_to_grey
from facesr_lib.metrics import Metric, evaluate, psnr


def bicubic(lr):
    return resize_bicubic(lr, 4).clamp(0, 1)


conventions = {
    "RGB": psnr,
    "Y of YCbCr (16 to 235)": lambda sr, hr: psnr(sr, hr, y=True),
    "Y, border of 4 cropped": lambda sr, hr: psnr(sr, hr, y=True, crop=4),
    "full-range grey": lambda sr, hr: psnr(rgb_to_grey(sr).expand_as(sr), rgb_to_grey(hr).expand_as(hr)),
}
metrics = {
    name: Metric("psnr", "PSNR (dB)", function, "PSNR", f"{name}, x4, 8-bit", "dB") for name, function in conventions.items()
}
found = evaluate(bicubic, eval_batches(test, Bicubic(4), 20, SEED), metrics.values())
rows = [{"convention": name, "PSNR (dB)": found[metric].mean().item()} for name, metric in metrics.items()]
for metric, values in found.items():
    run.score("bicubic", test, metric, values)
run.table("conventions", rows, f"Bicubic x4, the same {len(test)} images, four conventions")

# %% [markdown]
# Y spans only 219 of 255 levels, so its errors are smaller: $20\log_{10}(255/219) = 1.32$ dB for nothing. The code that decides this is short:

# %%
from facesr_lib.image import rgb_to_y

show_source(rgb_to_y)

# %% [markdown]
# ## Fidelity against realism
#
# A network trained for squared or absolute error returns the *mean* of all plausible faces: high PSNR, no texture. A network trained to fool a discriminator
# returns *one* plausible face: lower PSNR, and, if the game goes well, a better perceptual score. No method can be best at both (Blau and
# Michaeli, 2018).
#
# We train the small GAN of `10_human_face_gan` three times with three weights of its pixel term, and add sharpening, which needs no training.

# %%
from dataclasses import replace

from facesr_lib.data import PairedBatches
from facesr_lib.papers.human_gan import Config, HumanGAN
from facesr_lib.training import TrainerOptions, train_stage


def trained(pixel_weight):
    config = replace(Config.preset(PROFILE), hr_size=SIZE, width=16, epochs=(2, 1), pixel_weight=pixel_weight)
    batches = PairedBatches(train, config.degradation, config.batch_size, SEED, flip=config.flip)
    method = HumanGAN(config, batches.steps_per_epoch)
    options = TrainerOptions(steps=method.steps, checkpoint_every=0, device=DEVICE)
    key = {"config": config, "train": train.checksum}
    return train_stage(run.stages, "metrics-gan", method, batches, options, seed=SEED, key=key).method


models = {f"GAN, pixel weight {weight:g}": trained(weight) for weight in (0.5, 5.0, 20.0)}

# %%
from facesr_lib.image import unsharp

degradation = Config.preset(PROFILE).degradation


def sharpened(amount):
    return lambda lr: unsharp(resize_bicubic(lr, 2).clamp(0, 1), 7, 5.0, amount)


methods = {"bicubic": sharpened(0.0)}
methods |= {f"bicubic + unsharp {amount:g}": sharpened(amount) for amount in (1.0, 2.0, 4.0)}
methods |= {name: model.super_resolve for name, model in models.items()}
few = replace(test.limit(30), name=f"{test.name}, 30 images")  # a network as a metric takes its time on a CPU
scored = {name: evaluate(f, eval_batches(few, degradation, 10, SEED), per_image, run.device) for name, f in methods.items()}
for name, values in scored.items():
    for metric, numbers in values.items():
        run.score(name, few, metric, numbers)
rows = [{"method": name, **{m.label: v.mean().item() for m, v in values.items()}} for name, values in scored.items()]
run.table("tradeoff", rows, f"Fidelity and perception of seven methods, mean over {len(few)} test images; {degradation.name}")

# %%
from facesr_lib.plot.figures import NotebookFigure

perceptual = per_image[-1].label
figure = NotebookFigure(figsize=(6.4, 4.2), layout="constrained")
axes = figure.subplots()
for family, marker in (("bicubic", "s"), ("GAN", "o")):
    points = [row for row in rows if row["method"].startswith(family)]
    axes.plot([p["PSNR (dB)"] for p in points], [p[perceptual] for p in points], marker=marker, label=family)
    for p in points:
        axes.annotate(p["method"].split()[-1], (p["PSNR (dB)"], p[perceptual]), xytext=(5, 5), textcoords="offset points")
axes.set(xlabel="PSNR (dB), higher is better", ylabel=f"{perceptual}, {'lower' if lpips else 'higher'} is better")
axes.legend(title="numbers: amount, pixel weight")
run.figure(
    figure,
    "tradeoff",
    f"Fidelity against {perceptual}. Where PSNR falls while {perceptual} still gets better, one has to choose; where both get worse, "
    "the method is simply worse.",
    "A scatter plot with two connected families of points, sharpening and GANs, PSNR to the right.",
)

# %% [markdown]
# ## Why the FID of 80 images lies
#
# FID compares two *sets*: Gaussians fitted to a network's features. We split the same faces into two halves at random. Both halves come from one
# distribution, so the true distance is zero.
#
# *Predict how the measured distance changes with the number of images N.*

# %%
import warnings

import numpy as np

from facesr_lib.metrics import frechet_distance, image_set_features, kernel_distance

rows = []
if extractor:
    everyone = load_faces(DATA_ROOT, "train", SIZE).limit(40 if PROFILE == "smoke" else 250)
    cached = image_set_features(extractor, everyone, run.stages.root / "features", run.device)
    rng = np.random.default_rng(SEED)
    for count in (10, 20, 40, 80, 125):
        if 2 * count > len(cached):
            break
        for _ in range(5):
            order = rng.permutation(len(cached))
            halves = cached[order[:count]], cached[order[count : 2 * count]]
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # it warns of exactly what is shown here
                distance = frechet_distance(*halves)
            rows.append({"N": count, "Frechet distance": distance, "kernel distance x1000": 1000 * kernel_distance(*halves)})

# %%
if rows:
    counts = sorted({row["N"] for row in rows})
    mean = [
        {
            "N": n,
            **{k: float(np.mean([r[k] for r in rows if r["N"] == n])) for k in ("Frechet distance", "kernel distance x1000")},
        }
        for n in counts
    ]
    shown = run.figure(
        curves(mean, "Frechet distance", "kernel distance x1000", x="N", title=f"Two halves of one set, {extractor.fid.label}"),
        "fid_by_n",
        f"Distance between two random halves of the same faces, mean of five splits: the truth is 0. At N = {counts[0]} the Frechet "
        f"distance reads {mean[0]['Frechet distance']:.0f}, at N = {counts[-1]} still {mean[-1]['Frechet distance']:.0f}; "
        "the kernel distance stays around 0.",
        "Two curves over the number of images: the Frechet distance falls slowly towards zero, the kernel distance stays near it.",
    )
    run.table("fid_by_n", mean, f"Distances between halves of one set; {extractor.fid.convention}")
else:
    shown = "n/a: " + "facesr weights fetch mobilenet-v2"
shown

# %% [markdown]
# The Frechet distance is biased upwards by about as much as there are missing images; the bias differs between methods, so even their order can be wrong.
# KID is unbiased at any N. Reports of this project print N beside either, and warn below the number of features.
#
# ## Exercises
#
# **1. PSNR of Y with a crop.** Weights 65.481, 128.553, 24.966 and an offset of 16 on the 255 scale; cut `crop` pixels on every side first. One value
# per image.


# %% tags=["exercise"]
def my_psnr_y(sr, hr, crop):
    raise NotImplementedError


# %%
from facesr_lib.exercises.metrics import check_kernel_distance, check_psnr_y

check_psnr_y(my_psnr_y)


# %% tags=["solution"] jupyter={"source_hidden": true}
def my_psnr_y(sr, hr, crop):
    weights = torch.tensor([65.481, 128.553, 24.966]).view(1, 3, 1, 1)
    inside = slice(crop, -crop or None)
    difference = ((sr - hr)[..., inside, inside] * weights).sum(dim=1)  # the offset cancels
    return 10 * torch.log10(255**2 / difference.square().mean(dim=(1, 2)))


check_psnr_y(my_psnr_y)

# %% [markdown]
# **2. KID.** With the kernel $k(a, b) = (a \cdot b / D + 1)^3$: the mean of $k$ over pairs *within* each set (without an image paired with itself), added,
# minus twice the mean over pairs *between* the sets. NumPy arrays (N, D) and (M, D).


# %% tags=["exercise"]
def my_kernel_distance(a, b):
    raise NotImplementedError


# %%
check_kernel_distance(my_kernel_distance)


# %% tags=["solution"] jupyter={"source_hidden": true}
def my_kernel_distance(a, b):
    def kernel(x, y):
        return (x @ y.T / x.shape[1] + 1) ** 3

    def within(x):
        k, n = kernel(x, x), len(x)
        return (k.sum() - k.trace()) / (n * (n - 1))

    return within(a) + within(b) - 2 * kernel(a, b).mean()


check_kernel_distance(my_kernel_distance)

# %% [markdown]
# **To think about.** A paper reports PSNR on Y with a crop of 8 and SSIM without saying how; another reports RGB. What could you still conclude?

# %%
run.finish()
