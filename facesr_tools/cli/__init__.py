"""The `facesr` command: `main.py` assembles it; the other modules hold its larger subcommands."""

import sys

from facesr_tools.cli.surroundings import find_home, take_any_text


def main() -> None:
    """Entry point of the `facesr` command. What a place on the disk refuses is one line, never a traceback."""
    take_any_text()
    find_home()
    try:
        from facesr_tools.cli.main import app
    except ModuleNotFoundError as error:
        if (error.name or "").partition(".")[0] in ("facesr_lib", "facesr_tools"):
            raise
        sys.exit(f"facesr: the command line needs {error.name}, of the extra \"tools\": pip install 'facesr[tools]'")
    try:
        app(prog_name="facesr")
    except OSError as error:
        from facesr_lib.files import REFUSED, CannotWrite

        if isinstance(error, CannotWrite):
            sys.exit(f"facesr: {error}")
        if error.errno not in REFUSED:
            raise
        sys.exit(f"facesr: {error.filename or 'a file'}: {error.strerror}; make room or get access, or choose another folder")
    except RuntimeError as error:
        if "home directory" not in str(error):  # of pathlib's expanduser
            raise
        where = ", ".join(word for word in sys.argv[1:] if "~" in word)
        sys.exit(f"facesr: {where}: no user of this machine is called so; give the path in full")
