"""SCGAN's prepared archive, which the teacher-student network is trained on: HR 64x64, LR 16x16 px, as shipped.

    python data_scripts/scgan.py --root ~/faces [--archive FILE_OR_FOLDER] [--limit N] [--yes]

The same as `facesr data prepare scgan`; `facesr data info scgan` states terms, protocol and files.
"""

from facesr_tools.cli.data import script

if __name__ == "__main__":
    script("scgan")
