"""The files beside a site's pages: pictures out of notebooks, and what Jupyter Book collected for download."""

from __future__ import annotations

import hashlib
import shutil
from pathlib import Path

FOLDER = "files"


class Assets:
    """Puts files into `<site>/files/` and gives their addresses relative to a page; the same content is kept once."""

    def __init__(self, site: Path, public: Path) -> None:
        """site: the folder of the pages. public: Jupyter Book's folder of collected files, whose names carry checksums."""
        self._folder, self._public = site / FOLDER, public

    def save(self, content: bytes, suffix: str) -> str:
        """Write `content` under a name made of its checksum and `suffix` (".png"); return the address."""
        name = hashlib.sha256(content).hexdigest()[:16] + suffix
        path = self._folder / name
        if not path.exists():
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)
        return f"{FOLDER}/{name}"

    def collected(self, address: str) -> str | None:
        """Copy a file that Jupyter Book collected ("/name-checksum.png") and return its address; None if it has none such."""
        source = self._public / address.removeprefix("/")
        if not source.is_file() or source.resolve().parent != self._public.resolve():
            return None
        target = self._folder / source.name
        if not target.exists():
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(source, target)
        return f"{FOLDER}/{source.name}"

    def text(self, address: str) -> str:
        """The content of a file that Jupyter Book collected. Raises OSError if it has none such."""
        return (self._public / address.removeprefix("/")).read_text(encoding="utf-8")
