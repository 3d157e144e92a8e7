"""List each set's pictures below its source folder: one function per layout, for the catalogue."""

import warnings
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

import numpy as np

from facesr_lib.data.boxes import Box, landmark_box, square_box
from facesr_lib.data.folder import OTHER_ENDING, SUFFIXES, picture_files
from facesr_lib.data.images import PassedOver, listed
from facesr_tools.download import RemoteFile
from facesr_tools.prepare import lists
from facesr_tools.prepare.description import (
    REAL_LR,
    REFERENCE,
    EntryMissing,
    Parts,
    PrepareError,
    Sample,
    Samples,
    drawn_place,
    drawn_split,
    find_entry,
    look_for,
)

SHARES = {"train": 0.9, "val": 0.05, "test": 0.05}  # of the people, where nobody published a split [ours]
FFHQ_LIST, FFHQ_IMAGES = "ffhq-dataset-v2.json", 70_000
FFHQ_SEED = 0  # of the draw of the human-face GAN's 500 images [ours]
FFHQ_SHARES = {"train": 0.5, "val": 0.2, "test": 0.3}  # [paper]
LFW_SHARES = {"train": 0.75, "val": 0.075, "test": 0.175}  # of 5,749 people: about 1,000 to score on [ours]
LFW_MIDDLE = (61, 61, 189, 189)  # of 250 px; the detector's box was their middle 114 px [ours]
PARTITION = {0: "train", 1: "val", 2: "test"}  # CelebA's numbers


def google_drive(identifier: str) -> str:
    """The address of a file on Google Drive; it includes the confirmation that large files require."""
    return f"https://drive.usercontent.google.com/download?id={identifier}&export=download&confirm=t"


def celeba_aligned(source: Path) -> Parts:
    """CelebA's aligned images, by the official partition, with the published identities."""
    return _celeba(source, "img_align_celeba", None)


def celeba_wild(source: Path) -> Parts:
    """CelebA's images in the wild, with boxes from landmarks.json (DIC's) if it exists, else from CelebA's five landmarks."""
    if given := look_for(source, "landmarks.json", folder=False):
        return _celeba(source, "img_celeba", lists.dic_boxes(given))
    path = find_entry(source, "list_landmarks_celeba.txt", folder=False)
    boxes = {}
    for name, row in lists.celeba_table(path, header=2).items():
        boxes[name] = landmark_box(np.array(row, float).reshape(-1, 2), "five")
    return _celeba(source, "img_celeba", boxes, path.name)


def _celeba(source: Path, images: str, boxes: Mapping[str, Box] | None, listed_in: str = "landmarks.json") -> Parts:
    partition = lists.celeba_table(find_entry(source, "list_eval_partition.txt", folder=False))
    path = find_entry(source, "identity_CelebA.txt", folder=False)
    identity = lists.celeba_table(path)
    if missing := sorted(set(partition) - set(identity)):
        raise PrepareError(
            f"{path} has no row for {len(missing):,} of {len(partition):,} images, {missing[0]} first: without identities a "
            "person could be in train and test; get the file again"
        )
    folder = find_entry(source, images, folder=True).relative_to(source).as_posix()
    parts: Parts = {part: Samples() for part in PARTITION.values()}
    for name, (number,) in sorted(partition.items()):
        if number not in PARTITION:
            raise PrepareError(f"list_eval_partition.txt: {name} is in part {number}; expected 0, 1 or 2; get the file again")
        box = boxes.get(name) if boxes is not None else None
        reason = "" if boxes is None or box else f"no row in {listed_in}"
        parts[PARTITION[number]].append(Sample(f"{folder}/{name}", f"celeba-{identity[name][0]}", box, reason))
    return parts


def helen(source: Path) -> Parts:
    """Helen's annotated images; test is testnames.txt if it exists, else the last 50 by name, as many as DIC tests on."""
    found = {Path(file).stem: file for file in pictures(source)}
    if given := look_for(source, "landmarks.json", folder=False):
        boxes = {Path(name).stem: box for name, box in lists.dic_boxes(given).items()}
    else:
        points = lists.helen_points(find_entry(source, "annotation", folder=True))
        boxes = {name: landmark_box(outline, "outline") for name, outline in points.items()}
    names = sorted(found)
    official = look_for(source, "testnames.txt", folder=False)
    test = set(official.read_text("utf-8").split() if official else names[-50:])
    parts: Parts = {"train": Samples(), "test": Samples()}
    for name in names:
        box = boxes.get(name)
        part = "test" if name in test else "train"
        parts[part].append(Sample(found[name], f"helen-{name}", box, "" if box else "no landmarks for it"))
    return parts


def ffhq(images: str, entry: str) -> Callable[[Path], Parts]:
    """FFHQ below the folder `images`: training is train; of validation, every third image is val, the others test.

    entry: "image" or "thumbnail" in ffhq-dataset-v2.json. Without that list, the first 60,000 images are for training, as the
    set's page says. Lists only images that exist, so a part of the set is enough.
    """

    def index(source: Path) -> Parts:
        folder = find_entry(source, images, folder=True)
        below = folder.relative_to(source).as_posix()
        there = {file.rpartition("/")[2]: f"{below}/{file}" for file in pictures(folder)}
        if listed := look_for(source, FFHQ_LIST, folder=False):
            entries = lists.ffhq_entries(listed)
            training = {Path(facts[entry]["file_path"]).name: facts["category"] == "training" for _, facts in entries}
        else:
            training = {f"{number:05d}.png": number < 60_000 for number in range(FFHQ_IMAGES)}
        parts: Parts = {"train": Samples(), "val": Samples(), "test": Samples()}
        held_out = 0
        for name, path in sorted(there.items()):
            if name not in training:
                raise PrepareError(f"{folder} has {name}, which is no image of FFHQ: move it away")
            part = "train" if training[name] else "val" if held_out % 3 == 0 else "test"
            held_out += part != "train"
            parts[part].append(Sample(path, f"ffhq-{Path(name).stem}"))
        return parts

    return index


def ffhq_draw(numbers: Iterable[int]) -> list[tuple[int, str]]:
    """FFHQ's images by number, each with its part, in the order of the draw with FFHQ_SEED; the first of each part are used.

    An image's place and part depend on nothing but its number: the draw is the same for the whole set and for a part of it.
    """
    texts = {number: f"{FFHQ_SEED}/{number}" for number in numbers}
    return [(number, drawn_split(texts[number], FFHQ_SHARES)) for number in sorted(texts, key=lambda n: drawn_place(texts[n]))]


def ffhq_drawn(source: Path) -> Parts:
    """FFHQ's images of 1024 px, by `ffhq_draw`. Lists only images that exist."""
    folder = find_entry(source, "images1024x1024", folder=True)
    below = folder.relative_to(source).as_posix()
    there: dict[int, str] = {}
    for file in pictures(folder):
        name = Path(file).stem
        if not name.isdecimal() or int(name) >= FFHQ_IMAGES:
            raise PrepareError(f"{folder / file} is no image of FFHQ: move it away")
        there[int(name)] = f"{below}/{file}"
    parts: Parts = {part: Samples() for part in FFHQ_SHARES}
    for number, part in ffhq_draw(there):
        parts[part].append(Sample(there[number], f"ffhq-{number:05d}"))
    return parts


def ffhq_pictures(source: Path, limits: Mapping[str, int]) -> list[RemoteFile]:
    """The images of 1024 px that `ffhq_draw` takes, as many as `limits` says, with the addresses and checksums in FFHQ's list."""
    files = {}
    for number, facts in lists.ffhq_entries(find_entry(source, FFHQ_LIST, folder=False)):
        image = facts["image"]
        drive = image["file_url"].partition("id=")[2]
        files[number] = RemoteFile(image["file_path"], (google_drive(drive),), image["file_size"], image["file_md5"])
    drawn = ffhq_draw(files)
    return [files[number] for part, count in limits.items() for number in [n for n, p in drawn if p == part][:count]]


@dataclass(frozen=True)
class WiderFilter:
    """Which boxes of WIDER FACE count as LR faces. sides: range of the longer side in pixels; blur, occlusion: maxima.

    Bulat et al. and SCGAN publish their crops, not their rule. [ours]: around 16 px, with a face that is still visible.
    """

    sides: tuple[int, int] = (12, 36)
    blur: int = 1
    occlusion: int = 1

    def keeps(self, face: lists.WiderFace) -> bool:
        """Whether a face passes the filter."""
        left, top, right, bottom = face.box
        fits = self.sides[0] <= max(right - left, bottom - top) <= self.sides[1]
        return fits and face.blur <= self.blur and face.occlusion <= self.occlusion and not face.invalid


def widerface(source: Path) -> Parts:
    """Square boxes of small faces: train from WIDER's training photographs, test from its validation photographs."""
    parts: Parts = {}
    for part, split in (("real_lr/train", "train"), ("real_lr/test", "val")):
        listed = lists.wider_faces(find_entry(source, f"wider_face_{split}_bbx_gt.txt", folder=False))
        folder = (find_entry(source, f"WIDER_{split}", folder=True) / "images").relative_to(source).as_posix()
        parts[part] = Samples(
            Sample(f"{folder}/{name}", f"wider-{Path(name).stem}", square_box(face.box))
            for name, faces in listed
            for face in faces
            if WiderFilter().keeps(face)
        )
    return parts


def as_shipped(folders: Mapping[str, str], hold_out: str = "train") -> Callable[[Path], Parts]:
    """Ready-made crops: part -> folder. A random tenth of the part `hold_out` becomes val and test, for scores with originals."""

    def index(source: Path) -> Parts:
        parts: Parts = {}
        for part, name in folders.items():
            place = find_entry(source, name.split("/")[0], folder=True) / "/".join(name.split("/")[1:])
            below = place.relative_to(source).as_posix()
            for file in pictures(place):
                person = f"{name}/{file.rpartition('.')[0]}"
                target = drawn_split(person, SHARES) if part == hold_out else part
                parts.setdefault(target, Samples()).append(Sample(f"{below}/{file}", person))
        return parts

    return index


SCGAN_TEST = {"test": "Widerface", "webface": "WebFace", "ls3dw": "LS3D-w_balanced", "ffhq": "FFHQ"}
ORIGINALS = ("reference", "imgs_reference")  # so its page and its code call the folder of HR pictures


def scgan(source: Path) -> Parts:
    """SCGAN's archive, with the originals of its test faces if they are there.

    Its code reads LR faces from imgs_test/NAME/*.png, and its FID compares with one folder of HR pictures [code]; the archive's
    later versions have none. So originals are taken from where they may be: imgs_test/NAME/HIGH (or HR, beside LOW or LR),
    reference/NAME, or imgs_reference/NAME [ours]. Each has the file name of its LR face, or PrepareError says which has none.
    HR pictures directly in reference are the pool that FID compares with.
    """
    parts = as_shipped({"train": "imgs_train/HIGH", "real_lr/train": "imgs_train/LOW"})(source)
    tests = find_entry(source, "imgs_test", folder=True)
    shelves = [place for name in ORIGINALS if (place := look_for(source, name, folder=True))]
    for part, name in SCGAN_TEST.items():
        lr = next((tests / name / folder for folder in ("LOW", "LR") if (tests / name / folder).is_dir()), tests / name)
        places = [tests / name / folder for folder in ("HIGH", "HR")] + [shelf / name for shelf in shelves]
        parts[f"{REAL_LR}{part}"] = _shipped(source, lr)
        if hr := next((place for place in places if place.is_dir()), None):
            parts[f"{REFERENCE}{part}"] = _shipped(source, hr)
            _refuse_unnamed(parts[f"{REAL_LR}{part}"], parts[f"{REFERENCE}{part}"], hr)
    for shelf in shelves:
        if any(entry.suffix.lower() in SUFFIXES for entry in shelf.iterdir()):
            parts[f"{REFERENCE}pool"] = _shipped(source, shelf, deep=False)
            break
    return parts


def _refuse_unnamed(lr: Samples, hr: Samples, folder: Path) -> None:
    """Raise PrepareError unless every LR face has an original of its file name."""
    known = {sample.person.rpartition("/")[2] for sample in hr}
    lacking = [sample.file for sample in lr if sample.person.rpartition("/")[2] not in known]
    if lacking:
        raise PrepareError(
            f"{folder}: no picture has the name of {lacking[0]} ({len(lacking):,} of {len(lr):,} LR faces lack their original): "
            "give each original the file name of its LR face, or take the folder away"
        )


def _shipped(source: Path, folder: Path, *, deep: bool = True) -> Samples:
    """Each picture of a folder (without `deep`, not those in the folders below it) as a person of its own."""
    below = folder.relative_to(source).as_posix()
    files = (file for file in pictures(folder) if deep or "/" not in file)
    return Samples(Sample(f"{below}/{file}", f"{below}/{file.rpartition('.')[0]}") for file in files)


def folder_per_person(
    folder: str,
    *,
    official: Sequence[tuple[str, str]] = (),
    boxes: Mapping[str, str] | None = None,
    shares: Mapping[str, float] = MappingProxyType(SHARES),
    middle: Box | None = None,
) -> Callable[[Path], Parts]:
    """One subfolder of `folder` per person, split by a draw of the people; or (part, folder) pairs in `official`.

    boxes: for each official folder, the list of its detector boxes.  middle: one box for every picture.
    shares: of the people, by part, where nothing is official.
    """

    def index(source: Path) -> Parts:
        parts: Parts = {}
        for part, name in official or (("", folder),):
            place = find_entry(source, name, folder=True)
            found = lists.detector_boxes(find_entry(source, boxes[name], folder=False)) if boxes else None
            below = place.relative_to(source).as_posix()
            person = target = ""
            for file in pictures(place):
                if "/" not in file:
                    raise PrepareError(f"{place / file} lies beside the folders of people: move it into its person's")
                if not file.startswith(f"{person}/"):
                    person = file.partition("/")[0]
                    target = part or drawn_split(person, shares)
                box = found.get(file.rpartition(".")[0]) if found else middle
                reason = f"no row in {boxes[name]}" if boxes and box is None else ""
                parts.setdefault(target, Samples()).append(Sample(f"{below}/{file}", person, box, reason))
        return parts

    return index


def aflw(source: Path) -> Parts:
    """AFLW: the squares in aflw.sqlite of the folder flickr. People are unknown, so a photograph is in one part only."""
    folder = find_entry(source, "flickr", folder=True)
    parts: Parts = {}
    for file, _, box in lists.aflw_faces(find_entry(source, "aflw.sqlite", folder=False)):
        photograph = f"aflw-{Path(file).stem}"
        path = (folder / file).relative_to(source).as_posix()
        parts.setdefault(drawn_split(photograph, SHARES), Samples()).append(Sample(path, photograph, box))
    return parts


def loose_images(source: Path) -> Parts:
    """Every picture below the source, cropped by landmarks68.csv if it exists, split by a draw of the pictures."""
    listed = look_for(source, "landmarks68.csv", folder=False)
    boxes = lists.landmark_boxes(listed) if listed else None
    parts: Parts = {}
    for file in pictures(source):
        box = boxes.get(file.rpartition("/")[2]) if boxes is not None else None
        reason = "no row in landmarks68.csv" if boxes is not None and box is None else ""
        parts.setdefault(drawn_split(file, SHARES), Samples()).append(Sample(file, file, box, reason))
    return parts


def pictures(folder: Path) -> Iterator[str]:
    """Relative paths of the picture files below a folder, sorted folder by folder, linked folders last.

    Warns of folders that are passed over. Raises EntryMissing if there are none.
    """
    none = True
    for file in picture_files(folder, _say):
        none = False
        yield file
    if none:
        raise EntryMissing(f"there is no picture in {folder} or the folders below it: put them or their archive there")


def _say(passed: PassedOver) -> None:
    if not passed.reason.startswith(OTHER_ENDING):  # the lists that belong to a set lie beside its pictures
        warnings.warn(f"Passed over {listed([passed])[0]}", stacklevel=3)
