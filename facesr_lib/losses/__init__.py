"""Loss functions, one file per family."""

from facesr_lib.losses.adversarial import (
    bce_discriminator,
    bce_generator,
    hinge_discriminator,
    hinge_generator,
    minimax_generator,
    relativistic_average_discriminator,
    relativistic_average_generator,
    relativistic_discriminator,
    relativistic_generator,
)
from facesr_lib.losses.edges import sobel_l1
from facesr_lib.losses.regularization import r1_penalty, squared_slope, total_variation
