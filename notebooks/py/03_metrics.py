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
#     study: 45
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
# - plot fidelity against a perceptual score, for sharpening and for small GANs trained here;
# - see why an FID of few images is too large, and what KID does better.
#
# **You need:** `00_start_here`. **Time:** about 45 minutes of yours; about 50 seconds on a CPU. **Hardware:** any.

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
# Five damages, each with the error that a shift by one pixel makes. PSNR cannot tell them apart.
#
# *Predict: which will SSIM punish most? And which one LPIPS, a network that learned to see?*

# %%
from facesr_lib.explore.losses import Damage
from facesr_lib.image import gaussian_blur, quantize


def error_of(image):
    """Root-mean-square error against the face."""
    return (image - face).square().mean().sqrt()


def scaled(step):
    """The face, changed in the direction of `step` by the target error."""
    return face + target * step / step.square().mean().sqrt()


shifted = Damage(shift=1)(face)
target = error_of(shifted)
blurs = [gaussian_blur(face, 13, sigma / 50) for sigma in range(15, 250)]
damages = {
    "shifted": shifted,
    "blur": min(blurs, key=lambda image: abs(error_of(image) - target)),
    "noise": scaled(torch.randn(face.shape, generator=torch.Generator().manual_seed(SEED))),
    "brighter": scaled(torch.ones_like(face)),
    "more contrast": scaled(face - face.mean()),
}
damages = {name: quantize(image) for name, image in damages.items()}

# %%
rows = [{"damage": name, **{metric.label: metric(image, face).item() for metric in per_image}} for name, image in damages.items()]
run.table("same_error", rows, "One face, five damages of (nearly) the same squared error; SSIM higher is better, LPIPS lower")

# %%
perceptual = per_image[-1]
labels = {row["damage"]: [f"{row['PSNR (dB)']:.1f} dB\nSSIM {row['SSIM']:.2f}"] for row in rows}
if lpips:
    labels = {row["damage"]: [f"{labels[row['damage']][0]}\nLPIPS {row[perceptual.label]:.3f}"] for row in rows}
run.figure(
    image_grid({"HR": face, **damages}, labels=labels, cell=1.9),
    "same_error",
    f"Five damages of the same squared error ({255 * target.item():.0f} grey levels), with their scores below. Which one would you rather be shown?",
    "Six portraits of one person: the original, shifted by a pixel, blurred, with noise, brighter, and with more contrast, each with its scores.",
)

# %% cellView="form" jupyter={"source_hidden": true} tags=["hide-input"]
# @title Answer
ranked = {m: sorted(damages, key=lambda name: m(damages[name], face).item(), reverse=m.higher_is_better) for m in per_image[1:]}
answer(
    ". ".join(f"{metric.label} likes *{order[0]}* best and *{order[-1]}* least" for metric, order in ranked.items())
    + ". SSIM compares local patterns: what leaves them in place, as a change of brightness, costs little. A shift moves every pattern by one pixel, noise covers "
    "them, and blur removes them. LPIPS compares features of a network, which react to lost texture and edges. "
    "None of the scores says which error matters to you."
)

# %% [markdown]
# ## Same images, different convention
#
# Papers crop the border by the scale, score the Y channel instead of RGB, or use another grey. Each is legitimate. Comparing across them is not.
#
# *Predict: how many decibels can a convention be worth?*

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

# %%
by_convention = {row["convention"]: row["PSNR (dB)"] for row in rows}
lowest, highest = min(by_convention, key=by_convention.get), max(by_convention, key=by_convention.get)
run.note(
    f"The same images score {by_convention[lowest]:.2f} dB ({lowest}) or {by_convention[highest]:.2f} dB ({highest}): {by_convention[highest] - by_convention[lowest]:.2f} dB from the convention alone."
)

# %% cellView="form" jupyter={"source_hidden": true} tags=["hide-input"]
# @title Answer
whole, y = by_convention["RGB"], by_convention["Y of YCbCr (16 to 235)"]
grey, cropped = by_convention["full-range grey"], by_convention["Y, border of 4 cropped"]
answer(
    f"Y spans 219 of 255 levels, so its errors are smaller by that factor: 20 log10(255 / 219) = 1.32 dB, and here Y reads {y - grey:+.2f} dB against full-range grey. "
    f"RGB and full-range grey differ by {grey - whole:+.2f} dB here: nothing on grey photographs, more on colour, where errors of the channels cancel in the mean. "
    f"The crop changes Y by {cropped - y:+.2f} dB, because enlargement has too few neighbours at the border."
)

# %% [markdown]
# The code that decides this is short:

# %%
from facesr_lib.image import rgb_to_y

show_source(rgb_to_y)

# %% [markdown]
# ### Exercise 1
#
# **1. PSNR of Y with a crop.** Weights 65.481, 128.553, 24.966 and an offset of 16 on the 255 scale; cut `crop` pixels on every side first. One value
# per image.


# %% tags=["exercise"]
def my_psnr_y(sr, hr, crop):
    raise NotImplementedError


# %%
from facesr_lib.exercises.metrics import check_psnr_y

check_psnr_y(my_psnr_y)


# %% tags=["solution"] jupyter={"source_hidden": true}
def my_psnr_y(sr, hr, crop):
    weights = torch.tensor([65.481, 128.553, 24.966]).view(1, 3, 1, 1)
    inside = slice(crop, -crop or None)
    difference = ((sr - hr)[..., inside, inside] * weights).sum(dim=1)  # the offset cancels
    return 10 * torch.log10(255**2 / difference.square().mean(dim=(1, 2)))


check_psnr_y(my_psnr_y)

# %% [markdown]
# **To think about.** A paper reports PSNR on Y with a crop of 8 and SSIM without saying how; another reports RGB. What could you still conclude?

# %% [markdown] tags=["solution"]
# <details><summary>One answer</summary>
#
# Within each paper the order of its own methods, since all of them were scored alike. Across the papers nothing: the conventions alone can differ by more than the methods. With the SR
# images, or with the code of both, everything could be scored anew under one convention. That is the only safe way.
#
# </details>

# %% [markdown]
# ## Fidelity against realism
#
# A network trained for squared error returns the *mean* of all plausible faces: high PSNR, no texture. A network trained to fool a discriminator
# returns *one* plausible face: lower PSNR, and, if the training goes well, a better perceptual score. No method can be best at both (Blau and
# Michaeli, 2018).
#
# The simplest knob between the two is sharpening, which needs no training. Beside it stands the small GAN of `10_human_face_gan`, trained three times with three weights
# of its pixel term.
#
# *Predict: will the best amount of sharpening be the same for PSNR and for the perceptual score? Will the GANs do better than sharpening?*

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
methods |= {f"bicubic + unsharp {amount:g}": sharpened(amount) for amount in (1.0, 2.0, 3.0, 4.0, 6.0)}
methods |= {name: model.super_resolve for name, model in models.items()}
few = replace(test.limit(24), name=f"{test.name}, 24 images")  # a network as a metric takes its time on a CPU
scored = {name: evaluate(f, eval_batches(few, degradation, 10, SEED), per_image, run.device) for name, f in methods.items()}
for name, values in scored.items():
    for metric, numbers in values.items():
        run.score(name, few, metric, numbers)
rows = [{"method": name, **{m.label: v.mean().item() for m, v in values.items()}} for name, values in scored.items()]
run.table(
    "tradeoff", rows, f"Fidelity and perception of {len(rows)} methods, mean over {len(few)} test images; {degradation.name}"
)

# %%
from facesr_lib.plot.figures import NotebookFigure

sign = 1 if perceptual.higher_is_better else -1
points = {row["method"]: (row["PSNR (dB)"], sign * row[perceptual.label]) for row in rows}  # in both, more is better
front = [
    name
    for name, (fidelity, looks) in points.items()
    if not any(f >= fidelity and p >= looks and (f, p) != (fidelity, looks) for f, p in points.values())
]
front = sorted(front, key=lambda name: points[name])

# %%
figure = NotebookFigure(figsize=(6.4, 4.2), layout="constrained")
axes = figure.subplots()
axes.plot(
    *zip(*[(f, sign * p) for f, p in map(points.get, front)], strict=True), color="0.8", linewidth=9, label="not beaten in both"
)
for family, marker in (("bicubic", "s"), ("GAN", "o")):
    drawn = [name for name in points if name.startswith(family)]
    axes.plot([points[n][0] for n in drawn], [sign * points[n][1] for n in drawn], marker=marker, label=family)
    for name in drawn:
        place = (points[name][0], sign * points[name][1])
        axes.annotate(name.split()[-1], place, xytext=(5, 5), textcoords="offset points")
axes.set(xlabel="PSNR (dB), more is better", ylabel=f"{perceptual.label}, {'more' if sign > 0 else 'less'} is better")
axes.legend(title="numbers: amount, pixel weight")
run.figure(
    figure,
    "tradeoff",
    f"Fidelity against {perceptual.label} for {len(points)} methods. Grey band: the {len(front)} that no other method beats in both numbers.",
    "A scatter plot with two connected families of points, sharpening and GANs, PSNR to the right; the points that nothing beats in both are marked.",
)

# %%
faithful, realistic = front[-1], front[0]  # the most PSNR, and the best perceptual score
if len(front) == 1:
    found = f"*{faithful}* is best in both numbers: this run shows no trade-off."
else:
    found = (
        f"*{faithful}* has the most PSNR ({points[faithful][0]:.2f} dB), *{realistic}* the best {perceptual.label}: between them PSNR falls by "
        f"{points[faithful][0] - points[realistic][0]:.2f} dB while {perceptual.label} goes from {sign * points[faithful][1]:.3f} to {sign * points[realistic][1]:.3f}."
    )
run.note(found)

# %% cellView="form" jupyter={"source_hidden": true} tags=["hide-input"]
# @title Answer
sharp = {name: value for name, value in points.items() if name.startswith("bicubic")}
for_psnr, for_looks = (max(sharp, key=lambda name, k=k: sharp[name][k]) for k in (0, 1))
gans = [name for name in points if name.startswith("GAN")]
alive = [name for name in gans if name in front]
answer(
    (
        f"PSNR and {perceptual.label} agree on *{for_psnr}*. "
        if for_psnr == for_looks
        else f"PSNR is best with *{for_psnr}*, {perceptual.label} with *{for_looks}*. "
    )
    + "At first sharpening improves both, because it undoes a part of the blur. Beyond the best PSNR one has to choose: edges look right before their pixels are. "
    + f"Of the {len(gans)} GANs, {len(alive)} stand on the grey band. "
    + (
        "A GAN off the band is not more realistic, it is simply worse: it was trained for seconds. "
        if len(alive) < len(gans)
        else ""
    )
    + "Only along the band is there a trade-off."
)

# %% [markdown]
# **To think about.** A rival of your GAN is a filter with one number, and it wins in PSNR and in LPIPS. What do you report?

# %% [markdown] tags=["solution"]
# <details><summary>One answer</summary>
#
# The filter, in the same table, tuned on other images than the test images. A baseline that costs nothing is what a method has to justify its cost against. It may still fail elsewhere:
# sharpening amplifies noise, and it adds nothing that was not in the LR image. Test that too, instead of leaving the filter out.
#
# </details>

# %% [markdown]
# ## Why the FID of few images is too large
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
        f"distance reads {mean[0]['Frechet distance']:.0f}, at N = {counts[-1]} {mean[-1]['Frechet distance']:.0f}.",
        "Two curves over the number of images: the Frechet distance and the kernel distance.",
    )
    run.table("fid_by_n", mean, f"Distances between halves of one set; {extractor.fid.convention}")
else:
    shown = "n/a: " + "facesr weights fetch mobilenet-v2"
shown

# %% cellView="form" jupyter={"source_hidden": true} tags=["hide-input"]
# @title Answer
if rows:
    first, last = mean[0], mean[-1]
    largest = max(abs(row["kernel distance x1000"]) for row in mean) / 1000
    shown = answer(
        f"With more images the Frechet distance goes from {first['Frechet distance']:.0f} (N = {first['N']}) to {last['Frechet distance']:.0f} (N = {last['N']}). "
        "Means and covariances of small samples differ by chance, and the Frechet distance counts every difference as distance: it cannot fall below 0, so errors "
        f"never cancel. The kernel distance stays within {largest:.3f} of 0: its estimate leaves out pairs of an image with itself, so its errors go both ways."
    )
else:
    shown = "n/a: no network for FID here; `facesr weights fetch mobilenet-v2`"
shown

# %% [markdown]
# This excess is a *bias*. It becomes smaller with more images, and it differs between methods, so that even their order can be wrong.
# KID has no bias at any N, but it scatters. Reports of this project print N beside either, and warn below the number of features.

# %% [markdown]
# ### Exercise 2
#
# **2. KID.** With the kernel $k(a, b) = (a \cdot b / D + 1)^3$: the mean of $k$ over pairs *within* each set (without an image paired with itself), added,
# minus twice the mean over pairs *between* the sets. NumPy arrays (N, D) and (M, D).


# %% tags=["exercise"]
def my_kernel_distance(a, b):
    raise NotImplementedError


# %%
from facesr_lib.exercises.metrics import check_kernel_distance

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
# **To think about.** Method A has an FID of 40 on 100 images, method B one of 35 on 1,000 images. Which one is better?

# %% [markdown] tags=["solution"]
# <details><summary>One answer</summary>
#
# Nobody knows. B's number has a smaller bias, so its lower FID may come from the larger set alone. Compute both on equally many images, with the same real images, several times with other
# images drawn; or compare KID, which has no bias, with its spread beside it.
#
# </details>

# %% [markdown]
# ## In short
#
# - Every metric sees something and misses something. Look at several, and at the pictures.
# - A number without its convention (channel, border, rounding, network, N) cannot be compared with another.
# - Fidelity and realism are two goals. A gain in one says nothing about the other, and a cheap baseline belongs into the plot.
#
# To read: [Blau and Michaeli, 2018](https://arxiv.org/abs/1711.06077) on the trade-off, [Zhang et al., 2018](https://arxiv.org/abs/1801.03924) on LPIPS,
# [Bińkowski et al., 2018](https://arxiv.org/abs/1801.01401) on KID and the bias of FID.
#
# **Next:** `04_losses`, what happens when a score becomes the goal of training.

# %%
run.finish()
