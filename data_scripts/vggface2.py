"""VGGFace2, which its makers no longer offer: squares of the published boxes, 64x64 px, official split.

    python data_scripts/vggface2.py --root ~/faces [--archive FILE_OR_FOLDER] [--limit N] [--yes]

The same as `facesr data prepare vggface2`; `facesr data info vggface2` states terms, protocol and files.
"""

from facesr_tools.cli.data import script

if __name__ == "__main__":
    script("vggface2")
