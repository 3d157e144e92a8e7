"""Building blocks that papers share."""

from facesr_lib.nn.feedback import FeedbackBlock
from facesr_lib.nn.lightcnn import LightCNN, MaxFeatureMap
from facesr_lib.nn.residual import PReLU, ResidualBlock
