"""Where prepared data is kept between runs."""

import os
import tempfile
from pathlib import Path


def cache_dir() -> Path:
    """Return facesr's cache folder, which may not exist yet.

    `FACESR_CACHE` if set, else `XDG_CACHE_HOME/facesr`, else `~/.cache/facesr`. A relative `XDG_CACHE_HOME` is ignored, as the
    XDG base directory specification asks. Everything in the folder can be deleted: it is made again when needed.
    """
    if own := os.environ.get("FACESR_CACHE"):
        return Path(own).expanduser()
    places = map(os.path.expanduser, (os.environ.get("XDG_CACHE_HOME", ""), "~/.cache"))
    cache = next((place for place in places if os.path.isabs(place)), "")
    return Path(cache or f"{tempfile.gettempdir()}/facesr-{os.getuid()}") / "facesr"  # for a user without a home, temporary
