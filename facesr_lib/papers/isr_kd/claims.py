"""Claims of "Face to cartoon incremental super-resolution using knowledge distillation".

Of this paper we have the abstract and the authors' log of results; claims drawn from the log's numbers say so in `where`.
"""

from facesr_lib.evaluate.claims import Claim, Part, alike, better, reaches
from facesr_lib.papers.isr_kd import names
from facesr_lib.papers.isr_kd.names import (
    CARTOONS,
    EXTENDED,
    FACE_ONLY,
    REPLAY_2_0,
    REPLAY_2_1,
    REPLAY_2_2,
    REPLAY_5_1,
    ablated,
)

CLAIMS: tuple[Claim, ...] = (
    Claim(
        "isr_kd.forgetting",
        "Fine-tuning on cartoons alone forgets faces: PSNR drops.",
        "result log (24.24 to 23.54 dB)",
        "paper",
        better(FACE_ONLY, REPLAY_2_0, "PSNR"),
    ),
    Claim(
        "isr_kd.recovery",
        "Distillation on replayed faces recovers most of what was forgotten.",
        "abstract; result log (23.54 to 23.94 of 24.24 dB)",
        "paper",
        (
            Part(
                "replay 2:1 above the middle between replay 2:0 and face-only",
                ((REPLAY_2_1, 1.0), (REPLAY_2_0, -0.5), (FACE_ONLY, -0.5)),
                "PSNR",
            ),
        ),
    ),
    Claim(
        "isr_kd.no_cost",
        "The recovery costs nothing on cartoons.",
        "result log (20.69 to 20.72 dB)",
        "paper",
        better(REPLAY_2_1, REPLAY_2_0, "PSNR", by=-0.05, role=CARTOONS),
        "At most 0.05 dB.",
    ),
    Claim(
        "isr_kd.retains",
        "The student keeps the performance on faces.",
        "abstract; result log (24.24 to 23.95 dB)",
        "paper",
        better(REPLAY_2_2, FACE_ONLY, "PSNR", by=-0.5),
        "At most 0.5 dB lost (published: 0.29).",
    ),
    Claim(
        "isr_kd.cartoons",
        "Every incremental model beats the face-only model on cartoons, in PSNR, SSIM and FID.",
        "abstract; result log",
        "paper",
        tuple(
            part
            for model in (REPLAY_2_0, REPLAY_2_1, REPLAY_2_2, REPLAY_5_1, EXTENDED)
            for part in better(model, FACE_ONLY, "PSNR", "SSIM", "FID", role=CARTOONS)
        ),
    ),
    Claim(
        "isr_kd.more_replay",
        "Twice as much replay changes faces by less than 0.05 dB.",
        "result log (23.94 to 23.95 dB)",
        "paper",
        alike(REPLAY_2_2, REPLAY_2_1, "PSNR", within=0.05),
    ),
    Claim(
        "isr_kd.more_cartoons",
        "More cartoons improve cartoons, in PSNR, SSIM and FID.",
        "result log (20k + 10k against 50k + 10k)",
        "paper",
        better(REPLAY_5_1, REPLAY_2_1, "PSNR", "SSIM", "FID", role=CARTOONS),
    ),
    Claim(
        "isr_kd.extended",
        "The extended network improves faces further.",
        "abstract; result log (23.95 to 24.19 dB)",
        "paper",
        better(EXTENDED, REPLAY_2_2, "PSNR", "SSIM"),
    ),
    Claim(
        "isr_kd.distillation",
        "Knowledge distillation, not the replay's mere presence, retains faces.",
        "abstract; ablation",
        "paper",
        better(REPLAY_2_1, ablated(names.NO_KD), "PSNR"),
        "Without distillation replayed faces feed no term: it is fine-tuning from the teacher.",
    ),
    Claim(
        "isr_kd.both_terms",
        "Output and bottleneck distillation each help faces.",
        "abstract; ablation",
        "paper",
        better(REPLAY_2_1, ablated(names.NO_OUTPUT_KD), "PSNR")
        + better(REPLAY_2_1, ablated(names.NO_BOTTLENECK_KD), "PSNR"),
    ),
    Claim(
        "isr_kd.edges",
        "The edge block and the edge loss each help cartoons.",
        "abstract; ablation",
        "paper",
        better(REPLAY_2_1, ablated(names.NO_EDGE_BLOCK), "PSNR", role=CARTOONS)
        + better(REPLAY_2_1, ablated(names.NO_EDGE_LOSS), "PSNR", role=CARTOONS),
    ),
    Claim(
        "isr_kd.identity_loss",
        "The identity loss, absent from the released code, helps cartoons.",
        "abstract; our ablation",
        "ours",
        better(ablated(names.IDENTITY_LOSS), REPLAY_2_1, "PSNR", role=CARTOONS),
    ),
    Claim(
        "isr_kd.bicubic",
        "On cartoons the student beats bicubic in PSNR and SSIM.",
        "our baseline",
        "ours",
        better(REPLAY_2_1, "bicubic", "PSNR", "SSIM", role=CARTOONS),
    ),
    Claim(
        "isr_kd.numbers",
        "With 20k cartoons and 20k faces it reaches 23.95 dB on faces and 20.72 dB on cartoons.",
        "result log",
        "paper",
        reaches(REPLAY_2_2, PSNR=(23.9526, 0.1)) + reaches(REPLAY_2_2, role=CARTOONS, PSNR=(20.7170, 0.1)),
        "Within 0.1 dB.",
    ),
)
