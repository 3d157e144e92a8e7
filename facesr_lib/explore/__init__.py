"""What notebooks show beside results: the library's own source, pictures of ideas."""

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
from facesr_lib.explore.roadmap import roadmap
from facesr_lib.explore.source import show_source

__all__ = [
    "FLOW_KINDS",
    "fit_flow",
    "flow_colors",
    "flow_explorer",
    "flow_figure",
    "flow_grid",
    "folds",
    "growth_explorer",
    "growth_fade",
    "growth_strip",
    "preset_flow",
    "roadmap",
    "show_source",
]
