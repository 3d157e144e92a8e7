"""Helen as SelfSR uses it: cut by landmarks, 128x128 px.

    python data_scripts/helen.py --root ~/faces [--archive FILE_OR_FOLDER] [--limit N] [--yes]

The same as `facesr data prepare helen`; `facesr data info helen` states terms, protocol and files.
"""

from facesr_tools.cli.data import script

if __name__ == "__main__":
    script("helen")
