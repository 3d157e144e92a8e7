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
#       evening: 47
#       paper: 2400
#       quick: 6.4
#       smoke: 0.3
#       workshop: 10
#     paper: teacher_student
#     study: 65
#     title: Teacher and student
#   kernelspec:
#     display_name: Python 3 (ipykernel)
#     language: python
#     name: python3
# ---

# %% [markdown]
# # Teacher and student
#
# [![Open in Binder](https://mybinder.org/badge_logo.svg)](https://mybinder.org/v2/gh/facesr/facesr/v0.1.0?urlpath=lab/tree/notebooks/30_teacher_student.ipynb)
# [![Open in Colab](https://colab.research.google.com/assets/colab-badge.svg)](https://colab.research.google.com/github/facesr/facesr/blob/v0.1.0/notebooks/30_teacher_student.ipynb)
#
# **Aim:** super-resolve *real* low-resolution faces, which have no high-resolution original to learn from, as in *Teacher-student network for
# real-world face super-resolution with progressive embedding of edge information* (Liu, Zhang), x4.
#
# You will
# - train a network that makes clean LR look real, and see what it picks up and what it cannot;
# - follow five networks through one training step, with the live tensors;
# - feed a recurrent network the edges of its own drawing, and measure what they are worth to it;
# - measure how much of the gap between no adaptation and a ceiling a learned degradation closes;
# - ask which of teacher and student is better, on which data, and by which score.
#
# **You need:** `02_edges`, `10_human_face_gan`; recurrent networks at the level of "the same weights, several times".
# **Time:** about 65 minutes of yours; about 6.4 minutes in `quick` on a CPU; `paper` is days on one GPU.
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
from facesr_lib.papers import TEACHER_STUDENT
from facesr_lib.plot import curves, image_grid, style

style()
run = Run.start(
    "30_teacher_student",
    title="Teacher and student",
    paper="teacher_student",
    profile=PROFILE,
    seed=SEED,
    device=DEVICE,
    data_root=DATA_ROOT,
    output_dir=OUTPUT_DIR,
)
run

# %% [markdown]
# ## The setting
#
# The paper has 20,000 good faces (FFHQ) and 4,000 bad ones (WIDER FACE) of other people, in other places. No pair links them. We play the same game with the truth
# kept aside: half of the training people give HR faces, the other half only LR pictures through a *hidden* degradation (motion blur, sensor noise, JPEG).
# No network is told what it is. The tester knows it, and can therefore measure PSNR where the paper cannot.
#
# *Predict: a network trained on clean bicubic LR meets these pictures. What will it do with the noise?*

# %%
from facesr_lib.papers.teacher_student import Config
from facesr_lib.papers.teacher_student.experiments import Experiments
from facesr_lib.papers.teacher_student.names import (
    BICUBIC,
    CEILING,
    DENET,
    DENET_NOISE,
    FULL,
    NOISE,
    NOISE_STUDENT,
    NOISE_TEACHER,
    STEP_1,
    STEP_2,
    STUDENT,
    TEACHER,
    TEACHER_BICUBIC,
    trained_jointly,
)
from facesr_tools.stages import training_ahead

config = Config.preset(PROFILE)
experiments = Experiments(config, DATA_ROOT, run.stages, SEED, DEVICE)
print(training_ahead(experiments, run))
real_faces = experiments.real_faces
run.config(real_faces.hidden, "hidden_degradation")
run.config(config)

# %%
from facesr_lib.data import eval_batches
from facesr_lib.image import Bicubic, resize_bicubic

bicubic_lr = Bicubic(4)
hr = real_faces.hr.take([0, len(real_faces.hr) // 2, len(real_faces.hr) - 1])
real_lr = real_faces.real_lr.take([0, len(real_faces.real_lr) // 2, len(real_faces.real_lr) - 1])
run.figure(
    image_grid({"HR, people A": hr, "bicubic LR of it": bicubic_lr(hr), "real LR, people B": real_lr}, cell=1.9),
    "domains",
    "What there is to learn from: HR faces, from which LR can be made, and real LR faces of other people.",
    "Three rows of three portraits: sharp, small and clean, small and noisy; the last column shows other people.",
)

# %% [markdown]
# ## Edges, drawn from the network's own output
#
# The super-resolver runs three times with the same weights. Between the runs it looks at what it drew: step 2 is shown the **Canny** edges of SR 1 (the outline),
# step 3 a **difference of Gaussians** of SR 2 (fine details), the paper's cheap stand-in for the Laplacian of a Gaussian. Canny does not depend smoothly on its
# input, and both maps are cut off from the gradient: they are information, not a path to learn through.

# %%
from facesr_lib.papers.teacher_student.networks import Canny, DoG

canny, dog = config.edges
blurred = resize_bicubic(bicubic_lr(hr), 4).clamp(0, 1)
rows = {
    "HR": hr,
    f"{canny.name} of HR": canny(hr),
    f"{dog.name} of HR": 0.5 + 0.5 * dog(hr),
    "bicubic x4": blurred,
    f"{canny.name} of it": canny(blurred),
    f"{dog.name} of it": 0.5 + 0.5 * dog(blurred),
}
run.figure(
    image_grid(rows),
    "edges",
    "Both edge maps of a sharp face and of its blurred enlargement. What an edge detector sees depends on what has been restored already: "
    "the reason for asking it anew at every step.",
    "Three rows of six pictures: a face, its outline, its details, and the same for a blurred version, with far fewer edges.",
)

# %%
show_source(DoG)

# %% [markdown]
# ## The networks
#
# One step: shallow features of LR, the state of the step before and the edge map are fused; a *feedback block* (SRFBN's: up and down again, densely connected)
# makes the new state; a transposed convolution and a convolution turn it into a residual, which is added to the bilinear enlargement:
#
# $$I_{SR}^t = I_{Res}^t + H_{UP}(I_{LR}) \qquad (1)$$

# %%
from facesr_lib.papers.teacher_student.networks import RecurrentSR

show_source(RecurrentSR)

# %%
from facesr_lib.papers.teacher_student import networks
from facesr_tools.diagram import Diagram, Whole

paper = networks(Config.preset("paper"))
network, shape = paper["tnet"]
edges = [Whole(edge.name, edge) for edge in network.edges]  # a box each
with torch.no_grad():
    diagram = Diagram.of_network("TNet and SNet, unfolded", network, {"LR": torch.zeros(1, *shape)}, edges=edges)
run.figure(
    diagram.draw(),
    "network_tnet",
    "Teacher and student at the size of the paper preset, drawn from the module while it ran (Fig. 2 of the paper). 'Again' means the same weights. The first "
    "step has no state and no edges: zeros fill their places.",
    diagram.alt,
)

# %%
network, shape = paper["denet"]
with torch.no_grad():
    diagram = Diagram.of_network("DeNet and DSNet", network, {"HR": torch.zeros(1, *shape)}, depth=2)
run.figure(
    diagram.draw(),
    "network_denet",
    "The network that makes LR of HR, at the size of the paper preset, drawn from the module.",
    diagram.alt,
)

# %%
from facesr_lib.papers.teacher_student import networks

rows = []
for preset in dict.fromkeys((PROFILE, "paper")):
    with torch.device("meta"):  # sizes without memory
        for name, (network, shape) in networks(Config.preset(preset)).items():
            count = sum(p.numel() for p in network.parameters())
            rows.append({"preset": preset, "network": name, "input": str(shape), "parameters": count})
run.table("networks", rows, "Four networks and a LightCNN discriminator for each, here and in the paper's preset")

# %% [markdown]
# ## Stage 1: make clean LR look real
#
# DeNet takes an HR face and is pulled by two terms: stay near bicubic LR (content), and fool a discriminator D that knows real LR:
#
# $$L_{con} = \lVert I_{LR}^{gen} - I_{LR}^{bic}\rVert_1 \quad (2) \qquad L_{adv} = \log D(I_{LR}^{real}) + \log (1 - D(I_{LR}^{gen})) \quad (3) \qquad
# L_{DeNet} = L_{con} + 0.05\, L_{adv} \quad (4)$$
#
# D maximises (3), DeNet minimises it: exactly as printed, though most GANs minimise $-\log D$ instead (`04_losses`). *What is the slope of each where D is sure?*

# %%
from facesr_lib.papers.teacher_student import LearnDegradation

show_source(LearnDegradation.step)

# %%
degradation = experiments.trained(DENET)

# %%
smooth = max(1, len(degradation.log) // 30)
terms = ("content", "denet_discriminator_real", "denet_discriminator_fake")
run.figure(
    curves(degradation.log, *terms, average=smooth, ylabel="term", title="Stage 1", log=True),
    "stage_1",
    "Stage 1. At 0.693, the two terms of the discriminator say that it cannot tell; below, that it can. What DeNet minimises beside the content is "
    "the last curve, turned over, times 0.05.",
    "Three noisy curves over training steps on a logarithmic scale; the content term falls.",
)

# %% [markdown]
# What did it learn? We compare LR of the *same* held-out faces: bicubic, DeNet's, and through the hidden degradation. *Look at the noise
# and the colours.* DeNet is a deterministic function of the image: it can change what noise looks like on average, but it cannot draw new noise for every picture;
# and (2) charges it for every grey level that noise would cost.
#
# So we train another one beside it, which is **ours, not the paper's**: it is given noise beside HR, (2) compares blurred pictures, and the discriminator sees what
# the blur leaves out. (DASR, which the paper follows, splits the frequencies that way.) *Which of the two looks like the hidden degradation?*

# %%
with_noise = experiments.trained(DENET_NOISE)

# %%
from facesr_lib.image import gaussian_blur, rgb_to_grey
from facesr_lib.metrics import psnr

denet = degradation.method
(batch,) = eval_batches(real_faces.val.limit(20), real_faces.hidden, 20, real_faces.seed)
faces = batch["hr"].to(run.device)
kinds = {"bicubic": bicubic_lr(faces), "DeNet": denet.degrade(faces)}
kinds |= {"DeNet with noise (ours)": with_noise.method.degrade(faces), "hidden degradation": batch["lr"].to(run.device)}


def facts(lr):
    fine = (lr - gaussian_blur(lr, 3, 1.0)).std()
    colour = (lr - rgb_to_grey(lr)).abs().mean()
    return {"fine structure (grey levels)": 255 * fine.item(), "colour (grey levels)": 255 * colour.item()}


kind_rows = [
    {"LR": name, **facts(lr), "PSNR to bicubic (dB)": psnr(lr, kinds["bicubic"]).mean().item()} for name, lr in kinds.items()
]
run.table("lr_kinds", kind_rows, f"Four kinds of LR of the same {len(faces)} validation faces")

# %%
run.figure(
    image_grid({"HR": faces, **kinds}, rows=[0, 8, 16] if len(faces) > 16 else [0]),
    "denet",
    "The same people as bicubic LR, through DeNet, through a DeNet that is given noise [ours], and through the hidden degradation that neither was told.",
    "Rows of portraits: the sharp original and four small versions of it.",
)

# %% [markdown]
# ## Stage 2: a teacher and a student, jointly
#
# The **teacher** has pairs, made by DeNet: mean over its three outputs of the squared error (5), plus 0.001 of the adversarial term (6). Early in training that
# is as large as the squared error: small profiles take a tenth of it. The **student** sees real
# LR only. It has no original to aim at, so the teacher's SR stands in for it (*pseudo-HR*); a discriminator shows it what HR faces look like; and what it
# drew must, taken back to LR by DSNet, give the picture it started from. DSNet starts as a copy of stage 1's network: from nothing, as in the `paper` profile, it
# would mislead the student for longer than the small profiles train.
#
# $$L_{cycle} = \lVert I_{LR}^{real} - \mathrm{DSNet}(\mathrm{SNet}(I_{LR}^{real}))\rVert_2^2 \quad (7) \qquad
# L_{SNet} = L_{rec} + 0.001\, L_{adv} + L_{cycle} \quad (8)$$

# %%
from facesr_lib.papers.teacher_student import TeacherStudent

show_source(TeacherStudent.step_teacher)

# %%
show_source(TeacherStudent.step_student)

# %%
show_source(TeacherStudent.step_dsnet)

# %% [markdown]
# All of it in one picture, recorded from a step that trains nothing: who sees what, and which term that makes.

# %%
torch.manual_seed(SEED)
method = TeacherStudent(config, 1, degradation.method.inference_network("denet"))
method.build()
pair = {
    "hr": real_faces.hr.take([0, 1]),
    "lr": bicubic_lr(real_faces.hr.take([0, 1])),
    "real_lr": real_faces.real_lr.take([0, 1]),
}
diagram = Diagram.of_step("Stage 2, one step", method, pair)
run.figure(
    diagram.draw(),
    "network_step",
    "One step of stage 2 as it happens (Fig. 1 of the paper, with the discriminators that it leaves out): pictures in grey, networks in blue, loss terms in orange.",
    diagram.alt,
)

# %% [markdown]
# One training for the paper's method, and three to measure it by, all of the same length:
# - *no adaptation*: the same with bicubic pairs for the teacher, which has never seen noise (a row of the paper's Table 3);
# - the same with the DeNet that is given noise (ours);
# - a *ceiling* (ours): TNet alone, on pairs made by the hidden degradation itself. Nobody has those pairs in earnest; a learned degradation can hope to come near.
#
# *Predict the teacher's curve on bicubic LR: will DeNet's pairs make it better or worse there?*

# %%
show_source(Experiments._jointly)

# %%
trained = experiments.trained(trained_jointly(FULL))
trained_bicubic = experiments.trained(trained_jointly(BICUBIC))
trained_noise = experiments.trained(trained_jointly(NOISE))
ceiling = experiments.trained(CEILING)

# %%
smooth = max(1, len(trained.log) // 30)
run.figure(
    curves(
        trained.log,
        "teacher_content",
        "student_content",
        "cycle",
        average=smooth,
        ylabel="mean squared error",
        title="Stage 2: what must match",
        log=True,
    ),
    "stage_2_content",
    "The three squared errors: the teacher against HR, the student against the teacher, LR against its way back. Where the student's grows again, its "
    "teacher draws more than the cycle lets it follow.",
    "Three noisy curves over training steps on a logarithmic scale.",
)

# %%
fakes = ("tnet_discriminator_fake", "snet_discriminator_fake", "dsnet_discriminator_fake")
run.figure(
    curves(trained.log, *fakes, average=smooth, ylabel="cross-entropy", title="Stage 2: how well fakes are caught"),
    "stage_2_discriminators",
    "Each discriminator's loss on generated images: low means that it catches them. At 0.693 it guesses.",
    "Three noisy curves over training steps, which begin around 0.69.",
)

# %%
rows = [
    {
        "step": a["step"],
        "teacher, bicubic LR": a["teacher, bicubic LR"],
        "the same, trained on bicubic": b["teacher, bicubic LR"],
        "student, real LR": a["student, real LR"],
        "student, real LR, noise input (ours)": c["student, real LR"],
    }
    for a, b, c in zip(trained.validation, trained_bicubic.validation, trained_noise.validation, strict=True)
]
run.figure(
    curves(rows, *list(rows[0])[1:], ylabel="PSNR on validation people (dB)"),
    "validation",
    "Validation during stage 2. The gap between the first two curves is what DeNet's pairs cost on clean LR. The student begins near the bilinear "
    "enlargement. Where its curve falls, it follows a teacher that noise misleads; where it stays level, the cycle holds it back.",
    "Four curves of PSNR over training steps.",
)

# %% [markdown]
# ### The data flow, with live tensors
#
# Everything that a joint step computes, for one HR face and one real LR face of somebody else.

# %%
method = trained.method
hr1, real1 = real_faces.hr.take([5]).to(run.device), real_faces.real_lr.take([5]).to(run.device)
de1 = denet.degrade(hr1)
student_sr = method.super_resolve(real1)
with torch.no_grad():
    back = method.inference_network("dsnet")(student_sr).clamp(0, 1)
flow = {
    "HR": hr1,
    "bicubic LR": bicubic_lr(hr1),
    "DeNet(HR)": de1,
    "TNet(DeNet(HR))": method.super_resolve_with("tnet", de1),
    "real LR": real1,
    "TNet: pseudo-HR": method.super_resolve_with("tnet", real1),
    "SNet(real LR)": student_sr,
    "DSNet(SNet)": back,
}
run.figure(
    image_grid(flow, cell=1.6),
    "data_flow",
    "Left half: the supervised path of the teacher, compared with HR. Right half: real LR, the teacher's answer that the student is to match, the student's own, and "
    "its way back, which is compared with the real LR.",
    "Eight portraits in a row: four stages of one person, four of another.",
)

# %% [markdown]
# ### Three steps and what they were shown

# %%
from facesr_lib.explore.edge_priors import edge_priors, edge_priors_widget
from facesr_lib.papers.teacher_student.networks import NoEdges
from facesr_lib.training import evaluating

(batch,) = eval_batches(real_faces.test.limit(10), real_faces.hidden, 10, real_faces.seed)
test_lr, test_hr = batch["lr"].to(run.device), batch["hr"].to(run.device)
settings = [(canny, dog), (Canny(30, 90), dog), (canny, DoG(2.0, 3.2)), (NoEdges(), NoEdges())]
with evaluating(method.inference_network("snet")) as snet:
    figure = edge_priors(snet, test_lr[:1], test_hr[:1], settings)
run.figure(
    figure,
    "edge_priors",
    "One test face through the trained student under four settings: the trained one, more Canny edges, coarser details, no edges. The last column is "
    "the effect on SR 3, amplified.",
    "A grid: one row per setting; the three SR images, the two edge maps between them, and the change of the last image.",
)

# %% [markdown]
# The sliders do the same for other settings and faces. *Find a setting that changes the last image most. Does the change sit where the edges are?*

# %%
edge_priors_widget(snet, test_lr, test_hr)

# %% [markdown]
# ## Results on people nobody trained on
#
# The paper's Table 1 has references, its Table 2 has none. One would take Table 1 for bicubic LR. But there bicubic enlargement has 20.68 dB on FFHQ, about 3 dB
# less than on faces reduced by bicubic: its LR is *degraded*. So the hidden degradation stands for both tables here, and it has references. FID compares SR with
# the originals of the same faces; NIQE needs no reference, but images of 192 pixels, so ours are enlarged first: read it for order only.

# %%
from facesr_lib.evaluate import Backends, Scoring
from facesr_lib.metrics import if_available, niqe_metric

faces, clean = real_faces.test, experiments.clean
niqe = if_available(lambda: niqe_metric(config.hr_size), run.note)
backends = Backends.find(run)
on_clean = Scoring(run, clean, bicubic_lr, 4, backends)
on_real = Scoring(run, faces, real_faces.hidden, 4, backends, extra=[niqe], seed=real_faces.seed)

# %%
METHODS = {
    "bicubic": lambda lr: resize_bicubic(lr, 4).clamp(0, 1),
    TEACHER_BICUBIC: lambda lr: trained_bicubic.method.super_resolve_with("tnet", lr),
    TEACHER: lambda lr: method.super_resolve_with("tnet", lr),
    STUDENT: method.super_resolve,
    NOISE_TEACHER: lambda lr: trained_noise.method.super_resolve_with("tnet", lr),
    NOISE_STUDENT: trained_noise.method.super_resolve,
    CEILING: ceiling.method.super_resolve,
}
STEPS = {name: lambda lr, step=step: method.super_resolve_with("snet", lr, step) for step, name in ((1, STEP_1), (2, STEP_2))}
real = [on_real(name, f) for name, f in METHODS.items()]
people = len(set(faces.groups))
no_reference = (niqe.label,) if niqe else ()
table_1 = [{key: value for key, value in row.items() if key not in no_reference} for row in real]
run.table("table_1", table_1, f"As Table 1: {len(faces)} faces of {people} unseen people, degraded LR with references, x4")

# %%
metrics = on_real.columns()
table_2_columns = ["method", *(metrics[family].label for family in ("FID", "NIQE") if family in metrics)]
table_2 = [{key: row[key] for key in table_2_columns} for row in real]
run.table(
    "table_2", table_2, f"As Table 2, by the scores that need no original of the same face: the same {len(faces)} faces, x4"
)

# %%
per_image = Scoring(run, faces, real_faces.hidden, 4, Backends(backends.lpips, None), seed=real_faces.seed)
rows = [per_image(name, f) for name, f in STEPS.items()]
rows.append({key: row[key] for row in real if row["method"] == STUDENT for key in rows[0]})  # step 3 has been scored
run.table("steps", rows, "The student's outputs after steps 1, 2 and 3, degraded LR")

# %% [markdown]
# ### How much of the gap is closed?
#
# Between no adaptation (0 %) and the ceiling (100 %) lies what learning a degradation can gain. *Which rows get half of it? Is there one below 0?*

# %%
real_scores = {row["method"]: row for row in real}
gap = []
for name in (TEACHER, STUDENT, NOISE_TEACHER, NOISE_STUDENT):
    row = {"method": name}
    for label in [metrics[family].label for family in ("PSNR", "LPIPS") if family in metrics]:
        without, best = real_scores[TEACHER_BICUBIC][label], real_scores[CEILING][label]
        gained = real_scores[name][label] - without
        row[f"{label}, share of the gap (%)"] = 100 * gained / (best - without) if best != without else float("nan")
    gap.append(row)
run.table(
    "gap", gap, f"Share of the gap between {TEACHER_BICUBIC} (no adaptation) and {CEILING} that each method closes, degraded LR"
)

# %% [markdown]
# The same faces with bicubic LR, a table that the paper does not have. *Which methods change places?*

# %%
bicubic_rows = [on_clean(name, f) for name, f in METHODS.items()]
run.table("bicubic_lr", bicubic_rows, f"Ours: {len(clean)} faces of {people} unseen people, bicubic LR, x4")

# %%
differs = (
    f"width {config.width} and {config.groups} groups instead of {Config().width} and {Config().groups}, "
    f"{method.steps} steps of stage 2, metric conventions of the paper unknown"
)
ROWS = {"Bicubic": "bicubic", "ours": STUDENT}  # of the tables -> method
for row, name in ROWS.items():
    for reference in TEACHER_STUDENT.published(row=row):
        where, family = reference.column.split()
        if where in ("FFHQ", "WIDER") and family in metrics:
            conditions = f"{faces.name} instead of {where}, {differs}"
            beside = run.published(reference, method=name, images=faces, metric=metrics[family], differs=conditions)
beside

# %% [markdown]
# ### The paper's own test sets (Tables 1 and 2)
#
# The paper tests on faces as SCGAN prepared them: LS3D-W and FFHQ, degraded by an unknown rule, with originals; WIDER FACE and WebFace without. Without originals there are FID
# and NIQE. FID then compares with SCGAN's pool of HR pictures if it is there, else with as many HR faces that nobody trained on (SCGAN's code names a folder, no rule).

# %%
from facesr_lib.papers.teacher_student.names import PLACES

own, references = [], {(r.row, r.column): r for r in TEACHER_STUDENT.published() if r.table in ("Table 1", "Table 2")}
for part, test_set in real_faces.test_sets.items():
    on_own = Scoring(run, test_set, None, 4, backends, extra=[niqe])
    own += [{"test set": test_set.images.name, **on_own(name, f)} for name, f in METHODS.items()]
    differs = (
        f"{len(test_set.lr)} LR faces of {test_set.images.name}, width {config.width}, {config.groups} groups, {method.steps} steps of stage 2, "
        f"FID against {len(test_set.real)} faces of {test_set.real.name}, metric conventions of the paper unknown"
    )
    for row, name in {"Bicubic": "bicubic", "ours": STUDENT}.items():
        for family, metric in on_own.columns().items():
            if reference := references.get((row, f"{PLACES.get(part)} {family}")):
                run.published(reference, method=name, images=test_set.images, metric=metric, differs=differs)
(
    run.table("own_test_sets", own, "The paper's test sets, x4; empty where a set has no originals")
    if own
    else "SCGAN's test sets are not prepared: `facesr data prepare scgan --root DIR`, then run with DATA_ROOT = DIR."
)

# %% [markdown]
# ### The pictures behind the numbers (Fig. 3)

# %%
chosen = [0, len(test_hr) // 3, 2 * len(test_hr) // 3]
compared = ("bicubic", TEACHER_BICUBIC, TEACHER, STUDENT, NOISE_STUDENT, CEILING)
pictures = {"LR": test_lr, **{name: METHODS[name](test_lr) for name in compared}, "HR": test_hr}
labels = {name: [f"{value:.1f} dB" for value in psnr(pictures[name], test_hr).tolist()] for name in compared}
pictures = {name.replace(", ", ",\n"): images for name, images in pictures.items()}
labels = {name.replace(", ", ",\n"): texts for name, texts in labels.items()}
run.figure(
    image_grid(pictures, rows=chosen, labels=labels, zoom=(0.3, 0.2, 0.4), cell=1.7),
    "samples",
    "Real LR of three unseen people. Look at what each method makes of the noise: does it sharpen, keep or smooth it? RGB PSNR below.",
    "A grid of portraits: one row per person, one column per method, with a part of each, enlarged, below it.",
)

# %% [markdown]
# ### After your minutes, after our evening
#
# facesr can come with networks that trained for an evening on two CPU cores. Two of them meet the same test people here, x4: the student on real LR, a
# teacher on bicubic LR. They learned from faces of the size that the caption names, so no score is taken. *Look at the noise and at the edges: which of the
# two needs the time more?*

# %%
from facesr_lib.shipped import load_shipped


def rebuild(config):
    denet, _ = networks(config)["denet"]  # untrained: it is not needed to enlarge
    return TeacherStudent(config, 1, denet if config.needs_stage_1 else None)


clean_lr = bicubic_lr(test_hr)
cases = (
    (STUDENT, "snet", test_lr, "teacher_student-tnet-and-snet"),
    (TEACHER_BICUBIC, "tnet", clean_lr, "teacher_student-tnet-and-snet-bicubic-data"),
)
columns = {}
for name, network, lr, slug in cases:
    if comes := load_shipped(slug, rebuild):
        evening, facts = comes
        columns[f"LR for\n{name}"] = lr
        columns[f"{name}\nafter this run"] = METHODS[name](lr.to(run.device))
        columns[f"{name}\nafter our evening"] = evening.super_resolve_with(network, lr.cpu())
(
    run.figure(
        image_grid({**columns, "HR": test_hr}, rows=chosen, cell=1.5),
        "after_an_evening",
        f"Student and teacher as trained above ({PROFILE}), and as they come with facesr. The last one: {facts['about']}.",
        "Three people, one row each: for student and teacher LR, the output after this run and after an evening; the original.",
    )
    if columns
    else "This installation comes without trained networks, so there is nothing to put beside yours."
)

# %% [markdown]
# ## What this run says about the paper's claims
#
# The rows of Table 3 that are missing here are in `31_teacher_student_ablations`.

# %%
clean_psnr = {row["method"]: row["PSNR Y (dB)"] for row in bicubic_rows}
gain = clean_psnr[TEACHER] - clean_psnr["bicubic"]
run.note(
    f"On bicubic LR the teacher is {gain:+.2f} dB from bicubic, the teacher of bicubic pairs {clean_psnr[TEACHER_BICUBIC] - clean_psnr['bicubic']:+.2f} dB."
)
from_bicubic = {name: row["PSNR Y (dB)"] - real_scores["bicubic"]["PSNR Y (dB)"] for name, row in real_scores.items()}
run.note(
    "On degraded LR, PSNR against bicubic (dB): "
    + ", ".join(f"{name} {value:+.2f}" for name, value in from_bicubic.items() if name != "bicubic")
    + ". "
    + ("; ".join(f"{row['method']} closes {list(row.values())[1]:.0f} %" for row in gap))
    + " of the gap in PSNR."
)
fine = {row["LR"]: row["fine structure (grey levels)"] for row in kind_rows}
run.note(
    "DeNet is a deterministic function held near bicubic LR: it cannot draw fresh noise. Fine structure in grey levels: "
    + ", ".join(f"{name} {value:.1f}" for name, value in fine.items())
    + f". Its discriminator ended at {degradation.log[-1]['denet_discriminator_fake']:.2f} on generated LR (0.69: guessing)."
)

# %%
from facesr_tools.verdicts import verdicts

verdicts(run, TEACHER_STUDENT.claims)

# %% [markdown]
# ## Exercises
#
# Replace the line that raises `NotImplementedError`, run the cell, then the check below it. The folded cell holds one solution.
#
# **1. A Laplacian without derivatives.** Blurring obeys the heat equation: $\partial G / \partial(\sigma^2) = \frac{1}{2} \nabla^2 G$. Use
# `dog(image, sigma1, sigma2)` = blur(sigma1) - blur(sigma2) with two sigmas on both sides of `sigma` to compute the *Laplacian* of the image blurred with `sigma`. Mind
# the sign and the factor.


# %% tags=["exercise"]
def my_log(image, sigma):
    raise NotImplementedError


# %%
from facesr_lib.exercises.teacher_student import check_cycle_loss, check_log, check_unfold

check_log(my_log)


# %% tags=["solution"] jupyter={"source_hidden": true}
def my_log(image, sigma):
    from facesr_lib.image import dog

    sigma1, sigma2 = 0.9 * sigma, (2 - 0.9**2) ** 0.5 * sigma  # their squares have the mean sigma^2
    return -2 * dog(image, sigma1, sigma2) / (sigma2**2 - sigma1**2)


check_log(my_log)

# %% [markdown]
# **2. Unfold the recurrence by hand.** With `network.shallow(lr)`, `network.step(shallow, state, prior)` and `network.edges`, return the list of the three SR images. Edge
# maps are drawn of the SR image and brought to feature size with `average_pool(map, 2)`.


# %% tags=["exercise"]
def my_unfold(network, lr):
    raise NotImplementedError


# %%
check_unfold(my_unfold)


# %% tags=["solution"] jupyter={"source_hidden": true}
def my_unfold(network, lr):
    from facesr_lib.image import average_pool, resize_bilinear

    shallow, up = network.shallow(lr), resize_bilinear(lr, 4)
    state, prior = torch.zeros_like(shallow), torch.zeros_like(shallow[:, :1])
    residual, state = network.step(shallow, state, prior)
    outputs = [up + residual]
    for edges in network.edges:
        prior = average_pool(edges(outputs[-1]), 2)
        residual, state = network.step(shallow, state, prior)
        outputs.append(up + residual)
    return outputs


check_unfold(my_unfold)

# %% [markdown]
# **3. The cycle loss** (7), with SNet's last output.


# %% tags=["exercise"]
def my_cycle_loss(lr, snet, dsnet):
    raise NotImplementedError


# %%
check_cycle_loss(my_cycle_loss)


# %% tags=["solution"] jupyter={"source_hidden": true}
def my_cycle_loss(lr, snet, dsnet):
    return (lr - dsnet(snet(lr)[-1])).square().mean()


check_cycle_loss(my_cycle_loss)

# %% [markdown]
# **To think about.** The cycle is satisfied by any SR that DSNet can bring back. Could SNet and DSNet agree on a secret code that is not a face? Which terms stand against it?

# %%
run.finish()
