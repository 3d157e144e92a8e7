"""The 500 FFHQ faces of 1024 px that the human-face GAN is trained, validated and tested on.

    python data_scripts/ffhq_1024.py --root ~/faces [--archive FILE_OR_FOLDER] [--limit N] [--yes]

The same as `facesr data prepare ffhq-1024`; `facesr data info ffhq-1024` states terms, protocol and files.
"""

from facesr_tools.cli.data import script

if __name__ == "__main__":
    script("ffhq-1024")
