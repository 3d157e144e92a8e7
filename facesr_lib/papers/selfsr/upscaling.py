"""What upscaling images of any size needs to know about this paper's generator."""

from facesr_lib.papers.selfsr.super_resolution import SelfSR, SRConfig

METHOD = SelfSR
MULTIPLE = 1


def rebuild(config: SRConfig) -> SelfSR:
    """The method for a checkpoint's config, not built yet."""
    return SelfSR(config)


def reach(config: SRConfig) -> None:
    """None, the whole image: instance normalisation takes its statistics over all of it."""
    return None
