"""A set's own files: find, download, check and unpack them, until its pictures can be listed."""

import json
import shutil
from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any, Protocol

from facesr_lib.files import file_digest, write_atomically
from facesr_tools.download import DownloadFailed, RemoteFile, download
from facesr_tools.prepare.archives import is_archive, stem, unpack
from facesr_tools.prepare.description import Description, EntryMissing, Parts, PrepareError, look_for


class OnStep(Protocol):
    """Called with the current step, how much of it is done, and the total where it is known."""

    def __call__(self, step: str, done: int, total: int | None) -> None: ...


CHECKED = ".checked.json"
ATTEMPTS = 5  # per mirror, as long as bytes arrive


class DataSource:
    """The files of a set, in `root`/sources/FAMILY or in one folder of the user, which is only read.

    given: archives, or that folder.  folder: samples' paths are relative to it. Raises PrepareError if `given` is neither.
    """

    def __init__(self, description: Description, root: Path, given: Sequence[Path], progress: OnStep) -> None:
        self.description, self.progress = description, progress
        folders = [path for path in given if path.is_dir()]
        for path in given:
            if not path.is_file() and not path.is_dir():
                raise PrepareError(f"{path}: there is no such file or folder")
            if path.is_file() and not is_archive(path):
                raise PrepareError(f"{path} is no archive (.zip, .tar, .tar.gz, ...): unpack it yourself and give the folder")
        if folders and len(given) > 1:
            raise PrepareError("give either archives or one folder that holds all files of the set")
        self.own = not folders
        self.folder = source_folder(description, root) if self.own else folders[0].resolve()
        self.archives = [] if folders else list(given)

    def parts(self, limit: int | None) -> Parts:
        """The set's pictures, after unpacking the files that exist and downloading those that are missing, where possible."""
        if self.own:
            self.folder.mkdir(parents=True, exist_ok=True)
            self._check_and_unpack()
        self.progress("list the pictures", 0, None)
        try:
            return self.description.index(self.folder)
        except EntryMissing as missing:
            if not self.own:
                raise
            self._download(missing, limit)
        return self.description.index(self.folder)

    def checksums(self) -> dict[str, str]:
        """SHA-256 of the archives and lists that were checked, by name."""
        return {name: entry["sha256"] for name, entry in self._checked().items()}

    def _check_and_unpack(self) -> None:
        """Compare files with their published checksums, once, and unpack the archives."""
        published = {file.name: file for file in self.description.files}
        lying = [path for path in sorted(self.folder.iterdir()) if path.is_file() and is_archive(path)]
        lists = [self.folder / name for name in published if not is_archive(Path(name))]
        checked = self._checked()
        for path in [*self.archives, *lying, *(path for path in lists if path.is_file())]:
            stat = path.stat()
            stamp = [str(path.resolve()), stat.st_size, stat.st_mtime_ns, stat.st_ctime_ns]
            if checked.get(path.name, {}).get("stamp") != stamp:
                self.progress(f"check {path.name}", 0, None)
                if path.name in published and (wrong := published[path.name].mismatch(path)):
                    raise PrepareError(
                        f"{path} is not the published file ({wrong}): delete it, then it is downloaded or requested again. If "
                        "you trust it, unpack it yourself and give the folder"
                    )
                digest = file_digest(path)
                if checked.get(path.name, {}).get("sha256", digest) != digest:  # another archive of the same name
                    shutil.rmtree(unpacked_folder(self.folder, path.name), ignore_errors=True)
                checked[path.name] = {"stamp": stamp, "sha256": digest}
                write_atomically(self.folder / CHECKED, json.dumps(checked).encode())
            if is_archive(path):
                target = unpacked_folder(self.folder, path.name)
                unpack(path, target, partial(self.progress, f"unpack {path.name}", total=None))

    def _download(self, missing: EntryMissing, limit: int | None) -> None:
        """Download what is missing, or raise EntryMissing that says where to request it."""
        description = self.description
        lacking = [file for file in description.files if not self._has(file.name)]
        if not lacking and not description.pictures:
            raise missing
        if by_hand := [file.name for file in lacking if not file.urls]:
            raise EntryMissing(
                f"{description.name} needs {', '.join(by_hand)} in {self.folder} ({missing}). To get it: "
                f"{description.origin.terms} - {description.ask}. Then run the same command again, or give what you have with "
                "--archive"
            )
        for file in lacking:
            self._fetch(file, f"download {file.name}")
        self._check_and_unpack()
        if description.pictures:
            limits = {part: min(count, limit or count) for part, count in (description.limits or {}).items()}
            wanted = description.pictures(self.folder, limits)
            for number, file in enumerate(wanted, start=1):
                self._fetch(file, f"download picture {number} of {len(wanted)}")

    def _fetch(self, file: RemoteFile, step: str) -> None:
        path = self.folder / file.name  # its name may have folders in it
        try:
            download(replace(file, name=path.name), path.parent, lambda done, total: self.progress(step, done, total), ATTEMPTS)
        except DownloadFailed as error:
            raise DownloadFailed(
                f"{file.name}: {error}. To get it without this command: {self.description.origin.terms} - "
                f"{self.description.ask}; put it into {self.folder}"
            ) from error

    def _has(self, name: str) -> bool:
        if is_archive(Path(name)) and unpacked_folder(self.folder, name).is_dir():
            return True
        return any(look_for(self.folder, name, folder=folder) for folder in (False, True))

    def _checked(self) -> dict[str, Any]:
        try:
            return dict(json.loads((self.folder / CHECKED).read_bytes()))
        except (OSError, ValueError):
            return {}


def source_folder(description: Description, root: Path) -> Path:
    """The folder of a set's own files, unless the caller gives another one."""
    return root / "sources" / description.origin.family


def unpacked_folder(source: Path, archive: str) -> Path:
    """The folder for an archive's content; not the archive's own name, which is often that of the folder in it."""
    return source / f"{stem(Path(archive))}.unpacked"
