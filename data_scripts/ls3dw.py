"""LS3D-W balanced, by request from its authors.

    python data_scripts/ls3dw.py --root ~/faces [--archive FILE_OR_FOLDER] [--limit N] [--yes]

The same as `facesr data prepare ls3dw`; `facesr data info ls3dw` states terms, protocol and files.
"""

from facesr_tools.cli.data import script

if __name__ == "__main__":
    script("ls3dw")
