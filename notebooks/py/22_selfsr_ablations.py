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
#       evening: 27
#       paper: 12000
#       quick: 7.7
#       smoke: 0.4
#       workshop: 60
#     paper: selfsr
#     study: 35
#     title: 'SelfSR 3: what each part is worth'
#   kernelspec:
#     display_name: Python 3 (ipykernel)
#     language: python
#     name: python3
# ---

# %% [markdown]
# # SelfSR 3: what each part is worth
#
# [![Open in Binder](https://mybinder.org/badge_logo.svg)](https://mybinder.org/v2/gh/facesr/facesr/v0.1.0?urlpath=lab/tree/notebooks/22_selfsr_ablations.ipynb)
# [![Open in Colab](https://colab.research.google.com/assets/colab-badge.svg)](https://colab.research.google.com/github/facesr/facesr/blob/v0.1.0/notebooks/22_selfsr_ablations.ipynb)
#
# **Aim:** fill Table IV of *SelFSR* in both settings, and Table III once more with all its seeds: take one part away at a time, and let people, not single numbers, decide.
#
# You will
# - leave out the self-conditioned block, the growing and R1, one at a time, with pairs and without;
# - read a difference together with its interval over people and training seeds;
# - see that an ablation is also a test of the budget: what helps in 160,000 steps may hurt in a few hundred.
#
# **You need:** `20_selfsr_degradation` and `21_selfsr_super_resolution`; their trainings are found again and not repeated.
# **Time:** about 35 minutes of yours; about 7.7 minutes in `quick` after the other two. **Hardware:** CPU for `quick`; a GPU above it.

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
from facesr_lib.evaluate import Run
from facesr_lib.papers import SELFSR
from facesr_lib.plot import curves, image_grid, style

style()
run = Run.start(
    "22_selfsr_ablations",
    title="SelfSR 3: what each part is worth",
    paper="selfsr",
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
# Each variant changes one field of the configuration. *Equals are compared:* small profiles give most of their time to the networks of notebook 21, and train the
# rows of Table IV for fewer steps, from the same start. The full model is one of these rows ("all parts"), as short as the others; it is not the network of notebook 21.
# The last variant of the pairs is not the paper's: it takes away the residual that our small profiles add, and so trains the network in the paper's own form.

# %%
from facesr_lib.papers.selfsr import Config
from facesr_lib.papers.selfsr.experiments import Experiments
from facesr_lib.papers.selfsr.names import (
    ALL_PARTS,
    CEILING,
    CONCATENATION,
    CYCLE,
    CYCLE_IDENTITY,
    FLOW,
    FLOW_NO_IDENTITY,
    FLOW_NOISE,
    NO_ADAPTATION,
    NO_GROWING,
    NO_R1,
    NO_RESIDUAL,
    PAIRED,
    UNPAIRED,
    ablated,
    on_real_faces,
    seeded,
)
from facesr_tools.stages import training_ahead

config = Config.preset(PROFILE)
experiments = Experiments(config, DATA_ROOT, run.stages, SEED, DEVICE)
print(training_ahead(experiments, run))
SEEDS = range(SEED, SEED + config.ablation_seeds)
test, scale = experiments.test, config.paired.scale

PARTS = (CONCATENATION, NO_GROWING, NO_R1)
FULL = ablated(PAIRED, ALL_PARTS)
VARIANTS = config.table_4()
for name, variant in VARIANTS.items():
    run.config(variant, name.replace(" ", "_").replace("(", "").replace(")", "").replace(",", ""))
run.config(experiments.real_faces.hidden, "hidden_degradation")

# %%
from facesr_lib.explore import show_source

show_source(Config.table_4)

# %% [markdown]
# *Predict, for each part: does leaving it out cost more with pairs or without?*

# %%
trained = {(name, seed): experiments.trained(seeded(config.trained_as(name), seed - SEED)) for name in VARIANTS for seed in SEEDS}
reused = sum(t.reused for t in trained.values())
print(f"{len(trained)} trainings, {reused} of them found in the stage cache")

# %% [markdown]
# ## Table IV

# %%
from facesr_lib.evaluate import Backends, Scoring
from facesr_lib.image import Bicubic, resize_bicubic

degrade = Bicubic(scale)
backends = Backends.find(run)
scoring = Scoring(run, test, degrade, crop=scale, backends=backends)
scores = {key: scoring(key[0], t.method.super_resolve, seed=key[1]) for key, t in trained.items()}
bicubic = scoring("bicubic", lambda lr: resize_bicubic(lr, scale).clamp(0, 1))


# %%
def mean_over_seeds(name):
    """One row of the table: the mean of every metric over the seeds."""
    rows = [scores[name, seed] for seed in SEEDS]
    return {"method": name, **{key: sum(row[key] for row in rows) / len(rows) for key in rows[0] if key != "method"}}


rows = [bicubic] + [mean_over_seeds(name) for name in VARIANTS]
people = len(set(test.groups))
run.table(
    "table_4",
    rows,
    f"Mean over {len(test)} test images of {people} unseen people and {len(SEEDS)} seed(s), {VARIANTS[FULL].steps} steps each; x{scale}; PSNR and SSIM on Y, border of {scale} cropped",
)

# %% [markdown]
# The tick marks of the published table are lost from our text, but their counts are not: three, two, two, three. Row 1 is "vanilla" (concatenation) with growing and R1, row 4
# the self-conditioned block with both. Rows 2 and 3 have the block and one of the two. Section IV-C says that growing improves "several metrics largely" without pairs; only
# the step from row 2 to row 3 does. So row 2 has no growing and row 3 no R1.

# %%
differs = (
    f"{test.name} instead of CelebA, {config.paired.lr_size} to {config.paired.hr_size} instead of 16 to 128 pixels, {VARIANTS[FULL].steps} steps instead of 160,000 or 280,000, "
    f"width {config.paired.width} instead of 256{', a residual over the enlarged LR' if config.paired.residual else ''}"
)
columns = scoring.columns()
for setting, name in (("paired", PAIRED), ("unpaired", UNPAIRED)):
    parts = {"4: full model": ablated(name, ALL_PARTS)}
    parts |= {f"{place}: {part}": ablated(name, part) for place, part in enumerate(PARTS, 1)}
    for row, method in parts.items():
        for column, metric in columns.items():
            (reference,) = SELFSR.published(table="Table IV", row=f"{setting} {row}", column=column)
            beside = run.published(reference, method=method, images=test, metric=metric, differs=differs)
beside

# %% [markdown]
# ### What our own residual is worth
#
# The paper's network paints the face anew; the small profiles add to the bicubic enlargement instead, in every row above but one.

# %%
if config.paired.residual:
    score = {row["method"]: row[columns["PSNR"].label] for row in rows}
    anew, added = score[ablated(PAIRED, NO_RESIDUAL)], score[FULL]
    sentence = f"After {VARIANTS[FULL].steps} steps the network that paints the face anew, as the paper's does, has {anew:.2f} dB, the one with the residual {added:.2f} dB, bicubic {score['bicubic']:.2f} dB."
    run.note(sentence)
else:
    sentence = "This profile trains the paper's form, without a residual."
print(sentence)

# %% [markdown]
# ## What each part is worth, with its uncertainty
#
# The change when one part is left out, per person, as a point; the bar is their mean. Right of zero: the part helped. *How many people would you need to be sure?*

# %%
import numpy as np

from facesr_lib.plot.figures import PALETTE, NotebookFigure

METRIC = columns.get("LPIPS", columns["PSNR"])
values = {name: np.mean([run.values(name, test, METRIC, seed=seed) for seed in SEEDS], axis=0) for name in VARIANTS}
group = np.unique(test.groups, return_inverse=True)[1]
sign = 1 if METRIC.higher_is_better else -1
figure = NotebookFigure(figsize=(7, 3.6), layout="constrained")
axes = figure.subplots()
labels = []
for row, (setting, color) in enumerate(zip((PAIRED, UNPAIRED), PALETTE, strict=False)):
    for column, part in enumerate(PARTS):
        gain = sign * (values[ablated(setting, ALL_PARTS)] - values[ablated(setting, part)])
        each = np.bincount(group, gain) / np.bincount(group)
        y = 4 * row + column
        axes.plot(each, np.full(len(each), y), "o", color=color, alpha=0.4)
        axes.plot([each.mean()] * 2, [y - 0.35, y + 0.35], color=color, lw=3)
        kept = part.removeprefix("no ").replace("concatenation", "self-conditioning")
        labels.append((y, f"{'pairs' if row == 0 else 'no pairs'}: {kept}"))
axes.axvline(0, color="black", lw=0.8)
axes.set_yticks(*zip(*labels, strict=True))
axes.invert_yaxis()
axes.set_xlabel(f"what the part is worth in {METRIC.label}, per person (right: it helps)")
run.figure(
    figure,
    "worth",
    f"Each dot is one test person: how much {METRIC} gets worse when the part is left out. Bars are means.",
    "Six rows of dots around a zero line, one row per part and setting.",
)

# %% [markdown]
# ## The variants, face by face

# %%
chosen = [0, len(test) // 2]
lr = degrade(test.take(chosen)).to(run.device)


def faces(setting, name):
    """The full model of a setting beside its variants."""
    parts = [part for part in (*PARTS, NO_RESIDUAL) if ablated(name, part) in VARIANTS]
    columns = {"LR": lr, "full": trained[ablated(name, ALL_PARTS), SEED].method.super_resolve(lr)}
    columns |= {part: trained[ablated(name, part), SEED].method.super_resolve(lr) for part in parts}
    return run.figure(
        image_grid({**columns, "HR": test.take(chosen)}, cell=1.7),
        f"faces_{setting.replace(' ', '_')}",
        f"The full model and its {len(parts)} ablations, trained {setting}.",
        f"Two rows of {len(parts) + 3} portraits: LR, full model, {len(parts)} variants, HR.",
    )


faces("with pairs", PAIRED)

# %%
faces("without pairs", UNPAIRED)

# %% [markdown]
# ## Growing, step by step
#
# The same steps with and without growing. A growing network spends its first steps on small pictures, so they are also cheaper.

# %%
steps = [
    {"step": a["step"], "growing": a["g_reconstruction"], "all levels at once": b["g_reconstruction"]}
    for a, b in zip(trained[FULL, SEED].log, trained[ablated(PAIRED, NO_GROWING), SEED].log, strict=True)
]
run.figure(
    curves(steps, "growing", "all levels at once", average=max(1, len(steps) // 30), ylabel="weighted reconstruction term"),
    "growing",
    "The reconstruction term. Before the last level is there, the growing network solves an easier task: compare the right-hand ends only.",
    "Two noisy curves over training steps.",
)

# %% [markdown]
# ## Table III with every seed
#
# Notebook 20 trained stage 1 and the network for real faces with one seed. Where this profile has more seeds, here are the others.

# %%
real_faces, real_scale = experiments.real_faces, config.real.scale
on_real = Scoring(run, real_faces.test, real_faces.hidden, crop=real_scale, backends=backends, seed=real_faces.seed)
ADAPTATIONS = (NO_ADAPTATION, CYCLE, CYCLE_IDENTITY, FLOW, FLOW_NO_IDENTITY, FLOW_NOISE, CEILING)
found = {
    (name, seed): on_real(name, experiments.trained(seeded(on_real_faces(name), seed - SEED)).method.super_resolve, seed=seed)
    for name in ADAPTATIONS
    for seed in SEEDS
}

# %%
rows = []
for name in ADAPTATIONS:
    each = [found[name, seed] for seed in SEEDS]
    rows.append({"method": name, **{key: sum(row[key] for row in each) / len(each) for key in each[0] if key != "method"}})
run.table(
    "table_3",
    rows,
    f"Real LR faces of {len(set(real_faces.test.groups))} unseen people, x{real_scale}, mean over {len(SEEDS)} seed(s)",
)

# %%
if PROFILE in ("smoke", "quick"):
    run.note(
        f"Table IV is one seed and {VARIANTS[FULL].steps} steps: it shows what each part is worth at the start of training, which need not be what it is worth in the end."
    )

# %% [markdown]
# ## Verdicts

# %%
from facesr_tools.verdicts import verdicts

verdicts(run, SELFSR.claims)

# %% [markdown]
# ## Exercises
#
# Replace the line that raises `NotImplementedError`, run the cell, then the check below it. The folded cell holds one solution.
#
# **1. An interval for a part's worth.** `gain` holds one difference per image, `person` says whose image it is. Draw as many people as there are, with
# replacement, take all images of each, and take the mean; a thousand times or more. Return the 2.5 % and the 97.5 % quantile of these means.


# %% tags=["exercise"]
def my_interval(gain, person):
    raise NotImplementedError


# %%
from facesr_lib.exercises.ablations import check_interval, check_people_needed

check_interval(my_interval)


# %% tags=["solution"] jupyter={"source_hidden": true}
def my_interval(gain, person):
    rng = np.random.default_rng(0)
    images = [gain[person == someone] for someone in np.unique(person)]
    draws = rng.integers(0, len(images), (2000, len(images)))
    means = [np.concatenate([images[someone] for someone in draw]).mean() for draw in draws]
    return np.quantile(means, 0.025), np.quantile(means, 0.975)


check_interval(my_interval)

# %% [markdown]
# Now yours on this notebook's numbers, beside the report's. *Which parts help for certain, which hurt for certain? Is there a figure above that you would now
# read differently?*

# %%
from facesr_lib.evaluate.bootstrap import bootstrap_mean

WORTH = {
    f"{name}: {part}": sign * (values[ablated(name, ALL_PARTS)] - values[ablated(name, part)])
    for name in (PAIRED, UNPAIRED)
    for part in PARTS
}


def worth_row(name, gain):
    (low, high), (report_low, report_high) = my_interval(gain, group), bootstrap_mean(gain, group).interval()
    found = {"low, yours": low, "high, yours": high, "low, report": report_low, "high, report": report_high}
    return {"left out": name, f"cost in {METRIC}": gain.mean(), **found}


run.table(
    "worth_intervals",
    [worth_row(name, gain) for name, gain in WORTH.items()],
    f"What leaving a part out costs in {METRIC} (positive: the part helped), with 95 % intervals over {people} people",
) if check_interval(my_interval).passed else "A table stands here as soon as the check says ✓."

# %% [markdown]
# **2. How many people would you need?** People differ by `spread` (a standard deviation) around a true `mean` difference. With how many people does the 95 %
# interval leave out zero in 80 % of all experiments? The mean of n people has the standard error `spread` / $\sqrt{n}$; 97.5 % and 80 % of a normal
# distribution lie below 1.96 and 0.84 standard deviations. Return a whole number.


# %% tags=["exercise"]
def my_people_needed(mean, spread):
    raise NotImplementedError


# %%
check_people_needed(my_people_needed)


# %% tags=["solution"] jupyter={"source_hidden": true}
def my_people_needed(mean, spread):
    return int(np.ceil(((1.96 + 0.84) * spread / mean) ** 2))


check_people_needed(my_people_needed)

# %% [markdown]
# Suppose that the means and spreads above were the truth. Then each row needs so many people:


# %%
def needed_row(name, gain):
    each = np.bincount(group, gain) / np.bincount(group)
    spread = each.std(ddof=1) if people > 1 else float("nan")
    known = spread > 0 and each.mean() != 0
    needed = my_people_needed(each.mean(), spread) if known else None
    return {"left out": name, "mean": each.mean(), "spread between people": spread, "people needed": needed}


run.table(
    "people_needed",
    [needed_row(name, gain) for name, gain in WORTH.items()],
    f"People needed to tell each part's worth in {METRIC} from nothing, if this run's mean were the true one; it has {people}",
) if check_people_needed(my_people_needed).passed else "A table stands here as soon as the check says ✓."

# %% [markdown]
# **To think about.** More test people narrow these intervals as far as you like. Which uncertainty do they leave as it is? (Below `workshop` every row was
# trained once.)

# %%
run.finish()
