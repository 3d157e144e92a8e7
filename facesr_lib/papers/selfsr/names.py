"""What experiments, notebooks, tables and claims call the methods of this paper."""

PAIRED, UNPAIRED, PSNR_ORIENTED = "SelfSR", "SelfSR (unpaired)", "SelfSR (PSNR-oriented)"

# Ablations of either setting: `ablated(PAIRED, NO_R1)`. Those of Table IV, the full model of their length, and small presets in
# the paper's form [ours].
CONCATENATION, NO_GROWING, NO_R1, NO_RESIDUAL = "concatenation", "no growing", "no R1", "no residual"
ALL_PARTS = "all parts"

# Adaptations: those of Table III in its order, the flow field without its identity loss and with a noise input [ours], and what
# no adaptation can beat: training on the hidden degradation itself [ours].
NO_ADAPTATION, CYCLE, CYCLE_IDENTITY = "no adaptation", "CycleGAN adaptation", "CycleGAN adaptation, identity loss"
FLOW, FLOW_NO_IDENTITY = "flow field", "flow field, no identity loss"
FLOW_NOISE, CEILING = "flow field, noise input", "ceiling"


def ablated(method: str, part: str) -> str:
    """The name of a method without one of its parts."""
    return f"{method}, {part}"


def on_real_faces(adaptation: str) -> str:
    """The name of the network for real LR faces that learns from pairs of an adaptation, or of none."""
    return f"{adaptation}, real faces"


def seeded(name: str, more: int) -> str:
    """The name of the training with a seed that is larger by `more`."""
    return f"{name}, seed + {more}" if more else name
