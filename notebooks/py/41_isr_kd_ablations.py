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
#       quick: 4.3
#       smoke: 0.3
#       workshop: 10
#     paper: isr_kd
#     study: 55
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
# **Time:** about 55 minutes of yours; about 4.3 minutes in `quick` on a CPU after that notebook, 10 minutes in `workshop` on a GPU, days in `paper`.
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
# The images, the seed and the cache are those of `40_isr_kd`: the teacher and the students of the splits are found there and not trained again.

# %%
from facesr_lib.papers.isr_kd import Config, names
from facesr_lib.papers.isr_kd.experiments import ABLATIONS, Experiments
from facesr_lib.papers.isr_kd.names import EXTENDED, FACE_ONLY, REPLAY_2_0, REPLAY_2_1, REPLAY_2_2, WHOLE, ablated
from facesr_tools.live import live
from facesr_tools.stages import training_ahead

config = Config.preset(PROFILE)
experiments = Experiments(config, DATA_ROOT, live(run.stages), SEED, DEVICE)
print(training_ahead(experiments, run))
test = experiments.test
run.config(config)

# %%
teacher, whole = experiments.trained(FACE_ONLY), experiments.trained(experiments.whole)
print("teacher", "reused" if teacher.reused else "trained", "| student 2:1", "reused" if whole.reused else "trained")

# %% [markdown]
# ## One part at a time
#
# Every student below learns from the split 2:1 for the same number of steps. So does the whole one beside them, "all parts". In small profiles all of them train for fewer
# steps than the student of `40_isr_kd`, so its score would not be a fair measure for them. Only the student is changed, with one exception. In "no edge block" the block
# passes its input on, with as many parameters as before, and the teacher was trained that way too.
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
from facesr_lib.image import resize_bicubic
from facesr_lib.metrics import PSNR


def scoring(domain):
    nothing = Backends(None, None)
    return Scoring(run, test[domain], config.degradation, crop=0, backends=nothing, y=False, batch_size=25)


scores = {domain: scoring(domain) for domain in test}


def score(name, super_resolve):
    """{domain: {"PSNR (dB)": mean, "SSIM": mean}} on held-out images, recorded under `name`."""
    return {domain: scores[domain](name, super_resolve) for domain in test}


plain = score("bicubic", lambda lr: resize_bicubic(lr, 8).clamp(0, 1))
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
    f"Means over held-out faces and cartoons; change: against the whole student of {whole.log[-1]['step']:.0f} steps, in dB",
)

# %% [markdown]
# Read the change columns together. A part that "helps faces" only because the student learns fewer cartoons is no help.

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

# %% cellView="form" jupyter={"source_hidden": true} tags=["hide-input"]
# @title Answer
changes = {row["student"].removeprefix(ablated("")): {d: row[f"{d}, change (dB)"] for d in test} for row in rows[2:]}
worst = {domain: min(changes, key=lambda name: changes[name][domain]) for domain in test}
small = [name for name, change in changes.items() if max(map(abs, change.values())) < 0.1]
run.note(
    "Change against the whole student, faces and cartoons (dB): "
    + "; ".join(f"{name} {change['faces']:+.2f}, {change['cartoons']:+.2f}" for name, change in changes.items())
    + ". One training seed each."
)
answer(
    f"Faces lose most with *{worst['faces']}* ({changes[worst['faces']]['faces']:+.2f} dB), cartoons with *{worst['cartoons']}* ({changes[worst['cartoons']]['cartoons']:+.2f} dB). "
    f"Less than 0.1 dB in both domains: {', '.join(small) or 'none'}. A distillation term acts on faces only, so its price is seen on cartoons: "
    f"without any, cartoons change by {changes[names.NO_KD]['cartoons']:+.2f} dB."
)

# %% [markdown]
# **To think about.** All rows are one training each. The report's intervals speak of people, not of seeds. On which of these differences would you bet if somebody
# trained all rows again?

# %% [markdown] tags=["solution"]
# <details><summary>One answer</summary>
#
# On the differences that are large beside what a new seed changes. That size is unknown from one training; several seeds would give it (`facesr run --seeds`).
# Lacking them,
# compare rows that should be equal: an ablation that changes next to nothing shows how far two trainings lie apart by chance. Bet on what is many times larger.
#
# </details>

# %% [markdown]
# ### What each distillation term holds
#
# The same faces through the students that lack one term or both. The bottleneck lies before the three enlargements, so a term that holds it leaves everything after it
# free.
#
# *Predict: is the bottleneck term alone enough to keep a face?*

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

# %% cellView="form" jupyter={"source_hidden": true} tags=["hide-input"]
# @title Answer
drift = {
    name: 255 * (sr - columns["teacher"]).square().mean().sqrt().item()
    for name, sr in columns.items()
    if name not in ("teacher", "HR")
}
alone, nothing, whole_drift = drift[names.NO_OUTPUT_KD], drift[names.NO_KD], drift["both"]
answer(
    "Distance from the teacher's pictures (grey levels, root mean square): "
    + ", ".join(f"{name} {value:.1f}" for name, value in drift.items())
    + ". "
    + (
        "The bottleneck term alone keeps little: the layers after it are free to paint cartoons."
        if alone > (nothing + whole_drift) / 2
        else "The bottleneck term alone keeps most of what both keep."
    )
)

# %% [markdown]
# *Exercises* stand right after the idea that they are about. Replace the line that raises `NotImplementedError`, run the cell, then the check below it.
# The folded cell holds one solution.
#
# **1. Two parts, four corners.** Output KD and bottleneck KD on or off make four students: `both`, `no_output` (the bottleneck term alone), `no_bottleneck`
# (the output term alone) and `neither`; one PSNR per image each. Return three numbers, of the means:
# - what **output** KD adds, averaged over its two comparisons (beside the bottleneck term, and alone);
# - what **bottleneck** KD adds, likewise;
# - the **interaction**: what output KD adds beside the bottleneck term, minus what it adds alone.


# %% tags=["exercise"]
def my_factorial(both, no_output, no_bottleneck, neither):
    raise NotImplementedError


# %%
from facesr_lib.exercises.ablations import check_factorial, check_recovered

check_factorial(my_factorial)


# %% tags=["solution"] jupyter={"source_hidden": true}
def my_factorial(both, no_output, no_bottleneck, neither):
    both, no_output, no_bottleneck, neither = (x.mean() for x in (both, no_output, no_bottleneck, neither))
    beside, alone = both - no_output, no_bottleneck - neither  # what output KD adds
    bottleneck = ((both - no_bottleneck) + (no_output - neither)) / 2
    return (beside + alone) / 2, bottleneck, beside - alone


check_factorial(my_factorial)

# %% [markdown]
# The four corners were trained above. *Predict: which of the two terms holds the faces? Do they share their work? Which would you leave out?*


# %%
def corners(domain):
    parts = (names.NO_OUTPUT_KD, names.NO_BOTTLENECK_KD, names.NO_KD)
    values = [run.values(name, test[domain], PSNR) for name in map(ablated, (WHOLE, *parts))]
    return dict(zip(("output KD adds", "bottleneck KD adds", "interaction"), my_factorial(*values), strict=True))


effects = {domain: corners(domain) for domain in test} if check_factorial(my_factorial).passed else None
run.table(
    "factorial",
    [{"domain": domain, **found} for domain, found in effects.items()],
    "Both distillation terms on or off: main effects and interaction in dB of PSNR, split 2:1, one training seed",
) if effects else "A table stands here as soon as the check says ✓."

# %% cellView="form" jupyter={"source_hidden": true} tags=["hide-input"]
# @title Answer
answer(
    " ".join(
        f"On {domain} output KD adds {e['output KD adds']:+.2f} dB and bottleneck KD {e['bottleneck KD adds']:+.2f} dB; their interaction is {e['interaction']:+.2f} dB."
        for domain, e in effects.items()
    )
    + " An interaction below 0 means that they share work, above 0 that each needs the other; below 0.1 dB either way it is too small to matter. "
    "A term that adds nothing on faces could be left out. That would save the memory of one feature map, but not the teacher's forward pass, which the other term needs."
    if effects
    else "Solve the exercise first."
)

# %% [markdown]
# ## How much replay?
#
# Distillation needs old images to ask the teacher about. The cartoons stay the same; the number of replayed faces grows, and with it the number of steps of an epoch, as
# in the paper. The authors' log, at the paper's size, has three of the four rows. (Its SSIM and FID stand beside ours in `40_isr_kd`.)
#
# *Predict: does twice the replay keep twice as much?*

# %%
replayed = {REPLAY_2_0: 0.0, names.REPLAY_2_HALF: 0.25, REPLAY_2_1: 0.5, REPLAY_2_2: 1.0}
more = {split: score(split, experiments.trained(split).method.super_resolve) for split in replayed}
rows = [
    {"faces replayed per cartoon": replayed[split], **{domain: scores["PSNR (dB)"] for domain, scores in domains.items()}}
    for split, domains in more.items()
]
log = {(r.row, r.column): r.value for r in ISR_KD.published(table="result log")}
log_rows = {0.0: "20k + 0", 0.5: "20k + 10k", 1.0: "20k + 20k"}
run.published(
    next(r for r in ISR_KD.published(row="20k + 10k") if r.column == "face PSNR"),
    method=REPLAY_2_1,
    images=test["faces"],
    metric=PSNR,
    differs=f"{test['faces'].name} instead of CelebA, {config.hr_size} instead of 128 px, width {config.width:g}; all differences are in 40_isr_kd",
)
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
drawn = ("faces", "cartoons", "faces, teacher", "cartoons, teacher")
figure = curves(level, *drawn, x="faces replayed per cartoon", ylabel="PSNR (dB)")
figure.axes[0].legend(loc="center left", bbox_to_anchor=(1, 0.5))  # beside the lines, one of which ran through it
run.figure(
    figure,
    "replay",
    "Both domains against the amount of replay, with the teacher's scores as level lines.",
    "Two curves over the replay share, one for each domain, and two level lines.",
)

# %% cellView="form" jupyter={"source_hidden": true} tags=["hide-input"]
# @title Answer
first, double = (
    more[b]["faces"]["PSNR (dB)"] - more[a]["faces"]["PSNR (dB)"] for a, b in ((REPLAY_2_0, REPLAY_2_1), (REPLAY_2_1, REPLAY_2_2))
)
price = more[REPLAY_2_1]["cartoons"]["PSNR (dB)"] - more[REPLAY_2_0]["cartoons"]["PSNR (dB)"]
log_first, log_double = (
    log[b, "face PSNR"] - log[a, "face PSNR"] for a, b in (("20k + 0", "20k + 10k"), ("20k + 10k", "20k + 20k"))
)
run.note(
    f"Faces, here and in the log (dB): from 2:0 to 2:1 {first:+.2f} and {log_first:+.2f}, from 2:1 to 2:2 {double:+.2f} and {log_double:+.2f}. Cartoons change here by {price:+.2f} dB from 2:0 to 2:1."
)
answer(
    f"{'No' if double < first / 2 else 'It adds a good part again'}: the first faces bring {first:+.2f} dB on faces, twice as many bring {double:+.2f} dB more. "
    f"The teacher's {base['faces']['PSNR (dB)']:.2f} dB are the target of distillation, so there is little to gain above that line. Few faces suffice if they are like the others; a test on other faces would ask for more."
)

# %% [markdown]
# **2. How much of the forgetting came back?** Three arrays hold the PSNR of the same face images (N,): by the teacher, after fine-tuning on cartoons alone (2:0), and
# by a student. Return the share of the *mean* loss that the student has back: 0 for one like the fine-tuned network, 1 for one like the teacher.


# %% tags=["exercise"]
def my_recovered(teacher, fine_tuned, student):
    raise NotImplementedError


# %%
check_recovered(my_recovered)


# %% tags=["solution"] jupyter={"source_hidden": true}
def my_recovered(teacher, fine_tuned, student):
    return (student - fine_tuned).mean() / (teacher - fine_tuned).mean()


check_recovered(my_recovered)

# %% [markdown]
# Every student of this notebook on that scale. *Predict: which rows would you have to cut out to make the claim "distillation keeps the faces" fall?*


# %%
def on_faces(name):
    return run.values(name, test["faces"], PSNR)


all_students = dict.fromkeys([*more, *found])
back = (
    {name: my_recovered(on_faces(FACE_ONLY), on_faces(REPLAY_2_0), on_faces(name)) for name in all_students}
    if check_recovered(my_recovered).passed
    else None
)
run.table(
    "recovered",
    [{"student": name, "recovered": share} for name, share in back.items()],
    "Share of what fine-tuning on cartoons alone lost on faces (PSNR) that each student has back",
) if back else "A table stands here as soon as the check says ✓."

# %% cellView="form" jupyter={"source_hidden": true} tags=["hide-input"]
# @title Answer
least = [name for name, share in (back or {}).items() if share < 0.5 and name != REPLAY_2_0]
answer(
    f"Less than half of the loss is back in: {'; '.join(least) or 'no student'}. "
    f"With one row alone, {REPLAY_2_1} ({100 * back[REPLAY_2_1]:.0f} %), the claim would rest on replay and distillation together. The rows without distillation show what replay does without it "
    f"({ablated(names.NO_KD)}: {100 * back[ablated(names.NO_KD)]:.0f} %). Without them nobody could tell the two apart. A student that trains for fewer steps also forgets less, whatever its terms."
    if back
    else "Solve the exercise first."
)

# %% [markdown]
# ## The weights of distillation
#
# Where a student stands between learning and keeping. Up is better on faces, right is better on cartoons.
#
# *Predict: with a tenth of the output weight, is the student nearer to the one with full weight or to the one without?*

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
    "Every trained pair of weights in the plane of both domains; students without the bottleneck term have their label on the left. The released weights are 15 and 0.08.",
    "A scatter plot of five students, cartoons to the right and faces upwards, labelled with their weights.",
)

# %% cellView="form" jupyter={"source_hidden": true} tags=["hide-input"]
# @title Answer
full, tenth, without = (points[weight, 0.08] for weight in (15.0, 1.5, 0.0))
where = {
    domain: (tenth[domain]["PSNR (dB)"] - without[domain]["PSNR (dB)"], full[domain]["PSNR (dB)"] - without[domain]["PSNR (dB)"])
    for domain in test
}
answer(
    " ".join(
        f"On {domain} the full weight changes PSNR by {whole_way:+.2f} dB against none, a tenth of it by {part_way:+.2f} dB."
        for domain, (part_way, whole_way) in where.items()
    )
    + " The weight is a choice between two domains, not a constant of nature. Which point is best depends on what a decibel of each domain is worth to you."
)

# %%
kd_explorer(runs)

# %% [markdown]
# ## The extended network
#
# One more residual block per step, each the identity at the start. The paper does not publish its own; this reading is ours.
#
# *Predict: does a larger student learn cartoons better, or keep faces better?*

# %%
extended = experiments.trained(EXTENDED).method
show_source(type(extended.inference_network("generator").step1.extra[0]))

# %%
pair = {REPLAY_2_2: more[REPLAY_2_2], EXTENDED: score(EXTENDED, extended.super_resolve)}
rows = [row_of(name, domains, pair[REPLAY_2_2]) for name, domains in pair.items()]
run.table("extended", rows, "The extended network beside the plain one; change: against replay 2:2, in dB")

# %% cellView="form" jupyter={"source_hidden": true} tags=["hide-input"]
# @title Answer
grown = {domain: rows[1][f"{domain}, change (dB)"] for domain in test}
told = {d: log["20k + 20k, extended", f"{d[:-1]} PSNR"] - log["20k + 20k", f"{d[:-1]} PSNR"] for d in test}
run.note(
    "The extended network against the plain one (dB): "
    + "; ".join(f"{d} {grown[d]:+.2f}, in the log {told[d]:+.2f}" for d in test)
    + "."
)
answer(
    " ".join(f"On {d} it {'gains' if grown[d] > 0 else 'loses'} {abs(grown[d]):.2f} dB." for d in test)
    + " More weights can hold both domains more easily, but they have to be trained first, and both students had the same number of steps. In a short training that may cost more than it brings."
)

# %% [markdown]
# ## Another source
#
# Trained on one source, tested on another: cartoons of a style that no model saw, and faces of another origin. With your own faces in `DATA_ROOT`
# that is the packaged Olivetti set. Without them, the only other face that comes with the project is one public-domain photograph: an illustration, not a
# measurement.
#
# *Predict: is a student that is above bicubic on cartoons above it on cartoons of another style, too?*

# %%
from skimage.data import astronaut  # NASA, public domain

from facesr_lib.data import ImageSet, dicebear_cartoons, olivetti_faces
from facesr_lib.data.images import square
from facesr_lib.metrics import evaluate

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

# %% cellView="form" jupyter={"source_hidden": true} tags=["hide-input"]
# @title Answer
own, other = (next(key for key in rows[0] if key.startswith(source)) for source in ("cartoons", "other cartoons"))
lead = {row["method"]: (row[own] - rows[0][own], row[other] - rows[0][other]) for row in rows[1:]}
run.note(
    "Against bicubic on cartoons of the trained and of another style (dB): "
    + "; ".join(f"{name} {a:+.2f}, {b:+.2f}" for name, (a, b) in lead.items())
    + "."
)
answer(
    f"Above bicubic on the trained style: {'; '.join(n for n, (a, _) in lead.items() if a > 0) or 'none'}; on the other style: {'; '.join(n for n, (_, b) in lead.items() if b > 0) or 'none'}. "
    "A network learns the styles that it sees, their colours and outlines; bicubic knows none and so loses nothing on a new one."
)

# %% [markdown]
# ## What this run says about the paper's claims
#
# Here are the claims that this notebook has scores for. The others are in `40_isr_kd`.

# %%
from facesr_tools.verdicts import verdicts

verdicts(run, ISR_KD.claims)

# %% [markdown]
# ## In short
#
# - Take one part away at a time and read both domains: what a part keeps in one, it may cost in the other.
# - A term can only hold what it sees. A bottleneck term does not see the layers after it; the output term sees the whole network.
# - Two parts make four variants. Only all four say whether the parts share their work, and only several seeds say whether a small difference is real.
#
# **Paper:** Devkatte, Dubey, Singh and Hadid, [arXiv:2401.15366](https://arxiv.org/abs/2401.15366).
# **Next:** this was the last notebook of the course. `90_report` puts all results on one page, with a verdict on every claim.

# %%
run.finish()
