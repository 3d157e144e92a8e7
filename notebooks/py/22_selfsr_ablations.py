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
#       quick: 7.6
#       smoke: 0.4
#       workshop: 60
#     paper: selfsr
#     study: 50
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
# **Aim:** fill Table IV of *SelFSR* in both settings, and Table III once more with all its seeds: take one part away at a time, and read each
# difference with its uncertainty.
#
# You will
# - leave out the self-conditioned block, the growing and R1, one at a time, with pairs and without;
# - read a difference together with its interval over people and training seeds;
# - see that the result of an ablation depends on the length of training: what helps in 160,000 steps may hurt in a few hundred.
#
# **You need:** `20_selfsr_degradation` and `21_selfsr_super_resolution`; their trainings are found again and not repeated.
# **Time:** about 50 minutes of yours; about 7.6 minutes in `quick` after the other two. **Hardware:** CPU for `quick`; a GPU above it.

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
# Each variant changes one field of the configuration. *Only equals are compared:* small profiles give most of their time to the networks of notebook 21, and train the
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
from facesr_tools.live import live
from facesr_tools.stages import training_ahead

config = Config.preset(PROFILE)
experiments = Experiments(config, DATA_ROOT, live(run.stages), SEED, DEVICE)
print(training_ahead(experiments, run))
SEEDS = range(SEED, SEED + config.ablation_seeds)
AND_SEEDS = f" and {len(SEEDS)} seeds" if len(SEEDS) > 1 else ""
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
# **To think about.** Notebook 21 has trained the full model already, for longer. Why is it trained again here, for as few steps as the variants?

# %% [markdown] tags=["solution"]
# <details><summary>One answer</summary>
#
# Otherwise two things would differ between the rows: the part, and the number of steps. A difference could then come from either. An ablation changes one thing and keeps everything else:
# steps, data, batches, the numbers that training starts from.
#
# </details>

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
    f"Mean over {len(test)} test images of {people} unseen people{AND_SEEDS}, {VARIANTS[FULL].steps} steps each; x{scale}; PSNR and SSIM on Y, border of {scale} cropped",
)

# %%
columns = scoring.columns()
METRIC = columns.get("LPIPS", columns["PSNR"])
sign = 1 if METRIC.higher_is_better else -1
here = {row["method"]: row for row in rows}
run.note(
    f"After {VARIANTS[FULL].steps} steps, all parts against bicubic: "
    + ", ".join(
        f"{metric.label} {here[FULL][metric.label]:.4g} against {bicubic[metric.label]:.4g}" for metric in columns.values()
    )
    + "."
)


# %% cellView="form" jupyter={"source_hidden": true} tags=["hide-input"]
# @title Answer
def cost(setting, part):
    """What leaving the part out costs, in METRIC: positive if the part helped."""
    return sign * (here[ablated(setting, ALL_PARTS)][METRIC.label] - here[ablated(setting, part)][METRIC.label])


def printed_costs():
    """The same of the published Table IV."""
    cells = {cell.row: cell.value for cell in SELFSR.published(table="Table IV", column="LPIPS")}
    lost = {row: value - cells[f"{row.split()[0]} 4: full model"] for row, value in cells.items()}
    return "; ".join(
        f"{part} {lost[f'paired {n}: {part}']:+.4f} and {lost[f'unpaired {n}: {part}']:+.4f}" for n, part in enumerate(PARTS, 1)
    )


pairs = {part: (cost(PAIRED, part), cost(UNPAIRED, part)) for part in PARTS}
answer(
    f"What it costs in {METRIC.label}, with pairs and without (a negative cost: it was better without the part): "
    + "; ".join(f"{part} {one:+.4f} and {other:+.4f}" for part, (one, other) in pairs.items())
    + ". More without pairs: "
    + (", ".join(part for part, (one, other) in pairs.items() if other > one) or "none of them")
    + f". Published, in LPIPS after 160,000 steps and more: {printed_costs()}."
)

# %% [markdown]
# ### Beside the published table
#
# The tick marks of the published table are lost from our text, but their counts are not: three, two, two, three. Row 1 is "vanilla" (concatenation) with growing and R1, row 4
# the self-conditioned block with both. Rows 2 and 3 have the block and one of the two. Section IV-C says that growing improves "several metrics largely" without pairs; only
# the step from row 2 to row 3 does. So row 2 has no growing and row 3 no R1.

# %%
from facesr_tools.published import beside_published

differs = (
    f"{test.name} instead of CelebA, {config.paired.lr_size} to {config.paired.hr_size} instead of 16 to 128 pixels, {VARIANTS[FULL].steps} steps instead of 160,000 or 280,000, "
    f"width {config.paired.width} instead of 256{', a residual over the enlarged LR' if config.paired.residual else ''}{', faces moved and relit' if config.paired.jitter else ''}"
)
names = {}
for setting, name in (("paired", PAIRED), ("unpaired", UNPAIRED)):
    names |= {f"{setting} {place}: {part}": ablated(name, part) for place, part in enumerate(PARTS, 1)}
    names[f"{setting} 4: full model"] = ablated(name, ALL_PARTS)
table_4 = SELFSR.published(table="Table IV")
for cell in sorted(table_4, key=lambda cell: "full" not in cell.row):  # the full model first: it stands for this notebook
    if cell.column in columns:
        run.published(cell, method=names[cell.row], images=test, metric=columns[cell.column], differs=differs)
run.table(
    "table_4_beside",
    beside_published(
        table_4,
        {"bicubic": "bicubic", **names, NO_RESIDUAL: ablated(PAIRED, NO_RESIDUAL)},
        rows,
        {family: metric.label for family, metric in columns.items()},
    ),
    f"Table IV beside this run, with bicubic and a row of our own. Here: {', '.join(metric.label for metric in columns.values())}; {differs}",
)


# %% cellView="form" jupyter={"source_hidden": true} tags=["hide-input"]
# @title Reading
def ranked(setting, values, higher):
    """The four rows of a setting, best first."""
    mine = [row for row in names if row.startswith(setting)]
    return [row.removeprefix(f"{setting} ") for row in sorted(mine, key=lambda row: values[row], reverse=higher)]


printed = {cell.row: cell.value for cell in table_4 if cell.column == METRIC.family}
measured = {row: here[name][METRIC.label] for row, name in names.items()}
answer(
    "\n\n".join(
        f"{METRIC.family}, {setting}, from best to worst. Paper: {'; '.join(ranked(setting, printed, METRIC.higher_is_better))}. "
        f"Here: {'; '.join(ranked(setting, measured, METRIC.higher_is_better))}."
        for setting in ("paired", "unpaired")
    ),
    "What this table says",
)

# %% [markdown]
# ### What our own residual is worth
#
# The paper's network paints the face anew. The small profiles add to the bicubic enlargement instead, in every row above but "no residual".

# %%
if config.paired.residual:
    psnr = {name: row[columns["PSNR"].label] for name, row in here.items()}
    anew, added = psnr[ablated(PAIRED, NO_RESIDUAL)], psnr[FULL]
    sentence = f"After {VARIANTS[FULL].steps} steps the network that paints the face anew, as the paper's does, has {anew:.2f} dB, the one with the residual {added:.2f} dB, bicubic {psnr['bicubic']:.2f} dB."
else:
    sentence = "This profile trains the paper's form, without a residual."
run.note(sentence)

# %% [markdown]
# ## What each part is worth, with its uncertainty
#
# The change when one part is left out, per person, as a point; the bar is their mean. Right of zero: the part helped.
# *Predict: in how many of the six rows do all people agree on the sign?*

# %%
import numpy as np

from facesr_lib.plot.figures import PALETTE, NotebookFigure

values = {name: np.mean([run.values(name, test, METRIC, seed=seed) for seed in SEEDS], axis=0) for name in VARIANTS}
group = np.unique(test.groups, return_inverse=True)[1]
figure = NotebookFigure(figsize=(7, 3.6), layout="constrained")
axes = figure.subplots()
labels, agree = [], []
for row, (setting, color) in enumerate(zip((PAIRED, UNPAIRED), PALETTE, strict=False)):
    for column, part in enumerate(PARTS):
        gain = sign * (values[ablated(setting, ALL_PARTS)] - values[ablated(setting, part)])
        each = np.bincount(group, gain) / np.bincount(group)
        y = 4 * row + column
        axes.plot(each, np.full(len(each), y), "o", color=color, alpha=0.4)
        axes.plot([each.mean()] * 2, [y - 0.35, y + 0.35], color=color, lw=3)
        kept = part.removeprefix("no ").replace("concatenation", "self-conditioning")
        labels.append((y, f"{'pairs' if row == 0 else 'no pairs'}: {kept}"))
        if (each > 0).all() or (each < 0).all():
            agree.append(f"{labels[-1][1]} ({'helps' if each[0] > 0 else 'hurts'})")
axes.axvline(0, color="black", lw=0.8)
axes.set_yticks(*zip(*labels, strict=True))
axes.invert_yaxis()
axes.set_xlabel(f"what the part is worth in {METRIC.label}, per person (right: it helps)")
run.figure(
    figure,
    "worth",
    f"Each dot is one test person: how much {METRIC} gets worse when the part is left out. Bars are means. All {people} people agree in {len(agree)} of {len(labels)} rows.",
    f"{len(labels)} rows of dots around a zero line, one row per part and setting, each with a bar at its mean.",
)

# %% cellView="form" jupyter={"source_hidden": true} tags=["hide-input"]
# @title Answer
answer(
    f"In {len(agree)} of {len(labels)}: {'; '.join(agree) or 'none'}. Where dots lie on both sides, the part helps some people and hurts others, and the sign of the mean may be luck of who was in "
    "the test set. That all agree is not enough either: all of them were scored with the same trained networks."
)

# %% [markdown]
# Two exercises stand in this notebook, here, where they are used. Replace the line that raises `NotImplementedError`, run the cell, then the check below it.
# The folded cell holds one solution.
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
# Now the intervals of this notebook's numbers: the report's, and yours beside them as soon as the check says ✓.
# *Predict: which parts help for certain, which hurt for certain?*

# %%
from facesr_lib.evaluate.bootstrap import bootstrap_mean

WORTH = {
    f"{name}: {part}": sign * (values[ablated(name, ALL_PARTS)] - values[ablated(name, part)])
    for name in (PAIRED, UNPAIRED)
    for part in PARTS
}
INTERVALS = {name: bootstrap_mean(gain, group).interval() for name, gain in WORTH.items()}
solved = check_interval(my_interval).passed


def worth_row(name, gain):
    row = {
        "left out": name,
        f"cost in {METRIC}": gain.mean(),
        "low, report": INTERVALS[name][0],
        "high, report": INTERVALS[name][1],
    }
    return row | (dict(zip(("low, yours", "high, yours"), my_interval(gain, group), strict=True)) if solved else {})


run.table(
    "worth_intervals",
    [worth_row(name, gain) for name, gain in WORTH.items()],
    f"What leaving a part out costs in {METRIC} (positive: the part helped), with 95 % intervals over {people} people",
)

# %% cellView="form" jupyter={"source_hidden": true} tags=["hide-input"]
# @title Answer
helps = [name for name, (low, _) in INTERVALS.items() if low > 0]
hurts = [name for name, (_, high) in INTERVALS.items() if high < 0]
answer(
    f"The interval lies right of zero (leaving it out costs something, so the part helped) for: {'; '.join(helps) or 'none'}. It lies left of zero (the part hurt) for: {'; '.join(hurts) or 'none'}. "
    f'The other {len(INTERVALS) - len(helps) - len(hurts)} say neither. "For certain" means here: for other people of this kind, with exactly these trained networks, after {VARIANTS[FULL].steps} steps.'
)

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
# Suppose that the means and spreads above were the truth. How many people does each row need? *Predict: fewer or more than the test set has?*


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

# %% cellView="form" jupyter={"source_hidden": true} tags=["hide-input"]
# @title Answer
each = {name: np.bincount(group, gain) / np.bincount(group) for name, gain in WORTH.items()}
ratio = {name: abs(x.mean()) / x.std(ddof=1) for name, x in each.items() if people > 1 and x.std(ddof=1) > 0}
enough = [name for name, r in ratio.items() if 2.8 / max(r, 1e-9) <= people**0.5]
answer(
    f"Of {len(each)} rows, {len(enough)} need no more than the {people} people of this test set: {'; '.join(enough) or 'none'}. The number grows with the square of spread over mean: half the "
    'difference needs four times the people. So "no significant difference" in a small test set often means that nobody could have seen one.'
)

# %% [markdown]
# **To think about.** More test people narrow these intervals as far as you like. Which uncertainty do they leave as it is? (Below `workshop` every row was trained once.)

# %% [markdown] tags=["solution"]
# <details><summary>One answer</summary>
#
# That of training. Another seed starts from other weights and sees other batches, and ends in another network; with one training per row nobody knows how much of a difference is luck of that
# kind. Only several trainings of each row show it: `facesr run all --seeds 0-4`. The report then resamples people *and* seeds, and says "points for" or "points against" instead of a
# decision as long as there are fewer than three seeds.
#
# </details>

# %% [markdown]
# ## The variants, face by face
#
# *Look for:* can you tell the columns apart? The caption says how far each is from the full model; a difference of one grey level is hard to see.

# %%
chosen = [0, len(test) // 2]
lr = degrade(test.take(chosen)).to(run.device)


def faces(setting, name):
    """The full model of a setting beside its variants."""
    parts = [part for part in (*PARTS, NO_RESIDUAL) if ablated(name, part) in VARIANTS]
    columns = {"LR": lr, "full": trained[ablated(name, ALL_PARTS), SEED].method.super_resolve(lr)}
    columns |= {part: trained[ablated(name, part), SEED].method.super_resolve(lr) for part in parts}
    apart = {part: 255 * (columns[part] - columns["full"]).abs().mean().item() for part in parts}
    return run.figure(
        image_grid({**columns, "HR": test.take(chosen)}, cell=1.7),
        f"faces_{setting.replace(' ', '_')}",
        f"The full model and its {len(parts)} ablations, trained {setting} for {VARIANTS[FULL].steps} steps. Mean distance from the full model in grey levels: "
        + ", ".join(f"{part} {value:.1f}" for part, value in apart.items())
        + ".",
        f"Two rows of {len(parts) + 3} portraits: LR, full model, {len(parts)} variants, HR.",
    )


faces("with pairs", PAIRED)

# %%
faces("without pairs", UNPAIRED)

# %% [markdown]
# ## Growing, step by step
#
# The same steps with and without growing. A growing network spends its first steps on small pictures, so they are also cheaper.
# *Predict: which curve is lower at the left-hand end, and which at the right-hand end?*

# %%
steps = [
    {"step": a["step"], "growing": a["g_reconstruction"], "all levels at once": b["g_reconstruction"]}
    for a, b in zip(trained[FULL, SEED].log, trained[ablated(PAIRED, NO_GROWING), SEED].log, strict=True)
]
smooth = max(1, len(steps) // 30)
ends = {
    name: [sum(row[name] for row in part) / smooth for part in (steps[:smooth], steps[-smooth:])]
    for name in ("growing", "all levels at once")
}
run.figure(
    curves(steps, "growing", "all levels at once", average=smooth, ylabel="weighted reconstruction term"),
    "growing",
    "The reconstruction term (pale: every step; line: running mean). Before the last level is there, the growing network solves an easier task: compare the right-hand ends only. "
    f"Mean of the last {smooth} steps: " + ", ".join(f"{name} {value[1]:.3f}" for name, value in ends.items()) + ".",
    f"Two noisy curves over {len(steps)} training steps: with growing, and with all levels at once.",
)

# %% cellView="form" jupyter={"source_hidden": true} tags=["hide-input"]
# @title Answer
(g_first, g_last), (a_first, a_last) = ends.values()
answer(
    f"At the left-hand end growing has {g_first:.2f} and all levels at once {a_first:.2f}: an enlargement by two is an easier task than one by {scale}, and the two numbers do not measure the same. "
    f"At the right-hand end both enlarge by {scale}: {g_last:.3f} with growing, {a_last:.3f} without, a difference of {abs(g_last - a_last) / a_last:.1%} of the term. "
    + (
        "Growing is ahead here."
        if g_last < a_last
        else "Growing is behind here: it had the last level for a part of the steps only."
    )
)

# %% [markdown]
# **To think about.** Growing makes the first steps cheap. Is it fair to compare both networks after equally many *steps*? What else could be kept equal?

# %% [markdown] tags=["solution"]
# <details><summary>One answer</summary>
#
# Equal steps favour the network without growing, which works at full size all the time and so uses more computation. One could compare after equal computing time, or after equally many
# steps at the last level. The paper compares after equal steps, so this notebook does the same. A fair table says which of them it keeps equal.
#
# </details>

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
    f"Real LR faces, x{real_scale}: mean over {len(real_faces.test)} images of {len(set(real_faces.test.groups))} unseen people{AND_SEEDS}",
)

# %% cellView="form" jupyter={"source_hidden": true} tags=["hide-input"]
# @title Reading
quality = on_real.columns()
by = {row["method"]: row for row in rows}
usable = [name for name in by if name not in (NO_ADAPTATION, CEILING)]
best = {
    metric.label: (max if metric.higher_is_better else min)(usable, key=lambda name: by[name][metric.label])
    for metric in quality.values()
    if metric.label in by[FLOW]
}
answer(
    "The best adaptation by "
    + "; by ".join(f"{label}: {name}" for label, name in best.items())
    + f". The paper's flow field against no adaptation: {by[FLOW][quality['PSNR'].label] - by[NO_ADAPTATION][quality['PSNR'].label]:+.2f} dB.",
    "What this table says",
)

# %%
if PROFILE in ("smoke", "quick"):
    run.note(
        f"Table IV is one seed and {VARIANTS[FULL].steps} steps: it shows what each part is worth at the start of training, which need not be what it is worth in the end."
    )

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
# - An ablation changes one thing. Steps, data and the start stay equal, or the difference has two reasons.
# - A difference needs an interval, over people and over trainings. More test people do not make up for trainings that nobody repeated.
# - What a part is worth depends on the length of training. A short run shows the start, which need not be the end.
#
# **Read next:** Zeng et al., *SelFSR*, [arXiv 2112.10683](https://arxiv.org/abs/2112.10683), section IV-C; Lucic et al., *Are GANs created equal? A large-scale study*,
# [arXiv 1711.10337](https://arxiv.org/abs/1711.10337), on what is left of differences after many trainings.
#
# **Next notebook:** `02_edges`, which prepares the paper of `30_teacher_student`.

# %%
run.finish()
