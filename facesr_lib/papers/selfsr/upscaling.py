"""What upscaling a picture of any size must know of this paper's generator."""

from __future__ import annotations

from facesr_lib.papers.selfsr.super_resolution import SelfSR, SRConfig

METHOD = SelfSR
MULTIPLE = 1


def rebuild(config: SRConfig) -> SelfSR:
    """The method of a checkpoint's config, not built yet."""
    return SelfSR(config)


def reach(config: SRConfig) -> None:
    """No receptive field that is smaller than the picture: instance normalisation takes its statistics over the whole of it."""
    return None
