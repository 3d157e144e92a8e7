"""What notebooks show beside results: the library's own source, pictures of ideas, explorers with sliders."""

from facesr_lib.explore.degradation import Recipe, degradation_explorer, degradation_grid
from facesr_lib.explore.edges import EdgeDetector, edge_explorer, edge_grid
from facesr_lib.explore.flow import (
    FLOW_KINDS,
    fit_flow,
    flow_colors,
    flow_explorer,
    flow_figure,
    flow_grid,
    folds,
    preset_flow,
)
from facesr_lib.explore.growing import growth_explorer, growth_fade, growth_strip
from facesr_lib.explore.loss_explorer import loss_bars, loss_explorer, loss_grid
from facesr_lib.explore.roadmap import roadmap
from facesr_lib.explore.source import show_source
from facesr_lib.explore.upload import Gallery, image_upload
from facesr_lib.explore.wipe import wipe, wipe_grid

__all__ = [
    "FLOW_KINDS",
    "EdgeDetector",
    "Gallery",
    "Recipe",
    "degradation_explorer",
    "degradation_grid",
    "edge_explorer",
    "edge_grid",
    "fit_flow",
    "flow_colors",
    "flow_explorer",
    "flow_figure",
    "flow_grid",
    "folds",
    "growth_explorer",
    "growth_fade",
    "growth_strip",
    "image_upload",
    "loss_bars",
    "loss_explorer",
    "loss_grid",
    "preset_flow",
    "roadmap",
    "show_source",
    "wipe",
    "wipe_grid",
]
