"""Images to learn from and to be scored on: sources, splits by person, packed sets, batches.

The names are those of `__init__.pyi`. Each is imported when it is first asked for, so that `facesr data prepare` and its
workers, which import single modules of this package, do without torch and the memory it takes.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
