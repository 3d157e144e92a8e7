"""What this paper's methods are called, in its notebook, its claims and its experiments."""

GAN = "GAN"
WITH_PIXEL_TERM = "GAN + pixel term"
UNSHARP = "bicubic + unsharp"
# Validation scores from the course of the GAN's training, around the drop of the learning rate.
HALFWAY_TO_DROP, BEFORE_DROP = "GAN halfway to the drop", "GAN before the drop"
