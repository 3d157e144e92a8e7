"""Building blocks that papers share."""

from facesr_lib.nn.feedback import FeedbackBlock
from facesr_lib.nn.lightcnn import LightCNN, MaxFeatureMap

__all__ = ["FeedbackBlock", "LightCNN", "MaxFeatureMap"]
