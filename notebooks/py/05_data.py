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
#       evening: 0.16
#       paper: 0.4
#       quick: 0.16
#       smoke: 0.3
#       workshop: 0.4
#     paper: null
#     study: 55
#     title: Where the images come from
#   kernelspec:
#     display_name: Python 3 (ipykernel)
#     language: python
#     name: python3
# ---

# %% [markdown]
# # Where the images come from
#
# [![Open in Binder](https://mybinder.org/badge_logo.svg)](https://mybinder.org/v2/gh/facesr/facesr/v0.1.0?urlpath=lab/tree/notebooks/05_data.ipynb)
# [![Open in Colab](https://colab.research.google.com/assets/colab-badge.svg)](https://colab.research.google.com/github/facesr/facesr/blob/v0.1.0/notebooks/05_data.ipynb)
#
# **Aim:** see how much of a published score is decided before any network runs: by the crop, the resize, and who is in the test set.
#
# You will
# - cut one photograph as each of the four papers does, and compare what is left of the face;
# - change only the protocol, and move PSNR by decibels;
# - open a packed set and its manifest, and watch it notice one changed byte;
# - train the same method on two splits, and measure what a leaked person is worth.
#
# **You need:** `00_start_here`; `03_metrics` helps. **Time:** about 55 minutes of yours; about 20 seconds on a CPU. **Hardware:** any.

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
import numpy as np
import torch

from facesr_lib.evaluate import Run, answer
from facesr_lib.explore import show_source
from facesr_lib.plot import image_grid, style

style()
run = Run.start(
    "05_data",
    title="Where the images come from",
    paper=None,
    profile=PROFILE,
    seed=SEED,
    device=DEVICE,
    data_root=DATA_ROOT,
    output_dir=OUTPUT_DIR,
)
run

# %% [markdown]
# ## One photograph, four protocols
#
# A data set is pictures *and* a rule that cuts them. Here is one photograph (Eileen Collins, NASA, public domain) with five landmarks: eyes, nose,
# corners of the mouth. From them follows the box that this project cuts where a set comes with landmarks only:

# %%
from facesr_lib.data.boxes import landmark_box, square_box
from facesr_tools.prepare.crop import cut

show_source(landmark_box)

# %% [markdown]
# - **Paper 1** (FFHQ): the aligned photograph as published, a wide frame around the head, 1024 px; LR is half of it.
# - **Paper 2** (SelfSR on CelebA): a square box from landmarks, 128 px; LR 16 px.
# - **Paper 3** (SCGAN's archive): crops as they were shipped, 64 px; LR 16 px. A tighter box stands for them here.
# - **Paper 4** (ISR-KD on CelebA): the whole aligned image, 178 x 218, *squashed* to 128 x 128; LR 16 px.
#
# *Predict: in which of the three 16 px images is the face largest? In which is it distorted?*

# %%
from skimage.data import astronaut

photograph = astronaut()
points = np.array([[203.0, 102], [247, 104], [223, 125], [203, 142], [241, 144]])
face = landmark_box(points, "five")
left, top, right, bottom = square_box(face, 1.6)
middle, width = (left + right) / 2, (bottom - top) * 178 / 218
aligned = photograph[max(0, round(top)) : round(bottom), round(middle - width / 2) : round(middle + width / 2)]

# %%
crops = {  # protocol: HR picture, scale
    "1: FFHQ frame": (cut(photograph, square_box(face, 2 / 1.46), 256), 2),  # FFHQ's box is 2 lengths wide, ours 1.46
    "2: landmark box": (cut(photograph, face, 128), 8),
    "3: tight crop": (cut(photograph, square_box(face, 0.85), 64), 4),  # 0.85 stands for a tight crop [ours]
    "4: squashed": (cut(aligned, None, 128, "whole"), 8),
}


def as_tensor(picture):
    """uint8 (H, W, 3) -> float (1, 3, H, W) in [0, 1]."""
    return torch.from_numpy(np.array(picture)).permute(2, 0, 1)[None] / 255


# %% [markdown]
# Look at the LR column: the network sees nothing else.

# %%
from facesr_lib.image import Bicubic, resize_bicubic
from facesr_lib.metrics import Metric, psnr, ssim

columns = {"HR": [], "LR": [], "bicubic": []}
rows = []
for name, (picture, scale) in crops.items():
    hr = as_tensor(picture)
    lr = Bicubic(scale)(hr)
    sr = resize_bicubic(lr, scale).clamp(0, 1)
    for column, image in zip(columns, (hr, lr, sr), strict=True):
        columns[column].append(image)
    rows.append(
        {
            "protocol": name,
            "HR px": hr.shape[-1],
            "LR px": lr.shape[-1],
            "PSNR (dB)": psnr(sr, hr).item(),
            "SSIM": ssim(sr, hr).item(),
        }
    )


# %%
def drawn(name, images):
    """Images of different sizes as one batch of 256 px; LR keeps its pixels visible."""
    if name == "LR":
        return torch.cat([torch.nn.functional.interpolate(image, size=(256, 256)) for image in images])
    return torch.cat([resize_bicubic(image, size=(256, 256)).clamp(0, 1) for image in images])


labels = {
    "HR": [f"{row['protocol']}, {row['HR px']} px" for row in rows],
    "LR": [f"{row['LR px']} px" for row in rows],
    "bicubic": [f"{row['PSNR (dB)']:.1f} dB" for row in rows],
}
run.figure(
    image_grid({name: drawn(name, images) for name, images in columns.items()}, labels=labels, cell=1.9),
    "protocols",
    "The same photograph under four protocols: HR, LR (every pixel visible), and bicubic. All drawn at one size.",
    "A grid of portraits of one astronaut: four rows for the protocols, three columns for HR, LR and bicubic.",
)

# %%
run.table(
    "protocols",
    rows,
    "Bicubic on one photograph under four protocols, each at its paper's scale (paper 1: a quarter of its size)",
)

# %% cellView="form" jupyter={"source_hidden": true} tags=["hide-input"]
# @title Answer
eyes, mouth = points[:2].mean(axis=0), points[3:].mean(axis=0)
apart = np.linalg.norm(points[1] - points[0])
tight = square_box(face, 0.85)
pixels = {
    "2: landmark box": 16 * apart / (face[2] - face[0]),
    "3: tight crop": 16 * apart / (tight[2] - tight[0]),
    "4: squashed": 16 * apart / aligned.shape[1],
}
largest = max(pixels, key=pixels.get)
answer(
    f"The face is largest under *{largest}*: between the eyes lie "
    + ", ".join(f"{value:.1f} LR pixels ({name})" for name, value in pixels.items())
    + f". Protocol 4 distorts it: a picture {aligned.shape[0] / aligned.shape[1]:.2f} times as tall as wide becomes a square, so the face gets too wide. "
    "All of this is decided before any network runs."
)

# %%
by_protocol = {row["protocol"]: row["PSNR (dB)"] for row in rows}
low, high = min(by_protocol, key=by_protocol.get), max(by_protocol, key=by_protocol.get)
run.note(
    f"One photograph, one method, four protocols: {by_protocol[low]:.1f} dB ({low}) to {by_protocol[high]:.1f} dB ({high}). "
    "None of these numbers says which method is better."
)

# %% [markdown]
# ### Exercise 1
#
# **1. The face box.** Points: left eye, right eye, nose, left and right corner of the mouth, as (x, y). Let $e$ be the middle of the eyes, $m$ that of the mouth, and
# the length $\ell = \max(2\,|\text{eyes}|,\ 1.8\,|m - e|)$. The box is a square with side $1.46\,\ell$ and centre $e + 0.63\,(m - e)$.


# %% tags=["exercise"]
def my_face_box(points):
    raise NotImplementedError


# %%
from facesr_lib.exercises.data import check_face_box

check_face_box(my_face_box)


# %% tags=["solution"] jupyter={"source_hidden": true}
def my_face_box(points):
    eyes, mouth = points[:2].mean(axis=0), points[3:].mean(axis=0)
    length = max(2 * np.linalg.norm(points[1] - points[0]), 1.8 * np.linalg.norm(mouth - eyes))
    x, y = eyes + 0.63 * (mouth - eyes)
    half = 1.46 * length / 2
    return x - half, y - half, x + half, y + half


check_face_box(my_face_box)

# %% [markdown]
# ## Change one thing at a time
#
# Now on many faces, always x4 from 64 px, always bicubic enlargement. First only the **crop** changes, then only the tool that makes the **LR image**.
#
# *Predict: does PSNR go up or down when the crop gets tighter? What does a resize without antialiasing do?*

# %%
from facesr_lib.data import load_faces

native = load_faces(DATA_ROOT, "test", None if not DATA_ROOT else 64)
native = native.limit(20) if PROFILE == "smoke" else native.limit(100)
height, width = native.size


def centre(side_share):
    """A box around the middle, `side_share` of the shorter side wide."""
    half = side_share * min(height, width) / 2
    return (width / 2 - half, height / 2 - half, width / 2 + half, height / 2 + half)


protocols = {
    "whole, squashed": lambda picture: cut(picture, None, 64, "whole"),
    "centre square": lambda picture: cut(picture, None, 64, "centre"),
    "three quarters of it": lambda picture: cut(picture, centre(0.75), 64),
    "half of it": lambda picture: cut(picture, centre(0.5), 64),
}

# %%
PSNR_X4 = Metric("psnr", "PSNR (dB)", psnr, "PSNR", "RGB, 8-bit LR, no crop, x4", "dB")
pictures = np.asarray(native.pixels)
hr_sets = {name: torch.cat([as_tensor(rule(picture)) for picture in pictures]) for name, rule in protocols.items()}
rows = []
for name, hr in hr_sets.items():
    scores = psnr(resize_bicubic(Bicubic(4)(hr), 4).clamp(0, 1), hr)
    run.score("bicubic", native.named(f"{native.name}, {name}"), PSNR_X4, scores)
    rows.append({"crop": name, "PSNR (dB)": scores.mean().item()})
run.table("crops", rows, f"Bicubic x4 at 64 px, {len(native)} photographs, four crops")

# %%
wide, narrow = rows[1], rows[-1]
change = narrow["PSNR (dB)"] - wide["PSNR (dB)"]
run.note(f"From *{wide['crop']}* to *{narrow['crop']}* the same method on the same photographs changes by {change:+.1f} dB.")

# %% cellView="form" jupyter={"source_hidden": true} tags=["hide-input"]
# @title Answer
answer(
    f"Tighter is {'easier' if change > 0 else 'harder'} here: {change:+.1f} dB. A tight crop shows the face at a higher magnification, so there are fewer edges for each pixel, and "
    "bicubic has less to lose. No image got better. Where the photographs are small, tight crops are also *enlarged*, and an enlarged HR image is smooth from the start. Real "
    "protocols leave such faces out."
)


# %%
import cv2
from PIL import Image

from facesr_lib.image import average_pool, quantize


def with_tool(resize):
    """Apply an 8-bit resize to 16 x 16 to every image of (N, 3, 64, 64)."""

    def degrade(hr):
        levels = (hr * 255).round().to(torch.uint8).permute(0, 2, 3, 1).numpy()
        return torch.cat([as_tensor(resize(picture)) for picture in levels])

    return degrade


tools = {
    "MATLAB bicubic": Bicubic(4),
    "Pillow bicubic": with_tool(lambda p: np.asarray(Image.fromarray(p).resize((16, 16), Image.Resampling.BICUBIC))),
    "average of 4 x 4": lambda hr: quantize(average_pool(hr, 4)),
    "OpenCV cubic (no antialiasing)": with_tool(lambda p: cv2.resize(p, (16, 16), interpolation=cv2.INTER_CUBIC)),
    "every fourth pixel": lambda hr: hr[..., 2::4, 2::4],
}

# %%
hr = hr_sets["centre square"]
rows = []
for name, degrade in tools.items():
    scores = psnr(resize_bicubic(degrade(hr), 4).clamp(0, 1), hr)
    run.score("bicubic", native.named(f"{native.name}, LR by {name}"), PSNR_X4, scores)
    rows.append({"LR made by": name, "PSNR (dB)": scores.mean().item()})
run.table("resizers", rows, f"Bicubic x4, the same {len(hr)} HR images, five ways to make LR")

# %% cellView="form" jupyter={"source_hidden": true} tags=["hide-input"]
# @title Answer
made_by = {row["LR made by"]: row["PSNR (dB)"] for row in rows}
usual = made_by["MATLAB bicubic"]
answer(
    f"MATLAB's and Pillow's bicubic differ by {abs(made_by['Pillow bicubic'] - usual):.2f} dB. Without antialiasing, OpenCV's cubic changes PSNR by "
    f"{made_by['OpenCV cubic (no antialiasing)'] - usual:+.2f} dB and every fourth pixel by {made_by['every fourth pixel'] - usual:+.2f} dB: fine detail comes back as "
    "false coarse detail (`01_degradation_and_upsampling`). A network trained on LR of one tool and tested on LR of another pays such a difference."
)

# %% [markdown]
# **To think about.** Two papers report PSNR for CelebA at x8. What do you have to know before you may compare the two numbers?

# %% [markdown] tags=["solution"]
# <details><summary>One answer</summary>
#
# Which images were tested; how they were cropped and resized to HR; with which tool LR was made; on which channel and with which border PSNR was taken. Each of these
# was worth tenths to several decibels above. If one of them is missing, only the differences within each paper mean something.
#
# </details>

# %% [markdown]
# ## A set that cannot change unnoticed
#
# Prepared images are kept in one array on disk with a **manifest** beside it: what the images are, whom they show, under which licence, and the SHA-256 of every
# pixel. `facesr data prepare` writes such sets; here is a small one.

# %%
import json

from facesr_lib.data import PackedError, open_packed, pack

folder = run.folder / "packed"
folder.mkdir(exist_ok=True)
manifest = pack(native.limit(10), folder / "ten", source={"protocol": "as they are, for 05_data"})
facts = json.loads(manifest.read_text())
{key: (value if len(str(value)) < 90 else f"{str(value)[:86]} ...") for key, value in facts.items()}

# %% [markdown]
# *Predict: one pixel of one image becomes one grey level brighter. Who would notice?*

# %%
array = folder / facts["array"]
content = bytearray(array.read_bytes())
content[-1] = (content[-1] + 1) % 256
array.write_bytes(content)
try:
    open_packed(manifest, verify=True)
except PackedError as error:
    print(error)

# %% cellView="form" jupyter={"source_hidden": true} tags=["hide-input"]
# @title Answer
answer(
    "No eye, and no score that is rounded to two digits. The checksum did: it is computed from every byte, and one changed bit changes all of it. That is why a result names the checksum "
    "of its images and not only their folder."
)

# %% [markdown]
# ## What a leaked person is worth
#
# A face network may simply *remember* people. Whether that helps depends on who is tested. We take a method that does little else: a linear map from LR to HR, fitted
# to the training images (ridge regression; with $X$ the LR and $Y$ the HR images as columns, $W = Y X^\top (X X^\top + \lambda I)^{-1}$).
#
# It is fitted twice, to equally many images, and tested on the **same** images:
# - **by person**: the test people appear nowhere else;
# - **by image**: the images were shuffled, so other images of the test people are among the training images.
#
# *Predict the difference in dB. At which penalty will it be largest?*

# %%
SIDE, SCALE = 48, 4
train, test = (load_faces(DATA_ROOT, split, SIDE) for split in ("train", "test"))
if PROFILE == "smoke":
    train, test = train.limit(100), test.limit(40)
people = {group: [i for i, g in enumerate(test.groups) if g == group] for group in dict.fromkeys(test.groups)}
tested = [i for rows_of in people.values() for i in rows_of[::2]]
siblings = [i for rows_of in people.values() for i in rows_of[1::2]]
strangers = train.take(range(len(train)))
kept = torch.randperm(len(train), generator=torch.Generator().manual_seed(SEED))[: max(1, len(train) - len(siblings))]
by_image = torch.cat([strangers[kept], test.take(siblings)])[: len(strangers)] if siblings else strangers
held_out = test.subset(tested, name=f"{test.name}, every second image of each person")
len(strangers), len(by_image), len(held_out)


# %%
def fitted(hr, penalty):
    """The ridge regression from LR to what bicubic misses; returns a function LR -> SR."""
    degrade = Bicubic(SCALE)
    lr = degrade(hr)
    x = (lr.flatten(1) - 0.5).double()
    y = (hr - resize_bicubic(lr, SCALE)).flatten(1).double()
    weights = torch.linalg.solve(x @ x.T + penalty * torch.eye(len(x)), y)  # the dual form: one row per image

    def super_resolve(lr):
        missing = ((lr.flatten(1) - 0.5).double() @ x.T @ weights).float()
        return (resize_bicubic(lr, SCALE) + missing.unflatten(1, (3, SIDE, SIDE))).clamp(0, 1)

    return super_resolve


hr = held_out.take(range(len(held_out)))
lr = Bicubic(SCALE)(hr)
rows = []
for penalty in (1.0, 3.0, 10.0, 30.0, 100.0):
    row = {"penalty": penalty}
    for name, images in (("by person", strangers), ("by image", by_image)):
        scores = psnr(fitted(images, penalty)(lr), hr)
        run.score(f"ridge {penalty:g}, {name}", held_out, PSNR_X4, scores)
        row[f"split {name}, PSNR (dB)"] = scores.mean().item()
    rows.append(row)
floor = psnr(resize_bicubic(lr, SCALE).clamp(0, 1), hr)
run.score("bicubic", held_out, PSNR_X4, floor)
run.table(
    "leak",
    rows,
    f"Ridge regression on the same {len(hr)} test images and equally many training images; bicubic: {floor.mean():.2f} dB",
)

# %%
by_person, with_leak, plain = "split by person, PSNR (dB)", "split by image, PSNR (dB)", floor.mean().item()
gains = [row[with_leak] - row[by_person] for row in rows]
best = {split: max(rows, key=lambda row, s=split: row[s]) for split in (by_person, with_leak)}
run.note(
    f"The leak is worth {min(gains):+.2f} to {max(gains):+.2f} dB, depending on the penalty, with the same test images and equally many training images."
)

# %% cellView="form" jupyter={"source_hidden": true} tags=["hide-input"]
# @title Answer
flipped = [row["penalty"] for row in rows if row[by_person] < plain < row[with_leak]]
answer(
    f"Across: {max(gains):+.2f} dB at a penalty of {rows[gains.index(max(gains))]['penalty']:g}, {gains[-1]:+.2f} dB at {rows[-1]['penalty']:g}. A small penalty lets the method memorise its training "
    f"images, and memory pays when the test people are among them. Down: the honest split is best at a penalty of {best[by_person]['penalty']:g}, the leaky one at "
    f"{best[with_leak]['penalty']:g}"
    + (
        ", so tuning on the leaky one chooses a method that remembers too much. "
        if best[with_leak]["penalty"] < best[by_person]["penalty"]
        else ". "
    )
    + (
        f"At a penalty of {', '.join(f'{penalty:g}' for penalty in flipped)} even the verdict against bicubic ({plain:.2f} dB) flips."
        if flipped
        else f"The verdict against bicubic ({plain:.2f} dB) is the same for both."
    )
)

# %%
shown = rows[0]
results = {
    "bicubic": resize_bicubic(lr, SCALE).clamp(0, 1),
    "by person": fitted(strangers, shown["penalty"])(lr),
    "by image": fitted(by_image, shown["penalty"])(lr),
}
picked = list(range(0, len(hr), max(1, len(hr) // 5)))[:5]
labels = {name: [f"{value:.1f} dB" for value in psnr(sr, hr)[picked].tolist()] for name, sr in results.items()}
run.figure(
    image_grid({name: sr[picked] for name, sr in results.items()} | {"HR": hr[picked]}, labels=labels, cell=1.5),
    "leak",
    f"Test faces at a penalty of {shown['penalty']:g}: bicubic, the method without and with the leak, and HR, with each image's PSNR. "
    f"Mean of all {len(hr)} faces: {shown[with_leak] - shown[by_person]:+.2f} dB with the leak.",
    "A grid of small portraits: bicubic, the linear method under two splits, and the originals.",
)

# %% [markdown]
# This is why every split in this project is by person, and why `facesr data prepare` refuses a set with a person on both sides. Where a published split is by image,
# its numbers carry this bonus.

# %% [markdown]
# ### Exercise 2
#
# **2. A split by person.** `groups[i]` is the person on image i. Return the positions of the test images: all images of a `share` of the people, drawn with `seed`.


# %% tags=["exercise"]
def my_split(groups, share, seed):
    raise NotImplementedError


# %%
from facesr_lib.exercises.data import check_split

check_split(my_split)


# %% tags=["solution"] jupyter={"source_hidden": true}
def my_split(groups, share, seed):
    names = sorted(set(groups))
    chosen = set(np.random.default_rng(seed).permutation(names)[: round(share * len(names))])
    return [i for i, group in enumerate(groups) if group in chosen]


check_split(my_split)

# %% [markdown]
# **To think about.** The leak gives decibels without any better method. Which published tables would you check for it first, and how?

# %% [markdown] tags=["solution"]
# <details><summary>One answer</summary>
#
# Those on sets with several pictures of each person (CelebA, VGGFace2, video frames) whose split is random over images, or not described. Look for an
# identity list and compare it with the split. Without identities, search for near duplicates, as in the next exercise. A sign of a leak is a method that gains much on its own test set and nothing on another.
#
# </details>

# %% [markdown]
# ### Exercise 3
#
# **3. Near duplicates.** No identities, but suspicion: return the positions of test images that lie within 30 dB (PSNR, peak 1) of some training image.


# %% tags=["exercise"]
def my_near_duplicates(train, test):
    raise NotImplementedError


# %%
from facesr_lib.exercises.data import check_near_duplicates

check_near_duplicates(my_near_duplicates)


# %% tags=["solution"] jupyter={"source_hidden": true}
def my_near_duplicates(train, test):
    errors = (test[:, None] - train[None]).square().mean(dim=(2, 3, 4))  # (m, n)
    return (errors.amin(dim=1) < 10**-3).nonzero().flatten().tolist()  # 30 dB is a mean squared error of 0.001


check_near_duplicates(my_near_duplicates)

# %% [markdown]
# **Your own photographs** go the same way: `facesr data prepare folder ~/album --root ~/faces` finds the faces, cuts them by their landmarks, and splits by the
# subfolders' names; then `DATA_ROOT = "~/faces"`.

# %% [markdown]
# **To think about.** A paper trains on CelebA's official training images and reports PSNR on CelebA's test images. Another tests the same network on Helen. Which number
# would you trust for a photograph of yourself, and why?

# %% [markdown] tags=["solution"]
# <details><summary>One answer</summary>
#
# Helen's, with care. CelebA's test images come from the same source, with the same kind of people, light and crop as the training images, so they measure the method at home. Helen's differ, as
# your photograph does. But it is neither a picture of Helen nor of CelebA: its LR was made by a camera, and no number of either paper is about that.
#
# </details>

# %% [markdown]
# ## In short
#
# - A score belongs to a protocol: who is in the set, how the face is cut, and how LR is made. Each of them moves PSNR more than most methods do.
# - Split by person. A person on both sides rewards memory, and tuning on such a split chooses the wrong method.
# - Name the data by checksum, with its source and its licence. Then a change cannot go unnoticed.
#
# To read: [Liu et al., 2015](https://arxiv.org/abs/1411.7766) on CelebA, [Karras et al., 2019](https://arxiv.org/abs/1812.04948) on FFHQ,
# [Kapoor and Narayanan, 2023](https://doi.org/10.1016/j.patter.2023.100804) on leakage.
#
# **Next:** `03_metrics`, what a score means.

# %%
run.finish()
