"""Small copies of every set in its true layout, as folders and archives."""

from __future__ import annotations

import json
import sqlite3
import tarfile
import zipfile
from collections.abc import Callable
from hashlib import md5
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from facesr_tools.prepare import described, prepare

PEOPLE = 80  # enough for every drawn split to have people in all parts


def picture(path: Path, width: int = 40, height: int = 40) -> None:
    """A smooth picture that depends on its name alone, so that no two are alike."""
    path.parent.mkdir(parents=True, exist_ok=True)
    seed = int(md5(path.name.encode() + path.parent.name.encode()).hexdigest()[:8], 16)
    coarse = np.random.default_rng(seed).integers(0, 256, (5, 4, 3), dtype=np.uint8)
    Image.fromarray(coarse).resize((width, height), Image.Resampling.BICUBIC).save(path)


def text(path: Path, *lines: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("\n".join(lines) + "\n")


def celeba_lists(folder: Path, count: int = 20) -> list[str]:
    names = [f"{i:06d}.jpg" for i in range(1, count + 1)]
    parts = [0] * (count - 8) + [1] * 4 + [2] * 4
    text(folder / "list_eval_partition.txt", *(f"{name} {part}" for name, part in zip(names, parts, strict=True)))
    text(folder / "identity_CelebA.txt", *(f"{name} {i // 2 + 100}" for i, name in enumerate(names)))
    return names


def celeba(folder: Path) -> None:
    for name in celeba_lists(folder):
        picture(folder / "img_align_celeba" / name, 178, 218)


def celeba_wild(folder: Path) -> None:
    rows = ["20", "lefteye_x lefteye_y righteye_x righteye_y nose_x nose_y leftmouth_x leftmouth_y rightmouth_x rightmouth_y"]
    for i, name in enumerate(celeba_lists(folder)):
        picture(folder / "img_celeba" / name, 200, 160)
        rows.append(f"{name} {80 + i} 60 {120 + i} 60 {100 + i} 80 {85 + i} 100 {115 + i} 100")
    text(folder / "list_landmarks_celeba.txt", *rows)


def helen(folder: Path) -> None:
    for i in range(60):
        picture(folder / f"helen_{i % 5 + 1}" / f"{i:04d}_1.jpg", 120, 120)
        points = [f"{x} , {y}" for x, y in ((30, 50), (90, 50), (60, 30), (60, 100), (60, 70))]
        text(folder / "annotation" / f"{i + 1}.txt", f"{i:04d}_1", *points)


def ffhq(folder: Path, images: str = "thumbnails128x128", side: int = 128, entry: str = "thumbnail") -> None:
    listed = {}
    for number in [*range(12), *range(60_000, 60_009)]:
        path = Path(images, f"{number - number % 1000:05d}", f"{number:05d}.png")
        picture(folder / path, side, side)
        content = (folder / path).read_bytes()
        facts = {"file_path": path.as_posix(), "file_size": len(content), "file_md5": md5(content).hexdigest()}
        facts["file_url"] = f"https://drive.google.com/uc?id=drive{number}"
        listed[str(number)] = {"category": "training" if number < 60_000 else "validation", entry: facts}
    text(folder / "ffhq-dataset-v2.json", json.dumps(listed))


def widerface(folder: Path) -> None:
    for split in ("train", "val"):
        rows = []
        for i in range(6):
            name = f"0--Parade/0_Parade_{split}_{i}.jpg"
            picture(folder / f"WIDER_{split}" / "images" / name, 200, 150)
            boxes = ["20 20 16 18 1 0 0 0 0 0", "60 20 12 30 0 0 0 0 1 1"]  # kept
            boxes += ["100 20 80 90 0 0 0 0 0 0", "5 5 6 7 1 0 0 0 0 0"]  # too large, too small
            boxes += ["20 90 16 18 2 0 0 0 0 0", "60 90 16 18 0 0 0 0 2 0", "90 90 16 18 0 0 0 1 0 0"]  # blur, occlusion, invalid
            rows += [name, str(len(boxes)), *boxes]
        text(folder / "wider_face_split" / f"wider_face_{split}_bbx_gt.txt", *rows)


def scgan(folder: Path) -> None:
    for i in range(PEOPLE):
        picture(folder / "imgs_train/HIGH" / f"{i:05d}.png", 64, 64)
        picture(folder / "imgs_train/LOW" / f"{i}_0.png", 16, 16)
    for name in ("LS3D-w_balanced", "FFHQ", "Widerface", "WebFace"):
        for i in range(3):
            picture(folder / "imgs_test" / name / f"{i}.png", 16, 16)


def scgan_originals(folder: Path, *places: str) -> None:
    """The HR originals of SCGAN's synthetic test sets, in folders that `places` names, such as "reference/FFHQ"."""
    for place in places:
        for i in range(3):
            picture(folder / place / f"{i}.png", 64, 64)


def bulat(folder: Path) -> None:
    for i in range(PEOPLE):
        picture(folder / "Dataset/HIGH" / f"{i}.jpg", 64, 64)
        picture(folder / "Dataset/LOW" / f"{i}.jpg", 16, 16)
        picture(folder / "testset" / f"{i}.jpg", 16, 16)


def icartoonface(folder: Path) -> None:
    for person in range(PEOPLE):
        name = f"personai_icartoonface_rectrain_{person:05d}"
        for i in range(2):
            picture(folder / "personai_icartoonface_rectrain/icartoonface_rectrain" / name / f"{name}_{i:07d}.jpg", 50, 60)


def ls3dw(folder: Path) -> None:
    for i in range(PEOPLE):
        picture(folder / "LS3D-W" / f"{i:03d}.jpg", 90, 90)


def aflw(folder: Path) -> None:
    for i in range(PEOPLE):
        picture(folder / "flickr" / str(i % 3) / f"image{i:05d}.jpg", 100, 90)
    base = sqlite3.connect(folder / "aflw.sqlite")
    base.execute("CREATE TABLE Faces(face_id INTEGER, file_id TEXT, db_id TEXT)")
    base.execute("CREATE TABLE FaceImages(file_id TEXT, filepath TEXT)")
    base.execute("CREATE TABLE FaceRect(face_id INTEGER, x INTEGER, y INTEGER, w INTEGER, h INTEGER)")
    for i in range(PEOPLE):
        base.execute("INSERT INTO Faces VALUES (?, ?, 'flickr')", (i, f"image{i:05d}.jpg"))
        base.execute("INSERT INTO FaceImages VALUES (?, ?)", (f"image{i:05d}.jpg", f"{i % 3}/image{i:05d}.jpg"))
        base.execute("INSERT INTO FaceRect VALUES (?, 20, 10, 50, 60)", (i,))
    base.commit()
    base.close()


def vggface2(folder: Path) -> None:
    for split, people in (("train", range(2, 6)), ("test", range(6, 8))):
        rows = ["NAME_ID,X,Y,W,H"]
        for person in people:
            for i in range(2):
                picture(folder / split / f"n{person:06d}" / f"{i:04d}_01.jpg", 90, 100)
                rows.append(f'"n{person:06d}/{i:04d}_01",20,20,50,60')
        text(folder / "bb_landmark" / f"loose_bb_{split}.csv", *rows)


def webface(folder: Path) -> None:
    for person in range(PEOPLE):
        for i in range(2):
            picture(folder / "CASIA-WebFace" / f"{person:07d}" / f"{i:03d}.jpg", 70, 70)


def lfw(folder: Path) -> None:
    for person in range(PEOPLE):
        for i in range(1, 2 + person % 3):
            picture(folder / "lfw_funneled" / f"Person_{person:02d}" / f"Person_{person:02d}_{i:04d}.jpg", 250, 250)
    text(folder / "lfw_funneled" / "pairs_01.txt", "300")  # lists of pairs lie between the people's folders


# Of every set: its builder, and the pictures per part that must come out.
LAYOUTS: dict[str, tuple[Callable[[Path], None], dict[str, int]]] = {
    "celeba": (celeba, {"train": 12, "val": 4, "test": 4}),
    "celeba-wild": (celeba_wild, {"train": 12, "val": 4, "test": 4}),
    "helen": (helen, {"train": 10, "test": 50}),
    "ffhq-1024": (lambda folder: ffhq(folder, "images1024x1024", 48, "image"), {}),
    "ffhq-128": (ffhq, {"train": 12, "val": 3, "test": 6}),
    "widerface": (widerface, {"real_lr/train": 12, "real_lr/test": 12}),
    "scgan": (scgan, {"real_lr/train": PEOPLE, "real_lr/test": 3, "real_lr/webface": 3, "real_lr/ls3dw": 3, "real_lr/ffhq": 3}),
    "bulat": (bulat, {"real_lr/train": PEOPLE, "real_lr/test": PEOPLE}),
    "icartoonface": (icartoonface, {}),
    "ls3dw": (ls3dw, {}),
    "aflw": (aflw, {}),
    "vggface2": (vggface2, {"train": 8, "test": 4}),
    "webface": (webface, {}),
    "lfw": (lfw, {}),
}


def archive(folder: Path, path: Path) -> Path:
    """Everything in a folder as a zip or tar archive."""
    files = sorted(file for file in folder.rglob("*") if file.is_file())
    if path.suffix == ".zip":
        with zipfile.ZipFile(path, "w") as content:
            for file in files:
                content.write(file, file.relative_to(folder).as_posix())
    else:
        with tarfile.open(path, "w:gz" if path.suffix in (".gz", ".tgz") else "w") as content:
            for file in files:
                content.add(file, file.relative_to(folder).as_posix())
    return path


def made(name: str, folder: Path) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    LAYOUTS[name][0](folder)
    return folder


def run(name: str, root: Path, *given: Path, **options: Any) -> dict[str, Any]:
    return prepare(described(name), root, given, workers=1, **options)
