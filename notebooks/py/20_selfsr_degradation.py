# ---
# jupyter:
#   facesr:
#     hardware:
#       evening: CPU
#       paper: GPU, 16 GB
#       quick: CPU
#       smoke: CPU
#       workshop: GPU
#     minutes:
#       evening: 35
#       paper: 3000
#       quick: 5.8
#       smoke: 0.3
#       workshop: 10
#     paper: selfsr
#     study: 75
#     title: 'SelfSR 1: learning how real faces are degraded'
#   kernelspec:
#     display_name: Python 3 (ipykernel)
#     language: python
#     name: python3
# ---

# %% [markdown]
# # SelfSR 1: learning how real faces are degraded
#
# [![Open in Binder](https://mybinder.org/badge_logo.svg)](https://mybinder.org/v2/gh/facesr/facesr/v0.1.0?urlpath=lab/tree/notebooks/20_selfsr_degradation.ipynb)
# [![Open in Colab](https://colab.research.google.com/assets/colab-badge.svg)](https://colab.research.google.com/github/facesr/facesr/blob/v0.1.0/notebooks/20_selfsr_degradation.ipynb)
#
# **Aim:** train stage 1 of *SelFSR: self-conditioned face super-resolution in the wild via flow field degradation network* (Zeng et al.):
# a network that looks at unpaired real LR faces and learns to make clean LR faces look like them.
#
# You will
# - warp a face by a flow field, and see why a flow cannot change its colours;
# - train the flow-field network and a CycleGAN on the same unpaired pictures, and measure what each does to colours and to identity;
# - give the generator noise as a second input, and see what a network without it cannot do;
# - train super-resolution on what each learned, and set Tables II and III of the paper beside ours.
#
# **You need:** `10_human_face_gan` (adversarial training). **Time:** about 75 minutes of yours; about 5.8 minutes in `quick` on a CPU.
# **Hardware:** CPU for `quick`; a GPU above it.

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
    "20_selfsr_degradation",
    title="SelfSR 1: learning how real faces are degraded",
    paper="selfsr",
    profile=PROFILE,
    seed=SEED,
    device=DEVICE,
    data_root=DATA_ROOT,
    output_dir=OUTPUT_DIR,
)
run

# %% [markdown]
# ## Two worlds without a bridge
#
# Pairs for training are easy to make: shrink an HR face with bicubic interpolation. Faces cut out of real photographs look different: motion,
# noise, compression. Nobody has their HR originals, so the difference cannot be learned from pairs.
#
# The paper's real LR faces come from WIDER FACE. Our small profiles build a stand-in whose truth we keep aside: the faces of *other* people, seen
# through a **hidden degradation** (motion blur, sensor noise, JPEG, drawn anew for each picture). Methods see its results, never its rules. We
# keep the originals of the test people, so that we can also measure PSNR, which the paper could not.

# %%
from facesr_lib.papers.selfsr import Config
from facesr_lib.papers.selfsr.experiments import Experiments
from facesr_lib.papers.selfsr.names import (
    CEILING,
    CYCLE,
    CYCLE_IDENTITY,
    FLOW,
    FLOW_NO_IDENTITY,
    FLOW_NOISE,
    NO_ADAPTATION,
    on_real_faces,
)
from facesr_tools.live import live
from facesr_tools.stages import training_ahead

config = Config.preset(PROFILE)
experiments = Experiments(config, DATA_ROOT, live(run.stages), SEED, DEVICE)
print(training_ahead(experiments, run))
real_faces = experiments.real_faces
run.config(real_faces.hidden, "hidden_degradation")
run.config(config.degradation, "degradation")

# %%
from facesr_lib.data import eval_batches
from facesr_lib.data.batches import keyed_generator
from facesr_lib.image import Bicubic

scale = config.real.scale
bicubic = Bicubic(scale)
hr = real_faces.test.take([0, len(real_faces.test) // 2])
real = torch.cat([batch["lr"] for batch in eval_batches(real_faces.test, real_faces.hidden, 8, real_faces.seed)])
others = real_faces.real_lr.take([0, len(real_faces.real_lr) // 2])
run.figure(
    image_grid(
        {"HR": hr, "clean LR z": bicubic(hr), "real LR": real[[0, len(real_faces.test) // 2]], "others' real LR x": others},
        cell=2,
    ),
    "two_worlds",
    "Left: test people, their bicubic LR, and the LR that a method will be given. Right: what it may learn from, real LR of other people.",
    f"Two rows of four pictures: a portrait, its clean {real.shape[-1]}-pixel version, its real LR version, and a real LR face of somebody else.",
)

# %%
clean = torch.cat([batch["lr"] for batch in eval_batches(real_faces.test, bicubic, 8, real_faces.seed)])
grain = 255 * (real - clean).std().item()
run.note(
    f"A real LR face differs from the clean LR face of the same photograph by {grain:.0f} grey levels (standard deviation over all pixels of the test people). "
    "This difference is what stage 1 has to learn, without ever seeing the two side by side."
)

# %% [markdown]
# **To think about.** Why not simply add noise and blur to the clean LR faces, and train on those pairs?

# %% [markdown] tags=["solution"]
# <details><summary>One answer</summary>
#
# That works if somebody knows which noise and which blur: how strong, of what kind, how often, in which order. The *ceiling* further down is such a training: it is given the hidden
# degradation itself. For photographs from the street nobody knows it, and a wrong guess teaches the wrong repair. Stage 1 exists to learn the guess from pictures.
#
# </details>

# %% [markdown]
# ## A flow field moves pixels, and nothing else
#
# For each pixel $p_i$ the flow names a place to look, and bilinear interpolation reads the image there (eq. 1, as in spatial transformers):
#
# $$\hat x_i = \sum_n \sum_m \tilde z_{nm}\ \max(0, 1 - |p_{x,i} - m|)\ \max(0, 1 - |p_{y,i} - n|)$$
#
# *Predict: which properties of a face can a flow change, and which can it never change?*

# %%
from facesr_lib.image import warp

show_source(warp)

# %%
from facesr_lib.explore.flow import flow_explorer, flow_grid

run.figure(
    flow_grid(hr[:1], (1, 2, 4)),
    "flow_kinds",
    "Five kinds of flow (first column: its colours) and one face under each at three strengths, in pixels.",
    "A grid: coloured flow fields, and warped portraits: shifted, zoomed, swirled, waved and shaken, stronger from left to right.",
)

# %% cellView="form" jupyter={"source_hidden": true} tags=["hide-input"]
# @title Answer
from facesr_lib.explore.flow import FLOW_KINDS, preset_flow

moved = torch.cat([warp(hr[:1], preset_flow(kind, hr.shape[-1], 4)) for kind in FLOW_KINDS])
(low, high), (least, most) = ((255 * x.min().item(), 255 * x.max().item()) for x in (hr[:1], moved))
answer(
    "It can change where things are: position, size and shape of eyes, mouth and outline. It can never make a new grey level or colour, since each output pixel "
    f"is a weighted mean of four input pixels. This face has grey levels from {low:.0f} to {high:.0f}; under all five flows at 4 px they lie between "
    f"{least:.0f} and {most:.0f}. So a flow alone makes no noise, no colour and no contrast."
)

# %% [markdown]
# The same by hand: choose a flow, drag its strength.

# %%
flow_explorer(hr[:1])

# %% [markdown]
# Two exercises stand in this notebook, each after what it is about. Replace the line that raises `NotImplementedError`, run the cell, then the check below
# it. The folded cell holds one solution.
#
# **1. The warp.** Write eq. (1): `image` (N, C, H, W), `flow` (N, 2, H, W) in pixels, right and down. Continue the border outside the image.


# %% tags=["exercise"]
def my_warp(image, flow):
    raise NotImplementedError


# %%
from facesr_lib.exercises.selfsr import check_smoothness, check_warp

check_warp(my_warp)


# %% tags=["solution"] jupyter={"source_hidden": true}
def my_warp(image, flow):
    _n, _c, height, width = image.shape
    x = (torch.arange(width) + flow[:, 0]).clamp(0, width - 1)
    y = (torch.arange(height)[:, None] + flow[:, 1]).clamp(0, height - 1)
    across = (1 - (x[..., None] - torch.arange(width)).abs()).clamp(min=0)  # (N, H, W, width)
    down = (1 - (y[..., None] - torch.arange(height)).abs()).clamp(min=0)
    return torch.einsum("ncab,nhwa,nhwb->nchw", image, down, across)


check_warp(my_warp)

# %% [markdown]
# ## The network
#
# The generator answers an input $z$ with two things: an intermediate image $\tilde z$ and a flow $f$. Their warp is the noisy LR. Four terms hold it:
#
# | term | what it asks |
# |---|---|
# | $L_{adv}$ (2) | the discriminator takes $\hat x$ for a real LR face |
# | $L_{idt} = \lVert\tilde z - z\rVert_1$ (3) | the intermediate image stays the input |
# | $L_{smooth}$ = total variation of $f$ (4) | neighbouring pixels move alike |
# | sum (5) | weights lost from the paper's text; ours stand in the config above |
#
# Our small profiles add a fifth, `brightness`: the mean of every 4 x 4 pixels stays. In minutes of training the game otherwise stretches the contrast of the whole face,
# which costs super-resolution more than it gains. The `paper` preset leaves it out.
#
# There the discriminator takes three steps for each of the generator's (`d_steps`), too. With one it lags behind. It objects to the pattern that the
# generator made a while ago, the generator answers with the next one, and what is left when time is up may be stripes or a checkerboard.
#
# All models of the paper, of both stages, are trained by Adam with one pair of betas. Its numbers are lost too; ours, (0.5, 0.999),
# did better on validation people in this stage than (0, 0.99), which progressive GANs use, and as well in the next.

# %%
from facesr_lib.papers.selfsr import FlowAdaptation, FlowGenerator

show_source(FlowGenerator)

# %%
from facesr_lib.papers.selfsr import networks
from facesr_tools.diagram import Diagram

with torch.device("meta"):  # sizes without memory
    network, shape = networks(Config.preset("paper"))["flow degradation"]
    diagram = Diagram.of_network("Domain adaptation network", network, {"z": torch.zeros(1, *shape)})
run.figure(
    diagram.draw(),
    "network_generator",
    "The network at the size of the paper preset, drawn from the module (the generator in the paper's Fig. 2). Grid sampling moves the "
    "pixels of the intermediate image along the flow.",
    diagram.alt,
)

# %%
show_source(FlowAdaptation.step)

# %% [markdown]
# ### How smooth is smooth enough?
#
# The smoothness term (4) pulls against the term that wants the pixels moved. Its weight $\lambda$ decides. A small experiment without any network shows it: a flow is fitted to a pair of
# pictures, one of which is the other one warped.
#
# **2. The smoothness that breaks the flow.** `fit_flow(source, target, smoothness)` fits a flow alone, with nothing but the L1 distance and
# $\lambda$ times the total variation. The table shows four weights at which neither happens that you look for. Find one $\lambda$ so small that the field folds over
# itself (`folds(flow) > 0`), and one so large that it hardly moves: less than a tenth of the true flow, which moves by up to 2 px.

# %%
from facesr_lib.exercises.selfsr import smoothness_pair
from facesr_lib.explore.flow import fit_flow, folds

source, target = smoothness_pair()
rows = []
for smoothness in (0.01, 0.03, 0.1, 0.2):
    fitted = fit_flow(source, target, smoothness)
    rows.append(
        {"lambda": smoothness, "longest arrow (px)": fitted.norm(dim=1).max().item(), "share that folds": folds(fitted).item()}
    )
run.table("smoothness", rows, "A flow fitted to one pair of pictures, at four weights of the smoothness term")


# %% tags=["exercise"]
def my_smoothness():
    raise NotImplementedError  # return folding, frozen


# %%
check_smoothness(my_smoothness)


# %% tags=["solution"] jupyter={"source_hidden": true}
def my_smoothness():
    return 1e-3, 1.0


check_smoothness(my_smoothness)

# %% [markdown]
# **To think about.** Total variation says nothing against a *constant* flow. What would a discriminator need to see in order to reward moving the whole face by half a
# pixel, and what would that do to PSNR?

# %% [markdown] tags=["solution"]
# <details><summary>One answer</summary>
#
# It would need to know where faces usually are in the real LR set: if the eyes lie half a pixel lower there, moving every face down makes it look more real. A
# discriminator that sees the whole face can notice that. One that sees 13 x 13 pixels at a time, as ours does, cannot tell where in the face they lie, and hardly rewards it.
#
# PSNR would fall sharply: the network for super-resolution would learn from pairs that are half a pixel apart, and repeat the shift. PSNR compares pixels at the same place.
#
# </details>

# %% [markdown]
# ## Training stage 1
#
# *Look for:* does the identity term stay small? Does the flow's total variation find a level? Does the discriminator end near guessing
# ($\log 2 = 0.693$ per term)?
#
# `Experiments` declares every training of the paper: what it learns from, and what it needs. A notebook asks for one by name; it is trained once, then found.

# %%
show_source(Experiments._adaptation)

# %%
flow = experiments.trained(FLOW)
smooth = max(1, len(flow.log) // 30)
run.figure(
    curves(flow.log, "d_real", "d_fake", "g_adversarial", average=smooth, ylabel="cross-entropy", title="The game"),
    "flow_game",
    "The adversarial terms of stage 1. At 0.693 the discriminator cannot tell translated from real LR.",
    f"Three noisy curves over {len(flow.log)} training steps: the discriminator's terms on real and on translated LR faces, and the generator's.",
)

# %%
held = [term for term in ("g_identity", "g_smoothness", "g_brightness") if term in flow.log[0]]
end = {term: sum(row[term] for row in flow.log[-smooth:]) / smooth for term in (*held, "d_real", "d_fake", "g_adversarial")}
run.figure(
    curves(flow.log, *held, average=smooth, ylabel="weighted term", title="What holds the face"),
    "flow_terms",
    f"The terms that hold the face, with their weights (pale: every step; line: mean of {smooth} steps). Mean of the last {smooth} steps: "
    + ", ".join(f"{term} {end[term]:.4f}" for term in held)
    + ".",
    f"Curves of {len(held)} weighted terms over {len(flow.log)} training steps.",
)

# %% cellView="form" jupyter={"source_hidden": true} tags=["hide-input"]
# @title Answer
first = max(flow.log[0][term] for term in held)
unsure = abs(end["d_real"] + end["d_fake"] - 2 * 0.693) < 0.2
answer(
    f"The terms that hold the face begin at {first:.2g}: the untrained network returns its input. At the end the identity term is {end['g_identity']:.4f} with its weight of "
    f"{config.degradation.identity:g}, so the intermediate image differs from its input by {end['g_identity'] / config.degradation.identity:.3f} of the range on average. "
    f"The smoothness term is {end['g_smoothness']:.4f}: {'neighbours move alike, if they move at all' if end['g_smoothness'] < 0.001 else 'the flow moves neighbours differently'}. "
    f"The discriminator's terms are {end['d_real']:.2f} and {end['d_fake']:.2f}, {'close to guessing' if unsure else 'not at 0.693: it tells the two apart'}."
)

# %% [markdown]
# ## The stage in pictures
#
# Read each row from left to right: $z$, the intermediate $\tilde z$, the warped $\hat x$; then a real LR face of somebody else for comparison.
# *Predict: which of the two steps changes the picture more, from $z$ to $\tilde z$ or from $\tilde z$ to $\hat x$?*

# %%
z = bicubic(hr).to(run.device)
noisy, intermediate, field = flow.method.predict(z)
longest = field.norm(dim=1).amax(dim=(1, 2)).tolist()


def grey_levels(one, other):
    """Mean absolute difference of two pictures in grey levels."""
    return 255 * (one - other).abs().mean().item()


painted, warped = grey_levels(intermediate, z), grey_levels(noisy, intermediate)
run.figure(
    image_grid({"$z$": z, r"intermediate $\tilde z$": intermediate, r"warped $\hat x$": noisy, "a real LR face": others}, cell=2),
    "stages",
    f"The stage on two test faces. The image branch changes a pixel by {painted:.1f} grey levels on average, the flow by another {warped:.1f}. Right: somebody else.",
    "Two rows: clean LR, intermediate image, warped image, an unrelated real LR face.",
)

# %%
from facesr_lib.explore.flow import flow_figure

run.figure(
    flow_figure(z[:1].cpu(), field[:1].cpu()),
    "flow",
    f"The learned flow of the first face, as arrows and as colours (hue: direction, strength: length). The longest arrow has {longest[0]:.2g} px; the network could make "
    f"{config.degradation.max_flow:g} px per direction.",
    "A small face with arrows, the same flow as a colour-coded map, and a colour wheel.",
)

# %% cellView="form" jupyter={"source_hidden": true} tags=["hide-input"]
# @title Answer
answer(
    f"The {'image branch' if painted > warped else 'flow'} changes more: {painted:.1f} grey levels by the image branch, {warped:.1f} by the flow, whose longest arrow on this face has "
    f"{longest[0]:.2g} px. "
    + (
        "The name of the method speaks of the flow, but with this training the texture comes from the image branch. It may add noise; a flow cannot, as seen above."
        if painted > warped
        else "The flow moves pixels far enough here to change more than the image branch paints."
    )
)

# %% [markdown]
# ### Disturbing the flow (the paper's Fig. 8)
#
# Multiply the flow by a number and warp again. The paper shows that the face remains who it is. The last column takes the factor at which the longest arrow of the two
# faces has one pixel.

# %%
whole = max(1, round(1 / max(longest))) if max(longest) > 0 else 1
factors = sorted({-2, 0, 1, 2, 5, whole})
disturbed = {factor: warp(intermediate, factor * field) for factor in factors}
change = {factor: grey_levels(picture, intermediate) for factor, picture in disturbed.items()}
run.figure(
    image_grid({f"{factor} f": picture for factor, picture in disturbed.items()}, cell=1.7),
    "disturbed",
    "The intermediate image under multiples of its flow; 0 f is the intermediate image itself. Longest arrow and mean change: "
    + "; ".join(f"{factor} f: {abs(factor) * max(longest):.2g} px, {change[factor]:.1f} grey levels" for factor in factors)
    + ".",
    f"Two rows of {len(factors)} small faces: the same two faces under {len(factors)} multiples of their flow.",
)

# %% [markdown]
# ## The rival: CycleGAN
#
# A CycleGAN predicts the noisy image outright, anywhere in RGB. Only the way back ties it to its input: what was made noisy must become clean again
# (cycle loss). The paper's argument: nothing stops it from changing colours, if it learns to change them back.
#
# Table III gives it a second chance: the identity loss (3), put on its output, $\lVert G(z) - z\rVert_1$. So we train it twice, and for the other half of the comparison
# the flow field twice: the paper's, and (ours) one without its identity loss. Whose doing is it, the flow's or the loss's?
#
# In minutes of training a generator that paints from nothing would not even reproduce its input. So in our small profiles CycleGAN's generators add to
# their input, like the flow network's image head: the comparison is about the flow, not about the head start.

# %%
from facesr_lib.papers.selfsr import CycleAdaptation

show_source(CycleAdaptation.step)

# %%
SHORT = {CYCLE: "CycleGAN", CYCLE_IDENTITY: "CycleGAN + idt", FLOW: "flow + idt", FLOW_NO_IDENTITY: "flow, no idt"}
SHORT[FLOW_NOISE] = "flow + noise"
ADAPTATIONS = {name: experiments.trained(name) for name in SHORT}


def translate(name, lr):
    """What an adaptation makes of clean LR faces, the same at every call: the noise is drawn anew from one key."""
    return ADAPTATIONS[name].method.translate(lr.to(run.device), keyed_generator(SEED, "translate")).cpu()


translated = {SHORT[name]: translate(name, z) for name in ADAPTATIONS}
run.figure(
    image_grid({"z": z, **translated, "real LR": others}, cell=1.6),
    "translations",
    "The same clean LR faces, translated by each adaptation, beside a real LR face of somebody else (idt: identity loss).",
    f"Two rows of {len(translated) + 2} small faces: clean, {len(translated)} translations, an unrelated real one.",
)


# %%
def correlation(one, other):
    """Of the values at the same place of two pictures whose mean is nearly zero."""
    return ((one * other).mean() / (one.square().mean() * other.square().mean()).sqrt()).item()


def what_is_added(method, lr):
    """A row of the table: what `lr` has that the clean LR faces have not."""
    added = 255 * (lr - clean)
    beside, below = correlation(added[..., 1:], added[..., :-1]), correlation(added[..., 1:, :], added[..., :-1, :])
    return {"method": method, "grey levels": added.std().item(), "like the pixel beside": beside, "like the pixel below": below}


rows = [what_is_added(SHORT[name], translate(name, clean)) for name in ADAPTATIONS]
run.table(
    "added",
    [*rows, what_is_added("hidden degradation", real)],
    "What each adaptation adds to the clean LR faces of all test people: its standard deviation, and how neighbouring pixels of it correlate. "
    "White noise has 0, a checkerboard -1, stripes 1 along them and -1 across",
)

# %% [markdown]
# **To think about.** Which row comes nearest to the hidden degradation by these three numbers? Would you expect it to teach super-resolution best? Compare with the
# share of the gap that it closes, further down.

# %% [markdown] tags=["solution"]
# <details><summary>One answer</summary>
#
# In our runs of `quick` and `evening` it is the flow field without identity loss, and of the five it closes least of the gap. The numbers say how strong the change is, and whether it repeats from
# one pixel to the next. They cannot say whether it is *independent* of the face: a generator that sees only the face computes what it adds from the face, and without identity loss little
# keeps that small. A network for super-resolution can learn to undo a change of this kind, and meets another one in real LR. The next section looks at that.
#
# </details>

# %% [markdown]
# ## One face, many pictures
#
# A camera makes a different picture of the same face each time, because noise is drawn anew. Four of the five above map one $z$ to one $\hat x$. Nothing in their input
# could decide which of the many noisy pictures to make. So whatever grain they add is a *pattern*, always the same on the same face. A network that learns from such
# pairs can learn to take the pattern away; then it meets real noise, which has no pattern.
#
# The fifth is a row of our own: the same flow field, whose generator also sees three channels of white noise. Two draws beside two calls of the paper's.
# *Predict: how much do two calls of the paper's network differ?*

# %%
draws = {
    f"{label}, draw {draw}": ADAPTATIONS[name].method.translate(z, keyed_generator(SEED, draw)).cpu()
    for name, label in ((FLOW, "flow"), (FLOW_NOISE, "noise"))
    for draw in (1, 2)
}
same, apart = (255 * (draws[f"{label}, draw 1"] - draws[f"{label}, draw 2"]).std().item() for label in ("flow", "noise"))
run.figure(
    image_grid({"z": z, **draws, "real LR": others}, cell=1.7),
    "draws",
    f"Two translations of the same face by the paper's flow field, which differ by {same:.1f} grey levels (standard deviation), and by ours with a noise input: {apart:.1f}.",
    "Two rows of six small faces: clean, the flow field twice, the flow field with noise twice, an unrelated real one.",
)

# %% cellView="form" jupyter={"source_hidden": true} tags=["hide-input"]
# @title Answer
answer(
    f"By {same:.1f} grey levels: the network computes its output from the face alone, so the same face gives the same picture. With the noise input two draws differ by "
    f"{apart:.1f} grey levels. Two real pictures of one face would differ by about {2**0.5 * grain:.0f}, if all of the {grain:.0f} grey levels were drawn anew each time."
)

# %% [markdown]
# ### Colour drift, measured
#
# The mean U and V of the translation minus those of its input, in grey levels. Our packaged faces are grey: *any* colour is drift.
# *Predict which cloud lies farthest from the origin.*

# %%
from facesr_lib.image import chroma
from facesr_lib.plot.figures import PALETTE, NotebookFigure


def mean_shift(after, before):
    """Mean U and V shift per image, (N, 2), in grey levels."""
    return 255 * (chroma(after).mean(dim=(2, 3)) - chroma(before).mean(dim=(2, 3))).cpu()


shifts = {name: mean_shift(translate(name, clean), clean) for name in ADAPTATIONS}
figure = NotebookFigure(figsize=(8, 4.2), layout="constrained")
axes = figure.subplots()
for (name, shift), marker, color in zip(shifts.items(), "sx^oD", PALETTE, strict=False):
    axes.scatter(*shift.T, marker=marker, alpha=0.6, color=color, label=f"{name}: {shift.norm(dim=1).mean():.2f}")
axes.axhline(0, color="black", lw=0.8)
axes.axvline(0, color="black", lw=0.8)
axes.set(xlabel="mean U shift (grey levels; right: bluer)", ylabel="mean V shift (up: redder)")
axes.set_aspect("equal", adjustable="datalim")
figure.legend(loc="outside right center", title="mean distance from the origin")
far = {name: shift.norm(dim=1).mean().item() for name, shift in shifts.items()}
nearest, farthest = min(far, key=far.get), max(far, key=far.get)
run.figure(
    figure,
    "translation_drift",
    f"Colour shift of every translated test face, in grey levels. Nearest to the origin on average: {nearest} ({far[nearest]:.2f}); farthest: {farthest} ({far[farthest]:.2f}).",
    f"A scatter plot of mean U against mean V shift, {len(shifts)} clouds, one per adaptation.",
)

# %% cellView="form" jupyter={"source_hidden": true} tags=["hide-input"]
# @title Answer
answer(
    f"That of {farthest}: {far[farthest]:.2f} grey levels on average. A flow alone would stay at the origin, but the image branch of the flow network paints, too, and only "
    f"its identity loss holds it ({far[FLOW]:.2f} with, {far[FLOW_NO_IDENTITY]:.2f} without). "
    f"The CycleGAN has {far[CYCLE]:.2f} without an identity loss and {far[CYCLE_IDENTITY]:.2f} with one. "
    + (
        "All of this is less than one grey level, the least that an 8-bit picture can show."
        if far[farthest] < 1
        else "One grey level is the least that an 8-bit picture can show."
    )
)

# %% [markdown]
# **To think about.** The paper expects large colour changes from CycleGAN. What in this run's setting speaks against them?

# %% [markdown] tags=["solution"]
# <details><summary>One answer</summary>
#
# In the small profiles CycleGAN's generators add to their input, so they begin without any drift. They train for minutes, not for 180,000 steps. And our hidden degradation has no
# colour of its own on average: sensor noise is as often red as green. So there is nothing to gain from a colour. The cycle loss *allows* a change of colours that the way back
# undoes; it does not *ask* for one.
#
# </details>

# %% [markdown]
# ## Does it help super-resolution? (Table III)
#
# The same self-conditioned network (see `21_selfsr_super_resolution`) is trained on the pairs that each adaptation makes, and on clean bicubic pairs ("no
# adaptation"), x4. All are then given the real LR faces of people nobody has seen. The flow field without identity loss and the one with a noise input are our own
# rows. So is the *ceiling*: trained on the hidden degradation itself, which no method may know. It says how much there is to gain.

# %%
show_source(Experiments._real)

# %%
VARIANTS = {name: experiments.trained(on_real_faces(name)) for name in (NO_ADAPTATION, *ADAPTATIONS, CEILING)}

# %%
from dataclasses import replace

from facesr_lib.evaluate import Backends, Scoring
from facesr_lib.evaluate.scoring import of_other, record_set_scores
from facesr_lib.image import quantize, resize_bicubic
from facesr_lib.metrics import Metric, identity_metric, if_available
from facesr_lib.metrics.features import features
from facesr_tools.published import beside_published

backends = Backends.find(run)
identity = if_available(lambda: identity_metric(run.device), run.note)
scoring = Scoring(run, real_faces.test, real_faces.hidden, crop=scale, backends=backends, extra=(identity,), seed=real_faces.seed)
rows = [scoring("bicubic", lambda lr: resize_bicubic(lr, scale).clamp(0, 1))]
rows += [scoring(name, trained.method.super_resolve) for name, trained in VARIANTS.items()]

# %% [markdown]
# The paper gives two FIDs: of the SR faces, and of the translated LR faces against real LR ones. And it claims that the flow keeps the colours and the identity of the
# *input*: we record the drift of the colours, and how near two embeddings of a face recognition network lie: of the translation and its clean $z$ ("of LR"), of the SR face
# and the real LR face that it was made of ("to the input"). The column without such a word compares SR with the HR face that we kept aside.
#
# *Careful:* a translation that changes nothing keeps the identity perfectly, and an SR face that keeps its input's noise stays near it. Read these columns beside the FIDs.

# %%
DRIFT = Metric(
    "colour_drift", "colour drift", convention="mean U and V shift from the LR input, grey levels", higher_is_better=False
)
if identity:
    convention = f"{identity.convention}; with the LR input, enlarged by bicubic"
    names = {"label": f"{identity.label} to the input", "family": "identity to the input"}
    TO_INPUT = replace(identity, key=f"{identity.key}_to_input", convention=convention, **names)
enlarged = resize_bicubic(real, scale).clamp(0, 1)
extractor = backends.extractor
if extractor:
    of_real = features(extractor, real.split(16), run.device)
for row, (name, trained) in zip(rows[1:], VARIANTS.items(), strict=True):
    made = quantize(translate(name, clean)) if name in ADAPTATIONS else real if name == CEILING else clean
    if extractor and name != CEILING:  # its LR faces are the real ones
        of_made = features(extractor, made.split(16), run.device)
        row |= record_set_scores(run, name, real_faces.test, of_made, of_real, extractor, of="LR")
    sr = torch.cat([quantize(trained.method.super_resolve(lr.to(run.device))).cpu() for lr in real.split(10)])
    found = {DRIFT: mean_shift(sr, real).norm(dim=1)}
    if identity:
        found |= {of_other(identity, "LR"): identity(made, clean), TO_INPUT: identity(sr, enlarged)}
    for metric, values in found.items():
        run.score(name, real_faces.test, metric, values)
        row[metric.label] = values.mean().item()
run.table(
    "table_3", rows, f"Real LR faces of {len(set(real_faces.test.groups))} unseen people, {len(real_faces.test)} images, x{scale}"
)

# %%
here = {row["method"]: row for row in rows}
columns = scoring.columns()
plain, found = here["bicubic"], here[FLOW]
run.note(
    "The paper's flow field against bicubic, on real LR faces: "
    + ", ".join(
        f"{metric.label} {found[metric.label]:.4g} against {plain[metric.label]:.4g}"
        for metric in columns.values()
        if metric.label in found
    )
    + f". The highest {columns['PSNR'].label} apart from the ceiling's is that of "
    + max((name for name in here if name != CEILING), key=lambda name: here[name][columns["PSNR"].label])
    + "."
)

# %% [markdown]
# **To think about.** A network trained on clean pairs can do worse on real LR faces than bicubic, which learned nothing. How can learning hurt?

# %% [markdown] tags=["solution"]
# <details><summary>One answer</summary>
#
# On clean LR faces every small difference between neighbours is a detail, and the network learns to make it stronger. On a real LR face many of these differences are noise or traces
# of compression. It cannot know that and makes them stronger as well. Bicubic leaves them as they are.
#
# </details>

# %% [markdown]
# ### How much of the gap is closed
#
# Zero is the network that learned from clean pairs, 100 % the ceiling. A negative share means that the adaptation did harm.
# *Predict: which row comes nearest to the ceiling, and is it the same one for every metric?*

# %%
pixel = [metric.label for family, metric in columns.items() if family in ("PSNR", "SSIM", "LPIPS")]


def share(name, label):
    """How far `name` comes from no adaptation to the ceiling, in percent; None where these two do not differ."""
    low, high = here[NO_ADAPTATION][label], here[CEILING][label]
    return 100 * (here[name][label] - low) / (high - low) if high != low else None


closed = [{"method": name, **{label: share(name, label) for label in pixel}} for name in ("bicubic", *ADAPTATIONS)]
run.table(
    "gap",
    closed,
    "Percent of the way from no adaptation (0) to the ceiling (100), a network trained on the hidden degradation itself",
)

# %%
by_psnr, gap = {row["method"]: row[pixel[0]] for row in closed}, here[CEILING][pixel[0]] - here[NO_ADAPTATION][pixel[0]]
run.note(
    f"From no adaptation to the ceiling it is {gap:.2f} dB"
    + (
        f": the paper's flow field goes {by_psnr[FLOW]:.0f} % of that way, the same with a noise input {by_psnr[FLOW_NOISE]:.0f} %."
        if gap > 0.1
        else ", too little to speak of shares: train for longer."
    )
)

# %% cellView="form" jupyter={"source_hidden": true} tags=["hide-input"]
# @title Answer
learned = [row for row in closed if row["method"] != "bicubic"]
tops = {
    label: max((row for row in learned if row[label] is not None), key=lambda row: row[label], default=None) for label in pixel
}
tops = {label: row for label, row in tops.items() if row}
answer(
    "Of the learned adaptations, "
    + ", ".join(f"{row['method']} comes nearest in {label} ({row[label]:.0f} %)" for label, row in tops.items())
    + ". "
    + (
        "It is not the same one for each: a metric of pixels rewards an adaptation that makes the network careful, LPIPS one that makes it draw edges."
        if len({row["method"] for row in tops.values()}) > 1
        else "Here one row leads in all of them."
    )
    + " The ceiling saw the true degradation, so it says how much there is to gain with this network and this many steps."
)

# %% [markdown]
# ### Table III and Table II, whole
#
# The published FIDs and ours are on different scales (other faces, another network behind the distance): compare the *order* of the rows, not the numbers.
# The rivals of Table II cannot be run here; its last line is Table III's last row.

# %%
fid = extractor.fid if extractor else None
names = {
    "vanilla": NO_ADAPTATION,
    "CycleGAN-style adaptation": CYCLE,
    "CycleGAN-style adaptation + identity loss": CYCLE_IDENTITY,
    "flow field + identity loss": FLOW,
}
differs = (
    f"{real_faces.test.name} instead of WIDER FACE, {config.real.steps} steps instead of 160,000, width {config.real.width} instead of 256"
    f"{', a residual over the enlarged LR' if config.real.residual else ''}, {fid and fid.label} instead of FID"
)
table_3 = SELFSR.published(table="Table III")[::-1]  # the paper's method first: it stands for this notebook
for reference in [*table_3, *SELFSR.published(table="Table II", row="SelfSR")] if fid else []:
    metric = of_other(fid, "LR") if "LR" in reference.column else fid
    run.published(reference, method=names.get(reference.row, FLOW), images=real_faces.test, metric=metric, differs=differs)
labels = {"FID": fid.label, "FID of translated LR": of_other(fid, "LR").label} if fid else {}
run.table(
    "table_3_beside",
    beside_published(
        SELFSR.published(table="Table III"), names | {name: name for name in (FLOW_NO_IDENTITY, FLOW_NOISE)}, rows, labels
    ),
    f"Table III beside this run, with two rows of our own. Here: {fid.label if fid else 'no FID, its weights are missing'}, {len(real_faces.test)} images of {real_faces.test.name}",
)

# %%
table_2 = SELFSR.published(table="Table II")
run.table(
    "table_2_beside",
    beside_published(table_2, {"bicubic": "bicubic", "SelfSR": FLOW}, rows, {"FID": labels["FID"]} if fid else {}),
    f"Table II beside this run. Paper: {table_2[0].conditions}. Here as in the table above",
)

# %% cellView="form" jupyter={"source_hidden": true} tags=["hide-input"]
# @title Reading
printed = [reference.row for reference in sorted(SELFSR.published(table="Table III", column="FID"), key=lambda cell: cell.value)]
measured = sorted(names, key=lambda row: here[names[row]][fid.label]) if fid else []
answer(
    f"By FID, from best to worst, the paper has: {'; '.join(printed)}. "
    + (f"This run has: {'; '.join(measured)}. " if fid else "This run has no FID: its weights are missing. ")
    + ("The order is the same." if printed == measured else "The order is not the same." if fid else ""),
    "What these tables say",
)

# %% [markdown]
# ### The paper's own test set (Tables II and III)
#
# With prepared data the same networks meet the real LR faces that the paper tests on (Bulat et al.'s 3,000 of WIDER FACE). Nobody has their originals. What is left
# is the colours, and FID against as many HR faces of the release as there are LR faces, of people nobody trained on (the paper does not say which "high resolution images").

# %%
own = []
for test_set in real_faces.test_sets.values():
    on_own = Scoring(run, test_set, None, crop=scale, backends=backends)
    own_rows = [on_own("bicubic", lambda lr: resize_bicubic(lr, scale).clamp(0, 1))]
    own_lr = test_set.lr.take(range(len(test_set.lr)))
    for name, trained in VARIANTS.items():
        if name == CEILING:  # of our hidden degradation, not of this set's
            continue
        row = on_own(name, trained.method.super_resolve)
        if extractor:
            made = quantize(translate(name, clean)) if name in ADAPTATIONS else clean
            of_made, of_own = (features(extractor, faces.split(16), run.device) for faces in (made, own_lr))
            row |= record_set_scores(run, name, test_set.images, of_own, of_made, extractor, of="LR", paired=False)
        sr = torch.cat([quantize(trained.method.super_resolve(lr.to(run.device))).cpu() for lr in own_lr.split(10)])
        drift = mean_shift(sr, own_lr).norm(dim=1)
        run.score(name, test_set.images, DRIFT, drift)
        own_rows.append({**row, DRIFT.label: drift.mean().item()})
    own += [{"test set": test_set.images.name, **row} for row in own_rows]
    differs = f"{len(own_lr)} LR faces of {test_set.images.name}, {config.real.steps} steps instead of 160,000, width {config.real.width} instead of 256"
    cells = [(cell, names.get(cell.row)) for cell in SELFSR.published(table="Table III")]
    cells += [(cell, FLOW) for cell in SELFSR.published(table="Table II", row="SelfSR")]
    for cell, name in cells if fid else []:
        metric = of_other(fid, "LR") if "LR" in cell.column else fid
        if name:
            run.published(cell, method=name, images=test_set.images, metric=metric, differs=differs)
(
    run.table("own_test_set", own, f"Real LR faces without originals, x{scale}; FID against HR faces of others")
    if own
    else "No real LR faces are prepared: `facesr data prepare bulat --root DIR` (or widerface), then run with DATA_ROOT = DIR."
)

# %% [markdown]
# ### Look at the faces (Fig. 7)

# %%
chosen = [0, len(real_faces.test) // 3, 2 * len(real_faces.test) // 3]
lr = real[chosen].to(run.device)
columns = {"real LR": lr, "bicubic": resize_bicubic(lr, scale)}
columns |= {SHORT.get(name, name): t.method.super_resolve(lr) for name, t in VARIANTS.items()}
run.figure(
    image_grid({**columns, "HR (kept aside)": real_faces.test.take(chosen)}, cell=1.5),
    "real_faces",
    "Real LR faces of unseen people, super-resolved by networks that differ only in the pairs they were trained on.",
    f"Three rows of {len(columns) + 1} portraits: real LR, bicubic, {len(VARIANTS)} networks, and the original.",
)

# %% cellView="form" jupyter={"source_hidden": true} tags=["hide-input"]
# @title Reading
far_off = {
    name: grey_levels(picture.clamp(0, 1).cpu(), real_faces.test.take(chosen)) for name, picture in list(columns.items())[1:]
}
answer(
    "Mean distance of these three faces from their originals, in grey levels: "
    + ", ".join(f"{name} {value:.1f}" for name, value in sorted(far_off.items(), key=lambda pair: pair[1]))
    + ". Where the LR face is dark and noisy, no column brings the person back: what is lost in 16 x 16 noisy pixels is lost.".replace(
        "16 x 16", f"{real.shape[-1]} x {real.shape[-1]}"
    ),
    "What these faces say",
)

# %% [markdown]
# ## Verdicts so far
#
# Only claims that this notebook has scores for. Those about Tables I and IV are decided in the next two notebooks.

# %%
from facesr_tools.verdicts import verdicts

verdicts(run, SELFSR.claims)

# %% [markdown]
# ## In short
#
# - Pairs made by bicubic reduction teach a network to undo bicubic reduction. Real LR faces are degraded in another way, and only unpaired pictures of them exist.
# - A flow field moves pixels and can make no new colour. What must be added, such as noise, comes from the image branch, and a loss has to hold it.
# - A network that sees only the face makes one picture of it. To imitate noise, it needs noise as an input.
#
# **Read next:** Zeng et al., *SelFSR: self-conditioned face super-resolution in the wild via flow field degradation network*,
# [arXiv 2112.10683](https://arxiv.org/abs/2112.10683), section III-A; Zhu et al., *Unpaired image-to-image translation using cycle-consistent adversarial networks*,
# [arXiv 1703.10593](https://arxiv.org/abs/1703.10593).
#
# **Next notebook:** `21_selfsr_super_resolution`, the network that all of these pairs were for.

# %%
run.finish()
