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
#     study: 65
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
# **You need:** `00_start_here`. **Time:** about 65 minutes of yours; about 25 seconds on a CPU. **Hardware:** any.

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
from facesr_lib.explore.edges import EdgeDetector, edge_explorer, edge_grid
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
    "Canny with five pairs of thresholds. The high one decides whether a line exists, the low one how far it is followed; (50, 255) is paper "
    "4's, (100, 200) our choice for paper 3, which does not tell.",
    "Five line drawings of one portrait, from busy to a few outlines.",
)

# %% [markdown]
# Canny has no gradient: a pixel is in or out. As an input (paper 3) or as a target (paper 4) that does no harm. As a part of a loss on the network's own
# output it would be useless.
#
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
    "DoG and LoG on waves of every frequency: measured on images (lines), closed form (dots). Both pass a middle band; DoG's is somewhat wider.",
    "Two humps over frequency, nearly alike, with dots on both lines.",
)

# %% [markdown]
# How near are they on a face? The ratio of the sigmas decides. A ratio near 1 is nearest to LoG, but then the difference is nearly nothing, and on 8-bit images
# rounding eats it.

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
    "The edge block on the grey portrait, 4 times as bright. Eyes and brows appear as the light rim *around* them; only the negative shows "
    "the dark lines themselves. The paper's windows are 5, 7 and 10.",
    "A portrait and six dark pictures with glowing outlines of growing width.",
)

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
    "Five detectors on the original, on a bicubic enlargement by 4, and both over each other: hair, teeth and the folds of the suit are gone, and hardly "
    "any false edge has come instead.",
    "Six columns of edge pictures in three rows; the overlay is mostly orange.",
)

# %% [markdown]
# Bicubic lies by omission: nearly all the edges it shows are real. Let us count, on faces of people whom no network here learns from: of HR's Canny edges, how many have
# an edge of SR within a pixel (*found*)? Of SR's, how many have one of HR (*true*)?

# %%
from facesr_lib.explore.edges import DETECTORS, bicubic_methods, kept
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

# %% [markdown]
# Sharpening brings some edges back. *Predict before you read the table: at what price?*
#
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

# %% [markdown]
# DoG and LoG are kinder to x4 than Sobel: they look at a band of which SR still has a part. So an edge loss depends on its detector (`04_losses`).
#
# And sharpening? It tripled what Canny finds, because Canny has thresholds, but the correlation of DoG stays where it was. Sharpening is linear, nearly: it makes
# what is there stronger, and brings back nothing.
#
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
    "What steps 2 and 3 of an untrained network are shown, with three settings. Canny with usual thresholds finds the outline and little else in so "
    "soft a picture; DoG still has eyes and mouth. The last column is even grey: with zero weights edges change nothing yet.",
    "Three rows of a blurred portrait and the edge maps taken from it.",
)

# %% [markdown]
# That is the paper's order: first the outline, when the drawing is soft, then fine details, when there are some. What training makes of it is in `30_teacher_student`.
#
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
    "Targets of the three edge heads, and the edge block with the head's window on the grey image of that size. The small target is no small version "
    "of the large one: at a quarter of the size, slopes are four times as steep for each pixel.",
    "A portrait, three line drawings with growing detail, and three dark pictures with glowing outlines.",
)

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
# ## Exercises
#
# **1. The edge block.** $\mathrm{ReLU}(x - \mathrm{mean}_{k\times k})$ for odd $k$; pixels outside the image do not count in the mean.


# %% tags=["exercise"]
def my_edge_block(x, k):
    raise NotImplementedError


# %%
from facesr_lib.exercises.edges import check_dog_of_wave, check_edge_block, check_hysteresis

check_edge_block(my_edge_block)


# %% tags=["solution"] jupyter={"source_hidden": true}
def my_edge_block(x, k):
    mean = torch.nn.functional.avg_pool2d(x, k, stride=1, padding=k // 2, count_include_pad=False)
    return (x - mean).clamp(min=0)


check_edge_block(my_edge_block)

# %% [markdown]
# **2. DoG in closed form.** What does DoG multiply a wave of `omega` radians per pixel by? Return a number; the check measures on images.


# %% tags=["exercise"]
def my_dog_of_wave(omega, sigma1, sigma2):
    raise NotImplementedError


# %%
check_dog_of_wave(my_dog_of_wave)


# %% tags=["solution"] jupyter={"source_hidden": true}
def my_dog_of_wave(omega, sigma1, sigma2):
    narrow, wide = (torch.tensor(-((sigma * omega) ** 2) / 2).exp().item() for sigma in (sigma1, sigma2))
    return narrow - wide


check_dog_of_wave(my_dog_of_wave)

# %% [markdown]
# **3. Hysteresis.** Canny's last step. From a map `strength` (H, W): True where it is above `low` *and* connected, through pixels above `low`, to a pixel
# above `high`. All eight neighbours count. (Hint: grow the strong pixels with a 3 x 3 maximum until nothing changes.)


# %% tags=["exercise"]
def my_hysteresis(strength, low, high):
    raise NotImplementedError


# %%
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
# **To think about.** Paper 3 feeds the network edges of *its own* output: nothing that was not there before. Why could it help all the same? (`31_teacher_student_ablations`
# measures whether it does.)
#
# **Next:** `03_metrics`, what a score means.

# %%
run.finish()
