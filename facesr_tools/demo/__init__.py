"""`facesr demo`: trained networks in a browser. A page of plain files that runs them on a reader's own photograph."""

from facesr_tools.demo.build import DemoError, write_demo
from facesr_tools.demo.networks import DemoNetwork, find_networks
from facesr_tools.demo.serve import serve

__all__ = ["DemoError", "DemoNetwork", "find_networks", "serve", "write_demo"]
