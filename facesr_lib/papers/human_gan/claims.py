"""Claims of "Image super resolution of human face images using GAN"."""

from facesr_lib.evaluate.claims import Claim, Part, alike, better, reaches
from facesr_lib.papers.human_gan.names import BEFORE_DROP, GAN, HALFWAY_TO_DROP, UNSHARP, WITH_PIXEL_TERM

CLAIMS: tuple[Claim, ...] = (
    Claim(
        "human_gan.psnr",
        "The GAN reaches a test PSNR of 25.66 dB at x2 on blurred faces.",
        "abstract, section 6.1",
        "paper",
        reaches(GAN, PSNR=(25.66, 0.1)),
        "Within 0.1 dB.",
    ),
    Claim(
        "human_gan.early_gans",
        "It is better than early GANs for super-resolution, which reached 20 to 24 dB.",
        "section 6.1",
        "paper",
        reaches(GAN, PSNR=24.0),
        "Above 24 dB. The paper names neither these models nor their data.",
    ),
    Claim(
        "human_gan.below_best",
        "It does not reach the best models, which exceed 28 dB.",
        "section 6.1",
        "paper",
        (Part("GAN stays under 28", ((GAN, -1.0),), "PSNR", target=-28.0),),
    ),
    Claim(
        "human_gan.effective",
        "GANs are effective for face super-resolution.",
        "abstract, section 7",
        "paper",
        better(GAN, "bicubic", "PSNR", "SSIM"),
        "The paper gives no baseline: plain bicubic enlargement is our yardstick.",
    ),
    Claim(
        "human_gan.plateau",
        "Validation PSNR has reached a plateau when the learning rate drops, after three quarters of the epochs.",
        "section 5.4, Fig. 3",
        "paper",
        alike(BEFORE_DROP, HALFWAY_TO_DROP, "PSNR", within=0.1, role="validation faces"),
        "Less than 0.1 dB between the last epoch at the first learning rate and the epoch halfway to it.",
    ),
    Claim(
        "human_gan.colour",
        'The results show "slight variations in color style".',
        "section 6.2, Figs. 4-6",
        "paper",
        better("bicubic", GAN, "colour drift", by=1.0),
        "The mean colour moves by at least one grey level, the least an 8-bit picture can show, more than under bicubic.",
    ),
    Claim(
        "human_gan.pixel_term",
        "A pixel term in the loss beats the paper's purely adversarial loss.",
        "our ablation",
        "ours",
        better(WITH_PIXEL_TERM, GAN, "PSNR", "SSIM"),
    ),
    Claim(
        "human_gan.unsharp",
        "Bicubic enlargement and one sharpening filter beat the trained GAN.",
        "our baseline",
        "ours",
        better(UNSHARP, GAN, "PSNR", "SSIM"),
    ),
)
