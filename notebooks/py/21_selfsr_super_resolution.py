# ---
# jupyter:
#   facesr:
#     hardware:
#       evening: CPU
#       paper: four GPUs, 16 GB each
#       quick: CPU
#       smoke: CPU
#       workshop: GPU
#     minutes:
#       evening: 35
#       paper: 2900
#       quick: 4.2
#       smoke: 0.3
#       workshop: 10
#     paper: selfsr
#     study: 45
#     title: 'SelfSR 2: self-conditioned progressive super-resolution'
#   kernelspec:
#     display_name: Python 3 (ipykernel)
#     language: python
#     name: python3
# ---

# %% [markdown]
# # SelfSR 2: self-conditioned progressive super-resolution
#
# [![Open in Binder](https://mybinder.org/badge_logo.svg)](https://mybinder.org/v2/gh/facesr/facesr/v0.1.0?urlpath=lab/tree/notebooks/21_selfsr_super_resolution.ipynb)
# [![Open in Colab](https://colab.research.google.com/assets/colab-badge.svg)](https://colab.research.google.com/github/facesr/facesr/blob/v0.1.0/notebooks/21_selfsr_super_resolution.ipynb)
#
# **Aim:** train stage 2 of *SelFSR* (Zeng et al.): a network that grows from x2 to x8 while it learns, and that is reminded of its input at every block.
#
# You will
# - see what normalising features throws away, and how the LR image itself puts it back;
# - watch one network grow x2, x4, x8, with pairs and without;
# - look at what the condition branch found (the paper's Fig. 9) and at faces where everything fails (Fig. 10).
#
# **You need:** `10_human_face_gan`. **Time:** about 45 minutes of yours; about 4.2 minutes in `quick` on a CPU. **Hardware:** CPU for `quick`; a GPU above it.

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
from facesr_lib.papers import SELFSR
from facesr_lib.plot import curves, image_grid, style

style()
run = Run.start(
    "21_selfsr_super_resolution",
    title="SelfSR 2: self-conditioned progressive super-resolution",
    paper="selfsr",
    profile=PROFILE,
    seed=SEED,
    device=DEVICE,
    data_root=DATA_ROOT,
    output_dir=OUTPUT_DIR,
)
run

# %%
from facesr_lib.papers.selfsr import Config
from facesr_lib.papers.selfsr.experiments import Experiments
from facesr_lib.papers.selfsr.names import PAIRED, PSNR_ORIENTED, UNPAIRED
from facesr_tools.stages import training_ahead

config = Config.preset(PROFILE)
experiments = Experiments(config, DATA_ROOT, run.stages, SEED, DEVICE)
print(training_ahead(experiments, run))
test, scale = experiments.test, config.paired.scale
run.config(config.paired, "paired")

# %% [markdown]
# Read three lines of this table with care. `residual`: the paper's network paints the face anew; ours, in the small profiles, adds to the bicubic enlargement
# of its input, because minutes of training do not suffice to learn to copy (`22_selfsr_ablations` trains it the paper's way, too). `adversarial` and
# `reconstruction`: the paper's weights are lost; these are ours, and the small profiles weigh the adversarial loss less, least of all without pairs.
#
# ## Eight pixels wide
#
# The paper goes x8, from 16 to 128 pixels. Our packaged faces are 92 pixels wide, so in `quick` x8 means 8 to 64.
# *Look at the LR column first: would you recognise these people?*

# %%
from facesr_lib.image import Bicubic, resize_bicubic

degrade = Bicubic(scale)
chosen = [0, len(test) // 3, 2 * len(test) // 3]
hr = test.take(chosen)
lr = degrade(hr)
run.figure(
    image_grid({"LR": lr, "bicubic": resize_bicubic(lr, scale), "HR": hr}, cell=1.9),
    "setting",
    "The task: from the left column to the right one. Bicubic is what the numbers are compared with.",
    "Three rows of three portraits: 8 pixels wide, its blurred enlargement, the original.",
)

# %% [markdown]
# ## The self-conditioned block
#
# Equation (6): the features $h$ of a convolution are normalised per sample and channel, then scaled, position by position, by a number that a small branch
# computes from the *input image* $c$, resized to the features' size:
#
# $$h' = \sigma(c) \cdot \frac{h - \mu_{nc}}{\sigma_{nc}}$$
#
# There is no shift. Landmarks or parsing maps, which other face networks need, are replaced by the face itself.

# %%
from facesr_lib.papers.selfsr import Generator, SelfConditionedBlock

show_source(SelfConditionedBlock)

# %%
from facesr_tools.diagram import Diagram

width = Config.preset("paper").paired.width
with torch.device("meta"):  # sizes without memory
    inputs = {"features h": torch.zeros(1, width, 32, 32), "LR image c, resized": torch.zeros(1, 3, 32, 32)}
    diagram = Diagram.of_network("Self-conditioned block", SelfConditionedBlock(width), inputs, depth=2)
run.figure(
    diagram.draw(),
    "network_block",
    "One block at the paper's width and 32 pixels, drawn from the module (Fig. 4 of the paper): the image decides how strongly each position "
    "of each normalised channel counts.",
    diagram.alt,
)

# %% [markdown]
# What does the normalisation forget? Take one channel of features and double its contrast, or add a constant: after the division the result is the
# same. *Predict the two numbers before you run the cell.*

# %%
torch.manual_seed(SEED)
h = torch.randn(1, 4, 8, 8)


def normalised(x):
    return torch.nn.functional.instance_norm(x)


difference = {"contrast doubled": normalised(2 * h) - normalised(h), "brighter by 3": normalised(h + 3) - normalised(h)}
{name: f"{d.abs().max():.1e}" for name, d in difference.items()}

# %% [markdown]
# So brightness and contrast must come back through $\sigma(c)$, and that is the point: the image says where the face is bright.
#
# ## The network grows
#
# Each level doubles the size. Training starts at x2; a new level is faded in with a weight $\alpha$ that goes from 0 to 1, so that nothing jumps:
#
# $$\mathrm{SR} = (1 - \alpha)\,\mathrm{up}(\mathrm{SR}_{l-1}) + \alpha\,\mathrm{SR}_l$$

# %%
show_source(Generator)

# %%
from facesr_lib.papers.selfsr import networks

with torch.device("meta"):
    network, shape = networks(Config.preset("paper"))["generator, pairs x8"]
    diagram = Diagram.of_network("Generator, x8", network, {"LR": torch.zeros(1, *shape)})
run.figure(
    diagram.draw(),
    "network_generator",
    "The grown generator at the paper's size, drawn from the module (Fig. 3 of the paper). A matrix product is the bicubic enlargement of the "
    "LR image, which enters every level anew.",
    diagram.alt,
)

# %%
from facesr_lib.papers.selfsr import networks

rows = []
for preset in dict.fromkeys((PROFILE, "paper")):
    with torch.device("meta"):  # sizes without memory
        for name, (network, shape) in networks(Config.preset(preset)).items():
            count = sum(p.numel() for p in network.parameters())
            rows.append({"preset": preset, "network": name, "input": str(shape), "parameters": count})
ours = next(row["parameters"] for row in rows if row["preset"] == "paper" and row["network"].startswith("generator, pairs"))
run.table("networks", rows, f"Parameters. The paper says 17.89 M for its generator; ours at full width has {ours / 1e6:.2f} M")

# %% [markdown]
# Table I prints 21.80 M for DIC, the rival with landmarks. A count needs no training: it goes into the scores as it is, the same for every profile.

# %%
from facesr_lib.evaluate.bootstrap import GROUPS
from facesr_lib.metrics import Metric

COUNT = Metric("parameters_paper", "parameters", convention="generator, paper preset, counted", unit="M", higher_is_better=False)
run.set_score(PAIRED, test, COUNT, ours / 1e6, replicates=[ours / 1e6] * GROUPS)  # the same whoever is left out
(reference,) = SELFSR.published(table="Table I", row="SelfSR paired", column="parameters")
run.published(reference, method=PAIRED, images=test, metric=COUNT, differs="nothing: the generator of the paper preset")

# %% [markdown]
# ## What pulls at it
#
# | | with pairs | without pairs |
# |---|---|---|
# | adversarial, hinge (7) | $-D(G(x))$ | the same |
# | reconstruction (8) / (11) | $\lVert y - G(x)\rVert_1$ | $\lVert x - \mathrm{down}(G(x))\rVert_1$, bicubic and differentiable |
# | on $D$: hinge (7) and R1 (9) | $\frac{\gamma}{2}\,\mathbb{E}\lVert\nabla D(y)\rVert^2$, $\gamma = 10$ | the same |
#
# Without pairs nothing says which face is meant, only what it must look like when shrunk.

# %%
from facesr_lib.papers.selfsr import SelfSR

show_source(SelfSR.step)

# %%
show_source(SelfSR.discriminator_terms)

# %% [markdown]
# R1 is a gradient inside a loss, so its own gradient is a second derivative: PyTorch must be told to keep the graph (`create_graph=True`).

# %%
from facesr_lib.losses import r1_penalty

show_source(r1_penalty)

# %% [markdown]
# ## Training
#
# Three runs: with pairs; without (HR faces of one half of the people, LR faces of the other half); and with pairs but without a discriminator
# ("PSNR-oriented"), for comparison. *Predict the order in PSNR, and the order in LPIPS.*

# %%
show_source(Experiments._bicubic)

# %%
paired = experiments.trained(PAIRED)
unpaired = experiments.trained(UNPAIRED)
psnr_only = experiments.trained(PSNR_ORIENTED)

# %%
growth = [{**row, "level": config.paired.stage(int(row["step"]) - 1)[0]} for row in paired.log]
smooth = max(1, len(growth) // 30)
starts = ", ".join(str(step) for step in config.paired.grow_at)
run.figure(
    curves(growth, "g_reconstruction", "d_real", "d_fake", average=smooth, ylabel="weighted term", title="Terms while growing"),
    "terms",
    f"Loss terms with pairs. A level is added at steps {starts}: the task changes there, and so do the terms.",
    "Three noisy curves over training steps with jumps where levels are added.",
)

# %%
run.figure(
    curves(paired.log, "d_r1", average=smooth, ylabel="gamma/2 times squared slope", title="R1 on real faces"),
    "r1",
    "The R1 term: how steep the discriminator is at real faces. It falls where a level is added, and grows again as the discriminator learns to tell.",
    "A noisy curve over training steps.",
)

# %% [markdown]
# ## One face, growing
#
# One network serves every factor up to its last: ask it for x2, x4 or x8.

# %%
from facesr_lib.explore.growing import growth_explorer, growth_fade, growth_strip

run.figure(
    growth_strip(paired.method, lr[:1], hr[:1]),
    "growth",
    "The same network at x2, x4 and x8, each at its own resolution, between its input and the original.",
    "Five portraits of one person: LR, three growing super-resolved versions, HR.",
)

# %% [markdown]
# The last level fading in, as training saw it. The slider below goes through all levels: whole numbers are finished levels, in between $\alpha$ runs from 0 to 1.

# %%
run.figure(
    growth_fade(paired.method, lr[:1], config.paired.levels),
    "fade",
    "The last level at five values of alpha. At 0 it is the level below, enlarged: growing changes nothing at first.",
    "Five portraits, from coarse blocks to the finished picture.",
)

# %%
growth_explorer(paired.method, lr[:1])

# %% [markdown]
# ## Results on people nobody trained on

# %%
from facesr_lib.evaluate import Backends, Scoring

backends = Backends.find(run)
scoring = Scoring(run, test, degrade, crop=scale, backends=backends)
METHODS = {
    "bicubic": lambda lr: resize_bicubic(lr, scale).clamp(0, 1),
    PAIRED: paired.method.super_resolve,
    UNPAIRED: unpaired.method.super_resolve,
    PSNR_ORIENTED: psnr_only.method.super_resolve,
}
rows = [scoring(name, method) for name, method in METHODS.items()]
people = len(set(test.groups))
run.table(
    "table_1",
    rows,
    f"Mean over {len(test)} test images of {people} unseen people, x{scale}, bicubic LR; PSNR and SSIM on Y, border of {scale} cropped",
)

# %%
differs = (
    f"{test.name} instead of CelebA, {config.paired.lr_size} to {config.paired.hr_size} instead of 16 to 128 pixels, {config.paired.steps} steps "
    f"instead of 160,000, width {config.paired.width} instead of 256"
    f"{', a residual over the enlarged LR' if config.paired.residual else ''}"
)
columns = {f"CelebA {family}": metric for family, metric in scoring.columns().items()}
names = {"SelfSR paired": PAIRED, "SelfSR unpaired": UNPAIRED, "Bicubic": "bicubic"}
for row, method in names.items():
    for column, metric in columns.items():
        (reference,) = SELFSR.published(table="Table I", row=row, column=column)
        beside = run.published(reference, method=method, images=test, metric=metric, differs=differs)
beside

# %% [markdown]
# ### The paper's own test sets (Table I)
#
# The paper tests on CelebA and on Helen. `DATA_ROOT` with `celeba-wild` makes the table above its CelebA half; with `helen`, here is the other one.

# %%
helen, own = experiments.helen, []
if helen:
    on_helen = Scoring(run, helen, degrade, crop=scale, backends=backends)
    own = [on_helen(name, method) for name, method in METHODS.items()]
    differs = (
        f"{config.paired.lr_size} to {config.paired.hr_size} instead of 16 to 128 pixels, trained on {experiments.train.name}, {config.paired.steps} steps "
        f"instead of 160,000, width {config.paired.width} instead of 256"
    )
    for row, method in names.items():
        for family, metric in on_helen.columns().items():
            (reference,) = SELFSR.published(table="Table I", row=row, column=f"Helen {family}")
            run.published(reference, method=method, images=helen, metric=metric, differs=differs)
(
    run.table("table_1_helen", own, f"Mean over {len(helen)} test faces of Helen, x{scale}, bicubic LR, conventions as above")
    if own
    else "Helen is not prepared: `facesr data prepare helen --root DIR`, then run with DATA_ROOT = DIR."
)

# %% [markdown]
# ### The faces (Fig. 5)

# %%
given = lr.to(run.device)
run.figure(
    image_grid(
        {"LR": given, **{name: method(given) for name, method in METHODS.items()}, "HR": hr}, cell=1.7, zoom=(0.3, 0.2, 0.4)
    ),
    "samples",
    "Three unseen people. Look at the eyes: at 8 pixels they are one or two dark pixels, and every method must guess.",
    "A grid of portraits: one row per person, one column per method, with a part of each, enlarged, below it.",
)

# %% [markdown]
# ### After your minutes, after our evening
#
# facesr can come with networks that trained for an evening on two CPU cores. Two of them meet the same test people here, bicubic LR and x8 as above. They
# learned from faces of the size that the caption names, so no score is taken. *Look at the eyes again: what does time buy, with and without an adversary?*

# %%
from facesr_lib.shipped import load_shipped

columns = {"LR": lr}
for name, slug in ((PSNR_ORIENTED, "selfsr-selfsr-psnr-oriented"), (PAIRED, "selfsr-selfsr")):
    if comes := load_shipped(slug, SelfSR):
        evening, facts = comes
        columns |= {
            f"{name}\nafter this run": METHODS[name](given),
            f"{name}\nafter our evening": evening.super_resolve(lr.cpu()),
        }
(
    run.figure(
        image_grid({**columns, "HR": hr}, cell=1.7, zoom=(0.3, 0.2, 0.4)),
        "after_an_evening",
        f"Both networks as trained above ({PROFILE}), and as they come with facesr. The last one: {facts['about']}.",
        "Three people, one row each, with a part enlarged: LR, each network after this run and after an evening, the original.",
    )
    if len(columns) > 1
    else "This installation comes without trained networks, so there is nothing to put beside yours."
)

# %% [markdown]
# ## What the condition branch sees (Fig. 9)
#
# $\sigma(c)$ multiplies the features: bright means "count this place more". The paper finds edges in shallow blocks and semantic parts in deep ones.
# *Look for: outlines, eyes, mouth. Which blocks follow the image closely, and which smooth it?*

# %%
with torch.no_grad():
    maps = paired.method.inference_network("generator").scales(2 * given[:1] - 1)
picked = {f"block {index + 1}": m for index, m in enumerate(maps)}


def stretched(m):
    """The four channels that vary most over the image, each scaled to fill [0, 1]."""
    m = m[0].cpu()
    m = m[m.flatten(1).std(1).argsort(descending=True)[:4]]
    low, high = m.amin(dim=(1, 2), keepdim=True), m.amax(dim=(1, 2), keepdim=True)
    return ((m - low) / (high - low).clamp(min=1e-6))[:, None]


run.figure(
    image_grid({name: stretched(m) for name, m in picked.items()}, cell=1.15),
    "condition_maps",
    "The four liveliest channels of sigma(c) in every block, first to last (each stretched to full contrast).",
    "A grid of grey maps: columns are blocks, rows are channels; outlines of a face appear in many.",
)

# %% [markdown]
# ## Where it fails (Fig. 10)
#
# The paper names two kinds of failure: input that nobody can read, and input that is hard: blurred, turned far to the side, covered. We take the test faces with the lowest
# PSNR, and the one that resembles its mirror image least (turned, or lit from one side); two we make: a face blurred before it is shrunk, and a face with a grey bar in front.

# %%
from facesr_lib.image import gaussian_blur

per_image = run.values(PAIRED, test, scoring.columns()["PSNR"])
worst = per_image.argsort()[:2].tolist()
covered = hr[:1].clone()
side = covered.shape[-1]
covered[..., side // 2 : 3 * side // 4, side // 4 : 3 * side // 4] = covered.mean()
everybody = test.take(range(len(test)))
turned = (everybody - everybody.flip(3)).abs().mean(dim=(1, 2, 3)).argmax().item()
faces = torch.cat([test.take([*worst, turned]), gaussian_blur(hr[:1], side // 4 * 2 - 1, side / 16), covered])
hard = degrade(faces).to(run.device)
run.figure(
    image_grid(
        {"LR": hard, "bicubic": resize_bicubic(hard, scale), PAIRED: paired.method.super_resolve(hard), "HR": faces}, cell=1.7
    ),
    "failures",
    f"From top: the two test faces with the lowest PSNR ({per_image[worst[0]]:.1f} and {per_image[worst[1]]:.1f} dB), the face least like its mirror image, a blurred face, a covered face.",
    "Five rows of portraits on which the network does badly.",
)

# %% [markdown]
# ## Verdicts

# %%
by = {row["method"]: row["PSNR Y (dB)"] for row in rows}
run.note(
    f"x{scale}: with pairs {by[PAIRED]:.2f} dB on Y against bicubic's {by['bicubic']:.2f}; without pairs {by[UNPAIRED]:.2f}; "
    f"without the game {by[PSNR_ORIENTED]:.2f}."
)
if lpips := columns.get("CelebA LPIPS"):
    best = min(rows, key=lambda row: row[lpips.label])
    run.note(
        f"The lowest {lpips.label} is that of {best['method']}: {best[lpips.label]:.3f}, bicubic's is {rows[0][lpips.label]:.3f}."
    )

# %%
from facesr_tools.verdicts import verdicts

verdicts(run, SELFSR.claims)

# %% [markdown]
# ## Exercises
#
# **1. Equation (6).** `features` and `scale` are (N, C, H, W). Normalise per sample and channel (add 1e-5 to the variance), then scale.


# %% tags=["exercise"]
def my_self_conditioning(features, scale):
    raise NotImplementedError


# %%
from facesr_lib.exercises.selfsr import check_fade, check_self_conditioning

check_self_conditioning(my_self_conditioning)


# %% tags=["solution"] jupyter={"source_hidden": true}
def my_self_conditioning(features, scale):
    mean = features.mean(dim=(2, 3), keepdim=True)
    variance = features.var(dim=(2, 3), keepdim=True, unbiased=False)
    return scale * (features - mean) / (variance + 1e-5).sqrt()


check_self_conditioning(my_self_conditioning)

# %% [markdown]
# **2. Fading in.** `below` is the output of the level below (N, 3, h, w), `sr` that of the new level (N, 3, 2h, 2w), `alpha` in [0, 1].


# %% tags=["exercise"]
def my_fade(below, sr, alpha):
    raise NotImplementedError


# %%
check_fade(my_fade)


# %% tags=["solution"] jupyter={"source_hidden": true}
def my_fade(below, sr, alpha):
    enlarged = torch.nn.functional.interpolate(below, scale_factor=2, mode="nearest")
    return (1 - alpha) * enlarged + alpha * sr


check_fade(my_fade)

# %% [markdown]
# **To think about.** The unpaired run sees every LR face's own average brightness, but nobody's eyes. Which mistakes can its reconstruction term not see?
# (Everything that bicubic reduction throws away: add a fine pattern to a face and shrink it.)

# %%
run.finish()
