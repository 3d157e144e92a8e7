"""The `facesr` command: `main.py` assembles it; the other modules hold its larger subcommands."""

import sys


def main() -> None:
    """Entry point of the `facesr` command."""
    try:
        from facesr_tools.cli.main import app
    except ModuleNotFoundError as error:
        if (error.name or "").partition(".")[0] in ("facesr_lib", "facesr_tools"):
            raise
        sys.exit(f"facesr: the command line needs {error.name}, of the extra \"tools\": pip install 'facesr[tools]'")
    app(prog_name="facesr")
