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
#       quick: 4.1
#       smoke: 0.3
#       workshop: 10
#     paper: selfsr
#     study: 65
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
# **Aim:** train stage 2 of *SelFSR* (Zeng et al.): a network that grows from x2 to x8 while it learns, and that sees its input again at every block.
#
# You will
# - see what normalising features throws away, and how the LR image itself puts it back;
# - watch one network grow x2, x4, x8, with pairs and without;
# - look at what the condition branch found (the paper's Fig. 9) and at faces where everything fails (Fig. 10).
#
# **You need:** `10_human_face_gan`. **Time:** about 65 minutes of yours; about 4.1 minutes in `quick` on a CPU. **Hardware:** CPU for `quick`; a GPU above it.

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
from facesr_tools.live import live
from facesr_tools.stages import training_ahead

config = Config.preset(PROFILE)
experiments = Experiments(config, DATA_ROOT, live(run.stages), SEED, DEVICE)
print(training_ahead(experiments, run))
test, scale = experiments.test, config.paired.scale
run.config(config.paired, "paired")

# %% [markdown]
# Read four lines of this table with care. `residual`: the paper's network paints the face anew; ours, in the small profiles, adds to the bicubic enlargement
# of its input, because minutes of training are too few to learn to copy (`22_selfsr_ablations` trains it the paper's way, too). `adversarial` and
# `reconstruction`: the paper's weights are lost; these are ours, and the small profiles give the adversarial loss a smaller weight, the smallest one without pairs.
# `jitter`: the paper only mirrors its faces. With pairs of few people that is too little: the small profiles also shift, turn, stretch and relight them, anew in every step.
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
    f"Three rows of three portraits: {lr.shape[-1]} pixels wide, its bicubic enlargement, the original.",
)

# %% cellView="form" jupyter={"source_hidden": true} tags=["hide-input"]
# @title Answer
answer(
    f"Hardly. {lr.shape[-1]} x {lr.shape[-1]} = {lr.shape[-1] ** 2} pixels must stand for {hr.shape[-1] ** 2:,}: each of them is the weighted mean of about {scale**2} original pixels. "
    "What is left is the outline, the hair and the light. Eyes, glasses and expression are one or two pixels. Many different faces have the same LR image, so every method has to "
    "guess, also the best one."
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

# %% cellView="form" jupyter={"source_hidden": true} tags=["hide-input"]
# @title Answer
answer(
    "Both are zero up to rounding: "
    + " and ".join(f"{d.abs().max():.1e} ({name})" for name, d in difference.items())
    + ". A constant disappears with the mean, a factor with the standard deviation. (A small number is added to the variance, so that a flat channel is not divided by zero; it "
    "makes the first difference the larger one.) So brightness and contrast must come back through sigma(c), and that is the idea: the image says where the face is bright."
)

# %% [markdown]
# Two exercises stand in this notebook, each after what it is about. Replace the line that raises `NotImplementedError`, run the cell, then the check below
# it. The folded cell holds one solution.
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
# **To think about.** At $\alpha = 0$ the new level has no influence on the picture. Why does training grow step by step at all, and not begin with all levels?

# %% [markdown] tags=["solution"]
# <details><summary>One answer</summary>
#
# A few large structures are easier to learn than many small ones: at x2 the network and the discriminator learn outlines and light, on small pictures, which are also cheaper. When a
# level is added, they hold already, and only finer structure is new. Whether this pays depends on the number of steps: the early levels take steps away from the last one.
# `22_selfsr_ablations` measures it.
#
# </details>

# %% [markdown]
# ### How large is it?
#
# Table I prints 21.80 M for DIC, the rival with landmarks. A count needs no training: it goes into the scores as it is, the same for every profile.

# %%
from facesr_lib.evaluate.bootstrap import GROUPS
from facesr_lib.metrics import Metric, psnr

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
# Without pairs nothing says which face is wanted, only what it must look like when it is reduced again.

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
# **To think about.** The unpaired run sees the average brightness of every LR face, but nobody's eyes. Which mistakes can its reconstruction term (11) not see?

# %% [markdown] tags=["solution"]
# <details><summary>One answer</summary>
#
# Everything that bicubic reduction throws away. Add a fine pattern to a face, for example a chessboard of single pixels, and reduce it: the pattern is gone and the term is as small as
# before. Also wrong eyes with the right mean brightness pass. Only the discriminator can object to these, and it knows what faces look like in general, not whose face this is.
#
# </details>

# %% [markdown]
# ## Training
#
# Three runs: with pairs; without (HR faces of one half of the people, LR faces of the other half); and with pairs but without a discriminator
# ("PSNR-oriented"), for comparison. *Predict the order of the three and of bicubic in PSNR, and the order in LPIPS.* The table under *Results* has the answer.

# %%
show_source(Experiments._bicubic)

# %%
paired = experiments.trained(PAIRED)
unpaired = experiments.trained(UNPAIRED)
psnr_only = experiments.trained(PSNR_ORIENTED)

# %%
smooth = max(1, len(paired.log) // 30)


def with_levels(figure):
    """The steps at which a level is added, as thin upright lines."""
    for step in config.paired.grow_at:
        figure.axes[0].axvline(step, color="black", lw=0.8, ls=":")
    return figure


def around(term):
    """What a term is just before a level is added and some steps after: "0.71, then 0.84 (step 100)"."""
    values = [row[term] for row in paired.log]
    width = max(1, min([smooth, *config.paired.grow_at, len(values) - max(config.paired.grow_at)]))
    pairs = [
        (step, sum(values[step - width : step]) / width, sum(values[step : step + width]) / width)
        for step in config.paired.grow_at
    ]
    return "; ".join(f"{before:.2f}, then {after:.2f} (step {step})" for step, before, after in pairs), pairs


run.figure(
    with_levels(
        curves(
            paired.log,
            "g_reconstruction",
            "d_real",
            "d_fake",
            average=smooth,
            ylabel="weighted term",
            title="Terms while growing",
        )
    ),
    "terms",
    f"Loss terms with pairs (pale: every step; line: mean of {smooth} steps). A level is added at the dotted lines; the reconstruction term there: {around('g_reconstruction')[0]}.",
    f"Three noisy curves over {len(paired.log)} training steps; {len(config.paired.grow_at)} dotted lines mark where levels are added.",
)

# %%
run.figure(
    with_levels(curves(paired.log, "d_r1", average=smooth, ylabel="gamma/2 times squared slope", title="R1 on real faces")),
    "r1",
    f"The R1 term, which is how steep the discriminator is at real faces. Just before a level is added, and just after: {around('d_r1')[0]}.",
    f"A noisy curve over {len(paired.log)} training steps; {len(config.paired.grow_at)} dotted lines mark where levels are added.",
)

# %% cellView="form" jupyter={"source_hidden": true} tags=["hide-input"]
# @title Reading
falls = [after < before for _, before, after in around("d_r1")[1]]
rest = sum(row["d_real"] + row["d_fake"] for row in paired.log[-smooth:])
share = sum(row["d_r1"] for row in paired.log[-smooth:]) / max(rest, 1e-9)
answer(
    (
        "R1 falls each time a level is added. The discriminator gets a new, untrained level for the larger picture and starts again with a gentle slope. "
        if all(falls)
        else "R1 does not fall each time a level is added. "
    )
    + "The better the discriminator tells real from generated faces, the steeper it becomes, and the more R1 holds it back. "
    f"In the last {smooth} steps R1 is {share:.1f} times the sum of its two other terms.",
    "What these curves say",
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
columns = scoring.columns()
by = {row["method"]: row for row in rows}
run.note(
    f"x{scale}, the paper's method with pairs against bicubic: "
    + ", ".join(
        f"{metric.label} {by[PAIRED][metric.label]:.4g} against {by['bicubic'][metric.label]:.4g}" for metric in columns.values()
    )
    + f". Without pairs {by[UNPAIRED][columns['PSNR'].label]:.2f} dB, without a discriminator {by[PSNR_ORIENTED][columns['PSNR'].label]:.2f} dB."
)


# %% cellView="form" jupyter={"source_hidden": true} tags=["hide-input"]
# @title Answer
def order(metric):
    ranked = sorted(by, key=lambda name: by[name][metric.label], reverse=metric.higher_is_better)
    return f"By {metric.label}, from best to worst: {'; '.join(ranked)}. "


answer(
    "".join(order(columns[family]) for family in ("PSNR", "LPIPS") if family in columns)
    + "An L1 loss alone learns the mean of all faces that fit the LR image; PSNR rewards such a mean. A discriminator rejects it, since a mean of faces is blurred, and asks for one sharp "
    "face instead: nearer to how faces look (LPIPS), further from this one pixel by pixel (PSNR). Without pairs there is no L1 to the original at all."
)

# %% [markdown]
# **To think about.** You may hand out only one of these networks: for old family photographs, or for a study that measures the distance between the eyes. Which one for which?

# %% [markdown] tags=["solution"]
# <details><summary>One answer</summary>
#
# For the photographs, the one with the better LPIPS: a sharp, natural face is wanted, and everybody knows that it is a restoration. For the study, the PSNR-oriented one, or none: its
# blur says honestly where it knows nothing, while a sharp eye at an invented place is an error that nobody sees. In both cases say which network it was.
#
# </details>

# %% [markdown]
# ### People it has seen
#
# A network sees each face of its training many times. The paper has thousands of people; with few, the small profiles show no face twice as it is (`jitter`).
# *Where there is a picture: would you still call each row one person?*

# %%
from facesr_lib.data.augment import jitter
from facesr_lib.data.batches import keyed_generator

if config.paired.jitter:
    faces = experiments.train.take([0, len(experiments.train) // 2])
    shown = {f"step {step}": jitter(faces, keyed_generator(SEED, "a look", step)) for step in range(1, 5)}
    run.figure(
        image_grid({"as it is": faces, **shown}),
        "jitter",
        "Two training faces as they are, and as four steps of a training with pairs may show them.",
        "Two rows, each of one face: as it is, then four times shifted, turned and stretched a little, brighter or darker.",
    )

# %% [markdown]
# How much of the gain is knowledge of faces in general, and how much of these very people? The same networks, on faces that they learned from and on the
# test faces. *Predict: which of the three gains most by having seen the people?*

# %%
every = max(1, len(experiments.train) // len(test))
seen = experiments.train.subset(range(0, len(experiments.train), every), experiments.train.name)
gains = {}
for whose, faces in (("seen in training", seen), ("not seen", test)):
    of = {name: experiments.psnr(method, faces, degrade, 25, SEED).mean().item() for name, method in METHODS.items()}
    gains[whose] = {name: round(of[name] - of["bicubic"], 2) for name in (PAIRED, UNPAIRED, PSNR_ORIENTED)}
run.table(
    "seen_people",
    [{"people": whose, **gain} for whose, gain in gains.items()],
    f"Gain in PSNR over bicubic (dB; RGB, no crop): {len(seen)} faces of {len(set(seen.groups))} people that the networks learned from, "
    f"{len(test)} faces of {people} people that nobody trained on",
)

# %% cellView="form" jupyter={"source_hidden": true} tags=["hide-input"]
# @title Answer
on_seen, on_unseen = gains.values()
by_heart = {name: on_seen[name] - on_unseen[name] for name in on_seen}
most = max(by_heart, key=by_heart.get)
answer(
    f"{most}: {on_seen[most]:+.2f} dB on people it has seen, {on_unseen[most]:+.2f} dB on others. "
    + (
        f"So it knows these {len(set(seen.groups))} people by heart, and that helps nobody else. With faces of more people there would be less to know by heart: `DATA_ROOT` takes them."
        if by_heart[most] > 0.3
        else "That is little: it has learned what faces have in common, and can still learn more from the same people."
    )
)

# %% [markdown]
# ### Table I, whole
#
# Our FID and LPIPS come from other networks than the paper's where the official weights are missing (the labels say so), and our faces are other ones. So compare the *order* of
# methods, not the numbers. The rivals have published numbers only; their generators' parameters are printed in Table I.

# %%
from facesr_tools.published import beside_published

differs = (
    f"{test.name} instead of CelebA, {config.paired.lr_size} to {config.paired.hr_size} instead of 16 to 128 pixels, {config.paired.steps} steps "
    f"instead of 160,000, width {config.paired.width} instead of 256"
    f"{', a residual over the enlarged LR' if config.paired.residual else ''}{', faces moved and relit' if config.paired.jitter else ''}"
)
names = {"SelfSR paired": PAIRED, "SelfSR unpaired": UNPAIRED, "Bicubic": "bicubic"}
table_1 = SELFSR.published(table="Table I")
for cell in table_1:
    family = cell.column.removeprefix("CelebA ")
    if cell.row in names and family in columns:
        run.published(cell, method=names[cell.row], images=test, metric=columns[family], differs=differs)
here = [row | ({COUNT.label: ours / 1e6} if row["method"] in (PAIRED, UNPAIRED) else {}) for row in rows]
labels = {f"CelebA {family}": metric.label for family, metric in columns.items()}
run.table(
    "table_1_beside",
    beside_published(
        [cell for cell in table_1 if not cell.column.startswith("Helen")],
        names | {PSNR_ORIENTED: PSNR_ORIENTED},
        here,
        labels | {"parameters": COUNT.label},
    ),
    f"Table I, CelebA, beside this run (parameters in millions, of the paper preset). Here: {', '.join(metric.label for metric in columns.values())}; {differs}",
)

# %% cellView="form" jupyter={"source_hidden": true} tags=["hide-input"]
# @title Reading
printed = {cell.row: cell.value for cell in table_1 if cell.column == "CelebA PSNR"}
gains = {
    row: (printed[row] - printed["Bicubic"], by[name][columns["PSNR"].label] - by["bicubic"][columns["PSNR"].label])
    for row, name in names.items()
    if name != "bicubic"
}
answer(
    "Against bicubic, in PSNR: "
    + "; ".join(f"{row} {paper:+.2f} dB in the paper, {ours_here:+.2f} dB here" for row, (paper, ours_here) in gains.items())
    + ". A difference to bicubic travels better between data sets than a number by itself, because both methods meet the same pictures.",
    "What this table says",
)

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
helen_cells = [cell for cell in table_1 if cell.column.startswith("Helen")]
helen_labels = {f"Helen {family}": metric.label for family, metric in on_helen.columns().items()} if helen else {}
run.table(
    "table_1_helen_beside",
    beside_published(helen_cells, names if helen else {}, own, helen_labels),
    "Table I, Helen"
    + (
        ", beside this run, conventions as above"
        if helen
        else ": the published numbers alone. Nothing of ours stands beside them, since Helen is not prepared here"
    ),
)

# %%
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
        {"LR": given, **{name: method(given) for name, method in METHODS.items()}, "HR": hr}, cell=1.7, zoom=(0.25, 0.125, 0.375)
    ),
    "samples",
    f"Three unseen people; below each, enlarged, the eye in the frame. In the LR image, {given.shape[-1]} pixels wide, it is one or two pixels.",
    "A grid of portraits: one row per person, one column per method, with one eye of each, enlarged, below it.",
)


# %% cellView="form" jupyter={"source_hidden": true} tags=["hide-input"]
# @title Reading
def step_between(images):
    """Mean difference of horizontal neighbours in grey levels: how much fine structure a picture has, right or wrong."""
    return 255 * (images[..., 1:] - images[..., :-1]).abs().mean().item()


fine = {name: step_between(method(given)) for name, method in METHODS.items()}
answer(
    f"Neighbouring pixels of the originals differ by {step_between(hr):.1f} grey levels; those of "
    + ", ".join(f"{name} by {value:.1f}" for name, value in fine.items())
    + f". The discriminator {'adds' if fine[PAIRED] > fine[PSNR_ORIENTED] else 'does not add'} fine structure to what L1 alone paints. Whether it is the right structure the eye in the frame shows: "
    "glasses, for example, are often missing.",
    "What these faces say",
)

# %% [markdown]
# ### After your minutes, after our evening
#
# facesr comes with networks that trained for an evening on two CPU cores. Two of them meet the same test people here, bicubic LR and x8 as above. They
# learned from faces of the size that the caption names, so no score is recorded. *Predict: what does more time buy, with and without a discriminator?*

# %%
from facesr_lib.shipped import load_shipped

columns = {"LR": lr}
for name, slug in ((PSNR_ORIENTED, "selfsr-selfsr-psnr-oriented"), (PAIRED, "selfsr-selfsr")):
    if comes := load_shipped(slug, SelfSR):
        (evening, facts), title = comes, name.replace(" (", "\n(")
        columns |= {
            f"{title}\nafter this run": METHODS[name](given),
            f"{title}\nafter our evening": evening.super_resolve(lr.cpu()),
        }
(
    run.figure(
        image_grid({**columns, "HR": hr}, cell=1.7, zoom=(0.25, 0.125, 0.375)),
        "after_an_evening",
        f"Both networks as trained above ({PROFILE}), and as they come with facesr. The last one: {facts['about']}.",
        "Three people, one row each, with a part enlarged: LR, each network after this run and after an evening, the original.",
    )
    if len(columns) > 1
    else "This installation comes without trained networks, so there is nothing to put beside yours."
)

# %% cellView="form" jupyter={"source_hidden": true} tags=["hide-input"]
# @title Answer

text, pictures = "", {title.replace("\n", " "): picture.clamp(0, 1).cpu() for title, picture in list(columns.items())[1:]}
if pictures:
    learned = evening.config.lr_size * evening.config.scale
    text = "Mean PSNR of these three faces: "
    text += ", ".join(f"{title} {psnr(picture, hr).mean().item():.1f} dB" for title, picture in pictures.items())
    text += ". Neighbouring pixels differ by so many grey levels: "
    text += ", ".join(f"{title} {step_between(picture):.1f}" for title, picture in pictures.items())
    text += f". The evening's networks learned from faces of {learned} px, never of {hr.shape[-1]} px" * (learned != hr.shape[-1])
    text += ". No training brings back what the LR image does not hold."
answer(text or "Nothing to see here without the shipped networks.")

# %% [markdown]
# ## What the condition branch sees (Fig. 9)
#
# $\sigma(c)$ multiplies the features: bright means "count this place more". The paper finds edges in shallow blocks and semantic parts in deep ones.
# *Look for:* outlines, eyes, mouth. Which blocks follow the image closely, and which smooth it?

# %%
with torch.no_grad():
    maps = paired.method.inference_network("generator").scales(2 * given[:1] - 1)


def stretched(m):
    """The four channels that vary most over the image, each scaled to fill [0, 1]."""
    m = m[0].cpu()
    m = m[m.flatten(1).std(1).argsort(descending=True)[:4]]
    low, high = m.amin(dim=(1, 2), keepdim=True), m.amax(dim=(1, 2), keepdim=True)
    return ((m - low) / (high - low).clamp(min=1e-6))[:, None]


def follows(m):
    """Mean over channels of |correlation| between sigma(c) and the LR image, resized to the block's size: 1 if it only repeats it."""
    grey = resize_bicubic(given[:1].cpu(), size=tuple(m.shape[2:])).mean(dim=1).flatten()
    rows = torch.cat([grey[None], m[0].cpu().flatten(1)])
    return torch.corrcoef(rows)[0, 1:].nan_to_num(0).abs().mean().item()


close = {f"block {index}": follows(m) for index, m in enumerate(maps, 1)}
run.figure(
    image_grid({f"block {index}\n{m.shape[-1]} px": stretched(m) for index, m in enumerate(maps, 1)}, cell=1.15),
    "condition_maps",
    "The four channels of sigma(c) that vary most, in every block from first to last (each stretched to full contrast). Correlation with the LR image, mean over all channels: "
    + ", ".join(f"{name} {value:.2f}" for name, value in close.items())
    + ".",
    f"A grid of grey maps: {len(maps)} columns are blocks, four rows are channels.",
)

# %% cellView="form" jupyter={"source_hidden": true} tags=["hide-input"]
# @title Answer
most, least = max(close, key=close.get), min(close, key=close.get)
first, last = (
    sum(list(close.values())[part]) / max(1, len(close) // 2)
    for part in (slice(len(close) // 2), slice(-(len(close) // 2), None))
)
answer(
    f"{most.capitalize()} follows the image most closely (correlation {close[most]:.2f}), {least} least ({close[least]:.2f}). On average the first half of the blocks has {first:.2f}, the second "
    f"half {last:.2f}. Each branch sees no more than the LR image, {given.shape[-1]} pixels wide, enlarged to its block's size: its maps can mark regions such as hair, skin and "
    "background, but no detail that the LR image does not have."
)

# %% [markdown]
# ## Where it fails (Fig. 10)
#
# The paper names two kinds of failure: input that nobody can read, and input that is hard: blurred, turned far to the side, covered. We take the test faces with the lowest
# PSNR, and the one that resembles its mirror image least (turned, or lit from one side). Two we make: a face blurred before it is reduced, and a face with a grey bar in front.
# *Predict: what does the network paint behind the bar, and what over closed eyes?*

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
kinds = ["lowest PSNR", "second lowest", "least like its mirror", "blurred", "covered"]
made = {"bicubic": resize_bicubic(hard, scale).clamp(0, 1), PAIRED: paired.method.super_resolve(hard)}
reached = {name: psnr(picture.cpu(), faces) for name, picture in made.items()}
run.figure(
    image_grid(
        {"LR": hard, **made, "what was reduced": faces},
        labels={name: [f"{value:.1f} dB" for value in values] for name, values in reached.items()},
        row_labels=kinds,
        cell=1.7,
    ),
    "failures",
    f"Hard inputs. From top: the two test faces with the lowest PSNR on Y ({per_image[worst[0]]:.1f} and {per_image[worst[1]]:.1f} dB), the face least like its mirror image, a blurred face, "
    "a covered face. Below each picture its PSNR on RGB.",
    "Five rows of portraits, labelled at the left: LR, bicubic, the network's face, and the face that was reduced.",
)

# %% cellView="form" jupyter={"source_hidden": true} tags=["hide-input"]
# @title Answer
bar = (slice(None), slice(None), slice(side // 2, 3 * side // 4), slice(side // 4, 3 * side // 4))
inside, truth = made[PAIRED][bar][-1:].cpu(), hr[:1][bar]
contrast = [255 * part.mean(dim=1).std().item() for part in (covered[bar], inside, truth)]
worse = [kind for index, kind in enumerate(kinds) if reached[PAIRED][index] < reached["bicubic"][index]]
answer(
    f"Behind the bar it paints something like a face: the bar has a contrast of {contrast[0]:.1f} grey levels, the network's picture there {contrast[1]:.1f}, the hidden face {contrast[2]:.1f}. "
    "It has no way to say *here is nothing*. Over closed eyes it tends to paint dark, open ones, because nearly all faces that it learned from have theirs open: look at rows in which the "
    "right-hand face has closed eyes (one of the packaged faces has). "
    + (
        f"Below bicubic in PSNR are: {', '.join(worse)}."
        if worse
        else "In PSNR none of these is below bicubic: a face can look right and be wrong."
    )
)

# %% [markdown]
# **To think about.** The network paints a mouth or a nose behind the bar. Is that a failure?

# %% [markdown] tags=["solution"]
# <details><summary>One answer</summary>
#
# By its loss it is a success: a face has a mouth there, and the discriminator is content. For a viewer it is a failure, because nothing in the result shows which parts were seen and which
# were invented. This is true for every pixel, not only behind the bar. A system for use would have to tell the two apart, for example by showing several different answers.
#
# </details>

# %% [markdown]
# ## Verdicts
#
# Only claims that this notebook has scores for.

# %%
from facesr_tools.verdicts import verdicts

verdicts(run, SELFSR.claims)

# %% [markdown]
# ## In short
#
# - A normalisation decides what a network forgets. The self-conditioned block gives it back from the input image, position by position.
# - A growing network learns large structures first. A new level is faded in, so that nothing is lost when it is added.
# - With a discriminator a face looks sharper, without one it is nearer to its original on average. No number and no picture tells seen details from invented ones.
#
# **Read next:** Zeng et al., *SelFSR: self-conditioned face super-resolution in the wild via flow field degradation network*,
# [arXiv 2112.10683](https://arxiv.org/abs/2112.10683), section III-B; Karras et al., *Progressive growing of GANs*, [arXiv 1710.10196](https://arxiv.org/abs/1710.10196).
#
# **Next notebook:** `22_selfsr_ablations`, which takes one part away at a time.

# %%
run.finish()
