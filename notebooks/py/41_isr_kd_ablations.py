# ---
# jupyter:
#   facesr:
#     hardware:
#       evening: CPU
#       paper: GPU, 24 GB
#       quick: CPU
#       smoke: CPU
#       workshop: GPU
#     minutes:
#       evening: 21
#       paper: 6000
#       quick: 4.6
#       smoke: 0.3
#       workshop: 10
#     paper: isr_kd
#     study: 40
#     title: What keeps the faces
#   kernelspec:
#     display_name: Python 3 (ipykernel)
#     language: python
#     name: python3
# ---

# %% [markdown]
# # What keeps the faces
#
# [![Open in Binder](https://mybinder.org/badge_logo.svg)](https://mybinder.org/v2/gh/facesr/facesr/v0.1.0?urlpath=lab/tree/notebooks/41_isr_kd_ablations.ipynb)
# [![Open in Colab](https://colab.research.google.com/assets/colab-badge.svg)](https://colab.research.google.com/github/facesr/facesr/blob/v0.1.0/notebooks/41_isr_kd_ablations.ipynb)
#
# **Aim:** take the incremental student of `40_isr_kd` apart: which term, which block and how much replay keep the old domain?
#
# You will
# - remove one part at a time and read the price in both domains;
# - draw what replay buys, and what the distillation weights buy;
# - test models on images of a source they never saw.
#
# **You need:** `40_isr_kd`, whose trained stages are reused (they are made again where they are missing).
# **Time:** about 40 minutes of yours; about 4.6 minutes in `quick` on a CPU after that notebook, 10 minutes in `workshop` on a GPU, days in `paper`.
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
from facesr_lib.papers import ISR_KD
from facesr_lib.plot import curves, image_grid, style

style()
run = Run.start(
    "41_isr_kd_ablations",
    title="What keeps the faces",
    paper="isr_kd",
    profile=PROFILE,
    seed=SEED,
    device=DEVICE,
    data_root=DATA_ROOT,
    output_dir=OUTPUT_DIR,
)
run

# %% [markdown]
# ## The same experiments
#
# Same images, same seed, same cache as in `40_isr_kd`: the teacher and the students of the splits are found, not trained again.

# %%
from facesr_lib.papers.isr_kd import Config, names
from facesr_lib.papers.isr_kd.experiments import ABLATIONS, Experiments
from facesr_lib.papers.isr_kd.names import EXTENDED, FACE_ONLY, REPLAY_2_0, REPLAY_2_1, REPLAY_2_2, WHOLE, ablated
from facesr_tools.stages import training_ahead

config = Config.preset(PROFILE)
experiments = Experiments(config, DATA_ROOT, run.stages, SEED, DEVICE)
print(training_ahead(experiments, run))
test = experiments.test
run.config(config)

# %%
teacher, whole = experiments.trained(FACE_ONLY), experiments.trained(experiments.whole)
print("teacher", "reused" if teacher.reused else "trained", "| student 2:1", "reused" if whole.reused else "trained")

# %% [markdown]
# ## One part at a time
#
# Every student below learns from the split 2:1 for the same number of steps, and so does the whole one beside them, "all parts": in small profiles all of them train
# for less than the student of `40_isr_kd`, whose score would not be a fair measure for them. Changed is the student only, but for "no edge block": there the
# block passes its input on, with as many parameters as before, and its teacher was trained that way too.
#
# *Predict: which row loses most on faces? Which on cartoons?*

# %%
ABLATIONS

# %%
show_source(Experiments._stage)

# %%
students = {ablated(WHOLE): whole, **{ablated(part): experiments.trained(ablated(part)) for part in ABLATIONS}}

# %%
from facesr_lib.data import eval_batches
from facesr_lib.evaluate import Backends, Scoring


def scoring(domain):
    nothing = Backends(None, None)
    return Scoring(run, test[domain], config.degradation, crop=0, backends=nothing, y=False, batch_size=25)


scores = {domain: scoring(domain) for domain in test}


def score(name, super_resolve):
    """{domain: {"PSNR (dB)": mean, "SSIM": mean}} on held-out images, recorded under `name`."""
    return {domain: scores[domain](name, super_resolve) for domain in test}


base = score(FACE_ONLY, teacher.method.super_resolve)
found = {name: score(name, trained.method.super_resolve) for name, trained in students.items()}


# %%
def row_of(name, domains, against):
    row = {"student": name}
    for domain, scores in domains.items():
        row |= {f"{domain} {metric}": value for metric, value in scores.items() if metric != "method"}
        row[f"{domain}, change (dB)"] = scores["PSNR (dB)"] - against[domain]["PSNR (dB)"]
    return row


rows = [row_of("face-only (teacher)", base, found[ablated(WHOLE)])]
rows += [row_of(name, domains, found[ablated(WHOLE)]) for name, domains in found.items()]
run.table(
    "ablations",
    rows,
    f"Means over held-out faces and cartoons; change: against the whole student of {whole.log[-1]['step']} steps, in dB",
)

# %% [markdown]
# Read the change columns together. A part that "helps faces" by not letting the student learn cartoons has helped nobody.

# %%
from facesr_lib.plot.figures import NotebookFigure

figure = NotebookFigure(figsize=(7.5, 4.2), layout="constrained")
axes = figure.subplots()
parts = [name.removeprefix(ablated("")) for name in students if name != ablated(WHOLE)]
for offset, domain, hatch in ((-0.2, "faces", ""), (0.2, "cartoons", "//")):
    gains = [row[f"{domain}, change (dB)"] for row in rows[2:]]
    axes.barh([i + offset for i in range(len(parts))], gains, height=0.38, label=domain, hatch=hatch)
axes.set_yticks(range(len(parts)), parts)
axes.invert_yaxis()
axes.axvline(0, color="black", lw=0.8)
axes.set_xlabel("PSNR against the whole student (dB)")
axes.legend()
run.figure(
    figure,
    "ablations",
    "What each change does to both domains. Bars to the left: worse than the whole student.",
    "Horizontal bars, two per ablation, for the change in PSNR on faces and on cartoons.",
)

# %% [markdown]
# ### What each distillation term holds
#
# The same faces through the students that lack one term or both. The bottleneck lies before the three enlargements: holding it still leaves everything
# after it free.

# %%
shown = (names.NO_KD, names.NO_OUTPUT_KD, names.NO_BOTTLENECK_KD)
hr = test["faces"].take([0, len(test["faces"]) // 2])
lr = config.degradation(hr).to(run.device)
columns = {"teacher": teacher.method.super_resolve(lr)}
columns |= {name: students[ablated(name)].method.super_resolve(lr) for name in shown}
columns |= {"both": whole.method.super_resolve(lr), "HR": hr}
run.figure(
    image_grid(columns, cell=1.6),
    "kd_terms",
    "Two held-out faces after learning cartoons: with neither term, with the bottleneck term only, with the output term only, with both.",
    "Two rows of portraits: teacher, three ablated students, the whole student, the original.",
)

# %% [markdown]
# ## How much replay?
#
# Distillation needs old images to ask the teacher about. The cartoons stay the same; the replayed faces become more (and with them the steps of an
# epoch, as in the paper). The authors' log (at the paper's size; its SSIM and FID stand beside ours in `40_isr_kd`) has three of the four rows.

# %%
replayed = {REPLAY_2_0: 0.0, names.REPLAY_2_HALF: 0.25, REPLAY_2_1: 0.5, REPLAY_2_2: 1.0}
more = {split: score(split, experiments.trained(split).method.super_resolve) for split in replayed}
rows = [
    {"faces replayed per cartoon": replayed[split], **{domain: scores["PSNR (dB)"] for domain, scores in domains.items()}}
    for split, domains in more.items()
]
log = {(r.row, r.column): r.value for r in ISR_KD.published(table="result log")}
log_rows = {0.0: "20k + 0", 0.5: "20k + 10k", 1.0: "20k + 20k"}
beside = [
    {
        **row,
        **{f"{d}, log": log.get((log_rows.get(row["faces replayed per cartoon"]), f"{d.removesuffix('s')} PSNR")) for d in test},
    }
    for row in rows
]
run.table("replay", beside, "PSNR (dB) of both domains against the share of replayed faces, and what the authors' log says")

# %%
level = [{**row, **{f"{d}, teacher": base[d]["PSNR (dB)"] for d in base}} for row in rows]
run.figure(
    curves(level, "faces", "cartoons", "faces, teacher", "cartoons, teacher", x="faces replayed per cartoon", ylabel="PSNR (dB)"),
    "replay",
    "Both domains against the amount of replay, with the teacher's scores as level lines.",
    "Two curves over the replay share, one for each domain, and two level lines.",
)

# %% [markdown]
# ## The weights of distillation
#
# Where a student lands between learning and keeping. Up is better on faces, right is better on cartoons.

# %%
from facesr_lib.explore.forgetting import kd_explorer, kd_map

scored = {(15.0, 0.08): WHOLE, (0.0, 0.08): names.NO_OUTPUT_KD, (15.0, 0.0): names.NO_BOTTLENECK_KD, (0.0, 0.0): names.NO_KD}
points = {weights: found[ablated(name)] for weights, name in scored.items()}
weaker = ablated(names.WEAKER_OUTPUT_KD)
points[1.5, 0.08] = score(weaker, experiments.trained(weaker).method.super_resolve)
runs = [
    {
        "output KD": output,
        "bottleneck KD": bottleneck,
        **{f"{domain} (dB)": scores["PSNR (dB)"] for domain, scores in domains.items()},
    }
    for (output, bottleneck), domains in points.items()
]
run.table("kd_weights", runs, "Weights of distillation and PSNR on both domains, split 2:1")

# %%
run.figure(
    kd_map(runs),
    "kd_weights",
    "Every trained pair of weights in the plane of both domains. The released weights are 15 and 0.08.",
    "A scatter plot of five students, cartoons to the right and faces upwards, labelled with their weights.",
)

# %%
kd_explorer(runs)

# %% [markdown]
# ## The extended network
#
# One more residual block per step, each the identity at the start. The paper does not publish its own; this reading is ours.

# %%
extended = experiments.trained(EXTENDED).method
show_source(type(extended.inference_network("generator").step1.extra[0]))

# %%
pair = {REPLAY_2_2: more[REPLAY_2_2], EXTENDED: score(EXTENDED, extended.super_resolve)}
rows = [row_of(name, domains, pair[REPLAY_2_2]) for name, domains in pair.items()]
run.table("extended", rows, "The extended network beside the plain one; change: against replay 2:2, in dB")

# %% [markdown]
# ## Another source
#
# Trained on one source, tested on another: cartoons of a style that no model saw, and faces of another origin. With your own faces in `DATA_ROOT`
# that is the packaged Olivetti set; without, the only other face that comes with the project is one public-domain photograph, which is an
# illustration and no measurement.

# %%
from skimage.data import astronaut  # NASA, public domain

from facesr_lib.data import ImageSet, dicebear_cartoons, olivetti_faces
from facesr_lib.data.images import square
from facesr_lib.image import resize_bicubic
from facesr_lib.metrics import PSNR, evaluate

if DATA_ROOT and config.hr_size <= 92:
    other_faces = olivetti_faces("test", config.hr_size)
else:
    crop = square(astronaut()[None, 0:256, 96:352], config.hr_size)
    other_faces = ImageSet("one photograph", crop, ("Eileen Collins",), "NASA, public domain")
others = {
    "faces": test["faces"],
    "other faces": other_faces,
    "cartoons": test["cartoons"],
    "other cartoons": dicebear_cartoons(min(config.tested, 100), config.hr_size, style="adventurer", split="test"),
}
print(others["other cartoons"].credit)

# %%
methods = {"bicubic": lambda lr: resize_bicubic(lr, 8).clamp(0, 1), FACE_ONLY: teacher.method.super_resolve}
methods |= {split: experiments.trained(split).method.super_resolve for split in (REPLAY_2_0, REPLAY_2_1, REPLAY_2_2)}
rows = []
for name, super_resolve in methods.items():
    row = {"method": name}
    for source, images in others.items():
        pairs = eval_batches(images, config.degradation, 25, SEED)
        row[f"{source} (N = {len(images)})"] = evaluate(super_resolve, pairs, [PSNR], run.device)[PSNR].mean()
    rows.append(row)
run.table(
    "cross_dataset",
    rows,
    f"PSNR (dB) on the sources trained on ({test['faces'].name}, {test['cartoons'].name}) and on others ({other_faces.name}, DiceBear adventurer)",
)

# %%
hr = torch.cat([other_faces.take([0]), others["other cartoons"].take([0, 1])])
lr = config.degradation(hr).to(run.device)
run.figure(
    image_grid({"LR": lr, **{name: f(lr) for name, f in methods.items()}, "HR": hr}, cell=1.5),
    "cross_dataset",
    "A face and two cartoons of sources that no model was trained on.",
    "Three rows, one face and two cartoons, one column per model.",
)

# %% [markdown]
# ## What this run says about the paper's claims

# %%
changes = {
    name.removeprefix(ablated("")): {d: s["PSNR (dB)"] - found[ablated(WHOLE)][d]["PSNR (dB)"] for d, s in domains.items()}
    for name, domains in found.items()
    if name != ablated(WHOLE)
}
run.note(
    f"On faces: without distillation {changes[names.NO_KD]['faces']:+.2f} dB, without the output term {changes[names.NO_OUTPUT_KD]['faces']:+.2f} dB, "
    f"without the bottleneck term {changes[names.NO_BOTTLENECK_KD]['faces']:+.2f} dB. "
    f"On cartoons: without the edge block {changes[names.NO_EDGE_BLOCK]['cartoons']:+.2f} dB, without the edge loss "
    f"{changes[names.NO_EDGE_LOSS]['cartoons']:+.2f} dB, with the identity loss {changes[names.IDENTITY_LOSS]['cartoons']:+.2f} dB. One training seed each."
)

# %%
from facesr_tools.verdicts import verdicts

verdicts(run, ISR_KD.claims)

# %% [markdown]
# ## Exercises
#
# Replace the line that raises `NotImplementedError`, run the cell, then the check below it. The folded cell holds one solution.
#
# **1. How much of the forgetting came back?** Three arrays hold the PSNR of the same face images (N,): by the teacher, after fine-tuning on cartoons alone (2:0), and
# by a student. Return the share of the *mean* loss that the student has back: 0 for one like the fine-tuned network, 1 for one like the teacher.


# %% tags=["exercise"]
def my_recovered(teacher, fine_tuned, student):
    raise NotImplementedError


# %%
from facesr_lib.exercises.ablations import check_factorial, check_recovered

check_recovered(my_recovered)


# %% tags=["solution"] jupyter={"source_hidden": true}
def my_recovered(teacher, fine_tuned, student):
    return (student - fine_tuned).mean() / (teacher - fine_tuned).mean()


check_recovered(my_recovered)

# %% [markdown]
# Every student of this notebook on that scale. *The paper says that distillation keeps the faces. Which rows would you cut out, and the claim still stands?*


# %%
def on_faces(name):
    return run.values(name, test["faces"], PSNR)


all_students = dict.fromkeys([*more, *found])
run.table(
    "recovered",
    [
        {"student": name, "recovered": my_recovered(on_faces(FACE_ONLY), on_faces(REPLAY_2_0), on_faces(name))}
        for name in all_students
    ],
    "Share of what fine-tuning on cartoons alone lost on faces (PSNR) that each student has back",
) if check_recovered(my_recovered).passed else "A table stands here as soon as the check says ✓."

# %% [markdown]
# **2. Two parts, four corners.** Output KD and bottleneck KD on or off make four students: `both`, `no_output` (the bottleneck term alone), `no_bottleneck`
# (the output term alone) and `neither`; one PSNR per image each. Return three numbers, of the means:
# - what **output** KD adds, averaged over its two comparisons (beside the bottleneck term, and alone);
# - what **bottleneck** KD adds, likewise;
# - the **interaction**: what output KD adds beside the bottleneck term, minus what it adds alone.


# %% tags=["exercise"]
def my_factorial(both, no_output, no_bottleneck, neither):
    raise NotImplementedError


# %%
check_factorial(my_factorial)


# %% tags=["solution"] jupyter={"source_hidden": true}
def my_factorial(both, no_output, no_bottleneck, neither):
    both, no_output, no_bottleneck, neither = (x.mean() for x in (both, no_output, no_bottleneck, neither))
    beside, alone = both - no_output, no_bottleneck - neither  # what output KD adds
    bottleneck = ((both - no_bottleneck) + (no_output - neither)) / 2
    return (beside + alone) / 2, bottleneck, beside - alone


check_factorial(my_factorial)

# %% [markdown]
# The four corners were trained above. *Do the two terms share their work, or does each do its own? Which of the two would you leave out, and what would that save?*


# %%
def corners(domain):
    parts = (names.NO_OUTPUT_KD, names.NO_BOTTLENECK_KD, names.NO_KD)
    values = [run.values(name, test[domain], PSNR) for name in map(ablated, (WHOLE, *parts))]
    return dict(zip(("output KD adds", "bottleneck KD adds", "interaction"), my_factorial(*values), strict=True))


run.table(
    "factorial",
    [{"domain": domain, **corners(domain)} for domain in test],
    "Both distillation terms on or off: main effects and interaction in dB of PSNR, split 2:1, one training seed",
) if check_factorial(my_factorial).passed else "A table stands here as soon as the check says ✓."

# %% [markdown]
# **To think about.** All rows are one training each, and the intervals above speak of people, not of seeds. Which of these differences would you bet on
# if somebody trained all rows again?

# %%
run.finish()
