"""Figures that notebooks, explorers and exercises draw."""

from facesr_lib.plot.figures import PALETTE, curves, image_grid, style
