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
#       evening: 18
#       paper: 8000
#       quick: 7.7
#       smoke: 0.3
#       workshop: 25
#     paper: teacher_student
#     study: 50
#     title: 'Teacher and student: what each part is worth'
#   kernelspec:
#     display_name: Python 3 (ipykernel)
#     language: python
#     name: python3
# ---

# %% [markdown]
# # Teacher and student: what each part is worth
#
# [![Open in Binder](https://mybinder.org/badge_logo.svg)](https://mybinder.org/v2/gh/facesr/facesr/v0.1.0?urlpath=lab/tree/notebooks/31_teacher_student_ablations.ipynb)
# [![Open in Colab](https://colab.research.google.com/assets/colab-badge.svg)](https://colab.research.google.com/github/facesr/facesr/blob/v0.1.0/notebooks/31_teacher_student_ablations.ipynb)
#
# **Aim:** fill Table 3 of *Teacher-student network for real-world face super-resolution*: leave out edges, cycle, teacher and learned degradation, one at a time.
#
# You will
# - read an ablation as a set of predictions, and write yours down first;
# - see one row win by PSNR and another by FID, on the same faces;
# - tell a difference from its noise, by a bootstrap over people.
#
# **You need:** `30_teacher_student`; its trainings are found again and not repeated.
# **Time:** about 50 minutes of yours; about 7.7 minutes in `quick` on a CPU, after `30_teacher_student`. **Hardware:** CPU for `quick`; a GPU above it.

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
from facesr_lib.evaluate import Run, answer
from facesr_lib.papers import TEACHER_STUDENT
from facesr_lib.plot import PALETTE, image_grid, style

style()
run = Run.start(
    "31_teacher_student_ablations",
    title="Teacher and student: what each part is worth",
    paper="teacher_student",
    profile=PROFILE,
    seed=SEED,
    device=DEVICE,
    data_root=DATA_ROOT,
    output_dir=OUTPUT_DIR,
)
run

# %% [markdown]
# ## The variants
#
# | row of Table 3 | what is different |
# |---|---|
# | baseline | no edges: both maps are zero |
# | + Canny | the third step gets no DoG |
# | + Canny + DoG, Ours-SNet | nothing |
# | Ours-cycle | TNet as a CycleGAN: real LR to HR and back, HR to LR and back, a discriminator on both sides; no DeNet, no pairs, no student |
# | Ours-w/o-cycle | no DSNet |
# | Ours-TNet-bicubic, Ours-SNet-bicubic | the teacher learns from bicubic pairs; the student is taught by that teacher; no DeNet anywhere |
# | Ours-TNet | the teacher itself |
#
# An ablation that trains for less than the method proves nothing about the part it lacks. Small profiles cannot train every row for as long as the main networks. So the
# ablations are short, and beside them stands the whole method trained for as few steps, "all parts". Compare a short row with that one. Two rows give the scale for the
# others: a *ceiling* (ours), TNet trained on the hidden degradation itself, and "bicubic data", which has seen no degradation: *no adaptation*.
#
# All start from the same random weights and see the same batches. In small profiles DSNet starts as stage 1's network, in the rows of bicubic data as one that has
# learnt bicubic reduction alone. The networks of Ours-cycle start from random weights.
#
# *Predict, and write it down: which row will have the best PSNR on bicubic LR? Which on real LR? Which the worst?* (The answer stands below the tables.)

# %%
from facesr_lib.papers.teacher_student import Config
from facesr_lib.papers.teacher_student.experiments import Experiments
from facesr_lib.papers.teacher_student.names import (
    CEILING,
    CYCLE_ONLY,
    NO_CYCLE,
    NO_EDGES,
    NOISE_STUDENT,
    NOISE_TEACHER,
    ONLY_CANNY,
    STUDENT,
    STUDENT_BICUBIC,
    TEACHER,
    TEACHER_BICUBIC,
    WHOLE,
    WHOLE_STUDENT,
    WHOLE_TEACHER,
    trained_jointly,
)
from facesr_tools.live import live
from facesr_tools.stages import training_ahead

config = Config.preset(PROFILE)
experiments = Experiments(config, DATA_ROOT, live(run.stages), SEED, DEVICE)
print(training_ahead(experiments, run))
real_faces = experiments.real_faces
run.config(real_faces.hidden, "hidden_degradation")
run.config(config)

# %%
from facesr_lib.explore import show_source

show_source(Experiments.variants.fget)

# %%
trained = {
    name: experiments.trained(experiments.whole if name == WHOLE else trained_jointly(name)) for name in experiments.variants
}
trained[CYCLE_ONLY] = experiments.trained(CYCLE_ONLY)

# %% [markdown]
# The paper calls the network of its cycle row TNet, "trained with cycle learning scheme". Only the cycles tie its SR to its LR: compare with the steps of
# teacher and student in `30_teacher_student`.

# %%
from facesr_lib.papers.teacher_student import CycleLearning

show_source(CycleLearning.step)

# %% [markdown]
# **To think about.** The row *cycle only* has a discriminator for HR faces and two cycles, but no teacher. The paper finds that its faces are deformed. Which of
# its terms would notice a nose that stands five pixels too far to the left?

# %% [markdown] tags=["solution"]
# <details><summary>One answer</summary>
#
# None for certain. The cycle LR-HR-LR compares LR only, and HR may move as long as the way back moves it again. The discriminator asks whether the picture looks
# like *a* face. A
# teacher's SR compares pixel with pixel, so it does notice. That is the paper's reason for a teacher.
#
# </details>

# %%
from facesr_lib.image import Bicubic, resize_bicubic

NETWORKS = {  # method -> training, network
    NO_EDGES: ("no edges", "snet"),
    ONLY_CANNY: ("Canny only", "snet"),
    WHOLE_STUDENT: (WHOLE, "snet"),
    WHOLE_TEACHER: (WHOLE, "tnet"),
    CYCLE_ONLY: (CYCLE_ONLY, "tnet"),
    NO_CYCLE: ("no cycle loss", "snet"),
    TEACHER_BICUBIC: ("bicubic data", "tnet"),
    STUDENT_BICUBIC: ("bicubic data", "snet"),
    TEACHER: ("full", "tnet"),
    STUDENT: ("full", "snet"),
    NOISE_TEACHER: ("noise input", "tnet"),
    NOISE_STUDENT: ("noise input", "snet"),
    CEILING: (CEILING, "tnet"),
}


def super_resolver(name):
    training, network = NETWORKS[name]
    method = trained[training].method
    return lambda lr: method.super_resolve_with(network, lr)


METHODS = {"bicubic": lambda lr: resize_bicubic(lr, 4).clamp(0, 1), **{name: super_resolver(name) for name in NETWORKS}}

# %% [markdown]
# ## Table 3
#
# As in `30_teacher_student`: unseen faces through the hidden degradation, for both halves of the table; and, as a table of ours, the same faces through bicubic
# reduction.

# %%
from facesr_lib.data import eval_batches
from facesr_lib.evaluate import Backends, Scoring
from facesr_lib.metrics import if_available, niqe_metric

faces, clean = real_faces.test, experiments.clean
niqe = if_available(lambda: niqe_metric(config.hr_size), run.note)
backends = Backends.find(run)
on_clean = Scoring(run, clean, Bicubic(4), 4, backends)
on_real = Scoring(run, faces, real_faces.hidden, 4, backends, extra=[niqe], seed=real_faces.seed)

# %%
rows_clean = {name: on_clean(name, method) for name, method in METHODS.items()}
rows_real = {name: on_real(name, method) for name, method in METHODS.items()}

# %%
LINES = {  # the nine lines of Table 3, in its order
    "baseline (no edges)": NO_EDGES,
    "+ Canny": ONLY_CANNY,
    "+ Canny + DoG": WHOLE_STUDENT,
    "cycle only": CYCLE_ONLY,
    "without cycle": NO_CYCLE,
    "TNet on bicubic data": TEACHER_BICUBIC,
    "SNet on bicubic data": STUDENT_BICUBIC,
    "TNet": TEACHER,
    "SNet (ours)": STUDENT,
}
OURS = {
    "TNet, as short as the ablations": WHOLE_TEACHER,
    "TNet, DeNet with noise": NOISE_TEACHER,
    "SNet, DeNet with noise": NOISE_STUDENT,
}
OURS |= {"ceiling: TNet on the hidden degradation": CEILING, "bicubic enlargement": "bicubic"}
steps = {"bicubic": 0, **{name: trained[training].method.steps for name, (training, _) in NETWORKS.items()}}
people = len(set(faces.groups))
rows = [{"line": line, "steps of stage 2": steps[name], **rows_real[name]} for line, name in (LINES | OURS).items()]
run.table(
    "table_3",
    rows,
    f"As Table 3, with our rows below it: {len(faces)} faces of {people} unseen people, degraded LR with references, x4; "
    "'TNet on bicubic data' is no adaptation",
)

# %%
rows = [{"line": line, "steps of stage 2": steps[name], **rows_clean[name]} for line, name in (LINES | OURS).items()]
run.table("bicubic_lr", rows, f"Ours: the same lines for the same {len(clean)} faces, bicubic LR, x4")

# %% cellView="form" jupyter={"source_hidden": true} tags=["hide-input"]
# @title Answer
best, worst = (
    {
        where: choose(NETWORKS, key=lambda name: found[name]["PSNR Y (dB)"])
        for where, found in (("bicubic LR", rows_clean), ("real LR", rows_real))
    }
    for choose in (max, min)
)
from_bicubic = {name: rows_real[name]["PSNR Y (dB)"] - rows_real["bicubic"]["PSNR Y (dB)"] for name in NETWORKS}
run.note(
    f"Best PSNR on bicubic LR: {best['bicubic LR']}; on real LR: {best['real LR']}. Worst: {worst['bicubic LR']}, and {worst['real LR']}. "
    f"On real LR, {sum(gain > 0 for gain in from_bicubic.values())} of {len(from_bicubic)} networks are above bicubic enlargement; {STUDENT} is {from_bicubic[STUDENT]:+.2f} dB from it."
)
answer(
    f"Best on bicubic LR: {best['bicubic LR']}. Best on real LR: {best['real LR']}. Worst: {worst['bicubic LR']} and {worst['real LR']}. "
    "A network does best on LR like that of its training. Mind the column of steps: a short row may be worse, or nearer to plain enlargement, only because it trained for less."
)

# %% [markdown]
# ### What each part is worth
#
# Each ablation beside the whole method of the same length, in PSNR on real LR. *Predict: which part is worth most?*

# %%
label = "PSNR Y (dB)"
WITHOUT = {NO_EDGES: "both edge maps", ONLY_CANNY: "the DoG map", NO_CYCLE: "the cycle loss"}
worth = [
    {
        "the part": part,
        "with it": rows_real[WHOLE_STUDENT][label],
        "without it": rows_real[name][label],
        "gain (dB)": rows_real[WHOLE_STUDENT][label] - rows_real[name][label],
    }
    for name, part in WITHOUT.items()
]
worth.append(
    {
        "the part": "the learned degradation",
        "with it": rows_real[STUDENT][label],
        "without it": rows_real[STUDENT_BICUBIC][label],
        "gain (dB)": rows_real[STUDENT][label] - rows_real[STUDENT_BICUBIC][label],
    }
)
run.table(
    "worth",
    worth,
    f"The student with and without each part: {label} on real LR, equally many steps in both columns, one training seed",
)

# %% cellView="form" jupyter={"source_hidden": true} tags=["hide-input"]
# @title Answer
gains = {row["the part"]: row["gain (dB)"] for row in worth}
small = [part for part, gain in gains.items() if abs(gain) < 0.1]
answer(
    f"The largest gain is that of {max(gains, key=gains.get)}: {max(gains.values()):+.2f} dB. Below 0.1 dB either way, which nobody sees: {', '.join(small) or 'no part'}. "
    "Every row is one training. Another seed would move such small differences, so read them as *no difference found*."
)

# %% [markdown]
# ### Beside the published Table 3
#
# The paper's Table 3, whole, and our number of the same family beside it.

# %%
# The paper's own method and PSNR first: the report shows the first comparison as this notebook's.
references = sorted(TEACHER_STUDENT.published(table="Table 3"), key=lambda r: (r.row != "SNet (ours)", "PSNR" not in r.column))
references = {(r.row, r.column): r for r in references}
differs = (
    f"width {config.width} and {config.groups} groups instead of {Config().width} and {Config().groups}, "
    "metric conventions of the paper unknown"
)
metrics = on_real.columns()
for (line, column), reference in references.items():
    where, family = column.split()
    if family in metrics:
        conditions = f"{faces.name} instead of {where}, {steps[LINES[line]]} steps of stage 2, {differs}"
        run.published(reference, method=LINES[line], images=faces, metric=metrics[family], differs=conditions)

# %%
from facesr_tools.published import beside_published

HALVES = {"FFHQ": ("FID", "LPIPS", "PSNR", "SSIM"), "WIDER": ("FID", "NIQE")}  # columns of Table 3
labels = {
    f"{where} {family}": metrics[family].label for where, families in HALVES.items() for family in families if family in metrics
}
run.table(
    "paper_table_3",
    beside_published(TEACHER_STUDENT.published(table="Table 3"), LINES, list(rows_real.values()), labels),
    f"The paper's Table 3 and this run ({', '.join(dict.fromkeys(labels.values()))}). Here: {faces.name}, {PROFILE}; other faces, smaller networks, other metric conventions, short ablations: "
    "compare the direction of a difference, no number",
)

# %%
pairs = {
    "edges": ("+ Canny + DoG", "baseline (no edges)"),
    "cycle loss": ("+ Canny + DoG", "without cycle"),
    "student against teacher": ("SNet (ours)", "TNet"),
}
run.note(
    "PSNR, published on FFHQ and here (dB): "
    + "; ".join(
        f"{what} {references[a, 'FFHQ PSNR'].value - references[b, 'FFHQ PSNR'].value:+.2f} and {rows_real[LINES[a]][label] - rows_real[LINES[b]][label]:+.2f}"
        for what, (a, b) in pairs.items()
    )
    + "."
)

# %% [markdown]
# ### Table 3 on the paper's own test sets
#
# FFHQ (degraded, with originals) and WIDER FACE (without), as SCGAN prepared them; LS3D-W and WebFace besides, which Table 3 leaves out.

# %%
from facesr_lib.papers.teacher_student.names import PLACES

own = []
for part, test_set in real_faces.test_sets.items():
    on_own = Scoring(run, test_set, None, 4, backends, extra=[niqe])
    scored = {name: on_own(name, method) for name, method in METHODS.items()}
    own += [{"test set": test_set.images.name, "line": line, **scored[name]} for line, name in LINES.items()]
    where = (
        f"{len(test_set.lr)} LR faces of {test_set.images.name}, FID against {len(test_set.real)} faces of {test_set.real.name}"
    )
    for line, name in LINES.items():
        for family, metric in on_own.columns().items():
            if reference := references.get((line, f"{PLACES.get(part)} {family}")):
                run.published(
                    reference,
                    method=name,
                    images=test_set.images,
                    metric=metric,
                    differs=f"{where}, {steps[name]} steps of stage 2, {differs}",
                )
(
    run.table("table_3_own", own, "Table 3 on the paper's test sets, x4; empty where a set has no originals")
    if own
    else "SCGAN's test sets are not prepared: `facesr data prepare scgan --root DIR`, then run with DATA_ROOT = DIR."
)

# %% [markdown]
# ## Fidelity against realism, all rows at once
#
# *Predict: does one row have the best PSNR and the best perceptual score, on each kind of LR?*

# %%
from facesr_lib.plot.figures import NotebookFigure

PERCEPTUAL = metrics.get("LPIPS", metrics["SSIM"])
perceptual = PERCEPTUAL.label
figure = NotebookFigure(figsize=(10, 4.2), layout="constrained")
for axes, (title, found) in zip(figure.subplots(1, 2), {"bicubic LR": rows_clean, "real LR": rows_real}.items(), strict=True):
    for index, name in enumerate(NETWORKS):
        row = found[name]
        axes.plot(
            row["PSNR Y (dB)"], row[perceptual], "os^D"[index % 4], color=PALETTE[index % len(PALETTE)], markersize=9, label=name
        )
    axes.set(title=title, xlabel="PSNR Y (dB), higher is better")
    axes.set_ylabel(f"{perceptual}, {'lower' if backends.lpips else 'higher'} is better")
figure.axes[1].legend(loc="center left", bbox_to_anchor=(1.02, 0.5))
run.figure(
    figure,
    "tradeoff",
    "All rows of Table 3, and ours, on both kinds of LR. Markers that lie on each other are variants with the same scores.",
    "Two scatter plots of a perceptual score against PSNR, one marker per variant.",
)

# %% cellView="form" jupyter={"source_hidden": true} tags=["hide-input"]
# @title Answer
better = -1 if backends.lpips else 1  # the direction of the upright axis
both = {
    where: (max(NETWORKS, key=lambda name: found[name][label]), max(NETWORKS, key=lambda name: better * found[name][perceptual]))
    for where, found in (("bicubic LR", rows_clean), ("real LR", rows_real))
}
answer(
    " ".join(
        f"On {where} {a} has the best PSNR and {b} the best {perceptual}: "
        + ("one row is best in both directions." if a == b else "no row is best in both directions.")
        for where, (a, b) in both.items()
    )
    + " Fidelity and realism need not agree: a network that draws plausible detail is punished by PSNR wherever the detail is not the true one."
)

# %% [markdown]
# *Exercises* stand right after the idea that they are about. Replace the line that raises `NotImplementedError`, run the cell, then the check below it.
# The folded cell holds one solution.
#
# **1. Nobody beats these.** `scores` is an array of rows and measures; more is better in each. One row beats another if it is at least as good in every
# measure and better in one. Return the positions of the rows that no other row beats (the *Pareto front*).


# %% tags=["exercise"]
def my_front(scores):
    raise NotImplementedError


# %%
import numpy as np

from facesr_lib.exercises.ablations import check_front, check_holm

check_front(my_front)


# %% tags=["solution"] jupyter={"source_hidden": true}
def my_front(scores):
    def beaten(row):
        return any((other >= row).all() and (other > row).any() for other in scores)

    return [position for position, row in enumerate(scores) if not beaten(row)]


check_front(my_front)

# %% [markdown]
# The two panels above, by your function. *Predict: which rows may still be called best, on which LR? Is the paper's own method, SNet, among them on both?*


# %%
def front(found):
    """The methods that no other beats in PSNR and the perceptual score together."""
    scores = np.array([(found[name][label], better * found[name][perceptual]) for name in NETWORKS])
    return [list(NETWORKS)[position] for position in my_front(scores)]


fronts = {"bicubic LR": front(rows_clean), "real LR": front(rows_real)} if check_front(my_front).passed else {}
answer(
    " ".join(f"On {where} these are beaten by no other row: {'; '.join(names)}." for where, names in fronts.items())
    + f" {STUDENT} is among them on {' and '.join(where for where, names in fronts.items() if STUDENT in names) or 'neither'}."
    + " For every other row there is one that is as good or better in both scores, so nobody needs to discuss it."
    if fronts
    else "Solve the exercise first."
)

# %% [markdown]
# ### The same faces by every variant

# %%
(batch,) = eval_batches(real_faces.test.limit(10), real_faces.hidden, 10, real_faces.seed)
lr, hr = batch["lr"].to(run.device), batch["hr"].to(run.device)
run.figure(
    image_grid(
        {"LR": lr, **{name.replace(", ", ",\n"): f(lr) for name, f in METHODS.items()}, "HR": hr},
        rows=[0, len(hr) // 3, 2 * len(hr) // 3],
        cell=1.2,
    ),
    "samples",
    "Bicubic enlargement and every variant on real LR of three unseen people.",
    "A grid of portraits, one row per person, one column per variant.",
)

# %%
plain = METHODS["bicubic"](lr)
distance = {name: 255 * (METHODS[name](lr) - plain).square().mean().sqrt().item() for name in NETWORKS}
near, far = min(distance, key=distance.get), max(distance, key=distance.get)
run.note(
    f"Distance of the pictures to bicubic enlargement (grey levels, root mean square): from {distance[near]:.1f} ({near}) to {distance[far]:.1f} ({far}). "
    "A variant that is near to it has changed little, for better or worse."
)

# %% [markdown]
# ## Differences and their noise
#
# **2. Many tests, one of them lucky.** SNet against each of seven other rows would be seven tests. At 5 % each, about three of ten such tables "find" a difference
# where there is none. Holm's correction: multiply the smallest p-value by m, the next by m - 1, ..., the largest by 1; none may come out smaller than the one
# before it, none above 1. Return the results in the order in which the p-values came.


# %% tags=["exercise"]
def my_holm(p_values):
    raise NotImplementedError


# %%
check_holm(my_holm)


# %% tags=["solution"] jupyter={"source_hidden": true}
def my_holm(p_values):
    p = np.asarray(p_values)
    order = p.argsort()
    steps = p[order] * np.arange(len(p), 0, -1)
    adjusted = np.empty(len(p))
    adjusted[order] = np.minimum(1, np.maximum.accumulate(steps))
    return adjusted


check_holm(my_holm)

# %% [markdown]
# SNet with all parts against every other row as short as itself, on real LR, in the score of the panels' upright axis, by a bootstrap over people. *Predict: how many
# differences have p below 0.05 before the correction, how many after it? Which of those are large enough to see?*

# %%
from facesr_lib.evaluate.bootstrap import bootstrap_mean

others = [name for name in NETWORKS if steps[name] == steps[WHOLE_STUDENT] and name != WHOLE_STUDENT]
ours = run.values(WHOLE_STUDENT, faces, PERCEPTUAL)
tests = [bootstrap_mean(ours - run.values(name, faces, PERCEPTUAL), faces.groups) for name in others]
p_values = [min(1.0, 2 * min(test.p_above(0), test.p_below(0))) for test in tests]  # two-sided
adjusted = my_holm(p_values) if check_holm(my_holm).passed else None
run.table(
    "snet_against_all",
    [
        {"SNet against": name, perceptual: test.value, "p": p, "p, Holm": corrected}
        for name, test, p, corrected in zip(others, tests, p_values, adjusted, strict=True)
    ],
    f"{WHOLE_STUDENT}, minus every other row as short as itself, on real LR, {people} people: mean difference, and two-sided p-values before and after your correction",
) if adjusted is not None else "A table stands here as soon as the check says ✓."

# %% cellView="form" jupyter={"source_hidden": true} tags=["hide-input"]
# @title Answer
large = [name for name, test in zip(others, tests, strict=True) if abs(test.value) >= 0.005]
answer(
    f"Of {len(others)} differences {sum(p < 0.05 for p in p_values)} have p below 0.05 before the correction, {sum(p < 0.05 for p in adjusted)} after it. "
    f"At least 0.005, the least that counts here: {'; '.join(large) or 'none'}. "
    f"A small p says that a difference is not luck of the {people} people drawn. It says nothing about its size, nor about another training seed."
    if adjusted is not None
    else "Solve the exercise first."
)

# %% [markdown]
# **To think about.** The paper never says how the LR of its FFHQ test faces was made. Three of its numbers tell: bicubic enlargement has 20.68 dB there, its
# teacher on bicubic data has FID 41, its teacher on DeNet's data 15. What would you expect of all three if that LR were bicubic? Which of our two tables may you
# set beside the paper's FFHQ columns?

# %% [markdown] tags=["solution"]
# <details><summary>One answer</summary>
#
# Bicubic enlargement of bicubic LR would be about 3 dB better, as our own table shows. The teacher of bicubic pairs would be at home there and have the better FID, not one
# almost three times as large. So that LR was degraded, and only the table for degraded LR belongs beside those columns.
#
# </details>

# %% [markdown]
# ## What this run says about the paper's claims
#
# Here are the claims that this notebook has scores for.

# %%
from facesr_tools.verdicts import verdicts

verdicts(run, TEACHER_STUDENT.claims)

# %% [markdown]
# ## In short
#
# - An ablation compares equals: the same data, the same start, the same number of steps, one part changed. Else it measures the difference of something else.
# - Two scores give no winner until somebody says what one is worth in the other. The Pareto front says which rows nobody needs to discuss.
# - Many comparisons find something by luck. Correct for their number, ask whether the effect is large enough to matter, and repeat the training with other seeds.
#
# **Paper:** Liu and Zhang, ICIP 2023, [arXiv:2405.04778](https://arxiv.org/abs/2405.04778), Table 3.
# **Next:** `40_isr_kd`, where a network learns a second kind of pictures without forgetting the first.

# %%
run.finish()
