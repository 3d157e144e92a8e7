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
#     study: 95
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
# **You need:** `00_start_here`, `03_metrics`; gradients of functions of many variables. **Time:** about 95 minutes of yours; about 40 seconds on a CPU.
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
    "Four pictures: a portrait, its blurred version, a map in black and white, and a map in greys.",
)

# %% cellView="form" jupyter={"source_hidden": true} tags=["hide-input"]
# @title Answer
worst = {}
for name, (_, gradient) in gradients.items():
    strength = gradient.abs().flatten().sort(descending=True).values
    worst[name] = (strength[: len(strength) // 10].sum() / strength.sum()).item()
answer(
    f"L2 shows the face. A tenth of the pixels gets {worst['L2']:.0%} of its pull, the tenth that is most wrong: eyes, glasses, hair. In L1 the strongest tenth gets {worst['L1']:.0%}: "
    "the gradient is only the sign of the error, so a pixel that is wrong by one grey level pulls as hard as one that is wrong by fifty."
)


# %% [markdown]
# Both gradients vanish at the HR image and nowhere else, so followed to the end both losses return HR. The difference shows when there is no single right
# answer.

# %% [markdown]
# ### Exercise 1
#
# **1. An outlier.** Write the gradients of L1 and L2 with respect to `sr`, without autograd. The check hides one pixel that is a hundred times as wrong
# as the others.


# %% tags=["exercise"]
def my_pixel_gradients(sr, hr):
    raise NotImplementedError


# %%
from facesr_lib.exercises.losses import check_pixel_gradients

check_pixel_gradients(my_pixel_gradients)


# %% tags=["solution"] jupyter={"source_hidden": true}
def my_pixel_gradients(sr, hr):
    error = sr - hr
    return error.sign() / error.numel(), 2 * error / error.numel()


check_pixel_gradients(my_pixel_gradients)

# %% [markdown]
# ## When the answer is not known
#
# Many faces shrink to the same LR image. A network is asked for one SR, and compared with all of them. We imitate this with five equally plausible
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
    "Two of five plausible faces, and what following L2 or L1 makes of all five: their mean and their median.",
    "Four portraits: two of the targets, their mean, and their median.",
)

# %% cellView="form" jupyter={"source_hidden": true} tags=["hide-input"]
# @title Answer
from facesr_lib.image import rgb_to_grey, sobel

edges = {name: sobel(rgb_to_grey(image)).abs().mean() for name, image in {"target": face, **followed}.items()}
kept_edges = {name: (edges[name] / edges["target"]).item() for name in followed}
answer(
    "The mean is closest in the squared error, the median of each pixel in the absolute error. "
    f"The edges of the mean are on average {kept_edges['L2']:.0%} as strong as the target's, those of the median {kept_edges['L1']:.0%}. "
    "Neither picture is one of the five faces. A pixel loss asks for the best compromise, and a compromise between sharp faces is blurred."
)


# %% [markdown]
# That is why networks trained with pixel losses blur. They need not be weak: the blurred face *is* the best answer to the question
# asked. All further losses ask another question.

# %% [markdown]
# **To think about.** A discriminator that knows faces looks at the same five targets, the mean and the median. Which of the seven pictures does it accept, and what would a generator do that has to
# please it?

# %% [markdown] tags=["solution"]
# <details><summary>One answer</summary>
#
# It accepts each of the five, since each is a real face, and rejects mean and median, since no face looks so blurred. The generator can therefore return any *one* of the five. It does not know which
# one is right: on average its squared error is larger than the mean's. That is the price of a sharp picture.
#
# </details>

# %% [markdown]
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
    "Five damages, and what each loss wants added; each gradient is scaled to be seen. Below: the loss, in units of the bicubic SR's.",
    "A grid of five damaged portraits in colour, each followed by four gradient pictures.",
)

# %%
run.figure(
    loss_bars(portrait),
    "loss_bars",
    "The same damages as bars: losses blue, scores orange, the original at 0, its bicubic SR at the dashed line.",
    "Five bar charts with six bars each: four losses, PSNR and SSIM, a dashed line at 1 for the bicubic image.",
)

# %% cellView="form" jupyter={"source_hidden": true} tags=["hide-input"]
# @title Answer
from facesr_lib.explore.losses import DAMAGES, LossScale

scale = LossScale(portrait)
shares = {damage.name: {name: reading.share for name, reading in scale(damage(portrait)).items()} for damage in DAMAGES}
unseen = min(shares, key=lambda name: shares[name]["edge (Sobel L1)"])
overrated = [name for name in shares if shares[name]["PSNR"] > 1]
answer(
    f"The edge loss minds *{unseen}* least: {shares[unseen]['edge (Sobel L1)']:.0%} of what bicubic blur costs, against {shares[unseen]['L1']:.0%} in L1. A colour that is added everywhere has no "
    "derivative; what is left of the edge loss's wish there is rounding, scaled up. "
    + (
        f"PSNR takes {' and '.join(f'*{name}*' for name in overrated)} for worse than bicubic blur. "
        if overrated
        else "PSNR takes none of the five for worse than bicubic blur. "
    )
    + "Shift and colour cast keep every detail of the face, and most people would prefer them to the blur."
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
    f"{STEPS} steps down each loss alone, from the bicubic SR and from a tinted one.",
    "Two rows of portraits: start, result of each loss, and the original; the second row starts orange.",
)

# %% cellView="form" jupyter={"source_hidden": true} tags=["hide-input"]
# @title Answer
tint = {name: (images[1] - face[0]).mean(dim=(1, 2)).abs().mean().item() for name, images in {"start": starts, **results}.items()}
left = {name: tint[name] / tint["start"] for name in results}
keeper = max(left, key=left.get)
answer(
    f"*{keeper}* keeps it: {left[keeper]:.0%} of the cast is left, against "
    + ", ".join(f"{share:.0%} ({name})" for name, share in left.items() if name != keeper)
    + ". A loss of derivatives does not change when a constant is added to the picture, so nothing pulls the colour back. It needs a partner that sees colour."
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
        f"{STEPS} steps down {lpips.metric.label} alone.",
        "Four pictures: a blurred portrait, a gradient picture, the result, and the original.",
    )
else:
    shown = "n/a: no LPIPS weights here; `facesr weights list` says how to get them"
shown

# %% cellView="form" jupyter={"source_hidden": true} tags=["hide-input"]
# @title Answer
if lpips:
    before, after = (lpips(image, face).item() for image in (start, seen))
    change = psnr(seen, face).item() - psnr(start, face).item()
    shown = answer(
        f"No. LPIPS goes from {before:.2f} to {after:.2f}, PSNR changes by {change:+.1f} dB; the pixel losses reached more than "
        f"{min(psnr(results[name][:1], face).item() for name in ('L1', 'L2')):.0f} dB. The edges are back, and coloured grain has come that the network hardly minds: it "
        "compares features, and many pictures have nearly the same features."
    )
else:
    shown = "n/a: no LPIPS weights here"
shown

# %% [markdown]
# A loss is a means of measuring, and whatever it does not measure is free to go wrong. So perceptual losses come with a pixel loss.
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
    "How hard each game pulls at the score of a fake. The saturating form is log(1 - D), as in the first paper on GANs.",
    "Four curves over the score of a fake image from -6 to 6.",
)

# %% cellView="form" jupyter={"source_hidden": true} tags=["hide-input"]
# @title Answer
at = {name: slope[10].item() for name, slope in slopes.items()}  # s = -5
answer(
    "The pull at s = -5: " + "; ".join(f"{name} {value:.3f}" for name, value in at.items()) + ". "
    "The saturating form gives the least where the fake is worst, so a generator that starts badly learns nothing. That is why everybody uses the other form. "
    "The hinge pulls with one strength. The relativistic game goes on until fakes score above real images."
)

# %% [markdown]
# ### Exercise 2
#
# **2. The relativistic average game.** The generator's loss on real scores (N, 1) and fake scores (M, 1): with $\bar r, \bar s$ their means,
# $-\,\mathrm{mean} \log \sigma(s - \bar r) - \mathrm{mean} \log(1 - \sigma(r - \bar s))$. It must survive scores of 300.


# %% tags=["exercise"]
def my_relativistic(real, fake):
    raise NotImplementedError


# %%
from facesr_lib.exercises.losses import check_relativistic

check_relativistic(my_relativistic)


# %% tags=["solution"] jupyter={"source_hidden": true}
def my_relativistic(real, fake):
    softplus = torch.nn.functional.softplus  # softplus(x) = -log(sigmoid(-x)) = -log(1 - sigmoid(x))
    return softplus(real.mean() - fake).mean() + softplus(real - fake.mean()).mean()


check_relativistic(my_relativistic)


# %% [markdown]
# To see a gradient on a *face*, we need a discriminator. This one learns to tell HR faces from their bicubic SR. There is no generator, so the fakes stay as they
# are. The training runs twice: without and with **R1**, a penalty on the discriminator's own slope at real images,
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
    method = trained("losses-discriminator", DiscriminatorTraining(DiscriminatorConfig(SIZE, gamma)), 8, 5 * STEPS)
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

# %%
free, held = rows
run.note(
    f"Without R1 the mean scores of HR and bicubic lie {free['score of HR'] - free['score of bicubic']:.2f} apart, with R1 {held['score of HR'] - held['score of bicubic']:.2f}; "
    f"HR is scored higher in {free['HR scored higher']} and {held['HR scored higher']} of the pairs."
)

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

# %% cellView="form" jupyter={"source_hidden": true} tags=["hide-input"]
# @title Answer
cosines = [F.cosine_similarity(reference, gradient.flatten(), dim=0).item() for gradient in found.values()]
answer(
    f"They are the same picture: the smallest cosine is {min(cosines):.4f}. Each loss is a function of the one score, so by the chain rule its gradient is a number times that of "
    "the score, and the game only sets the strength. (The relativistic average adds two terms, so it pulls twice.) Games differ in how hard each image of a batch pulls, and in "
    "what they make of the discriminator; the direction for one image is the same."
)

# %% [markdown]
# Now follow the discriminator alone. *Predict: will the face become more real? And with R1?*

# %%
columns = {"start": start}
labels = {"start": [scores(start)]}
rated = {}
for name, discriminator in discriminators.items():
    loss = discriminator_losses(discriminator)["adversarial, vanilla"]
    fooled = descend(lambda x, f=loss: f(x, face), start, STEPS)
    columns |= {f"{name}: asks for": wish(loss_gradient(loss, start, face)[1]), f"{name}: result": fooled}
    labels[f"{name}: asks for"] = [f"length {loss_gradient(loss, start, face)[1].norm():.2f}"]
    labels[f"{name}: result"] = [scores(fooled)]
    rated[name] = [discriminator(image).item() for image in (start, face, fooled)]
    results |= {f"adversarial, {name}": fooled}
run.figure(
    image_grid({**columns, "HR": face}, labels=labels, cell=2),
    "follow_discriminator",
    f"What each discriminator asks for, and where {STEPS} steps of following it alone lead. Below: the gradient's length; PSNR of the result.",
    "Six pictures: a blurred portrait, then for both discriminators a gradient picture and the result of following it, then the original.",
)

# %% cellView="form" jupyter={"source_hidden": true} tags=["hide-input"]
# @title Answer
lengths = {name: float(labels[f"{name}: asks for"][0].split()[1]) for name in rated}
above = [name for name, (_, real, result) in rated.items() if result > real]
ends = [psnr(results[f"adversarial, {name}"], face).item() for name in rated]
answer(
    "Its *score* gets better: "
    + "; ".join(
        f"{name}: {first:.1f} at the start, {result:.1f} at the end, HR {real:.1f}"
        for name, (first, real, result) in rated.items()
    )
    + f". {'Both results score' if len(above) == 2 else f'{len(above)} of 2 results scores'} above HR itself, and yet PSNR is {' and '.join(f'{value:.1f} dB' for value in ends)}, from "
    f"{psnr(start, face).item():.1f} dB: the face is covered with patterns that the discriminator takes for detail. "
    f"R1 does not make a fixed discriminator honest. It is there to limit its slope: the gradient's length is {lengths['R1']:.2f} with R1 and {lengths['no R1']:.2f} without."
)


# %% [markdown]
# **To think about.** This discriminator was fixed, and was fooled within seconds. Why does the same not happen in the training of a GAN?

# %% [markdown] tags=["solution"]
# <details><summary>One answer</summary>
#
# In a GAN it learns on. As soon as the generator has found such patterns, the discriminator sees them among its fakes and learns to reject them. The generator has to find others, and the
# only patterns that stay unpunished in the long run are those of real faces. Where one of the two is much faster than the other, this fails, and the artefacts stay.
#
# </details>

# %% [markdown]
# A discriminator has a slope everywhere, not only at the pictures that it learned from. Walk from the bicubic SR (0) to HR (1), and beyond on both sides.
#
# *Predict: left of 0 the picture gets even more blurred than bicubic. What will the discriminators say there?*

# %%
path = torch.linspace(-0.5, 1.5, 41)
between = torch.cat([torch.lerp(start, face, t.item()) for t in path])
walk = {name: discriminator(between)[:, 0].tolist() for name, discriminator in discriminators.items()}
rows = [{"bicubic SR at 0, HR at 1": t.item(), **{name: walk[name][i] for name in walk}} for i, t in enumerate(path)]
figure = curves(rows, *walk, x="bicubic SR at 0, HR at 1", ylabel="score")
for outside in ((-0.5, 0), (1, 1.5)):
    figure.axes[0].axvspan(*outside, color="0.93", zorder=0)
run.figure(
    figure,
    "walk",
    "The score of both discriminators along the line through the bicubic SR and HR. Shaded: pictures beyond the two, as no discriminator saw in its training.",
    "Two curves over the position on the line from bicubic to HR and beyond; the parts beyond are shaded.",
)

# %% cellView="form" jupyter={"source_hidden": true} tags=["hide-input"]
# @title Answer
rise = {name: values[30] - values[10] for name, values in walk.items()}  # from 0 to 1
beyond = {name: values[0] - values[10] for name, values in walk.items()}  # from 0 to -0.5
answer(
    "; ".join(
        f"{name}: {rise[name]:+.2f} from the bicubic SR to HR, {beyond[name]:+.2f} on the way to an even more blurred picture"
        for name in walk
    )
    + ". A discriminator learns to part the two kinds of picture that it is shown. Left of 0 nobody asked for anything: the score may fall further, stay, or rise again, "
    f"as if more blur were more real. With R1 the whole rise is {abs(rise['R1'] / rise['no R1']):.2f} times as large as without."
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

# %% cellView="form" jupyter={"source_hidden": true} tags=["hide-input"]
# @title Answer
ranking = [row["compared with the face"] for row in sorted(rows, key=lambda row: row["JS"])]
by_face = "ID (face-api), 1 = equal"
known = [row["compared with the face"] for row in sorted(rows, key=lambda row: -row[by_face])] if by_face in rows[0] else []
answer(
    f"By JS, from near to far: {', '.join(ranking)}. "
    + (f"By face recognition: {', '.join(known)}. " if known else "")
    + "The features of a discriminator know what it was trained to know: sharp from blurred. Nobody told it who is who, so its order of persons is an accident. "
    "An identity loss is as good as the network that it asks."
)


# %%
kept = descend(lambda x: identity(x, face), start, STEPS)
results["identity (JS)"] = kept
run.figure(
    image_grid(
        {"start": start, "JS asks for": wish(loss_gradient(identity, start, face)[1]), "JS alone": kept, "HR": face},
        labels={"start": [scores(start)], "JS alone": [f"JS {identity(kept, face):.1e}, {scores(kept)}"]},
        cell=2.2,
    ),
    "follow_identity",
    f"{STEPS} steps down the identity term alone: JS goes from {identity(start, face):.1e} to {identity(kept, face):.1e}, PSNR from "
    f"{psnr(start, face).item():.1f} to {psnr(kept, face).item():.1f} dB.",
    "Four pictures: a blurred portrait, a gradient picture, the result, and the original.",
)


# %% [markdown]
# ### Exercise 3
#
# **3. Jensen-Shannon.** Of softmax(a) and softmax(b), one value per row, in natural logarithms. Probabilities that round to 0 must not give NaN.


# %% tags=["exercise"]
def my_js(a, b):
    raise NotImplementedError


# %%
from facesr_lib.exercises.losses import check_js

check_js(my_js)


# %% tags=["solution"] jupyter={"source_hidden": true}
def my_js(a, b):
    log_p, log_q = a.log_softmax(dim=1), b.log_softmax(dim=1)
    log_m = torch.logaddexp(log_p, log_q) - torch.tensor(2.0).log()
    return 0.5 * (log_p.exp() * (log_p - log_m) + log_q.exp() * (log_q - log_m)).sum(dim=1)


check_js(my_js)

# %% [markdown]
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
    f"{STEPS} steps down the distance to the teacher's SR; the original is never shown to it.",
    "Five portraits: start, gradient picture, student, teacher, and the original.",
)

# %% cellView="form" jupyter={"source_hidden": true} tags=["hide-input"]
# @title Answer
ends = {name: psnr(image, face).item() for name, image in {"start": start, "student": student, "teacher": taught}.items()}
answer(
    f"That of the teacher: {ends['student']:.2f} dB, the teacher has {ends['teacher']:.2f} dB and the start {ends['start']:.2f} dB. The loss is 0 at the teacher's SR, not at HR. So the student "
    "takes over the teacher's mistakes with its knowledge, and can gain on HR only as far as the teacher is better than the start."
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

# %% cellView="form" jupyter={"source_hidden": true} tags=["hide-input"]
# @title Answer
cost = {row["flow"]: row["total variation"] for row in rows}
answer(
    f"*{min(cost, key=cost.get)}* ({min(cost.values()):.4f}), where every arrow is the same; *{max(cost, key=cost.get)}* costs most ({max(cost.values()):.3f}). Total variation sees only "
    "differences of neighbours. How far the pixels are moved together does not count."
)


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
    f"A shaken and shifted flow, and what {20 * STEPS} steps down total variation alone make of it (hue: direction, saturation: length).",
    "Five pictures: a colourful flow, a bent portrait, the gradient, the smoothed flow, and the portrait moved by it.",
)

# %%
run.note(
    f"Total variation alone takes its own value from {total_variation(shaken):.3f} to {total_variation(smoothed):.3f}, and leaves a mean shift of "
    f"{smoothed.mean((0, 2, 3)).norm():.1f} of {shaken.mean((0, 2, 3)).norm():.1f} pixels: the shaking goes, the shift is free."
)

# %% [markdown]
# ### Exercise 4
#
# **4. What the smoothness term cannot see.** Given a flow (1, 2, H, W), return another one that looks at least 1 pixel elsewhere at *every* pixel
# and has the same total variation.


# %% tags=["exercise"]
def my_invisible_change(flow):
    raise NotImplementedError


# %%
from facesr_lib.exercises.losses import check_invisible_change

check_invisible_change(my_invisible_change)


# %% tags=["solution"] jupyter={"source_hidden": true}
def my_invisible_change(flow):
    return flow + torch.tensor([1.0, 0.0]).view(1, 2, 1, 1)


check_invisible_change(my_invisible_change)

# %% [markdown]
# **To think about.** SelfSR's first stage has an adversarial, an identity and a smoothness term. The identity term compares the image *before* the flow moves it. Which of the three stops the stage from shifting every face by
# two pixels?

# %% [markdown] tags=["solution"]
# <details><summary>One answer</summary>
#
# Not smoothness, as the exercise shows, and not identity, which looks at the image before it is moved. Only the adversarial term is left, and it helps only if the discriminator can see positions: real
# LR faces are aligned, so their eyes always lie at one height. In pictures that are not aligned, a shifted face is as real as any other.
#
# </details>


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

# %%
ended = {row["followed alone"]: row["PSNR (dB)"] for row in rows}
worse = [name for name, value in ended.items() if value < ended["start"]]
run.note(
    f"Followed alone from {ended['start']:.1f} dB, *{max(ended, key=ended.get)}* ends highest ({max(ended.values()):.1f} dB); below the start end {', '.join(worse) or 'none'}."
)

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
    "Every loss and score of five damages of the face; the original at 0, its bicubic SR at the dashed line.",
    "Five bar charts with ten bars each: eight losses, PSNR and SSIM.",
)

# %% cellView="form" jupyter={"source_hidden": true} tags=["hide-input"]
# @title Answer
scale = LossScale(face, everything)
minded = {damage.name: scale(damage(face))["adversarial, vanilla"].share for damage in DAMAGES}
liked = [name for name, share in minded.items() if share < 0]
answer(
    f"Of the five damages this discriminator minds *{max(minded, key=minded.get)}* most, and likes {' and '.join(f'*{name}*' for name in liked) or 'none'} better than HR. It learned to "
    "tell sharp faces from blurred ones. What it has never seen as a fake, such as noise or a colour, it may take for detail."
)


# %%
from facesr_lib.explore.loss_explorer import loss_explorer

loss_explorer({"face": face, "portrait": portrait}, everything, {lpips.metric.label: lpips.loss} if lpips else None)

# %% [markdown]
# ## In short
#
# - The gradient of a loss says what it wants added to each pixel. What it cannot see has no gradient, and is free to go wrong.
# - Where many answers are possible, pixel losses return a blurred compromise; a discriminator asks for one plausible answer.
# - An adversarial, perceptual or identity loss knows what its network knows. An objective is a sum in which each term guards what another cannot see.
#
# To read: [Zhao et al., 2017](https://arxiv.org/abs/1511.08861) on losses for restoration, [Goodfellow et al., 2014](https://arxiv.org/abs/1406.2661) on GANs,
# [Mescheder et al., 2018](https://arxiv.org/abs/1801.04406) on R1.
#
# **Next:** `10_human_face_gan` trains with an adversarial loss and nothing else.

# %%
run.finish()
