"""Claims of "Teacher-student network for real-world face super-resolution with progressive embedding of edge information"."""

from facesr_lib.evaluate.claims import Claim, better, ordered, reaches
from facesr_lib.papers.teacher_student.names import (
    CYCLE_ONLY,
    NO_CYCLE,
    NO_EDGES,
    ONLY_CANNY,
    STEP_1,
    STEP_2,
    STUDENT,
    STUDENT_BICUBIC,
    TEACHER,
    TEACHER_BICUBIC,
)

REAL = "real LR faces"

CLAIMS: tuple[Claim, ...] = (
    Claim(
        "teacher_student.edges",
        "Canny edges, then DoG edges, each improve FID and LPIPS.",
        "section 3.3, Table 3, upper part",
        "paper",
        ordered(STUDENT, ONLY_CANNY, NO_EDGES, metrics=("FID", "LPIPS")),
        "The text says that the metrics get better; in the table Canny alone lowers PSNR and SSIM.",
    ),
    Claim(
        "teacher_student.edges_real",
        "Canny edges, then DoG edges, each improve FID and NIQE on real LR faces.",
        "section 3.3, Table 3, upper part",
        "paper",
        ordered(STUDENT, ONLY_CANNY, NO_EDGES, metrics=("FID", "NIQE"), role=REAL),
    ),
    Claim(
        "teacher_student.edges_psnr",
        "Both edges together improve PSNR and SSIM.",
        "Table 3, upper part",
        "paper",
        better(STUDENT, NO_EDGES, "PSNR", "SSIM"),
    ),
    Claim(
        "teacher_student.teacher_fidelity",
        "The teacher has the best PSNR and SSIM of all variants.",
        "section 3.3, Table 3, lower part",
        "paper",
        tuple(
            part
            for variant in (STUDENT, NO_CYCLE, CYCLE_ONLY, TEACHER_BICUBIC, STUDENT_BICUBIC)
            for part in better(TEACHER, variant, "PSNR", "SSIM")
        ),
    ),
    Claim(
        "teacher_student.student_perception",
        "The student has better FID and LPIPS than its teacher.",
        "section 3.3, Table 3",
        "paper",
        better(STUDENT, TEACHER, "FID", "LPIPS"),
    ),
    Claim(
        "teacher_student.student_real",
        "On real LR faces the student has better FID and NIQE than its teacher.",
        "section 3.3, Table 3",
        "paper",
        better(STUDENT, TEACHER, "FID", "NIQE", role=REAL),
    ),
    Claim(
        "teacher_student.cycle",
        "The cycle loss (DSNet) helps the student.",
        "section 3.3, Table 3",
        "paper",
        better(STUDENT, NO_CYCLE, "FID", "LPIPS", "PSNR", "SSIM"),
    ),
    Claim(
        "teacher_student.cycle_real",
        "The cycle loss (DSNet) helps the student on real LR faces.",
        "section 3.3, Table 3",
        "paper",
        better(STUDENT, NO_CYCLE, "FID", "NIQE", role=REAL),
    ),
    Claim(
        "teacher_student.teaching",
        "Teacher and student beat cycle learning alone, where faces get deformed.",
        "sections 1 and 3.3, Table 3",
        "paper",
        better(STUDENT, CYCLE_ONLY, "FID", "LPIPS", "PSNR", "SSIM"),
    ),
    Claim(
        "teacher_student.degradation",
        "Learning the degradation beats training on bicubic pairs on real LR faces, for the teacher and for the student.",
        "section 3.3, Table 3",
        "paper",
        better(TEACHER, TEACHER_BICUBIC, "FID", "NIQE", role=REAL)
        + better(STUDENT, STUDENT_BICUBIC, "FID", "NIQE", role=REAL),
        "The published margins are wide (FID 18.62 to 39.84, 14.31 to 20.81); we ask for the direction, since a "
        "substitute of FID has another scale.",
    ),
    Claim(
        "teacher_student.steps",
        "The outputs of the three recurrent steps improve in order.",
        "section 2.2, Fig. 2",
        "ours",
        ordered(STUDENT, STEP_2, STEP_1, metrics=("PSNR", "LPIPS")),
        "The paper builds on it and prints no number for it.",
    ),
    Claim(
        "teacher_student.bicubic",
        "It beats bicubic in PSNR, SSIM, LPIPS and FID.",
        "Table 1",
        "paper",
        better(STUDENT, "bicubic", "PSNR", "SSIM", "LPIPS", "FID"),
    ),
    Claim(
        "teacher_student.bicubic_real",
        "On real LR faces it beats bicubic in FID and NIQE.",
        "Table 2",
        "paper",
        better(STUDENT, "bicubic", "FID", "NIQE", role=REAL),
    ),
    Claim(
        "teacher_student.scgan",
        "It has better PSNR and SSIM than SCGAN, the best rival.",
        "section 3.2, Table 1",
        "paper",
        better(STUDENT, "SCGAN", "PSNR", "SSIM"),
    ),
    Claim(
        "teacher_student.scgan_fid",
        "Only SCGAN has a lower FID.",
        "section 3.2, Tables 1 and 2",
        "paper",
        better("SCGAN", STUDENT, "FID") + better("SCGAN", STUDENT, "FID", role=REAL),
    ),
    Claim(
        "teacher_student.niqe",
        "On real LR faces it has the lowest NIQE.",
        "section 3.2, Table 2",
        "paper",
        tuple(
            part
            for rival in ("SCGAN", "Real-ESRGAN", "GFPGAN", "LRGAN", "DASR")
            for part in better(STUDENT, rival, "NIQE", role=REAL)
        ),
    ),
    Claim(
        "teacher_student.numbers",
        "It reaches 21.95 dB, SSIM 0.7377 and LPIPS 0.203 on FFHQ.",
        "Table 1",
        "paper",
        reaches(STUDENT, PSNR=(21.95, 0.1), SSIM=(0.7377, 0.005), LPIPS=(0.203, 0.005)),
        "Within 0.1 dB, 0.005 and 0.005. FID is left out: it depends on the test set.",
    ),
)
