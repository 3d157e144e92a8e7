"""iCartoonFace's recognition set as ISR-KD uses it: 128x128 px, split by character.

    python data_scripts/icartoonface.py --root ~/faces [--archive FILE_OR_FOLDER] [--limit N] [--yes]

The same as `facesr data prepare icartoonface`; `facesr data info icartoonface` states terms, protocol and files.
"""

from facesr_tools.cli.data import script

if __name__ == "__main__":
    script("icartoonface")
