"""What the command makes of its surroundings: streams that take any text, and a home folder."""

import codecs
import os
import sys
import tempfile
from pathlib import Path

_PLAIN = {"✓": "+", "✗": "x", "…": "...", "→": "->", "×": "x", "–": "-", "·": "|", "±": "+-"}


def take_any_text() -> None:
    """Let standard output and error show what their encoding lacks, instead of ending the command; open what is closed."""
    codecs.register_error("facesr", shown)
    sys.stdin = sys.stdin or open(os.devnull)  # noqa: SIM115 (as long as the process)
    for name in ("stdout", "stderr"):
        stream = getattr(sys, name)
        if stream is None:  # closed: >&-
            setattr(sys, name, open(os.devnull, "w"))  # noqa: SIM115 (as long as the process)
        elif hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="facesr")


def shown(error: UnicodeError) -> tuple[str | bytes, int]:
    """A handler of encoding errors: bytes of a file's name as they are, marks as ASCII, anything else as its \\u code."""
    if not isinstance(error, UnicodeEncodeError):
        raise error
    text = error.object[error.start : error.end]
    if all("\udc80" <= one <= "\udcff" for one in text):
        return bytes(ord(one) - 0xDC00 for one in text), error.end
    return "".join(_PLAIN.get(one) or one.encode("ascii", "backslashreplace").decode() for one in text), error.end


def find_home() -> None:
    """Where there is no home folder, or none that can be written, take a private one among the temporary files, and say so.

    Caches, Jupyter, IPython and matplotlib all want one.
    """
    try:
        with tempfile.TemporaryFile(dir=Path.home()):
            return
    except (RuntimeError, OSError):  # no HOME and no entry in passwd; not there, or read-only
        pass
    folder = Path(tempfile.gettempdir()) / f"facesr-home-{os.getuid()}"
    folder.mkdir(mode=0o700, exist_ok=True)
    if folder.is_symlink() or folder.stat().st_uid != os.getuid() or folder.stat().st_mode & 0o077:  # someone else's
        folder = Path(tempfile.mkdtemp(prefix="facesr-home-"))
    os.environ["HOME"] = str(folder)
    print(f"facesr: there is no home folder to write to, so caches go to {folder}; set HOME to keep them", file=sys.stderr)
