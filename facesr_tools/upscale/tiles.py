"""Super-resolve pictures of any size in tiles that overlap by the network's receptive field."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from facesr_lib.image import check_images

TILE = 192  # LR pixels: with overlap, about 2 GB for the papers' largest network on a CPU


class CannotTile(ValueError):
    """A picture is larger than a tile, and the method cannot work in tiles."""


@dataclass(frozen=True)
class Upscaler:
    """A super-resolver with what tiling must know.

    apply: (1, 3, h, w) in [0, 1] -> (1, 3, h * scale, w * scale) in [0, 1], for h and w that are multiples of `multiple`.
    reach: the distance in LR pixels over which an input pixel changes the output; None if it is unlimited, because the network
    averages over the whole picture. Such a network cannot work in tiles.
    least: the smallest side that `apply` takes; smaller pictures are continued to it.
    """

    name: str
    scale: int
    apply: Callable[[Tensor], Tensor]
    reach: int | None
    multiple: int = 1
    least: int = 1

    def __call__(self, lr: Tensor, tile: int = TILE, step: Callable[[int], object] = lambda pixels: None) -> Tensor:
        """RGB (1, 3, h, w) in [0, 1] -> (1, 3, h * scale, w * scale) in [0, 1], on the CPU; any h and w.

        A picture with more than `tile` x `tile` pixels is cut into squares of that side. Each is super-resolved with a border of
        `reach`, which gives the same result as the whole picture. tile=0: do not cut. step: called with the LR pixels of each.
        Raises CannotTile if a picture must be cut and `reach` is None, ValueError for a negative tile.
        """
        check_images(lr, "lr", channels=3)
        if tile < 0:
            raise ValueError(f"tile: expected a side in LR pixels, or 0 for never, got {tile}")
        height, width = lr.shape[2:]
        right, below = (_round_up(max(side, self.least), self.multiple) - side for side in (width, height))
        padded = F.pad(lr, (0, right, 0, below), mode="replicate")
        if not tile or height * width <= tile * tile:
            sr = self.apply(padded).cpu()
            step(height * width)
            return sr[..., : height * self.scale, : width * self.scale]
        if self.reach is None:
            raise CannotTile(
                f"{width}x{height} px is more than {tile}x{tile}, and {self.name} averages over the whole picture, so tiles "
                "would not fit together: cut the faces out first (facesr data prepare folder), or try the whole picture "
                "(--tile 0) if there is enough memory"
            )
        sr = torch.empty(1, 3, height * self.scale, width * self.scale)
        overlap = _round_up(self.reach, self.multiple)
        for top, bottom in _pieces(height, _round_up(tile, self.multiple)):
            for left, right in _pieces(width, _round_up(tile, self.multiple)):
                above, before = min(overlap, top), min(overlap, left)
                seen = self.apply(padded[..., top - above : bottom + overlap, left - before : right + overlap])
                y, x, s = above * self.scale, before * self.scale, self.scale
                piece = seen[..., y : y + (bottom - top) * s, x : x + (right - left) * s]
                sr[..., top * s : bottom * s, left * s : right * s] = piece
                step((bottom - top) * (right - left))
        return sr


def _pieces(length: int, tile: int) -> Iterator[tuple[int, int]]:
    for start in range(0, length, tile):
        yield start, min(start + tile, length)


def _round_up(value: int, multiple: int) -> int:
    return -(-value // multiple) * multiple
