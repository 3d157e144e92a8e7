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
#       evening: 0.64
#       paper: 0.5
#       quick: 0.64
#       smoke: 0.3
#       workshop: 0.5
#     paper: null
#     study: 90
#     title: What a loss asks for
#   kernelspec:
#     display_name: Python 3 (ipykernel)
#     language: python
#     name: python3
# ---

# %% [markdown]
# # What a loss asks for
#
# [![Open in Binder](https://mybinder.org/badge_logo.svg)](https://mybinder.org/v2/gh/facesr/facesr/v0.1.0?urlpath=lab/tree/notebooks/04_losses.ipynb)
# [![Open in Colab](https://colab.research.google.com/assets/colab-badge.svg)](https://colab.research.google.com/github/facesr/facesr/blob/v0.1.0/notebooks/04_losses.ipynb)
#
# **Aim:** for every loss of the four papers, see three things: its value, the picture of its gradient, and the face that you get when you follow
# it and nothing else.
#
# You will
# - read a gradient as a wish: what should be added to which pixel;
# - find out what each loss cannot see;
# - train a discriminator in seconds, fool it, and see what R1 changes;
# - move sliders and watch all losses react at once.
#
# **You need:** `00_start_here`, `03_metrics`; gradients of functions of many variables. **Time:** about 90 minutes of yours; about 40 seconds on a CPU.
# **Hardware:** any.

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
    "04_losses",
    title="What a loss asks for",
    paper=None,
    profile=PROFILE,
    seed=SEED,
    device=DEVICE,
    data_root=DATA_ROOT,
    output_dir=OUTPUT_DIR,
)
run

# %% [markdown]
# One face of the test people, its LR at a quarter of the size, and the bicubic SR that every experiment below starts from. Small networks on small
# images: everything here runs on the CPU.

# %%
from facesr_lib.data import load_faces
from facesr_lib.explore.losses import bicubic_sr
from facesr_lib.image import Bicubic

SIZE = 64
train, test = (load_faces(DATA_ROOT, split, SIZE) for split in ("train", "test"))
run.data(test)
face = test.take([0])
lr = Bicubic(4)(face)
start = bicubic_sr(face)
face.shape, lr.shape, start.shape  # (images, channels, height, width)

# %% [markdown]
# PSNR and LPIPS will be written beside every result. Where LPIPS has no weights, it says n/a, and the perceptual loss is left out.

# %%
from facesr_lib.metrics import if_available, lpips_metric, psnr

lpips = if_available(lambda: lpips_metric("auto"), run.note)
if lpips:
    run.backend("LPIPS", f"{lpips.metric.label}: {lpips.metric.convention}")


def scores(image):
    """Two numbers for the label below a picture."""
    seen = f", LPIPS {lpips(image, face).item():.2f}" if lpips else ""
    return f"{psnr(image, face).item():.1f} dB{seen}"


scores(start)

# %% [markdown]
# ## A gradient is a wish
#
# Training moves a network, and the network moves the image $\hat y$. What the loss $L$ tells the network about pixel $i$ is one number,
# $-\partial L / \partial \hat y_i$: brighter, darker, or leave it. Drawn around mid-grey, all these numbers are a picture.

# %%
from facesr_lib.explore.losses import loss_gradient, wish

show_source(loss_gradient)

# %% [markdown]
# The two plainest losses, over the $n$ numbers of an image:
#
# $$L_1 = \frac1n \sum_i |\hat y_i - y_i| \qquad L_2 = \frac1n \sum_i (\hat y_i - y_i)^2$$
#
# *Predict: the bicubic SR is a little wrong everywhere and very wrong at the eyes. Which of the two gradients will show the face?*

# %%
import torch.nn.functional as F

gradients = {name: loss_gradient(loss, start, face) for name, loss in {"L1": F.l1_loss, "L2": F.mse_loss}.items()}
run.figure(
    image_grid(
        {"HR": face, "bicubic SR": start, **{f"{name} asks for": wish(g) for name, (_, g) in gradients.items()}},
        labels={f"{name} asks for": [f"value {value:.4f}"] for name, (value, _) in gradients.items()},
        cell=2.2,
    ),
    "pixel_gradients",
    "What L1 and L2 want added to the bicubic SR: white is brighter, black is darker, grey is nothing. L1 pulls at every pixel with one "
    "strength, L2 in proportion to the error.",
    "Four pictures: a portrait, its blurred version, a black and white map, and a grey map in which eyes and glasses stand out.",
)

# %% [markdown]
# L1's wish is only the *sign* of the error, L2's is the error itself. Both vanish at the HR image and nowhere else, so followed to the end they both
# return HR, as we shall see. The difference shows when there is no single right answer.
#
# ## When the answer is not known
#
# Many faces shrink to the same LR image. A network is asked for one SR, and punished by all of them. We play this with five equally plausible
# targets: the face, shifted by -2 to 2 pixels.
#
# *Predict: what single picture is closest to all five in the mean squared error? And in the mean absolute error?*

# %%
from facesr_lib.explore.losses import Damage, descend

show_source(descend)

# %%
targets = torch.cat([Damage(shift=pixels)(face) for pixels in (-2, -1, 0, 1, 2)])
STEPS = 5 if PROFILE == "smoke" else 30
followed = {}
for name, loss in {"L1": F.l1_loss, "L2": F.mse_loss}.items():
    followed[name] = descend(lambda x, f=loss: f(x.expand_as(targets), targets), start, 5 * STEPS)
closed_form = {"median": targets.median(dim=0, keepdim=True).values, "mean": targets.mean(dim=0, keepdim=True)}
print("L1 to the median:", (followed["L1"] - closed_form["median"]).abs().mean().item())
print("L2 to the mean:  ", (followed["L2"] - closed_form["mean"]).abs().mean().item())

# %%
columns = {"a target": targets[:1], "another": targets[4:], "L2 makes": followed["L2"], "L1 makes": followed["L1"]}
run.figure(
    image_grid(columns, cell=2.2),
    "uncertainty",
    "Two of five plausible faces, and what following L2 or L1 makes of all five: the mean, which is blurred, and the median, whose edges are a "
    "little firmer. Neither is one of the five.",
    "Four portraits: two sharp ones, a blurred average, and a median.",
)

# %% [markdown]
# That is why networks trained with pixel losses blur: not because they are weak, but because the blurred face *is* the best answer to the question
# asked. All further losses ask another question.
#
# ## Edges, luminance and chrominance
#
# An **edge loss** compares derivatives. With Sobel's $\partial_x, \partial_y$, here:
#
# $$L_\text{edge} = \tfrac12 \big( |\partial_x \hat y - \partial_x y|_1 + |\partial_y \hat y - \partial_y y|_1 \big)$$
#
# ISR-KD's own edge term is a cousin: it compares an edge map that the *network* draws with Canny's map of HR (see `40_isr_kd`). ISR-KD also
# compares images in YUV, where Y is brightness and U, V are colour:
#
# $$L_\text{lc} = |\mathrm{YUV}(\hat y) - \mathrm{YUV}(y)|_2^2$$

# %%
from facesr_lib.losses import sobel_l1

show_source(sobel_l1)

# %% [markdown]
# Values of different losses have different units. To compare them, put each on a scale where the HR image is 0 and its bicubic SR, x4, is 1. The
# portrait is in colour (NASA's Eileen Collins, public domain), so that colour can go wrong.
#
# *Predict: which of the five damages does the edge loss not mind? Which one does PSNR take for worse than bicubic, and you would not?*

# %%
from facesr_lib.data.samples import astronaut_face
from facesr_lib.explore.loss_explorer import loss_bars, loss_grid

portrait = astronaut_face(SIZE)
run.figure(
    loss_grid(portrait),
    "loss_grid",
    "Five damages, and what each loss wants added. The edge loss hardly minds the colour cast: what is left of its wish there is rounding, "
    "scaled up. Below: the loss, in units of the bicubic SR's.",
    "A grid of five damaged portraits in colour, each followed by four gradient pictures.",
)

# %%
run.figure(
    loss_bars(portrait),
    "loss_bars",
    "The same damages as bars, losses blue and scores orange. A colour cast costs more than bicubic blur in L1, L2 and PSNR, and nearly nothing in the edge "
    "loss and in SSIM.",
    "Five bar charts with six bars each: four losses, PSNR and SSIM, a dashed line at 1 for the bicubic image.",
)

# %% [markdown]
# Now we follow each loss alone, from two starts: the bicubic SR, and the bicubic SR with a colour cast. Following is a best case: it is told HR, which a
# network at work never is. What is left at the end is what the *loss* cannot see.
#
# *Predict: which loss keeps the colour cast?*

# %%
from facesr_lib.explore.losses import image_losses

starts = torch.cat([start, Damage(warmth=0.08)(start)])
twice = face.expand_as(starts)
results = {name: descend(lambda x, f=loss: f(x, twice), starts, STEPS) for name, loss in image_losses().items()}
columns = {"start": starts, **results, "HR": twice}
labels = {name: [scores(x[None]) for x in images] for name, images in columns.items() if name != "HR"}

# %%
run.figure(
    image_grid(columns, labels=labels, cell=2),
    "follow_pairs",
    f"{STEPS} steps down each loss alone, from the bicubic SR and from a tinted one. L1, L2 and luma-chroma return to HR, or nearly. The edge "
    "loss returns the edges and keeps the tint.",
    "Two rows of portraits: start, result of each loss, and the original; in the second row the edge loss's result is still orange.",
)

# %% [markdown]
# ## Perceptual
#
# LPIPS passes both images through a network that learned to see and compares its features, layer by layer ($w_l$ was fitted to human judgements):
#
# $$L_\text{LPIPS} = \sum_l \frac{1}{H_l W_l} \sum_{ij} \big| w_l \odot (\hat\phi^l_{ij} - \phi^l_{ij}) \big|_2^2$$
#
# *Predict: will LPIPS alone end at HR, as the pixel losses did?*

# %%
if lpips:
    value, gradient = loss_gradient(lpips.loss, start, face)
    seen = descend(lambda x: lpips.loss(x, face), start, STEPS)
    results[lpips.metric.label] = seen
    shown = run.figure(
        image_grid(
            {"start": start, "LPIPS asks for": wish(gradient), "LPIPS alone": seen, "HR": face},
            labels={"start": [scores(start)], "LPIPS asks for": [f"value {value:.3f}"], "LPIPS alone": [scores(seen)]},
            cell=2.2,
        ),
        "follow_perceptual",
        f"{STEPS} steps down {lpips.metric.label} alone: the features come close, the pixels keep a coloured grain.",
        "Four pictures: a blurred portrait, a gradient picture, a sharp portrait with coloured grain, and the original.",
    )
else:
    shown = "n/a: no LPIPS weights here; `facesr weights list` says how to get them"
shown

# %% [markdown]
# LPIPS itself fell by far; PSNR did not follow (it may even have *fallen*), and coloured grain has appeared that the network hardly minds. A loss is a
# means of measuring, and whatever it does not measure is free to go wrong. So perceptual losses come with a pixel loss.
#
# ## Adversarial
#
# A discriminator $D$ gives each image a score $s$; the higher, the more real. Three games, and what the generator pays for a fake of score $s$ when real
# ones score $r$:
#
# | game | generator's loss | used by |
# |---|---|---|
# | vanilla (Goodfellow 2014), non-saturating | $-\log \sigma(s)$ | human-face GAN, SelfSR stage 1, teacher-student, ISR-KD |
# | hinge (Lim and Ye 2017) | $-s$ | SelfSR stage 2 |
# | relativistic (Jolicoeur-Martineau 2019) | $-\log \sigma(s - r)$ | ESRGAN, with averages over the batch |
#
# *Predict: at $s = -5$ the discriminator sees through the fake completely. Which loss still tells the generator where to go?*

# %%
from facesr_lib.losses import bce_discriminator, bce_generator, hinge_generator, relativistic_generator

s = torch.linspace(-6, 6, 121, requires_grad=True)
games = {
    "vanilla, saturating": lambda s: -bce_discriminator(s, s)[1],
    "vanilla": bce_generator,
    "hinge": hinge_generator,
    "relativistic, real at 3": lambda s: relativistic_generator(torch.full_like(s, 3.0), s),
}
slopes = {name: -121 * torch.autograd.grad(loss(s), s)[0] for name, loss in games.items()}  # 121: undo the mean
rows = [{"score of the fake": x.item(), **{name: slope[i].item() for name, slope in slopes.items()}} for i, x in enumerate(s)]
run.figure(
    curves(rows, *slopes, x="score of the fake", ylabel="pull towards a higher score"),
    "pull",
    "How hard each game pulls at the score. Log(1 - D), the saturating form of the first paper on GANs, pulls least where the fake is worst; "
    "the hinge pulls always; the relativistic game stops pulling only when fakes beat real ones.",
    "Four curves over the score of a fake image from -6 to 6.",
)

# %% [markdown]
# To see a gradient on a *face*, we need a discriminator. This one learns to tell HR faces from their bicubic SR; that is half a GAN, since nobody
# answers. Twice the same training: without and with **R1**, a penalty on the discriminator's own slope at real images,
#
# $$R_1 = \tfrac{\gamma}{2}\, \mathbb{E}_{y}\, |\nabla_y D(y)|^2$$

# %%
from facesr_lib.explore.losses import DiscriminatorConfig, DiscriminatorTraining

show_source(DiscriminatorTraining)

# %%
from facesr_lib.data import PairedBatches
from facesr_lib.training import TrainerOptions, train_stage


def trained(name, method, batch_size, steps):
    """Train a method on pairs x4, or find it in the stage cache."""
    batches = PairedBatches(train, Bicubic(4), batch_size, SEED)
    options = TrainerOptions(steps=steps, checkpoint_every=0, device="cpu")
    key = {"config": method.config, "train": train.checksum}
    return train_stage(run.stages, name, method, batches, options, seed=SEED, key=key).method


discriminators = {}
for name, gamma in (("no R1", 0.0), ("R1", 0.1)):
    method = trained("losses-discriminator", DiscriminatorTraining(DiscriminatorConfig(SIZE, gamma)), 16, 2 * STEPS)
    discriminators[name] = method.networks["discriminator"].eval().requires_grad_(False)

# %%
from facesr_lib.losses import r1_penalty

people = test.take(range(0, len(test), max(1, len(test) // 20)))
fakes = bicubic_sr(people)
rows = [
    {
        "discriminator": name,
        "score of HR": discriminator(people).mean().item(),
        "score of bicubic": discriminator(fakes).mean().item(),
        "HR scored higher": f"{(discriminator(people) > discriminator(fakes)).float().mean():.0%}",
        "R1 at HR, gamma / 2 left out": r1_penalty(discriminator, people).item(),
    }
    for name, discriminator in discriminators.items()
]
run.table("discriminators", rows, f"Both discriminators on {len(people)} faces of people they never saw")

# %% [markdown]
# *Predict: vanilla, hinge and relativistic gradients of one discriminator at one fake: how different will the three pictures be?*

# %%
from facesr_lib.explore.losses import discriminator_losses

adversarial = discriminator_losses(discriminators["no R1"])
found = {name: loss_gradient(loss, start, face)[1] for name, loss in adversarial.items() if name.startswith("adv")}
reference = found["adversarial, vanilla"].flatten()
for name, gradient in found.items():
    angle = F.cosine_similarity(reference, gradient.flatten(), dim=0).item()
    print(f"{name:<26} length {gradient.norm():8.4f}   cosine with vanilla {angle:.6f}")

# %% [markdown]
# They are *the same picture*: each loss is a function of the one score, so by the chain rule $\nabla L = L'(s)\, \nabla D$, and the game only sets the
# strength (the relativistic average adds two terms, so it pulls twice). Games differ in how strongly each image of a batch pulls, and in what they make of the discriminator, not in the direction they pull one image.
#
# Now follow the discriminator alone. *Predict: will the face become more real? And with R1?*

# %%
columns = {"start": start}
labels = {"start": [scores(start)]}
for name, discriminator in discriminators.items():
    loss = discriminator_losses(discriminator)["adversarial, vanilla"]
    fooled = descend(lambda x, f=loss: f(x, face), start, STEPS)
    columns |= {f"{name}: asks for": wish(loss_gradient(loss, start, face)[1]), f"{name}: result": fooled}
    labels[f"{name}: asks for"] = [f"length {loss_gradient(loss, start, face)[1].norm():.2f}"]
    labels[f"{name}: result"] = [scores(fooled)]
    print(
        f"{name:<6} scores: start {discriminator(start).item():.1f}, HR {discriminator(face).item():.1f}, result {discriminator(fooled).item():.1f}"
    )
    results |= {f"adversarial, {name}": fooled}
run.figure(
    image_grid({**columns, "HR": face}, labels=labels, cell=2),
    "follow_discriminator",
    "What each discriminator asks for, and where following it alone leads: the blurred face, covered with patterns that the discriminator "
    "takes for detail. A discriminator that stands still is fooled; in a GAN it learns on.",
    "Six pictures: a blurred portrait, then for both discriminators a gradient picture and a portrait full of artefacts, then the original.",
)

# %% [markdown]
# The results score above HR itself (printed above): *more real than real*. R1 does not make a frozen discriminator honest. It is meant to flatten its **slope**:
# compare the gradients' lengths below the pictures, and the way from the bicubic SR (0) to HR (1) and beyond. Seconds of training need not show it yet.
#
# *Predict: left of 0 the picture gets even more blurred than bicubic. What will the discriminators say there?*

# %%
path = torch.linspace(-0.5, 1.5, 41)
between = torch.cat([torch.lerp(start, face, t.item()) for t in path])
walk = {name: discriminator(between)[:, 0].tolist() for name, discriminator in discriminators.items()}
rows = [{"bicubic SR at 0, HR at 1": t.item(), **{name: walk[name][i] for name in walk}} for i, t in enumerate(path)]
rise = {name: values[30] - values[10] for name, values in walk.items()}  # from 0 to 1
risen = " and ".join(f"{rise[name]:+.2f} ({name})" for name in rise)
run.figure(
    curves(rows, *walk, x="bicubic SR at 0, HR at 1", ylabel="score"),
    "walk",
    f"The score of both discriminators along the line through the bicubic SR and HR; from one to the other it changes by {risen}. Left of 0 lie pictures "
    "that no discriminator was trained on; whatever the score does there, nobody asked for it.",
    f"Two curves over the position on the line from bicubic to HR and beyond. From 0 to 1 they change by {risen}.",
)

# %% [markdown]
# And R1 *alone*? Its minimum is a discriminator without slope, one that finds everything equally real. A few steps of it on a copy:

# %%
import copy

flat = copy.deepcopy(discriminators["no R1"]).requires_grad_(True)
optimizer = torch.optim.Adam(flat.parameters(), lr=2e-3)
for _ in range(STEPS):
    optimizer.zero_grad()
    r1_penalty(flat, people[:8]).backward()
    optimizer.step()
for name, discriminator in {"before": discriminators["no R1"], "after R1 alone": flat}.items():
    gap = (discriminator(people) - discriminator(fakes)).mean().item()
    print(f"{name:<15} R1 {r1_penalty(discriminator, people).item():9.4f}   HR scores {gap:.3f} above bicubic")

# %% [markdown]
# ## Identity
#
# ISR-KD compares what the discriminator's last hidden layer makes of SR and of HR, as probabilities $p, q$ (a softmax over its features):
#
# $$\mathrm{JS}(p, q) = \tfrac12 \mathrm{KL}\big(p \,\|\, \tfrac{p+q}2\big) + \tfrac12 \mathrm{KL}\big(q \,\|\, \tfrac{p+q}2\big)
# \;\in\; [0, \log 2]$$
#
# *Predict: rank by JS distance from the face: another photograph of the same person, another person, the face's own bicubic SR.*

# %%
from facesr_lib.metrics import WeightsMissing, identity_similarity

others = range(1, len(test))
same = next((i for i in others if test.groups[i] == test.groups[0]), 0)
other = next((i for i in others if test.groups[i] != test.groups[0]), 0)
candidates = {"same person": test.take([same]), "another person": test.take([other]), "own bicubic SR": start}
identity = discriminator_losses(discriminators["no R1"])["identity (JS)"]
rows = [{"compared with the face": name, "JS": identity(x, face).item()} for name, x in candidates.items()]
try:
    for row in rows:
        similarity = identity_similarity(candidates[row["compared with the face"]], face).item()
        row["ID (face-api), 1 = equal"] = similarity
except WeightsMissing as missing:
    run.note(str(missing))
run.table("identity", rows, "What the discriminator's features call different, and what a face recognition network does")

# %%
kept = descend(lambda x: identity(x, face), start, STEPS)
results["identity (JS)"] = kept
run.figure(
    image_grid(
        {"start": start, "JS asks for": wish(loss_gradient(identity, start, face)[1]), "JS alone": kept, "HR": face},
        labels={"start": [scores(start)], "JS alone": [f"JS {identity(kept, face):.4f}, {scores(kept)}"]},
        cell=2.2,
    ),
    "follow_identity",
    "Following the identity term alone: the features agree, the face does not.",
    "Four pictures: a blurred portrait, a gradient picture, the portrait with artefacts, and the original.",
)

# %% [markdown]
# The features of a discriminator know what the discriminator was trained to know: sharp from blurred. They were never told who is who. An identity loss is as good as
# the network that it asks.
#
# ## Distillation
#
# A teacher's SR takes HR's place: in the teacher-student paper because real LR faces have no HR, in ISR-KD because the student must not change what it
# could already do. ISR-KD adds the same for an inner feature $B$:
#
# $$L_\text{KD} = 15\, |\hat y_S - \hat y_T|_2^2 + 0.08\, |B_S - B_T|_2^2$$
#
# As a teacher we train SelfSR's generator for a few seconds, with L1 only. *Predict: the student follows the teacher to the end. What will its PSNR be?*

# %%
from facesr_lib.papers.selfsr import Config, SelfSR
from facesr_lib.papers.selfsr.names import NO_GROWING

config = Config.preset("smoke" if PROFILE == "smoke" else "quick").real.psnr_oriented().ablations()[NO_GROWING]
teacher = trained("losses-teacher", SelfSR(config), config.batch_size, config.steps)
taught = teacher.super_resolve(lr)

# %%
from facesr_lib.papers.isr_kd import squared_error


def distillation(x, _):
    return squared_error(x, taught).mean()


student = descend(lambda x: distillation(x, None), start, STEPS)
results["distillation"] = student
run.figure(
    image_grid(
        {
            "start": start,
            "KD asks for": wish(loss_gradient(distillation, start, face)[1]),
            "KD alone": student,
            "teacher": taught,
            "HR": face,
        },
        labels={"start": [scores(start)], "KD alone": [scores(student)], "teacher": [scores(taught)]},
        cell=2.1,
    ),
    "follow_teacher",
    "Distillation asks for the teacher's face, not for the true one: its end is the teacher's SR, mistakes included.",
    "Five portraits: start, gradient picture, student, teacher, and the original.",
)

# %% [markdown]
# ## Smoothness
#
# SelfSR's first stage moves pixels along a flow field $f$. Total variation keeps neighbours together:
#
# $$L_\text{sm} = \mathrm{mean}\,|f_{x+1} - f_x| + \mathrm{mean}\,|f_{y+1} - f_y|$$
#
# *Predict: which of these flows, each with a longest arrow of 3 pixels, costs nothing?*

# %%
from facesr_lib.explore.flow import FLOW_KINDS, flow_colors, preset_flow
from facesr_lib.image import warp
from facesr_lib.losses import total_variation

flows = {kind: preset_flow(kind, SIZE, 3.0) for kind in FLOW_KINDS}
rows = [
    {"flow": kind, "total variation": total_variation(flow).item(), "mean length (px)": flow.norm(dim=1).mean().item()}
    for kind, flow in flows.items()
]
run.table("smoothness", rows, "Total variation of five flows with the same longest arrow")


# %%
def smoothness(flow, _):
    return total_variation(flow)


shaken = flows["shake"] + flows["shift"]
_, slope = loss_gradient(smoothness, shaken, shaken)
smoothed = descend(total_variation, shaken, 20 * STEPS, rate=0.2, limits=None)
columns = {
    "flow": flow_colors(shaken, 6),
    "face, moved": warp(face, shaken),
    "smoothness asks for": flow_colors(-slope),
    "flow, smoothed": flow_colors(smoothed, 6),
    "face, moved by it": warp(face, smoothed),
}
values = {"flow": shaken, "flow, smoothed": smoothed}
labels = {k: [f"TV {total_variation(f):.3f}, mean arrow {f.mean((0, 2, 3)).norm():.1f} px"] for k, f in values.items()}

# %%
run.figure(
    image_grid(columns, labels=labels, cell=2.2),
    "follow_smoothness",
    "A shaken and shifted flow, and what total variation alone makes of it (hue: direction, saturation: length). The shaking goes, the shift "
    "stays: no neighbour differs from its neighbour.",
    "Five pictures: a colourful flow, a bent portrait, a speckled gradient, an evenly coloured flow, and a straight but shifted portrait.",
)

# %% [markdown]
# ## All of them side by side

# %%
rows = []
for name, image in {"start": starts, **results}.items():
    row = {"followed alone": name, "PSNR (dB)": psnr(image[:1], face).item()}
    if lpips:
        row[lpips.metric.label] = lpips(image[:1], face).item()
    rows.append(row)
run.table("followed", rows, f"One face, {STEPS} steps down one loss alone; a loss that is told HR can return it")

# %% [markdown]
# No loss is right on its own. Each paper's objective is a sum in which one term guards what another cannot see.
#
# ## Move it yourself
#
# Sliders damage the picture; every bar is on the scale from HR (0) to bicubic SR (1, dashed). LPIPS is behind a box, because a slider could not follow
# it. The figures above show the same without a kernel; here are all losses for the face, the discriminator's included (the one with R1).
#
# *Try: find a damage that the discriminator likes better than HR (a bar below 0 shows as a negative share).*

# %%
adversarial = discriminator_losses(discriminators["R1"])
everything = {**image_losses(), **adversarial}
run.figure(
    loss_bars(face, everything),
    "all_bars",
    "Every loss and score of five damages of the face. The discriminator learned blur, so blur is what it minds.",
    "Five bar charts with ten bars each: eight losses, PSNR and SSIM.",
)

# %%
from facesr_lib.explore.loss_explorer import loss_explorer

loss_explorer({"face": face, "portrait": portrait}, everything, {lpips.metric.label: lpips.loss} if lpips else None)

# %% [markdown]
# ## Exercises
#
# **1. An outlier.** Write the gradients of L1 and L2 with respect to `sr`, without autograd. The check hides one pixel that is a hundred times as wrong
# as the others.


# %% tags=["exercise"]
def my_pixel_gradients(sr, hr):
    raise NotImplementedError


# %%
from facesr_lib.exercises.losses import check_invisible_change, check_js, check_pixel_gradients, check_relativistic

check_pixel_gradients(my_pixel_gradients)


# %% tags=["solution"] jupyter={"source_hidden": true}
def my_pixel_gradients(sr, hr):
    error = sr - hr
    return error.sign() / error.numel(), 2 * error / error.numel()


check_pixel_gradients(my_pixel_gradients)

# %% [markdown]
# **2. The relativistic average game.** The generator's loss on real scores (N, 1) and fake scores (M, 1): with $\bar r, \bar s$ their means,
# $-\,\mathrm{mean} \log \sigma(s - \bar r) - \mathrm{mean} \log(1 - \sigma(r - \bar s))$. It must survive scores of 300.


# %% tags=["exercise"]
def my_relativistic(real, fake):
    raise NotImplementedError


# %%
check_relativistic(my_relativistic)


# %% tags=["solution"] jupyter={"source_hidden": true}
def my_relativistic(real, fake):
    softplus = torch.nn.functional.softplus  # softplus(x) = -log(sigmoid(-x)) = -log(1 - sigmoid(x))
    return softplus(real.mean() - fake).mean() + softplus(real - fake.mean()).mean()


check_relativistic(my_relativistic)

# %% [markdown]
# **3. Jensen-Shannon.** Of softmax(a) and softmax(b), one value per row, in natural logarithms. Probabilities that round to 0 must not give NaN.


# %% tags=["exercise"]
def my_js(a, b):
    raise NotImplementedError


# %%
check_js(my_js)


# %% tags=["solution"] jupyter={"source_hidden": true}
def my_js(a, b):
    log_p, log_q = a.log_softmax(dim=1), b.log_softmax(dim=1)
    log_m = torch.logaddexp(log_p, log_q) - torch.tensor(2.0).log()
    return 0.5 * (log_p.exp() * (log_p - log_m) + log_q.exp() * (log_q - log_m)).sum(dim=1)


check_js(my_js)

# %% [markdown]
# **4. What the smoothness term cannot see.** Given a flow (1, 2, H, W), return another one that looks at least 1 pixel elsewhere at *every* pixel
# and has the same total variation.


# %% tags=["exercise"]
def my_invisible_change(flow):
    raise NotImplementedError


# %%
check_invisible_change(my_invisible_change)


# %% tags=["solution"] jupyter={"source_hidden": true}
def my_invisible_change(flow):
    return flow + torch.tensor([1.0, 0.0]).view(1, 2, 1, 1)


check_invisible_change(my_invisible_change)

# %% [markdown]
# **To think about.** SelfSR's first stage has an adversarial, an identity and a smoothness term. Which of the three stops it from shifting every face by
# two pixels?
#
# **Next:** `10_human_face_gan` trains with an adversarial loss and nothing else.

# %%
run.finish()
