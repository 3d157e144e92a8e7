"""Networks drawn from the modules themselves: one pass is recorded (what was called, in which order, on what), then drawn."""

from __future__ import annotations

import itertools
import re
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import torch.nn.functional as F
from matplotlib.patches import Rectangle
from matplotlib.textpath import TextPath
from torch import Tensor, nn
from torch.nn.modules.module import register_module_forward_hook, register_module_forward_pre_hook
from torch.overrides import TorchFunctionMode

from facesr_lib.plot.figures import PALETTE, NotebookFigure

_FILL = {"input": "#EEEEEE", "learned": "#EEEEEE", "layer": "#D6E9F8", "term": "#FBE3D1"}  # operations are white
_SIGNS = {"add": "+", "mul": "×", "sub": "−", "rsub": "−", "cat": "concatenate", "lerp": "blend", "matmul": "matrix product"}
_ROW, _BOX, _LANE, _POINTS = 0.42, 0.28, 0.16, 8.0  # inches; the last one is the size of the text


@dataclass(eq=False)
class Box:
    """An input, a learned number, a layer, an operation between layers, or a loss term; `sources` are the boxes that it reads."""

    kind: str
    text: str
    size: str  # channels × height × width of what comes out
    sources: list[Box]


class Whole(nn.Module):
    """A function that a diagram shows as one box, in place of the operations that it consists of."""

    def __init__(self, name: str, function: Callable[..., Any]) -> None:
        super().__init__()
        self.name: str = name
        self.forward = function


class Diagram(TorchFunctionMode):
    """What happened in one pass: `boxes` in their order. What follows a box in place, such as an activation, is written into it.

    depth: 0 shows networks as boxes and no operations between them, 1 a network's children, 2 theirs, and so on.
    """

    def __init__(self, title: str, modules: Mapping[str, nn.Module], inputs: Mapping[str, Tensor], depth: int) -> None:
        super().__init__()
        self.title, self.depth, self.level, self.inside = title, depth, 0, 0
        self.names = {module: name for name, module in modules.items()}
        self.learned = {id(p): name for module in self.names for name, p in module.named_parameters(recurse=False)}
        self.boxes, self.called = list[Box](), set[nn.Module]()
        self.origin: dict[int, tuple[Tensor, list[Box]]] = {}  # by id, which is the tensor's own while it is kept
        for name, tensor in inputs.items():
            self._add("input", name, tensor, [])

    @classmethod
    def of_network(cls, title: str, network: nn.Module, inputs: Mapping[str, Tensor], depth: int = 1, **options: Any) -> Diagram:
        """Of `network(*inputs.values(), **options)`; on the meta device it costs neither time nor memory."""
        return cls(title, dict(network.named_modules()), inputs, depth)._record(network, *inputs.values(), **options)

    @classmethod
    def of_step(cls, title: str, method: Any, batch: Mapping[str, Tensor]) -> Diagram:
        """Of `method.step(batch)` of a built `Method`, without training it: which network sees what, which terms that makes."""
        others = {name: value for name, value in vars(method).items() if isinstance(value, nn.Module)}
        diagram = cls(title, others | method.networks, batch, depth=0)
        method.update = diagram._update  # on this instance, in front of its class's
        try:
            return diagram._record(method.step, batch)
        finally:
            del method.update

    @property
    def alt(self) -> str:
        """The diagram in words."""
        lines = []
        for above, box in zip([None, *self.boxes], self.boxes, strict=False):
            read = " and ".join(source.text.partition(",")[0] for source in box.sources if box.sources != [above])
            lines.append(f"{box.text}{f' ({box.size})' if box.size else ''}{f' from {read}' if read else ''}")
        return f"{self.title}, from top to bottom: {'; '.join(lines)}."

    def draw(self) -> NotebookFigure:
        """The boxes from top to bottom; coloured lines at the right lead past boxes."""
        row, lanes = {box: number for number, box in enumerate(self.boxes)}, self._lanes()
        width = max(TextPath((0, 0), f"{box.text}   {box.size}", size=_POINTS).get_extents().width for box in row) / 72 + 0.25
        total, height = width + _LANE * (2 + max(lanes.values(), default=-1)), _ROW * len(row) + 0.35
        figure = NotebookFigure(figsize=(total, height))
        axes = figure.add_axes((0, 0, 1, 1), xlim=(0, total), ylim=(height, 0), frame_on=False, xticks=[], yticks=[])
        axes.text(0.05, 0.2, self.title, size=_POINTS + 2, weight="bold", va="center")
        for box, number in row.items():
            top = 0.4 + _ROW * number
            axes.add_patch(Rectangle((0.05, top), width - 0.1, _BOX, fc=_FILL.get(box.kind, "#FFFFFF"), ec="#555555", lw=0.8))
            axes.text(0.12, top + _BOX / 2, box.text, size=_POINTS, va="center")
            axes.text(width - 0.12, top + _BOX / 2, box.size, size=_POINTS, va="center", ha="right", color="#444444")
            for place, source in enumerate(box.sources):
                arrow: dict[str, Any] = {"arrowstyle": "-|>", "shrinkA": 0, "shrinkB": 0, "mutation_scale": 8, "color": "#555555"}
                start, end = (0.3, top - _ROW + _BOX), (0.3, top)
                if number - row[source] > 1:
                    start = (width - 0.05, 0.4 + _ROW * row[source] + 0.8 * _BOX)
                    end = (width - 0.05, top + _BOX * (0.15 + 0.2 * place))
                    bend = -_LANE * (lanes[source] + 1) / (end[1] - start[1])
                    arrow |= {"color": PALETTE[lanes[source] % 6], "connectionstyle": f"bar,armA=0,armB=0,fraction={bend}"}
                axes.annotate("", end, start, arrowprops=arrow)
        return figure

    def _lanes(self) -> dict[Box, int]:
        """A lane for each box that is read further down than in the next row; no two share a stretch of a lane."""
        row = {box: number for number, box in enumerate(self.boxes)}
        ends = {source: row[box] for box in self.boxes for source in box.sources if row[box] - row[source] > 1}  # its last reader
        lanes: dict[Box, int] = {}
        for box in sorted(ends, key=lambda box: ends[box] - row[box]):
            taken = {lane for other, lane in lanes.items() if row[other] < ends[box] and row[box] < ends[other]}
            lanes[box] = next(lane for lane in itertools.count() if lane not in taken)
        return lanes

    def _record(self, run: Callable[..., Any], *inputs: Any, **options: Any) -> Diagram:
        hooks = register_module_forward_pre_hook(self._before), register_module_forward_hook(self._after)
        try:
            with self:
                run(*inputs, **options)
        finally:
            self.origin.clear()
            for hook in hooks:
                hook.remove()
        for box in list(self.boxes):  # write what follows in place, and equal layers in a row, into the box above
            source = box.sources[0] if len(box.sources) == 1 else box
            (first, _, what), (last, _, same) = source.text.partition(" "), box.text.partition(" ")
            equal = (box.kind, same) == (source.kind, what) and (box.kind == "layer" or first == last)
            alone = source is not box and sum(source in other.sources for other in self.boxes) == 1
            if alone and (equal or (box.kind == "follows" and source.kind != "input")):
                span = f"{first.partition('…')[0]}…{last} {what}" if first != last else source.text
                source.text, source.size = span if equal else f"{source.text}, {box.text}", box.size
                self.boxes.remove(box)
                for other in self.boxes:
                    other.sources = [source if read is box else read for read in other.sources]
        read = {source for box in self.boxes for source in box.sources}
        self.boxes = [box for box in self.boxes if box.kind != "input" or box in read]
        return self

    def _add(self, kind: str, text: str, output: Any, sources: list[Box]) -> None:
        tensors = list(_tensors(output))
        images = [tensor for tensor in tensors if tensor.is_floating_point()]
        if not images:  # a mask: what is made of it comes from its sources; one that is given says where, not what
            tensors, kind = [] if kind == "input" else tensors, "hidden"
        size = ", ".join(dict.fromkeys("×".join(map(str, tensor.shape[1:])) for tensor in images))
        if kind == "operation" and len(sources) == 1:
            known = hasattr(F, text.replace(" ", "_")) or hasattr(nn, text) or text.endswith("resize")
            shown = known or text in ("clamp", "flatten", "matrix product", "concatenate")
            kind = "hidden" if not shown else "follows" if sources[0].size == size else kind
        if tensors and kind != "hidden" and (self.depth or kind not in ("operation", "follows")):
            self.boxes.append(Box(kind, text, size, sources))
            sources = self.boxes[-1:]
        self.origin |= {id(tensor): (tensor, sources) for tensor in tensors}

    def _sources(self, values: Any) -> list[Box]:
        for tensor in _tensors(values):
            if id(tensor) in self.learned and id(tensor) not in self.origin:
                self._add("learned", f"{self.learned[id(tensor)]} (learned)", tensor, [])
        return list(dict.fromkeys(box for t in _tensors(values) if id(t) in self.origin for box in self.origin[id(t)][1]))

    def _update(self, name: str, terms: Mapping[str, Tensor]) -> dict[str, Tensor]:
        for term, value in terms.items():
            self._add("term", term, value, self._sources(value))
        return dict(terms)

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        output, name = func(*args, **(kwargs or {})), func.__name__.strip("_")
        if not self.inside and next(_tensors(output), None) is not None and not re.match("new_|.*_like$", name):
            text = f"{kwargs['mode']} resize" if name == "interpolate" and kwargs else _SIGNS.get(name, name.replace("_", " "))
            if sources := self._sources(args[:1] if name == "to" else (args, kwargs)):  # to: another's type, not its values
                self._add("operation", text, output, sources)
        return output

    def _before(self, module: nn.Module, inputs: Any) -> None:
        if self.inside or self.level >= self.depth or next(module.children(), None) is None:
            self.inside += 1
        else:
            self.level += 1

    def _after(self, module: nn.Module, inputs: Any, output: Any) -> None:
        box, self.level, self.inside = self.inside == 1, self.level - (not self.inside), max(0, self.inside - 1)
        if box and not any(output is value for value in inputs):  # an empty row of layers returns what it gets
            light = not isinstance(module, Whole) and all(parameter.ndim < 2 for parameter in module.parameters())
            what = type(module).__name__ if light or not self.depth else _describe(module)
            text = what if light else f"{self.names.get(module, '')} {what}{', again' * (module in self.called)}".strip()
            self._add("operation" if light else "layer", text, output, self._sources(inputs))
            self.called.add(module)


def _describe(module: nn.Module) -> str:
    """A layer in words: its type; a convolution's kernel and stride; what a row of layers consists of."""
    kind, weight = type(module).__name__, getattr(module, "weight", None)
    if isinstance(module, Whole):
        return module.name
    if isinstance(weight, Tensor) and weight.ndim == 4:
        stride = getattr(module, "stride", (1,))[0]
        return f"{kind} {weight.shape[2]}×{weight.shape[3]}" + f", stride {stride}" * (stride > 1)
    if isinstance(module, nn.Sequential | nn.ModuleList):
        count = Counter(type(child).__name__ for child in module)
        layers = ", ".join(f"{number} × {name}" if number > 1 else name for name, number in count.items())
        return layers if type(module) is nn.Sequential else f"{kind}: {layers}"
    return kind


def _tensors(value: Any) -> Iterator[Tensor]:
    """The tensors in nested tuples, lists and dicts."""
    if isinstance(value, Tensor):
        yield value
    elif isinstance(value, tuple | list | dict):
        for item in value.values() if isinstance(value, dict) else value:
            yield from _tensors(item)
