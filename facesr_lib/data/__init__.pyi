"""The names of `facesr_lib.data` and the modules they are in: what `__init__.py` resolves, and what type checkers read."""

from .batches import PairedBatches, UnpairedBatches, eval_batches, keyed_generator
from .cache import cache_dir
from .cartoons import FREE_STYLES, dicebear_cartoons
from .faces import load_faces
from .folder import BadImages, image_folder
from .images import ImageSet
from .incremental import Domain, IncrementalBatches, increment, load_cartoons
from .olivetti import olivetti_faces, olivetti_folder
from .packed import PackedError, PackedWriter, open_packed, pack
from .samples import astronaut_face, zone_plate
from .split import refuse_shared_groups, split_by_group
from .wild import HiddenDegradation, Wild, hide, in_the_wild, strangers

__all__ = [
    "FREE_STYLES",
    "BadImages",
    "Domain",
    "HiddenDegradation",
    "ImageSet",
    "IncrementalBatches",
    "PackedError",
    "PackedWriter",
    "PairedBatches",
    "UnpairedBatches",
    "Wild",
    "astronaut_face",
    "cache_dir",
    "dicebear_cartoons",
    "eval_batches",
    "hide",
    "image_folder",
    "in_the_wild",
    "increment",
    "keyed_generator",
    "load_cartoons",
    "load_faces",
    "olivetti_faces",
    "olivetti_folder",
    "open_packed",
    "pack",
    "refuse_shared_groups",
    "split_by_group",
    "strangers",
    "zone_plate",
]
