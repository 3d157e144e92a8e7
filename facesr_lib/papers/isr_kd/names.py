"""What this paper's domains and methods are called, in its notebooks, its claims and its experiments."""

FACES, CARTOONS = "faces", "cartoons"

FACE_ONLY = "face-only"  # the teacher
# Students, by what they are shown: units of cartoons : units of replayed faces. The released ones are Cartoon-CelebA-1 to -4.
REPLAY_2_0, REPLAY_2_1, REPLAY_2_2, REPLAY_5_1 = "replay 2:0", "replay 2:1", "replay 2:2", "replay 5:1"
SPLITS = (REPLAY_2_0, REPLAY_2_1, REPLAY_2_2, REPLAY_5_1)
EXTENDED = f"{REPLAY_2_2}, extended"
REPLAY_2_HALF = "replay 2:0.5"  # [ours]

# Ablations of the student of replay 2:1, and the student without one that trains for as long as they do.
WHOLE = "all parts"
NO_OUTPUT_KD, NO_BOTTLENECK_KD, NO_KD = "no output KD", "no bottleneck KD", "no KD"
NO_EDGE_BLOCK, NO_EDGE_LOSS, NO_LC_LOSS = "no edge block", "no edge loss", "no LC loss"
IDENTITY_LOSS, EDGE_DISCRIMINATOR = "identity loss", "edge discriminator"
WEAKER_OUTPUT_KD = "output KD 1.5"
EDGELESS_TEACHER = f"{FACE_ONLY}, {NO_EDGE_BLOCK}"


def ablated(part: str) -> str:
    """The name of the student of replay 2:1 with one ablation, as in "replay 2:1, no KD"."""
    return f"{REPLAY_2_1}, {part}"
