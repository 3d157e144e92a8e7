"""Claims of "SelFSR: self-conditioned face super-resolution in the wild via flow field degradation network"."""

from facesr_lib.evaluate.claims import Claim, better, reaches
from facesr_lib.papers.selfsr.names import (
    CONCATENATION,
    CYCLE,
    FLOW,
    FLOW_NO_IDENTITY,
    NO_ADAPTATION,
    NO_GROWING,
    NO_R1,
    PAIRED,
    PSNR_ORIENTED,
    UNPAIRED,
    ablated,
)

PARTS = (CONCATENATION, NO_GROWING, NO_R1)
REAL = "real LR faces"

CLAIMS: tuple[Claim, ...] = (
    Claim(
        "selfsr.conditioning",
        "The self-conditioned block beats concatenating the input with the features.",
        "section IV-C, Table IV",
        "paper",
        better(PAIRED, ablated(PAIRED, CONCATENATION), "LPIPS", "FID"),
    ),
    Claim(
        "selfsr.growing",
        "Progressive growing helps.",
        "section IV-C, Table IV",
        "paper",
        better(PAIRED, ablated(PAIRED, NO_GROWING), "LPIPS", "FID"),
    ),
    Claim(
        "selfsr.r1",
        "R1 regularisation helps.",
        "section IV-C, Table IV",
        "paper",
        better(PAIRED, ablated(PAIRED, NO_R1), "LPIPS", "FID"),
    ),
    Claim(
        "selfsr.all_metrics",
        "With pairs, every component improves all metrics, PSNR and SSIM too.",
        "section IV-C, Table IV, upper half",
        "paper",
        tuple(comparison for part in PARTS for comparison in better(PAIRED, ablated(PAIRED, part), "PSNR", "SSIM")),
    ),
    Claim(
        "selfsr.largest",
        "Of the components, the self-conditioned block matters most.",
        'section IV-C ("with a large margin"), Table IV',
        "paper",
        better(ablated(PAIRED, NO_GROWING), ablated(PAIRED, CONCATENATION), "LPIPS", "FID")
        + better(ablated(PAIRED, NO_R1), ablated(PAIRED, CONCATENATION), "LPIPS", "FID"),
        "Leaving it out costs more than leaving out any other.",
    ),
    Claim(
        "selfsr.unpaired_components",
        "Without pairs, every component still improves LPIPS and FID.",
        "section IV-C, Table IV, lower half",
        "paper",
        tuple(comparison for part in PARTS for comparison in better(UNPAIRED, ablated(UNPAIRED, part), "LPIPS", "FID")),
    ),
    Claim(
        "selfsr.colour",
        "The flow field keeps the colours of the input better than CycleGAN-style adaptation.",
        "sections I and IV-B, Figs. 6 and 7",
        "paper",
        better(FLOW, CYCLE, "colour drift", role=REAL),
        "The drift of the mean colour from the LR input to the SR image.",
    ),
    Claim(
        "selfsr.flow_fid",
        "The flow field gives a lower FID than CycleGAN-style adaptation, of the SR faces and of the translated LR faces.",
        "section IV-C, Table III",
        "paper",
        better(FLOW, CYCLE, "FID", "FID of LR", role=REAL),
    ),
    Claim(
        "selfsr.adaptation",
        "Adapting the degradation improves real faces dramatically over training on clean pairs.",
        "section IV-C, Table III",
        "paper",
        better(FLOW, NO_ADAPTATION, "FID", role=REAL) + better(CYCLE, NO_ADAPTATION, "FID", role=REAL),
    ),
    Claim(
        "selfsr.identity_loss",
        "The identity loss on the intermediate image helps the flow field.",
        "our ablation",
        "ours",
        better(FLOW, FLOW_NO_IDENTITY, "FID", "FID of LR", role=REAL),
        "Table III prints the identity loss with and without for the CycleGAN-style adaptation only.",
    ),
    Claim(
        "selfsr.unpaired_psnr",
        "Training without pairs loses more than 3 dB of PSNR.",
        "section IV-C (26.59 to 23.43; the table prints 23.42)",
        "paper",
        better(PAIRED, UNPAIRED, "PSNR", by=3.0),
    ),
    Claim(
        "selfsr.unpaired_lpips",
        "Training without pairs performs only slightly worse in LPIPS.",
        "section IV-A, Table I",
        "paper",
        better(UNPAIRED, PAIRED, "LPIPS", by=-0.05),
        "At most 0.05 (published: 0.0415).",
    ),
    Claim(
        "selfsr.perception",
        "The GAN has a worse PSNR than the PSNR-oriented training, but better LPIPS and FID.",
        "section IV-A, Table I (DIC and DICGAN, FSRNet and FSRGAN)",
        "paper",
        better(PSNR_ORIENTED, PAIRED, "PSNR") + better(PAIRED, PSNR_ORIENTED, "LPIPS", "FID"),
    ),
    Claim(
        "selfsr.bicubic",
        "With pairs it beats bicubic in PSNR, SSIM, LPIPS and FID.",
        "Table I",
        "paper",
        better(PAIRED, "bicubic", "PSNR", "SSIM", "LPIPS", "FID"),
    ),
    Claim(
        "selfsr.unpaired_bicubic",
        "Without pairs it beats bicubic in LPIPS and FID.",
        "Table I",
        "paper",
        better(UNPAIRED, "bicubic", "LPIPS", "FID"),
    ),
    Claim(
        "selfsr.dicgan",
        "It beats DICGAN, without landmarks and with fewer parameters.",
        "section IV-A, Table I",
        "paper",
        better(PAIRED, "DICGAN", "PSNR", "SSIM", "LPIPS", "FID"),
    ),
    Claim(
        "selfsr.real_rivals",
        "On real faces its FID is lower than Bulat et al.'s and Shunta et al.'s.",
        "section IV-B, Table II",
        "paper",
        better(FLOW, "Bulat et al.", "FID", role=REAL) + better(FLOW, "Shunta et al.", "FID", role=REAL),
    ),
    Claim(
        "selfsr.numbers",
        "With pairs it reaches 26.59 dB, SSIM 0.7696 and LPIPS 0.0726 on CelebA.",
        "Table I",
        "paper",
        reaches(PAIRED, PSNR=(26.59, 0.1), SSIM=(0.7696, 0.005), LPIPS=(0.0726, 0.005)),
        "Within 0.1 dB, 0.005 and 0.005. FID is left out: it depends on the test set.",
    ),
)
