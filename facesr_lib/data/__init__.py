"""Images for training and evaluation: sources, splits by person, packed sets, batches.

The names are those of `__init__.pyi`. Each is imported on first use, so that `facesr data prepare` and its workers, which
import single modules of this package, need no torch and none of its memory.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
