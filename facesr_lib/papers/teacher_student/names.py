"""What notebooks, tables and claims call the networks of this paper and their ablations (Table 3)."""

TEACHER, STUDENT = "TNet", "SNet"
STEP_1, STEP_2 = "SNet, step 1", "SNet, step 2"  # outputs of the recurrent steps before the last
ONLY_CANNY, NO_EDGES, NO_CYCLE = "SNet, Canny only", "SNet, no edges", "SNet, no cycle loss"
CYCLE_ONLY = "TNet, cycle only"  # so the paper: a network that learns from real LR without a teacher
TEACHER_BICUBIC, STUDENT_BICUBIC = "TNet, bicubic data", "SNet, bicubic data"
# Table 3 compares equals: beside ablations that train for less, the whole method trains for as little.
WHOLE_TEACHER, WHOLE_STUDENT = "TNet, all parts", "SNet, all parts"
# Ours: TNet trained on the hidden degradation itself, and the method with a DeNet that can draw noise.
CEILING, NOISE_TEACHER, NOISE_STUDENT = "TNet, ceiling", "TNet, noise input", "SNet, noise input"

# Trainings: stage 1, and stage 2 as published and in the variants of Table 3 (`trained_jointly`).
DENET, DENET_BICUBIC, DENET_NOISE = "DeNet", "DeNet, bicubic data", "DeNet, noise input"
FULL, NOISE, WHOLE = "full", "noise input", "all parts"
BICUBIC, EDGELESS, CANNY, CYCLELESS = "bicubic data", "no edges", "Canny only", "no cycle loss"

# The test sets of a prepared SCGAN archive, as the columns of Tables 1 to 3 call them.
PLACES = {"ls3dw": "LS3D-W", "ffhq": "FFHQ", "test": "WIDER", "webface": "WebFace"}


def trained_jointly(variant: str) -> str:
    """The name of the training of stage 2, of teacher and student together, in a variant."""
    return {FULL: "TNet and SNet", CEILING: CEILING}.get(variant, f"TNet and SNet, {variant}")
