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
#       paper: 0.4
#       quick: 0.24
#       smoke: 0.3
#       workshop: 0.4
#     paper: null
#     study: 70
#     title: What an edge is
#   kernelspec:
#     display_name: Python 3 (ipykernel)
#     language: python
#     name: python3
# ---

# %% [markdown]
# # What an edge is
#
# [![Open in Binder](https://mybinder.org/badge_logo.svg)](https://mybinder.org/v2/gh/facesr/facesr/v0.1.0?urlpath=lab/tree/notebooks/02_edges.ipynb)
# [![Open in Colab](https://colab.research.google.com/assets/colab-badge.svg)](https://colab.research.google.com/github/facesr/facesr/blob/v0.1.0/notebooks/02_edges.ipynb)
#
# **Aim:** know the edge detectors that two of the papers build on, what they see in a face, and what of it super-resolution loses first.
#
# You will
# - differentiate an image, once (Sobel, Canny) and twice (DoG, LoG), and check the twice against its closed form;
# - see what ISR-KD's edge block keeps, without a single weight;
# - measure how many edges of a face survive x2, x4 and x8;
# - look at the very edge maps that the networks of papers 3 and 4 receive.
#
# **You need:** `00_start_here`. **Time:** about 70 minutes of yours; about 25 seconds on a CPU. **Hardware:** any.

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
from facesr_lib.explore.edges import DETECTORS, EdgeDetector, bicubic_methods, edge_explorer, edge_grid, kept
from facesr_lib.plot import curves, image_grid, style

style()
run = Run.start(
    "02_edges",
    title="What an edge is",
    paper=None,
    profile=PROFILE,
    seed=SEED,
    device=DEVICE,
    data_root=DATA_ROOT,
    output_dir=OUTPUT_DIR,
)
run

# %%
from facesr_lib.data import astronaut_face, load_faces
from facesr_lib.image import rgb_to_grey

faces = load_faces(DATA_ROOT, "test", size=64)
if PROFILE == "smoke":
    faces = faces.limit(10)
portrait = astronaut_face(128)  # NASA, public domain
grey = rgb_to_grey(portrait)
grey.shape

# %% [markdown]
# ## One derivative: Sobel
#
# An edge is where the image changes fast. Differences of neighbours estimate the derivative; Sobel averages them over three rows (or columns), which tames
# noise:
#
# $$S = \begin{pmatrix} -1 & 0 & 1 \\ -2 & 0 & 2 \\ -1 & 0 & 1 \end{pmatrix}, \qquad G_x = S \star I, \qquad G_y = S^\top \star I, \qquad |G| = \sqrt{G_x^2 + G_y^2}$$
#
# *Predict: in $G_x$, is the left outline of the face bright or dark? And the parting of the lips?*

# %%
from facesr_lib.image import sobel

across, down = sobel(grey).chunk(2, dim=1)
strength = (across**2 + down**2).sqrt()
strength.max().item()  # a step from black to white would give 4

# %%
run.figure(
    image_grid({"picture": portrait, "d/dx": 0.5 + across / 4, "d/dy": 0.5 + down / 4, "length": strength / 2}, cell=2.3),
    "sobel",
    "Sobel's derivatives (grey is 0, white: it gets brighter to the right, or downwards) and the length of the gradient.",
    "A portrait, its two derivative pictures in relief, and white outlines on black.",
)

# %% cellView="form" jupyter={"source_hidden": true} tags=["hide-input"]
# @title Answer
row = across[0, 0, 45]  # through the hair
outline = row[row.abs() > 0.5][0].item()
answer(
    f"The left outline is {'dark' if outline < 0 else 'bright'} ({outline:+.1f}): from the background to the hair the brightness {'falls' if outline < 0 else 'rises'} to the right. The "
    "lips part along a horizontal line. Across it the brightness changes from top to bottom, so it stands in d/dy, and d/dx shows only its ends."
)

# %% [markdown]
# ## From slopes to lines: Canny
#
# Sobel's outlines are thick, and how strong is an edge? Canny (1986) answers both:
#
# 1. the gradient (here Sobel's, as $|G_x| + |G_y|$ in grey levels);
# 2. keep a pixel only if it is the strongest *across* its edge: lines of one pixel;
# 3. above the high threshold: an edge; below the low one: none;
# 4. in between: an edge if it continues one (*hysteresis*).
#
# *Predict: which threshold decides where lines begin, and which one how far they run?*

# %%
from facesr_lib.image import canny

settings = [(50, 100), (50, 255), (100, 200), (100, 400), (300, 400)]
run.figure(
    image_grid({f"{low}, {high}": canny(portrait, low, high) for low, high in settings}, cell=2),
    "canny",
    "Canny with five pairs of thresholds, low and high. (50, 255) is paper 4's; (100, 200) is our choice for paper 3, which does not tell.",
    "Five line drawings of one portrait, from busy to a few outlines.",
)

# %% cellView="form" jupyter={"source_hidden": true} tags=["hide-input"]
# @title Answer
counts = {pair: int(canny(portrait, *pair).sum()) for pair in settings}
answer(
    f"The high one decides where lines begin, the low one how far they run. With the low one at 100, raising the high one from 200 to 400 takes {counts[100, 200]} edge pixels to "
    f"{counts[100, 400]}: whole lines are gone. With the high one at 400, raising the low one from 100 to 300 takes {counts[100, 400]} to {counts[300, 400]}: the same lines begin, and end sooner."
)


# %% [markdown]
# Canny has no gradient: a pixel is in or out. As an input (paper 3) or as a target (paper 4) that does no harm. As a part of a loss on the network's own
# output it would be useless.

# %% [markdown]
# ### Exercise 1
#
# **1. Hysteresis.** Canny's last step. From a map `strength` (H, W): True where it is above `low` *and* connected, through pixels above `low`, to a pixel
# above `high`. All eight neighbours count. (Hint: grow the strong pixels with a 3 x 3 maximum until nothing changes.)


# %% tags=["exercise"]
def my_hysteresis(strength, low, high):
    raise NotImplementedError


# %%
from facesr_lib.exercises.edges import check_hysteresis

check_hysteresis(my_hysteresis)


# %% tags=["solution"] jupyter={"source_hidden": true}
def my_hysteresis(strength, low, high):
    weak, found = strength > low, strength > high
    while True:
        near = torch.nn.functional.max_pool2d(found.float()[None], 3, stride=1, padding=1)[0] > 0
        if torch.equal(near & weak, found):
            return found
        found = near & weak


check_hysteresis(my_hysteresis)

# %% [markdown]
# ## Two derivatives: DoG and LoG
#
# Where the slope is steepest, the second derivative crosses zero; on a thin line it is largest. Its direction-free form is the Laplacian, and noise demands a blur first:
# the Laplacian of a Gaussian, LoG. Subtracting two blurs is nearly the same, because blurring is heat flow:
#
# $$\frac{\partial G_\sigma}{\partial (\sigma^2)} = \tfrac12 \nabla^2 G_\sigma
# \quad\Longrightarrow\quad
# \underbrace{G_{\sigma_1} - G_{\sigma_2}}_{\text{DoG}} \approx -\tfrac12\,(\sigma_2^2 - \sigma_1^2)\, \nabla^2 G_\sigma .$$
#
# On a wave of $\omega$ radians per pixel both are known exactly. A blur multiplies it by $e^{-\sigma^2\omega^2/2}$, so
#
# $$\text{DoG: } e^{-\sigma_1^2\omega^2/2} - e^{-\sigma_2^2\omega^2/2}, \qquad \text{LoG: } -\omega^2 e^{-\sigma^2\omega^2/2} .$$
#
# *Predict: what does DoG make of an evenly grey picture? Of the finest checkerboard?*

# %%
from facesr_lib.image import dog, laplacian_of_gaussian

show_source(dog)

# %%
SIGMA1, SIGMA2 = 1.0, 1.6  # Marr and Hildreth's ratio of 1.6
s1, s2 = SIGMA1**2, SIGMA2**2
sigma = (s1 * s2 / (s2 - s1) * torch.tensor(s2 / s1).log()).sqrt().item()  # where LoG and DoG cross zero at one radius
u = torch.arange(96, dtype=torch.float64)
omegas = torch.linspace(0.05, 3.1, 62, dtype=torch.float64)
waves = torch.cos(omegas[:, None] * u).view(-1, 1, 1, 96).expand(-1, 1, 96, 96)
inside = (..., slice(32, 64), slice(32, 64))


def gain(filtered):
    """What each wave was multiplied by, away from the border."""
    there = waves[inside].flatten(1)
    return (filtered[inside].flatten(1) * there).sum(1) / there.square().sum(1)


f"LoG with sigma {sigma:.2f}"

# %%
measured = {
    "DoG": gain(dog(waves, SIGMA1, SIGMA2)),
    "-(s2 - s1) / 2 LoG": -(s2 - s1) / 2 * gain(laplacian_of_gaussian(waves, sigma)),
}
closed = {
    "DoG": (-s1 * omegas**2 / 2).exp() - (-s2 * omegas**2 / 2).exp(),
    "-(s2 - s1) / 2 LoG": (s2 - s1) / 2 * omegas**2 * (-(sigma**2) * omegas**2 / 2).exp(),
}
rows = [
    {
        "filter": name,
        "largest gain": f"{m.max():.4f}",
        "at (radians/pixel)": f"{omegas[m.argmax()]:.2f}",
        "largest distance from the closed form": f"{(m - closed[name]).abs().max():.1e}",
    }
    for name, m in measured.items()
]
run.table("second_derivatives", rows, f"62 waves, DoG ({SIGMA1}, {SIGMA2}), LoG ({sigma:.2f})")

# %%
rows = [{"radians per pixel": w.item(), **{n: m[i].item() for n, m in measured.items()}} for i, w in enumerate(omegas)]
figure = curves(rows, *measured, x="radians per pixel", ylabel="multiplied by", title="Both are band-pass filters")
for values in closed.values():
    figure.axes[0].plot(omegas[::3], values[::3], "k.", markersize=4)
run.figure(
    figure,
    "dog_log",
    "DoG and LoG on waves of every frequency: measured on images (lines), closed form (dots).",
    "Two humps over frequency, nearly alike, with dots on both lines.",
)

# %% cellView="form" jupyter={"source_hidden": true} tags=["hide-input"]
# @title Answer
flat = dog(torch.full((1, 1, 32, 32), 0.5), SIGMA1, SIGMA2).abs().max().item()
board = ((torch.arange(32)[:, None] + torch.arange(32)) % 2).float()[None, None]
fine = dog(board, SIGMA1, SIGMA2)[..., 8:24, 8:24].abs().max().item() / 0.5
answer(
    f"Of even grey it makes nothing ({flat:.0e}): both blurs leave it as it is. The finest checkerboard comes out at {fine:.2%} of its contrast, because both blurs remove it. What is "
    f"left is a middle band: DoG is largest at {omegas[measured['DoG'].argmax()]:.1f} radians per pixel, waves of about {6.283 / omegas[measured['DoG'].argmax()].item():.0f} pixels."
)

# %% [markdown]
# ### Exercise 2
#
# **2. DoG in closed form.** What does DoG multiply a wave of `omega` radians per pixel by? Return a number; the check measures on images.


# %% tags=["exercise"]
def my_dog_of_wave(omega, sigma1, sigma2):
    raise NotImplementedError


# %%
from facesr_lib.exercises.edges import check_dog_of_wave

check_dog_of_wave(my_dog_of_wave)


# %% tags=["solution"] jupyter={"source_hidden": true}
def my_dog_of_wave(omega, sigma1, sigma2):
    narrow, wide = (torch.tensor(-((sigma * omega) ** 2) / 2).exp().item() for sigma in (sigma1, sigma2))
    return narrow - wide


check_dog_of_wave(my_dog_of_wave)


# %% [markdown]
# How near are they on a face? The ratio of the sigmas decides.
#
# *Predict: which ratio is nearest to LoG, and what speaks against it?*

# %%
rows = []
for ratio in (1.1, 1.3, 1.6, 2.5, 4.0):
    a, b = 1.0, ratio**2
    matched = (a * b / (b - a) * torch.tensor(b / a).log()).sqrt().item()
    both = torch.stack([dog(grey, 1.0, ratio).flatten(), -laplacian_of_gaussian(grey, matched).flatten()])
    levels = 255 * both[0].abs().mean().item()
    rows.append(
        {"sigma2 / sigma1": ratio, "correlation with -LoG": torch.corrcoef(both)[0, 1].item(), "mean |DoG| (grey levels)": levels}
    )
run.table("ratios", rows, "DoG against LoG on the portrait, sigma1 = 1")

# %% cellView="form" jupyter={"source_hidden": true} tags=["hide-input"]
# @title Answer
near, far = rows[0], rows[-1]
answer(
    f"The smallest: {near['sigma2 / sigma1']:g} has a correlation of {near['correlation with -LoG']:.4f} with LoG, {far['sigma2 / sigma1']:g} one of {far['correlation with -LoG']:.4f}. But the difference of two nearly equal blurs is "
    f"nearly nothing: {near['mean |DoG| (grey levels)']:.1f} grey levels on average, against {far['mean |DoG| (grey levels)']:.1f}. On 8-bit images rounding is as large. The usual 1.6 is a compromise."
)

# %% [markdown]
# ## ISR-KD's edge block
#
# Paper 4 puts an edge detector *into* the network, on every channel of its features:
#
# $$E_k(x) = \mathrm{ReLU}\bigl(x - \mathrm{mean}_{k \times k}(x)\bigr)$$
#
# What is brighter than its surroundings passes. A box instead of the wide Gaussian, the pixel itself instead of the narrow one: a crude, one-sided DoG.
#
# *Predict: what happens to dark lines, as the lashes? And what does a larger window $k$ change?*

# %%
from facesr_lib.image import edge_residual

show_source(edge_residual)

# %%
windows = {f"k = {k}": 4 * edge_residual(grey, k) for k in (2, 5, 7, 10, 21)}
dark = 4 * edge_residual(1 - grey, 7)
run.figure(
    image_grid({"picture": grey, **windows, "k = 7 of\nthe negative": dark}, cell=1.7),
    "edge_block",
    "The edge block on the grey portrait, 4 times as bright. The paper's windows are 5, 7 and 10.",
    "A portrait and six dark pictures with bright outlines of growing width.",
)

# %% cellView="form" jupyter={"source_hidden": true} tags=["hide-input"]
# @title Answer
passing = {k: 255 * edge_residual(grey, k).mean().item() for k in (5, 21)}
answer(
    "A dark line is darker than its surroundings, so the ReLU removes it. Eyes and brows appear as the light rim *around* them; only the negative shows the dark lines themselves. "
    f"A larger window compares with a wider neighbourhood: more passes (on average {passing[5]:.1f} grey levels at k = 5, {passing[21]:.1f} at k = 21), the outlines get wider, and at last whole areas shine."
)

# %% [markdown]
# ### Exercise 3
#
# **3. The edge block.** $\mathrm{ReLU}(x - \mathrm{mean}_{k\times k})$ for odd $k$; pixels outside the image do not count in the mean.


# %% tags=["exercise"]
def my_edge_block(x, k):
    raise NotImplementedError


# %%
from facesr_lib.exercises.edges import check_edge_block

check_edge_block(my_edge_block)


# %% tags=["solution"] jupyter={"source_hidden": true}
def my_edge_block(x, k):
    mean = torch.nn.functional.avg_pool2d(x, k, stride=1, padding=k // 2, count_include_pad=False)
    return (x - mean).clamp(min=0)


check_edge_block(my_edge_block)


# %% [markdown]
# ## All of them, on HR and on SR
#
# SR here is bicubic, x4. Orange ink marks edges of HR, blue those of SR; where both lie on each other it is black.
#
# *Predict: will there be more orange or more blue?*

# %%
run.figure(
    edge_grid(portrait),
    "detectors",
    "Five detectors on the original, on a bicubic enlargement by 4, and both over each other.",
    "Six columns of edge pictures in three rows; the last row lays both over each other in orange and blue.",
)

# %% cellView="form" jupyter={"source_hidden": true} tags=["hide-input"]
# @title Answer
detect = EdgeDetector("Canny")
of_hr, of_sr = detect(portrait), detect(bicubic_methods((4,))["bicubic x4"](portrait))
lost, invented = 1 - kept(of_hr, of_sr).item(), 1 - kept(of_sr, of_hr).item()
answer(
    f"{'Orange' if of_hr.sum() > of_sr.sum() else 'Blue'}. By Canny, {lost:.0%} of HR's edge pixels have no edge of SR within a pixel, and {invented:.0%} of SR's have none of HR. "
    "Bicubic enlargement loses edges (hair, teeth, the folds of the suit) and invents few."
)


# %% [markdown]
# Now we count on many faces, of people whom no network here learns from. Of HR's Canny edges, how many have an edge of SR within a pixel (*found*)? Of SR's, how
# many have one of HR (*true*)?
#
# *Predict: sharpening brings some edges back. At what price?*

# %%
from facesr_lib.image import unsharp
from facesr_lib.metrics import Metric

methods = bicubic_methods((2, 4, 8))
methods["bicubic x4, sharpened"] = lambda hr: unsharp(methods["bicubic x4"](hr), 9, 2.0, 2.0)
hr = faces.take(range(len(faces)))
detect = EdgeDetector("Canny")
EDGES_FOUND = Metric("edges_found", "Canny edges found", convention=f"{detect.name}, within 1 px")
rows = []
for name, method in methods.items():
    of_hr, of_sr = detect(hr), detect(method(hr))
    found, true = kept(of_hr, of_sr), kept(of_sr, of_hr)
    run.score(name, faces, EDGES_FOUND, found)
    rows.append(
        {
            "SR": name,
            "edges per HR edge": (of_sr.sum() / of_hr.sum()).item(),
            "found": found.mean().item(),
            "true": true.nanmean().item(),
        }
    )
run.table(
    "canny", rows, f"{detect.name}, mean over {len(faces)} test faces of 64 px; faces without any SR edge are left out of 'true'"
)

# %% cellView="form" jupyter={"source_hidden": true} tags=["hide-input"]
# @title Answer
by_name = {row["SR"]: row for row in rows}
plain, sharper = by_name["bicubic x4"], by_name["bicubic x4, sharpened"]
answer(
    f"Found: {plain['found']:.0%} without, {sharper['found']:.0%} with sharpening. True: {plain['true']:.0%} and {sharper['true']:.0%}. "
    "Sharpening makes slopes steeper, so more of them pass Canny's thresholds: true ones first, then also the ripples that the enlargement has made."
)

# %%
run.note(
    f"Of HR's Canny edges, bicubic keeps {by_name['bicubic x2']['found']:.0%} at x2, {plain['found']:.0%} at x4 and {by_name['bicubic x8']['found']:.0%} at x8."
)

# %% [markdown]
# For the other detectors: the correlation between the map of HR and that of SR.

# %%
rows = []
for name, method in methods.items():
    sr = method(hr)
    row = {"SR": name}
    for detector in DETECTORS:
        if detector.operator != "Canny":
            pairs = zip(detector(hr).flatten(1), detector(sr).flatten(1), strict=True)
            row[detector.name] = torch.stack([torch.corrcoef(torch.stack(pair))[0, 1] for pair in pairs]).mean().item()
    rows.append(row)
run.table("correlations", rows, f"Correlation of the edge maps of SR and HR, mean over {len(faces)} test faces")

# %%
blurred, sharpened = (next(row for row in rows if row["SR"] == name) for name in ("bicubic x4", "bicubic x4, sharpened"))
names = [name for name in blurred if name != "SR"]
best, worst = (choose(names, key=blurred.get) for choose in (max, min))
run.note(
    f"At x4 the map of {best} correlates most with HR's ({blurred[best]:.2f}), that of {worst} least ({blurred[worst]:.2f}). Sharpening changes the correlations by at most "
    f"{max(abs(sharpened[name] - blurred[name]) for name in names):.2f}."
)

# %% [markdown]
# DoG and LoG look at a band of frequencies of which SR still has a part. So what an edge loss asks for depends on its detector (`04_losses`).

# %% [markdown]
# **To think about.** Canny finds far more edges after sharpening, and yet the correlation of the DoG maps hardly changes. How can both be true?

# %% [markdown] tags=["solution"]
# <details><summary>One answer</summary>
#
# Sharpening is nearly linear: it makes what is there stronger and brings nothing back. A correlation does not change when a map is multiplied by a number. Canny has fixed
# thresholds, so a stronger slope passes where a weak one did not. Part of what Canny counts is contrast, not information.
#
# </details>

# %% [markdown]
# ## What the networks receive: paper 3
#
# The teacher-student network draws the face three times. Step 2 is shown the **Canny** edges of its first drawing, step 3 the **DoG** of its second. Both are
# averaged down to the size of the features, half the SR size. We take an untrained network: its last layer starts at zero, so what it draws is the bilinear enlargement.
#
# *Predict: how much of a face is in the Canny map of that?*

# %%
from facesr_lib.explore.edge_priors import edge_priors
from facesr_lib.image import Bicubic
from facesr_lib.papers.teacher_student.networks import Canny, DoG, RecurrentSR

network = RecurrentSR(width=8, groups=1)
large = astronaut_face(256)
few = [(Canny(100, 200), DoG()), (Canny(20, 60), DoG()), (Canny(100, 200), DoG(2.0, 3.2))]
run.figure(
    edge_priors(network, Bicubic(4)(large), large, few),
    "paper3",
    "What steps 2 and 3 of an untrained network are shown, with three settings. The last column is even grey: with zero weights edges change nothing yet.",
    "Three rows of a blurred portrait and the edge maps taken from it.",
)

# %% cellView="form" jupyter={"source_hidden": true} tags=["hide-input"]
# @title Answer
soft = bicubic_methods((4,))["bicubic x4"](large)  # nearly what the untrained network draws
there = kept(canny(large, 100, 200), canny(soft, 100, 200)).item()
lower = kept(canny(large, 100, 200), canny(soft, 20, 60)).item()
answer(
    f"Only a part: in a soft enlargement Canny finds {there:.0%} of the edges that it finds in HR with the same thresholds, mostly the outline. With thresholds of 20 and 60 it finds {lower:.0%}, and others that "
    "HR does not have. DoG has no threshold, so eyes and mouth are still there, only weak."
)


# %% [markdown]
# That is the paper's order: first the outline, when the drawing is soft, then fine details, when there are some. What training makes of it is in `30_teacher_student`.

# %% [markdown]
# **To think about.** Paper 3 feeds the network edges of *its own* output: nothing that was not there before. Why could it help all the same? (`31_teacher_student_ablations`
# measures whether it does.)

# %% [markdown] tags=["solution"]
# <details><summary>One answer</summary>
#
# The edges are no new information, but they are a new *form* of it. A network of a few layers would have to build Canny's global step, following a line, by itself. The map gives it that for nothing, and tells it
# where to spend its work. It can also do harm: an edge in the wrong place is confirmed in every step.
#
# </details>

# %% [markdown]
# ## What the networks receive: paper 4
#
# ISR-KD's generator has an edge head after every doubling of the size: one channel, read from the edge block's output. Its target is the Canny map
# of the HR image *at that size*, thresholds 50 and 255.
#
# *Predict: does Canny of a small image look like a small image of Canny?*

# %%
from facesr_lib.papers.isr_kd import CANNY, WINDOWS, Halvings

sizes = Halvings(4).pyramid(large[..., :256, :256])[::-1]  # quarter, half, full
targets = {f"target, {x.shape[3]} px": canny(x, *CANNY) for x in sizes}
residuals = {
    f"edge block {k}x{k},\n{x.shape[3]} px": 4 * edge_residual(rgb_to_grey(x), k) for k, x in zip(WINDOWS, sizes, strict=True)
}
run.figure(
    image_grid({"HR": large, **targets, **residuals}, cell=1.7),
    "paper4",
    "Targets of the three edge heads, and the edge block with the head's window on the grey image of that size.",
    "A portrait, three line drawings of growing size, and three dark pictures with bright outlines.",
)

# %% cellView="form" jupyter={"source_hidden": true} tags=["hide-input"]
# @title Answer
small, *_, full = targets.values()
answer(
    f"No. {small.mean().item():.0%} of the pixels are edges in the smallest target, {full.mean().item():.0%} in the largest. At a quarter of the size the same step of brightness is spread over a quarter of the pixels. "
    "Slopes get up to four times as steep, and pass thresholds that stay the same. The lines keep the width of one pixel, so they cover more of the face."
)


# %% [markdown]
# **To think about.** Paper 4 uses Canny for the *target* of its edge heads, and the edge block *inside* the network. Why not the other way round?

# %% [markdown] tags=["solution"]
# <details><summary>One answer</summary>
#
# A target is computed once and needs no gradient, so Canny's hard yes or no does no harm there. Inside the network gradients have to pass, and through Canny none does. The edge block
# is a mean, a difference and a ReLU: its gradient is simple, and it costs no weights.
#
# </details>

# %%
from facesr_lib.papers.isr_kd import edge_error

show_source(edge_error)

# %% [markdown]
# ## Explore
#
# Choose a detector and turn its settings; only those that matter are shown. The grid above shows the same without a kernel.
#
# *Try: blur first, then Canny at low thresholds. DoG with sigmas far apart. An edge block of 21 pixels. Then the cartoon: which detector tells it from a photograph?*

# %%
from facesr_lib.data import dicebear_cartoons

pictures = {"portrait": portrait, "cartoon": dicebear_cartoons(1, 128, split="test").take([0]), "test face": hr[:1]}
edge_explorer(pictures)

# %% [markdown]
# ## In short
#
# - An edge detector is a derivative, a blur and often a threshold. Each choice decides what counts as an edge.
# - What super-resolution loses first are fine edges. Sharpening makes edges stronger, and brings no information back.
# - Paper 3 shows the network edges of its own output, paper 4 puts an edge detector into the network and asks for HR's edges.
#
# To read: [Canny, 1986](https://doi.org/10.1109/TPAMI.1986.4767851), [Marr and Hildreth, 1980](https://doi.org/10.1098/rspb.1980.0020) on DoG and LoG.
#
# **Next:** `30_teacher_student`, where edges guide a network.

# %%
run.finish()
