"""CelebA's aligned images as ISR-KD uses them: the whole image at 128x128 px, by the official partition.

    python data_scripts/celeba.py --root ~/faces [--archive FILE_OR_FOLDER] [--limit N] [--yes]

The same as `facesr data prepare celeba`; `facesr data info celeba` states terms, protocol and files.
"""

from facesr_tools.cli.data import script

if __name__ == "__main__":
    script("celeba")
