"""Images to learn from and to be scored on: sources, splits by person, packed sets, batches."""

from facesr_lib.data.batches import PairedBatches, UnpairedBatches, eval_batches, keyed_generator
from facesr_lib.data.cache import cache_dir
from facesr_lib.data.cartoons import FREE_STYLES, dicebear_cartoons
from facesr_lib.data.faces import load_faces
from facesr_lib.data.folder import BadImages, image_folder
from facesr_lib.data.images import ImageSet
from facesr_lib.data.incremental import Domain, IncrementalBatches, eval_domains, increment, load_cartoons
from facesr_lib.data.olivetti import olivetti_faces, olivetti_folder
from facesr_lib.data.packed import PackedError, PackedWriter, open_packed, pack
from facesr_lib.data.samples import astronaut_face, zone_plate
from facesr_lib.data.split import refuse_shared_groups, split_by_group
from facesr_lib.data.wild import HiddenDegradation, Wild, hide, in_the_wild, strangers

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
    "eval_domains",
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
