"""Boxes around faces, from landmarks: the part of a picture that a protocol crops."""

from typing import Literal

import numpy as np
import numpy.typing as npt

Box = tuple[float, float, float, float]  # left, top, right, bottom in pixels; right and bottom are outside
Points = npt.NDArray[np.float64]  # (n, 2), x then y, in pixels
# The side of the box in units of the landmarks. Cheng et al. (DIC), whom SelfSR follows, publish boxes but no rule; ours ends
# a little above the brows and below the chin [ours].
OUTLINE_SIDE = 1.25  # of the larger extent of landmarks that trace jaw and brows
# With eyes, nose and mouth corners only: the longer of FFHQ's two lengths (twice the distance between the eyes, 1.8 times that
# from eyes to mouth) times this, centred this far from the eyes to the mouth. Fitted: the medians over 300 video frames with
# 68 landmarks, so that both rules give the same box on the median face [ours].
FIVE_POINT_SIDE, FIVE_POINT_CENTRE = 1.46, 0.63


def landmark_box(points: Points, layout: Literal["outline", "five"]) -> Box:
    """The square around a face, from landmarks (n, 2) in pixels.

    "outline": points that trace jaw and brows (68, 194, ...): centred on their extent, OUTLINE_SIDE times its larger side.
    "five": left eye, right eye, nose, left and right mouth corner (CelebA's order): FIVE_POINT_CENTRE, FIVE_POINT_SIDE.
    Raises ValueError if there are too few points, or they coincide or are not finite.
    """
    if points.ndim != 2 or points.shape[1] != 2 or len(points) < 5 or (layout == "five" and len(points) != 5):
        raise ValueError(f"landmarks must be an (n, 2) array of at least 5 points (5 for {layout!r}), got {points.shape}")
    if layout == "five":
        eyes, mouth = points[:2].mean(axis=0), points[3:].mean(axis=0)
        length = max(2.0 * np.hypot(*(points[1] - points[0])), 1.8 * np.hypot(*(mouth - eyes)))
        centre, side = eyes + FIVE_POINT_CENTRE * (mouth - eyes), FIVE_POINT_SIDE * length
    else:
        low, high = points.min(axis=0), points.max(axis=0)
        centre, side = (low + high) / 2, OUTLINE_SIDE * float((high - low).max())
    if not np.isfinite(points).all() or side < 2:
        raise ValueError("the landmarks coincide or are not numbers")
    return square_box((centre[0] - side / 2, centre[1] - side / 2, centre[0] + side / 2, centre[1] + side / 2))


def square_box(box: Box, scale: float = 1.0) -> Box:
    """The square with a box's centre and `scale` times its longer side."""
    left, top, right, bottom = map(float, box)
    half = scale * max(right - left, bottom - top) / 2
    x, y = (left + right) / 2, (top + bottom) / 2
    return x - half, y - half, x + half, y + half
