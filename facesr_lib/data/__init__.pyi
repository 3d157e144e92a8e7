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
from .real_faces import HiddenDegradation, RealFaces, degrade_set, load_real_faces, unpaired_halves
from .samples import astronaut_face, zone_plate
from .split import refuse_shared_groups, split_by_group
from .test_sets import TestSet

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
    "RealFaces",
    "TestSet",
    "UnpairedBatches",
    "astronaut_face",
    "cache_dir",
    "degrade_set",
    "dicebear_cartoons",
    "eval_batches",
    "image_folder",
    "increment",
    "keyed_generator",
    "load_cartoons",
    "load_faces",
    "load_real_faces",
    "olivetti_faces",
    "olivetti_folder",
    "open_packed",
    "pack",
    "refuse_shared_groups",
    "split_by_group",
    "unpaired_halves",
    "zone_plate",
]
