"""What notebooks, tables and claims call the networks of this paper and their ablations (Table 3)."""

TEACHER, STUDENT = "TNet", "SNet"
STEP_1, STEP_2 = "SNet, step 1", "SNet, step 2"  # outputs of the recurrent steps before the last
ONLY_CANNY, NO_EDGES, NO_CYCLE = "SNet, Canny only", "SNet, no edges", "SNet, no cycle loss"
CYCLE_ONLY = "TNet, cycle only"  # so the paper: a network that learns from real LR without a teacher
TEACHER_BICUBIC, STUDENT_BICUBIC = "TNet, bicubic data", "SNet, bicubic data"

# Trainings: stage 1, and stage 2 as published and in the variants of Table 3 (`trained_jointly`).
DENET, DENET_BICUBIC = "DeNet", "DeNet, bicubic data"
FULL, BICUBIC, EDGELESS, CANNY, CYCLELESS = "full", "bicubic data", "no edges", "Canny only", "no cycle loss"

# The test sets of a prepared SCGAN archive, as the columns of Tables 1 to 3 call them.
PLACES = {"ls3dw": "LS3D-W", "ffhq": "FFHQ", "test": "WIDER", "webface": "WebFace"}


def trained_jointly(variant: str) -> str:
    """The name of the training of stage 2, of teacher and student together, in a variant."""
    return "TNet and SNet" if variant == FULL else f"TNet and SNet, {variant}"
