"""AFLW, by request from its authors: squares of the published rectangles, 64x64 px.

    python data_scripts/aflw.py --root ~/faces [--archive FILE_OR_FOLDER] [--limit N] [--yes]

The same as `facesr data prepare aflw`; `facesr data info aflw` states terms, protocol and files.
"""

from facesr_tools.cli.data import script

if __name__ == "__main__":
    script("aflw")
