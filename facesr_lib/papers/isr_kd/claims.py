"""Claims of "Face to cartoon incremental super-resolution using knowledge distillation".

Of this paper we have the abstract and the authors' log of results; claims drawn from the log's numbers say so in `where`.
"""

from facesr_lib.evaluate.claims import Claim, Part, alike, better, reaches

OLD, NO_REPLAY, EXTENDED = "face-only", "replay 2:0", "replay 2:2, extended"
R21, R22, R51, CARTOONS = "replay 2:1", "replay 2:2", "replay 5:1", "cartoons"

CLAIMS: tuple[Claim, ...] = (
    Claim(
        "isr_kd.forgetting",
        "Fine-tuning on cartoons alone forgets faces: PSNR drops.",
        "result log (24.24 to 23.54 dB)",
        "paper",
        better(OLD, NO_REPLAY, "PSNR"),
    ),
    Claim(
        "isr_kd.recovery",
        "Distillation on replayed faces recovers most of what was forgotten.",
        "abstract; result log (23.54 to 23.94 of 24.24 dB)",
        "paper",
        (
            Part(
                "replay 2:1 above the middle between replay 2:0 and face-only",
                ((R21, 1.0), (NO_REPLAY, -0.5), (OLD, -0.5)),
                "PSNR",
            ),
        ),
    ),
    Claim(
        "isr_kd.no_cost",
        "The recovery costs nothing on cartoons.",
        "result log (20.69 to 20.72 dB)",
        "paper",
        better(R21, NO_REPLAY, "PSNR", by=-0.05, role=CARTOONS),
        "At most 0.05 dB.",
    ),
    Claim(
        "isr_kd.retains",
        "The student keeps the performance on faces.",
        "abstract; result log (24.24 to 23.95 dB)",
        "paper",
        better(R22, OLD, "PSNR", by=-0.5),
        "At most 0.5 dB lost (published: 0.29).",
    ),
    Claim(
        "isr_kd.cartoons",
        "Every incremental model beats the face-only model on cartoons, in PSNR, SSIM and FID.",
        "abstract; result log",
        "paper",
        tuple(
            part
            for model in (NO_REPLAY, R21, R22, R51, EXTENDED)
            for part in better(model, OLD, "PSNR", "SSIM", "FID", role=CARTOONS)
        ),
    ),
    Claim(
        "isr_kd.more_replay",
        "Twice as much replay changes faces by less than 0.05 dB.",
        "result log (23.94 to 23.95 dB)",
        "paper",
        alike(R22, R21, "PSNR", within=0.05),
    ),
    Claim(
        "isr_kd.more_cartoons",
        "More cartoons improve cartoons, in PSNR, SSIM and FID.",
        "result log (20k + 10k against 50k + 10k)",
        "paper",
        better(R51, R21, "PSNR", "SSIM", "FID", role=CARTOONS),
    ),
    Claim(
        "isr_kd.extended",
        "The extended network improves faces further.",
        "abstract; result log (23.95 to 24.19 dB)",
        "paper",
        better(EXTENDED, R22, "PSNR", "SSIM"),
    ),
    Claim(
        "isr_kd.distillation",
        "Knowledge distillation, not the replay's mere presence, retains faces.",
        "abstract; ablation",
        "paper",
        better(R21, "replay 2:1, no KD", "PSNR"),
        "Without distillation replayed faces feed no term: it is fine-tuning from the teacher.",
    ),
    Claim(
        "isr_kd.both_terms",
        "Output and bottleneck distillation each help faces.",
        "abstract; ablation",
        "paper",
        better(R21, "replay 2:1, no output KD", "PSNR") + better(R21, "replay 2:1, no bottleneck KD", "PSNR"),
    ),
    Claim(
        "isr_kd.edges",
        "The edge block and the edge loss each help cartoons.",
        "abstract; ablation",
        "paper",
        better(R21, "replay 2:1, no edge block", "PSNR", role=CARTOONS)
        + better(R21, "replay 2:1, no edge loss", "PSNR", role=CARTOONS),
    ),
    Claim(
        "isr_kd.identity_loss",
        "The identity loss, absent from the released code, helps cartoons.",
        "abstract; our ablation",
        "ours",
        better("replay 2:1, identity loss", R21, "PSNR", role=CARTOONS),
    ),
    Claim(
        "isr_kd.bicubic",
        "On cartoons the student beats bicubic in PSNR and SSIM.",
        "our baseline",
        "ours",
        better(R21, "bicubic", "PSNR", "SSIM", role=CARTOONS),
    ),
    Claim(
        "isr_kd.numbers",
        "With 20k cartoons and 20k faces it reaches 23.95 dB on faces and 20.72 dB on cartoons.",
        "result log",
        "paper",
        reaches(R22, PSNR=(23.9526, 0.1)) + reaches(R22, role=CARTOONS, PSNR=(20.7170, 0.1)),
        "Within 0.1 dB.",
    ),
)
