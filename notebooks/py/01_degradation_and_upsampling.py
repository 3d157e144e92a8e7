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
#       evening: 0.34
#       paper: 0.5
#       quick: 0.34
#       smoke: 0.3
#       workshop: 0.5
#     paper: null
#     study: 70
#     title: What a low-resolution image really is
#   kernelspec:
#     display_name: Python 3 (ipykernel)
#     language: python
#     name: python3
# ---

# %% [markdown]
# # What a low-resolution image really is
#
# [![Open in Binder](https://mybinder.org/badge_logo.svg)](https://mybinder.org/v2/gh/facesr/facesr/v0.1.0?urlpath=lab/tree/notebooks/01_degradation_and_upsampling.ipynb)
# [![Open in Colab](https://colab.research.google.com/assets/colab-badge.svg)](https://colab.research.google.com/github/facesr/facesr/blob/v0.1.0/notebooks/01_degradation_and_upsampling.ipynb)
#
# **Aim:** see that "a quarter of the size" is not one thing, what each way of shrinking keeps and invents, and why scores under different recipes cannot
# be compared.
#
# You will
# - shrink one picture in seven ways, and find the fake patterns that some of them leave (aliasing);
# - measure which frequencies each way lets through, against closed forms;
# - meet the recipe of each of the four papers, and the decibels that come from the recipe alone;
# - fit a small super-resolver on one recipe and test it on another.
#
# **You need:** `00_start_here`. **Time:** about 70 minutes of yours; about half a minute on a CPU. **Hardware:** any.

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
from facesr_lib.explore.degradation import SETTINGS, Recipe, degradation_explorer, degradation_grid, enlarge
from facesr_lib.explore.wipe import wipe, wipe_grid
from facesr_lib.metrics import psnr
from facesr_lib.plot import curves, image_grid, style

style()
run = Run.start(
    "01_degradation_and_upsampling",
    title="What a low-resolution image really is",
    paper=None,
    profile=PROFILE,
    seed=SEED,
    device=DEVICE,
    data_root=DATA_ROOT,
    output_dir=OUTPUT_DIR,
)
run

# %% [markdown]
# Pictures: the photographs of ten people to measure on, a public-domain portrait in colour, and a *zone plate*, rings that get finer outwards. In
# the middle of each side of it the pixels alternate from black to white: nothing finer fits on pixels.

# %%
from facesr_lib.data import astronaut_face, load_faces, zone_plate

train, faces = (load_faces(DATA_ROOT, split, size=64) for split in ("train", "test"))
if PROFILE == "smoke":
    train, faces = train.limit(25), faces.limit(10)
portrait, plate = astronaut_face(128), zone_plate(128)
faces

# %% [markdown]
# ## Seven ways to a quarter of the size
#
# All seven make 32 x 32 pixels of 128 x 128, and all call the result LR.
#
# | recipe | an LR pixel is | who does this |
# |---|---|---|
# | bicubic | a weighted mean of 16 x 16 pixels, some weights negative | MATLAB; most SR benchmarks; papers 2 and 3 |
# | average pooling | the mean of its 4 x 4 pixels | the model of a camera's sensor |
# | bilinear halvings | the mean of 2 x 2, rounded to 8 bit, then again | paper 4 |
# | one bilinear step | the mean of the 2 x 2 pixels nearest to its middle | `cv2.resize`, torch's `interpolate`, as they come |
# | skip pixels | one pixel of the sixteen | array slicing |
# | blur, bilinear | bilinear with antialiasing, after a 7 x 7 Gaussian blur | paper 1 (there: half the size) |
# | hidden | motion blur, bicubic, sensor noise, JPEG | a stand-in for real LR photographs in papers 2 and 3 |
#
# *Predict: which of them will look sharpest? Which will be nearest to the original when it is enlarged again?*

# %%
run.figure(
    degradation_grid(portrait),
    "recipes",
    "One portrait through seven recipes: LR, enlarged with bicubic interpolation, and the error (grey: none, white: too bright, black: too dark).",
    "Seven columns, one per recipe, each with a coarse portrait, its enlargement with PSNR, and a grey error picture.",
)

# %% cellView="form" jupyter={"source_hidden": true} tags=["hide-input"]
# @title Answer
from facesr_lib.image import rgb_to_grey, sobel

small = {kind: Recipe(kind, 4)(portrait) for kind in SETTINGS}
sharp = {kind: sobel(rgb_to_grey(lr)).abs().mean().item() for kind, lr in small.items()}
near = {kind: psnr(enlarge(lr, 4), portrait).item() for kind, lr in small.items()}
sharpest, nearest, farthest = max(sharp, key=sharp.get), max(near, key=near.get), min(near, key=near.get)
answer(
    f"The LR image with the strongest edges (mean of Sobel) is that by *{sharpest}*. Enlarged again, *{nearest}* is nearest to the original "
    f"({near[nearest]:.2f} dB) and *{farthest}* farthest ({near[farthest]:.2f} dB). "
    + ("The sharpest is the worst: its" if sharpest == farthest else "Sharp edges help only where they are true: skipped")
    + " pixels are jagged, and displaced as well, which the error shows as a relief. Nothing was averaged, so nothing is blurred, and nothing stands for the pixels between."
)

# %% [markdown]
# Average pooling and the halvings look the same. Two recipes of the library, as they run; what follows `quantize` is what a file would hold:

# %%
from facesr_lib.image import AveragePooling

show_source(AveragePooling.__call__)

# %%
from facesr_lib.papers.isr_kd import Halvings

show_source(Halvings.pyramid)

# %%
hr = faces.take(range(len(faces)))
levels = (255 * (AveragePooling(8)(hr) - Halvings(8)(hr)).abs()).round()
print(
    f"average pooling and three halvings differ by at most {levels.max():.0f} grey level, in {(levels > 0).float().mean():.0%} of the values"
)

# %% [markdown]
# ### Exercise 1
#
# **1. ISR-KD's halvings.** Average 2 x 2 pixels with `average_pool` and round to 8 bit with `quantize`, until the image is `scale` (2, 4, 8, ...) times
# smaller. (OpenCV, and so the paper, rounds half a grey level up, `quantize` by the last bit of its float. The check's pictures have no such halves.)


# %% tags=["exercise"]
def my_halvings(hr, scale):
    raise NotImplementedError


# %%
from facesr_lib.exercises.degradation import check_halvings
from facesr_lib.image import average_pool, quantize

check_halvings(my_halvings)


# %% tags=["solution"] jupyter={"source_hidden": true}
def my_halvings(hr, scale):
    while scale > 1:
        hr = quantize(average_pool(hr, 2))
        scale //= 2
    return hr


check_halvings(my_halvings)

# %% [markdown]
# ## Aliasing: what is too fine comes back as something else
#
# A reduction by $s$ leaves room for waves up to $1/(2s)$ cycles per old pixel. Finer ones have to be removed *before* pixels are dropped. What
# is not removed does not vanish. Keep every $s$-th sample of a wave with $f$ cycles per pixel and you get
#
# $$\cos(2\pi f s\, n) = \cos(2\pi (f s - k)\, n) \quad\text{for every whole } k,$$
#
# so a fine wave cannot be told from a coarse one. It is its *alias*.
#
# *Predict what the zone plate becomes. Its true rings, those coarse enough, end at a quarter of the way from the middle to each side.*

# %%
kinds = ("bicubic", "average pooling", "one bilinear step", "skip pixels", "blur, bilinear")
rings = {kind: Recipe(kind, 4)(plate) for kind in kinds}
run.figure(
    image_grid(
        {"original": plate, **rings},
        labels={kind: [f"enlarged: {psnr(enlarge(lr, 4), plate).item():.1f} dB"] for kind, lr in rings.items()},
    ),
    "zone_plate",
    "The zone plate, and its LR images by five recipes. The original has one bull's eye, in the middle; every other one is an alias.",
    "Six ring patterns in a row: the original and five coarse versions, some with several bull's eyes.",
)

# %% cellView="form" jupyter={"source_hidden": true} tags=["hide-input"]
# @title Answer
middle, halfway = (..., slice(14, 19), slice(14, 19)), (..., slice(14, 19), slice(6, 11))  # of LR's 32 pixels
false = {kind: (lr[halfway].std() / lr[middle].std()).item() for kind, lr in rings.items()}
answer(
    "The rings repeat. Halfway to each side the wave has 1/4 cycle per pixel, so every fourth pixel meets it at the same point: its alias is flat, and looks like the "
    "middle. How much contrast the false bull's eye has there, compared with the true one: "
    + "; ".join(f"{kind} {share:.0%}" for kind, share in false.items())
    + ". A recipe that blurs before it drops pixels has removed the wave by then."
)

# %% [markdown]
# ### Exercise 2
#
# **2. Where does the alias land?** A wave has `frequency` cycles per HR pixel (0 to 0.5). Keep every `step`-th pixel. How many cycles per *LR* pixel does
# it seem to have, between 0 and 0.5?


# %% tags=["exercise"]
def my_alias(frequency, step):
    raise NotImplementedError


# %%
from facesr_lib.exercises.degradation import check_alias

check_alias(my_alias)


# %% tags=["solution"] jupyter={"source_hidden": true}
def my_alias(frequency, step):
    turn = frequency * step  # cycles from one kept pixel to the next
    return abs(turn - round(turn))  # whole cycles do not show, and backwards looks like forwards


check_alias(my_alias)

# %% [markdown]
# PSNR hardly notices: on this picture everything is far away from the original. It cannot say whether what is *there* is true.
#
# On a face the fine waves are hair, eyelashes, the weave of a jacket. *Look for strands of hair in the frame that HR does not have.*

# %%
large = astronaut_face(256)
kinds = ("bicubic", "average pooling", "one bilinear step", "skip pixels")
shown = {kind: enlarge(Recipe(kind, 4)(large), 4, "nearest") for kind in kinds}
run.figure(
    image_grid({"HR": large, **shown}, zoom=(6 / 64, 22 / 64, 14 / 64), cell=2.2),
    "hair",
    "Hair at a quarter of the size: HR, and LR by four recipes. The framed piece is shown larger below.",
    "Five portraits in a row with a framed piece of hair, enlarged below each.",
)


# %%
def restless(lr):
    """Mean difference of neighbouring pixels in the frame, in grey levels."""
    return 255 * lr[..., 6:20, 22:36].diff(dim=3).abs().mean().item()


levels = {kind: restless(Recipe(kind, 4)(large)) for kind in kinds}
run.note(
    "In the hair, neighbouring LR pixels differ by "
    + ", ".join(f"{level:.0f} grey levels ({kind})" for kind, level in levels.items())
    + ". Strands finer than an LR pixel should fade to their mean colour; what stays restless beyond that is aliasing."
)

# %% [markdown]
# ## What passes, measured
#
# But for rounding, five of the recipes are linear: an LR pixel is a weighted sum of HR pixels. We find the weights by showing it pictures
# with one bright column each. Their Fourier transform $|H(f)|$ says how much of a wave gets through. Two of them are known in closed form: the mean of $s$
# neighbours is $\left|\frac{\sin \pi f s}{s \sin \pi f}\right|$, the mean of two is $|\cos \pi f|$.
#
# *Predict: what would the ideal curve look like?*

# %%
import torch.nn.functional as F

from facesr_lib.image import gaussian_blur, resize_bicubic, resize_bilinear

columns = torch.eye(64, dtype=torch.float64)[:, None, None, :].expand(-1, -1, 64, -1)  # picture i: column i is bright
reductions = {
    "bicubic": lambda x: resize_bicubic(x, size=(16, 16)),
    "average pooling": lambda x: F.avg_pool2d(x, 4),
    "one bilinear step": lambda x: resize_bilinear(x, size=(16, 16)),
    "skip pixels": lambda x: x[..., ::4, ::4],
    "blur, bilinear": lambda x: F.interpolate(gaussian_blur(x, 7, 5.0), size=(16, 16), mode="bilinear", antialias=True),
}
weights = {name: reduce(columns)[:, 0, 8, 8] for name, reduce in reductions.items()}  # of LR pixel (8, 8)
{name: f"{(w.abs() > 1e-12).sum()} pixels, sum {w.sum():.3f}" for name, w in weights.items()}

# %%
responses = {name: torch.fft.rfft(w, n=256).abs() for name, w in weights.items()}
f = torch.arange(129, dtype=torch.float64) / 256
box = (torch.sin(4 * torch.pi * f) / (4 * torch.sin(torch.pi * f))).abs().nan_to_num(1.0)
for name, closed in {"average pooling": box, "one bilinear step": torch.cos(torch.pi * f)}.items():
    print(f"{name}: largest distance from the closed form {(responses[name] - closed).abs().max():.1e}")

# %%
rows = [{"cycles per HR pixel": f[i].item(), **{n: r[i].item() for n, r in responses.items()}} for i in range(129)]
figure = curves(
    rows,
    *responses,
    x="cycles per HR pixel",
    ylabel="share that gets through",
    title="A reduction by 4: how much of a wave passes",
)
figure.axes[0].axvspan(0.125, 0.5, color="0.93", zorder=0)
figure.axes[0].text(0.27, 0.82, "too fine for LR:\nwhat passes is aliasing")
figure.axes[0].legend(loc="upper left", bbox_to_anchor=(1, 1))
run.figure(
    figure,
    "response",
    "How much of a wave each reduction by 4 lets through. Shaded: waves too fine for LR.",
    "Five curves over frequency: a flat line for skipping, a slow fall for the bilinear step, quick falls for the others.",
)

# %% cellView="form" jupyter={"source_hidden": true} tags=["hide-input"]
# @title Answer
at = {name: r[32].item() for name, r in responses.items()}
answer(
    "Ideal: everything up to 1/8 cycle per pixel, nothing beyond. What passes at that limit: "
    + "; ".join(f"{name} {share:.0%}" for name, share in at.items())
    + ". None is ideal: a filter of a few pixels cannot be that steep. The sum of 4 or 16 pixels can only fall slowly, and where it falls early, waves are lost that LR has room for."
)


# %%
passed = {name: (r[33:].square().sum() / r.square().sum()).item() for name, r in responses.items()}
kept = {name: r[:33].square().mean().item() for name, r in responses.items()}
run.table(
    "response",
    [
        {"reduction": n, "of what LR can hold, kept": f"{kept[n]:.0%}", "of what is kept, aliased": f"{passed[n]:.0%}"}
        for n in responses
    ],
    "Power along one axis, for a picture with all frequencies alike (faces have far less of the fine ones)",
)

# %%
least, most = min(passed, key=passed.get), max(passed, key=passed.get)
run.note(
    f"*{most}* keeps {kept[most]:.0%} of what LR can hold, and {passed[most]:.0%} of what it keeps is aliased; *{least}* keeps {kept[least]:.0%}, "
    f"with {passed[least]:.0%} aliased."
)

# %% [markdown]
# **To think about.** In this table average pooling leaves far more aliasing than bicubic. On the portrait both gave nearly the same decibels. How is that possible?

# %% [markdown] tags=["solution"]
# <details><summary>One answer</summary>
#
# The table is for a picture with all frequencies alike. A photograph has most of its power in coarse waves, and little where average pooling leaks. A zone plate or a striped shirt would
# show the difference; the mean over faces does not.
#
# </details>

# %% [markdown]
# ## Enlarging: three kernels
#
# Every HR pixel is a weighted mean of the LR pixels near it; the weight depends on the distance $t$ in LR pixels. Nearest: one pixel. Bilinear: a hat. Bicubic
# (Keys, 1981, $a = -\tfrac12$): two cubics,
#
# $$w(t) = \begin{cases} \tfrac32 |t|^3 - \tfrac52 |t|^2 + 1 & |t| \le 1 \\ -\tfrac12 |t|^3 + \tfrac52 |t|^2 - 4|t| + 2 & 1 < |t| < 2 \end{cases}$$
#
# *Predict: one of them makes pixels brighter than any in the LR image. Which, where, and by how much?*

# %%
from facesr_lib.explore.degradation import UPSAMPLINGS

impulse, step = torch.zeros(1, 1, 9, 9), torch.zeros(1, 1, 9, 9)
impulse[..., 4] = 1  # one bright column
step[..., 4:] = 1
t = (torch.arange(144) + 0.5) / 16 - 4.5
spread = {name: enlarge_by(impulse, 16)[0, 0, 0] for name, enlarge_by in UPSAMPLINGS.items()}
edges = {name: enlarge_by(step, 16)[0, 0, 0] for name, enlarge_by in UPSAMPLINGS.items()}
{name: f"overshoot of an edge: {line.max() - 1:.1%}" for name, line in edges.items()}

# %%
rows = [{"distance in LR pixels": t[i].item(), **{name: line[i].item() for name, line in spread.items()}} for i in range(32, 112)]
run.figure(
    curves(rows, *spread, x="distance in LR pixels", ylabel="weight", title="What one LR pixel gives to the HR pixels around it"),
    "kernels",
    "The three kernels, measured by enlarging a single bright column 16 times.",
    "Three curves over the distance: a box, a hat, and a bell with negative side lobes.",
)

# %% cellView="form" jupyter={"source_hidden": true} tags=["hide-input"]
# @title Answer
over = {name: line.max().item() - 1 for name, line in edges.items()}
answer(
    f"Bicubic: beside an edge from black to white it goes beyond white by {over['bicubic']:.1%}, on the bright side, and below black on the other. The lobes below zero do "
    f"it: they subtract the dark neighbours. Nearest ({over['nearest']:.1%}) and bilinear ({over['bilinear']:.1%}) only take means with positive weights, which cannot leave the range. "
    "The same lobes make edges steeper: that is why bicubic looks sharper."
)

# %% [markdown]
# ### Exercise 3
#
# **3. The bicubic kernel.** $w(t)$ from above, for a tensor of distances of either sign. The check compares with what the library does to a single bright
# column.


# %% tags=["exercise"]
def my_cubic(t):
    raise NotImplementedError


# %%
from facesr_lib.exercises.degradation import check_cubic

check_cubic(my_cubic)


# %% tags=["solution"] jupyter={"source_hidden": true}
def my_cubic(t):
    t = t.abs()
    inner = 1.5 * t**3 - 2.5 * t**2 + 1
    outer = -0.5 * t**3 + 2.5 * t**2 - 4 * t + 2
    return torch.where(t <= 1, inner, torch.where(t < 2, outer, torch.zeros_like(t)))


check_cubic(my_cubic)

# %% [markdown]
# ## The same faces, seven recipes, three kernels
#
# No network anywhere: only the way down and the way up differ. *Predict the range of the PSNR in this table.*

# %%
from functools import partial

from facesr_lib.data import eval_batches
from facesr_lib.metrics import PSNR, SSIM, evaluate

rows = []
for kind in SETTINGS:
    rule = Recipe(kind, 4).rule()
    row = {"LR by": kind}
    for kernel in UPSAMPLINGS:
        metrics = [PSNR, SSIM] if kernel == "bicubic" else [PSNR]
        found = evaluate(partial(enlarge, scale=4, kernel=kernel), eval_batches(faces, rule, 50, SEED), metrics)
        row[f"{kernel}, dB"] = found[PSNR].mean().item()
        for metric, values in found.items():
            run.score(kernel, faces.named(f"{faces.name}, {rule.name}"), metric, values)
    rows.append({**row, "bicubic, SSIM": found[SSIM].mean().item()})
run.table("recipes", rows, f"Mean over {len(faces)} test images, 64 px, x4; columns: the kernel that enlarges")

# %%
scores = {row["LR by"]: row["bicubic, dB"] for row in rows}
best, worst = max(scores, key=scores.get), min(scores, key=scores.get)
run.note(
    f"From {scores[worst]:.2f} dB ({worst}) to {scores[best]:.2f} dB ({best}): the recipe alone is worth {scores[best] - scores[worst]:.1f} dB."
)

# %% cellView="form" jupyter={"source_hidden": true} tags=["hide-input"]
# @title Answer
step, usual = (next(row for row in rows if row["LR by"] == kind) for kind in ("one bilinear step", "bicubic"))
every = [row[f"{kernel}, dB"] for row in rows for kernel in UPSAMPLINGS]
answer(
    f"The whole table reaches from {min(every):.1f} to {max(every):.1f} dB. The way down matters more than the way up. "
    f"The metrics need not agree either: against bicubic, one bilinear step changes PSNR by {step['bicubic, dB'] - usual['bicubic, dB']:+.2f} dB and SSIM by "
    f"{step['bicubic, SSIM'] - usual['bicubic, SSIM']:+.3f}. It looks sharper, and a part of that sharpness is aliasing."
)

# %% [markdown]
# Papers report gains of tenths of a decibel. Here whole ones come and go before any network is trained. Three causes are at work:
#
# - **lost frequencies** (blur): a dull LR image;
# - **added falsehood** (aliasing, noise, JPEG);
# - **displacement**: a recipe whose pixels are not where the enlargement believes them to be.
#
# The last is easy to miss, since no eye sees it. Skipping pixels takes the corner of each 4 x 4 square, 1.5 pixels from its middle.
#
# *Predict: how much of its loss comes back when the result is moved by 1.5 pixels?*

# %%
from facesr_lib.explore.degradation import SkipPixels
from facesr_lib.image import warp

sr = enlarge(SkipPixels(4)(hr), 4)
rows = []
for shift in (0.0, 0.5, 1.0, 1.5, 2.0):
    moved = warp(sr, torch.full((len(sr), 2, 64, 64), shift)).clamp(0, 1)
    rows.append({"moved by (px)": shift, "PSNR (dB)": psnr(moved, hr).mean().item()})
run.table("displaced", rows, "Skipped pixels, enlarged, then moved to the right and down before scoring")

# %% cellView="form" jupyter={"source_hidden": true} tags=["hide-input"]
# @title Answer
moves = {row["moved by (px)"]: row["PSNR (dB)"] for row in rows}
best_move = max(moves, key=moves.get)
gap = scores["bicubic"] - moves[0.0]
answer(
    f"Of the {gap:.1f} dB that skipped pixels lack against bicubic LR, moving by {best_move:g} pixels brings back {moves[best_move] - moves[0.0]:.1f} dB. "
    "That part was no blur and no aliasing: every pixel of the picture was compared with its neighbour. A learned super-resolver has to learn this shift first."
)

# %% [markdown]
# **To think about.** A method wins 0.4 dB over its rival. Its authors made LR with one library and trained the rival on LR from another one. What would you ask them to measure?

# %% [markdown] tags=["solution"]
# <details><summary>One answer</summary>
#
# The same method with LR from both libraries, and the rival too: four numbers. If the gain follows the library, it is the recipe's. A shift shows at once when the SR
# images are moved by fractions of a pixel before scoring, as above. Best is one recipe, named with its version, for everything that is compared.
#
# </details>

# %% [markdown]
# ## What each paper calls LR

# %%
from facesr_lib.data import HiddenDegradation
from facesr_lib.image import Bicubic
from facesr_lib.papers import human_gan, isr_kd

recipes = {
    "1 human-face GAN": human_gan.Config.preset("paper").degradation,
    "2 SelfSR, pairs x8": Bicubic(8),
    "2, 3 what they start from, x4": Bicubic(4),
    "2, 3 real LR faces (our stand-in)": HiddenDegradation(4),
    "4 ISR-KD": isr_kd.Config.preset("paper").degradation,
}
rows = []
for paper, rule in recipes.items():
    found = evaluate(lambda lr: resize_bicubic(lr, size=faces.size), eval_batches(faces, rule, 50, SEED), [PSNR])
    values = found[PSNR]
    run.score("bicubic", faces.named(f"{faces.name}, {rule.name}"), PSNR, values)
    rows.append({"paper": paper, "recipe": rule.name, "bicubic enlargement, dB": values.mean().item()})
run.table("papers", rows, f"The papers' recipes on the same {len(faces)} faces of 64 px: what any method has to beat")

# %%
starts = {row["paper"]: row["bicubic enlargement, dB"] for row in rows}
easiest, hardest = max(starts, key=starts.get), min(starts, key=starts.get)
run.note(
    f"The starting points of the papers differ by {starts[easiest] - starts[hardest]:.1f} dB on the same faces: {starts[hardest]:.1f} dB ({hardest}) to {starts[easiest]:.1f} dB ({easiest})."
)

# %%
few = [0, len(faces) // 2]
lr = {paper: rule(hr[few], torch.Generator().manual_seed(SEED)) for paper, rule in recipes.items()}
titles = ("HR", "1 GAN /2", "2 SelfSR /8", "2, 3 start /4", "2, 3 real /4", "4 ISR-KD /8")
run.figure(
    image_grid(dict(zip(titles, [hr[few], *lr.values()], strict=True))),
    "papers",
    "What the networks of the four papers get to see of the same faces. Smaller images show their pixels.",
    "Two rows of a portrait and its five low-resolution versions, from nearly recognisable to eight pixels wide.",
)

# %% [markdown]
# Papers 2 and 3 go further: a network *learns* what separates real LR faces from bicubic ones (`20_selfsr_degradation`, `30_teacher_student`).
#
# ## A super-resolver learns its recipe, not just faces
#
# The smallest super-resolver that learns: every HR pixel is a weighted sum of the 5 x 5 LR pixels around it, the weights fitted by least squares on other
# people. We fit one for each recipe and test all on all.
#
# *Predict the diagonal. Then: who is worst off, the one trained on blurred images and tested on clean ones, or the other way round?*


# %%
def neighbours(lr):
    """LR (N, 3, h, w) -> (N h w, 26): grey values around each pixel, and 1 for the bias."""
    patches = F.unfold(F.pad(lr.mean(1, keepdim=True), (2, 2, 2, 2), mode="replicate"), 5)
    patches = patches.transpose(1, 2).flatten(0, 1)
    return torch.cat([patches, torch.ones_like(patches[:, :1])], dim=1).double()


def fit(lr, hr):
    """Least squares: (26, 16) weights for the 4 x 4 HR pixels of one LR pixel."""
    targets = F.pixel_unshuffle(hr.mean(1, keepdim=True), 4).flatten(2).transpose(1, 2).flatten(0, 1)
    return torch.linalg.lstsq(neighbours(lr), targets.double()).solution


def apply(weights, lr):
    n, _, h, w = lr.shape
    pixels = (neighbours(lr) @ weights).view(n, h, w, 16).permute(0, 3, 1, 2)
    return F.pixel_shuffle(pixels, 4).float().clamp(0, 1).expand(-1, 3, -1, -1)


# %%
tried = ("bicubic", "average pooling", "one bilinear step", "blur, bilinear", "hidden")
methods = {"nothing (bicubic enlargement)": partial(enlarge, scale=4)}
for kind in tried:
    batch = next(eval_batches(train, Recipe(kind, 4).rule(), len(train), SEED))
    methods[kind] = partial(apply, fit(batch["lr"], batch["hr"]))
{name: tuple(method(Bicubic(4)(hr[:1])).shape) for name, method in methods.items()}

# %%
rows = []
for trained_on, method in methods.items():
    row = {"learned": trained_on}
    for kind in tried:
        rule = Recipe(kind, 4).rule()
        values = evaluate(method, eval_batches(faces, rule, 50, SEED), [PSNR])[PSNR]
        row[kind] = values.mean().item()
        if trained_on in tried:  # bicubic enlargement was recorded above
            run.score(f"linear SR for {trained_on}", faces.named(f"{faces.name}, {rule.name}"), PSNR, values)
    rows.append(row)
run.table("mismatch", rows, "PSNR (dB); rows: the recipe that a linear super-resolver learned; columns: the one it met")

# %% cellView="form" jupyter={"source_hidden": true} tags=["hide-input"]
# @title Answer
own = {kind: next(row[kind] for row in rows if row["learned"] == kind) for kind in tried}
nothing = rows[0]
won = sum(own[kind] >= max(row[kind] for row in rows) for kind in tried)
by_name = {row["learned"]: row for row in rows}
undo, leave = by_name["blur, bilinear"]["bicubic"], by_name["bicubic"]["blur, bilinear"]
answer(
    f"{won} of {len(tried)} columns are won by the model that learned their recipe; against bicubic enlargement it gains up to "
    f"{max(own[kind] - nothing[kind] for kind in tried):.1f} dB. Trained on blurred images and tested on clean ones: {undo - nothing['bicubic']:+.1f} dB against no learning at "
    f"all; the other way round: {leave - nothing['blur, bilinear']:+.1f} dB. To undo a blur is to amplify fine waves. Where they were never weakened, "
    "the model amplifies them all the same, and noise and aliases with them."
)

# %%
clean, blurred = (Recipe(kind, 4)(hr[:1]) for kind in ("bicubic", "blur, bilinear"))
pairs = {
    "HR": hr[:1],
    "learned clean,\nmet clean": methods["bicubic"](clean),
    "learned clean,\nmet blurred": methods["bicubic"](blurred),
    "learned blurred,\nmet blurred": methods["blur, bilinear"](blurred),
    "learned blurred,\nmet clean": methods["blur, bilinear"](clean),
}
run.figure(
    image_grid(pairs, labels={name: [f"{psnr(sr, hr[:1]).item():.1f} dB"] for name, sr in list(pairs.items())[1:]}, cell=2),
    "mismatch",
    "One linear super-resolver, fitted to clean and to blurred LR images, on clean and on blurred LR of a person it never saw.",
    "Five portraits: the original, and the outputs of two super-resolvers on clean and on blurred input.",
)

# %% [markdown]
# That is the reason for papers 2 and 3: a network trained on bicubic pairs meets photographs that MATLAB never shrank.

# %% [markdown]
# **To think about.** A paper trains on bicubic pairs and reports 0.3 dB more than its rival, which trained on average-pooled pairs; both were tested on
# bicubic LR. What has been shown?

# %% [markdown] tags=["solution"]
# <details><summary>One answer</summary>
#
# That training on the recipe of the test helps, which the table above shows for a model with no ideas at all. Nothing follows about the methods. Each
# should be trained on both recipes and tested on both; only a gain that stays on the diagonal belongs to the method.
#
# </details>

# %% [markdown]
# ## Explore
#
# Move anything; the numbers follow. Bring a picture of your own if you like. The static grids above show the same without a kernel.
#
# *Try: the zone plate under "average pooling" at each scale. A blur with a kernel of 1. The hidden recipe with no motion, no noise and quality 100.*

# %%
from facesr_lib.data import dicebear_cartoons

pictures = {
    "portrait": portrait,
    "zone plate": plate,
    "cartoon": dicebear_cartoons(1, 128, split="test").take([0]),
    "test face": hr[:1],
}
degradation_explorer(pictures)

# %% [markdown]
# And a wipe between LR's own pixels and their bicubic enlargement; below it the same without a kernel.

# %%
lr = Bicubic(4)(portrait)
wipe(lr, enlarge(lr, 4), titles=("LR", "bicubic x4"))

# %%
run.figure(
    wipe_grid(lr, enlarge(lr, 4), titles=("LR", "bicubic x4")),
    "wipe",
    "LR's own pixels left of the line, their bicubic enlargement right of it: the same information twice.",
    "Five portraits; a vertical line moves from the right border to the left one.",
)

# %% [markdown]
# ## In short
#
# - LR is made by a recipe. The recipe decides what is lost (blur), what is invented (aliasing, noise) and where the pixels are (displacement).
# - Scores under different recipes cannot be compared: the recipe alone is worth more than most methods.
# - What learns from pairs learns their recipe too, and fails on another. Papers 2 and 3 start from this problem.
#
# To read: [Keys, 1981](https://doi.org/10.1109/TASSP.1981.1163711) on the bicubic kernel; [Zhang et al., 2021](https://arxiv.org/abs/2103.14006) on degradations
# for training that stand for real photographs.
#
# **Next:** `05_data`, where the images themselves come from.

# %%
run.finish()
