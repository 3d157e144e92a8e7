"""CASIA-WebFace, by request from its authors: centre squares, 64x64 px, split by person.

    python data_scripts/webface.py --root ~/faces [--archive FILE_OR_FOLDER] [--limit N] [--yes]

The same as `facesr data prepare webface`; `facesr data info webface` states terms, protocol and files.
"""

from facesr_tools.cli.data import script

if __name__ == "__main__":
    script("webface")
