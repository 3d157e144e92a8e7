"""FFHQ's 70,000 thumbnails of 128 px, for the teacher-student network without SCGAN's archive.

    python data_scripts/ffhq_128.py --root ~/faces [--archive FILE_OR_FOLDER] [--limit N] [--yes]

The same as `facesr data prepare ffhq-128`; `facesr data info ffhq-128` states terms, protocol and files.
"""

from facesr_tools.cli.data import script

if __name__ == "__main__":
    script("ffhq-128")
