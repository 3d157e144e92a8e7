"""Small faces of WIDER FACE: real LR pictures of 16x16 px, without originals.

    python data_scripts/widerface.py --root ~/faces [--archive FILE_OR_FOLDER] [--limit N] [--yes]

The same as `facesr data prepare widerface`; `facesr data info widerface` states terms, protocol and files.
"""

from facesr_tools.cli.data import script

if __name__ == "__main__":
    script("widerface")
