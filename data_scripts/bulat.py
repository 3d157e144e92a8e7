"""The faces that Bulat, Yang and Tzimiropoulos released, SelfSR's real-world setting: HR 64x64, LR 16x16 px, as shipped.

    python data_scripts/bulat.py --root ~/faces [--archive FILE_OR_FOLDER] [--limit N] [--yes]

The same as `facesr data prepare bulat`; `facesr data info bulat` states terms, protocol and files.
"""

from facesr_tools.cli.data import script

if __name__ == "__main__":
    script("bulat")
