"""What the `facesr` command does: find notebooks, run them, resume, count networks, examine the machine.

Nothing here imports torch at import time, so that `facesr --help` and `facesr list` answer at once.
"""
