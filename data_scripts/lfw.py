"""Labeled Faces in the Wild: 13,233 colour photographs of 5,749 people, the middle 128x128 px, split by person.

    python data_scripts/lfw.py --root ~/faces [--archive FILE_OR_FOLDER] [--limit N] [--yes]

The same as `facesr data prepare lfw`; `facesr data info lfw` states terms, protocol and files.
"""

from facesr_tools.cli.data import script

if __name__ == "__main__":
    script("lfw")
