"""CelebA's images in the wild as SelfSR uses them: cut by landmarks, 128x128 px, by the official partition.

    python data_scripts/celeba_wild.py --root ~/faces [--archive FILE_OR_FOLDER] [--limit N] [--yes]

The same as `facesr data prepare celeba-wild`; `facesr data info celeba-wild` states terms, protocol and files.
"""

from facesr_tools.cli.data import script

if __name__ == "__main__":
    script("celeba-wild")
