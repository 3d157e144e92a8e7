"""facesr: face super-resolution papers, taught and reproduced in notebooks."""

__version__ = "0.1.0"
