"""What experiments, notebooks, tables and claims call the methods of this paper."""

PAIRED, UNPAIRED, PSNR_ORIENTED = "SelfSR", "SelfSR (unpaired)", "SelfSR (PSNR-oriented)"

# Ablations of Table IV, of either setting: `ablated(PAIRED, NO_R1)`.
CONCATENATION, NO_GROWING, NO_R1 = "concatenation", "no growing", "no R1"

# Adaptations: those of Table III, and the flow field without its identity loss [ours].
FLOW, FLOW_NO_IDENTITY = "flow field", "flow field, no identity loss"
CYCLE, NO_ADAPTATION = "CycleGAN adaptation", "no adaptation"


def ablated(method: str, part: str) -> str:
    """The name of a method without one of its parts."""
    return f"{method}, {part}"
