"""Inputs that are damaged, of another kind, or made to do harm: contents by name, the same ones every time.

`damaged` and `spoiled` work on any valid content; the rest knows a format.
A content that would act when it is read leaves a mark.
"""

from __future__ import annotations

import gzip
import io
import json
import pickle
import random
import struct
import tarfile
import zipfile
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image

Contents = Iterator[tuple[str, bytes]]
PAGE = b"<!DOCTYPE html><html><title>Quota exceeded</title><body>Sign in to go on</body></html>"


def damaged(content: bytes, seed: int) -> Contents:
    """What a download, a disk or a mix-up makes of a file of any kind."""
    draw = random.Random(seed)
    yield "empty", b""
    yield "one byte", content[:1]
    yield "cut in the middle", content[: len(content) // 2]
    yield "cut at its end", content[: -draw.randrange(8, 40)]
    yield "zeros", bytes(len(content))
    yield "noise", draw.randbytes(len(content))
    yield "a web page", PAGE
    yield "text", b"see attachment\n"
    yield "first bytes lost", content[draw.randrange(5, 30) :]


def spoiled(value: dict[str, Any], seed: int, times: int) -> Contents:
    """JSON that is none, that is nothing like `value`, or that is it but for one entry."""
    text = json.dumps(value)
    yield "cut in the middle", text[: len(text) // 2].encode()
    yield "empty", b""
    yield "not text", b"\xff\xfe\x00" + text.encode()
    yield "nested too deeply", b"[" * 200_000
    for label, other in (("null", None), ("a list", [value]), ("a number", 3), ("no entry", {}), ("text", "x")):
        yield label, json.dumps(other).encode()
    draw = random.Random(seed)
    wrong = [None, [], {}, "x", -1, 1e400, True, "../../x", [[]], 10**30]
    for key in draw.choices(sorted(value), k=times):
        new = draw.choice([one for one in wrong if type(one) is not type(value[key])])
        yield f"{key} is {json.dumps(new)}", json.dumps(value | {key: new}).encode()


def pictures(seed: int) -> Contents:
    """Pictures, by the name of their file, of which none can be used."""
    draw = np.random.default_rng(seed)
    image = Image.fromarray(draw.integers(0, 256, (48, 40, 3), np.uint8))
    for ending in ("png", "jpg", "gif", "webp", "bmp", "tiff"):
        image.save(file := io.BytesIO(), {"jpg": "JPEG", "tiff": "TIFF"}.get(ending, ending))
        for label, content in damaged(file.getvalue(), seed):
            if label != "cut at its end":  # which costs a row at most: Pillow reads the rest
                yield f"{label}.{ending}", content
    for label, width, height in (("no width", 0, 9), ("a bomb", 60_000, 60_000), ("beyond any memory", 2**31 - 1, 2**31 - 1)):
        yield f"{label}.png", png(width, height)
    yield "zipped text.png", png(9, 9, texts=[(b"zTXt", b"a\0\0" + zlib.compress(bytes(1 << 27)))])
    yield "floats.tiff", saved(Image.fromarray(draw.random((20, 20), np.float32)), "TIFF")
    yield "a drawing.png", b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n(x) run\n"
    yield "vectors.png", b'<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>'


def saved(image: Image.Image, form: str) -> bytes:
    """The content of a picture's file."""
    image.save(file := io.BytesIO(), form)
    return file.getvalue()


def png(width: int, height: int, texts: list[tuple[bytes, bytes]] | None = None) -> bytes:
    """A PNG file that says how large it is, and holds next to nothing."""
    chunks = [(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)), *(texts or [])]
    chunks += [(b"IDAT", zlib.compress(bytes(100))), (b"IEND", b"")]
    body = b"".join(struct.pack(">I", len(c)) + kind + c + struct.pack(">I", zlib.crc32(kind + c)) for kind, c in chunks)
    return b"\x89PNG\r\n\x1a\n" + body


class Calls:
    """Pickled, it is a call."""

    def __init__(self, function: Callable[..., object], *arguments: object) -> None:
        self.call = function, arguments

    def __reduce__(self) -> tuple[Callable[..., object], tuple[object, ...]]:
        return self.call


def pickles(mark: Path) -> Contents:
    """Pickles that touch the mark when they are read, bare and in every container that torch or numpy would open."""
    import os
    import subprocess

    calls = {
        "a shell": Calls(os.system, f"touch '{mark}'"),
        "a process": Calls(subprocess.getoutput, f"touch '{mark}'"),
        "Python": Calls(exec, f"open({str(mark)!r}, 'w')"),
        "a value": Calls(eval, f"open({str(mark)!r}, 'w')"),
        "a path": Calls(Path.touch, mark),
        "a file": Calls(open, str(mark), "w"),
    }
    for label, call in calls.items():
        yield f"{label}, bare", pickle.dumps(call, 2)
        torch.save({"weight": torch.zeros(3), "hook": call}, file := io.BytesIO())
        yield f"{label}, in torch's zip", file.getvalue()
    torch.save({"weight": call}, file := io.BytesIO(), _use_new_zipfile_serialization=False)
    yield "a file, in torch's old form", file.getvalue()
    np.save(file := io.BytesIO(), np.array([calls["a path"]], dtype=object), allow_pickle=True)
    yield "a path, in an array", file.getvalue()
    yield "a path, compressed", gzip.compress(pickle.dumps(calls["a path"]))
    torch.save(torch.nn.Linear(2, 2), file := io.BytesIO())
    yield "a whole module", file.getvalue()
    yield "a list", pickle.dumps([1, 2])


def arrays(valid: bytes) -> Contents:
    """Files of numpy in place of `valid`, uint8 (N, H, W, 3)."""
    yield from damaged(valid, 4)
    x = np.load(io.BytesIO(valid))
    others: dict[str, Any] = {"floats": x / 255.0, "grey": x[..., 0], "one less": x[1:], "text": np.array(["x"])}
    others |= {"nothing": x[:0], "a number": np.array(7), "16 bit": x.astype(np.uint16)}
    for label, other in others.items():
        np.save(file := io.BytesIO(), other)
        yield label, file.getvalue()
    for label, shape in (("a header of 2 TB", (2**31, 20, 16, 3)), ("a negative size", (-1, 16, 16, 3))):
        np.lib.format.write_array_header_1_0(file := io.BytesIO(), {"descr": "|u1", "fortran_order": False, "shape": shape})
        yield label, file.getvalue() + valid[128:]
    yield "a header that is a call", valid[:10] + b"__import__('os').system('x')".ljust(117) + b"\n" + valid[128:]


def tensors(valid: bytes) -> Contents:
    """Files of safetensors in place of `valid`."""
    yield from damaged(valid, 5)
    size = struct.unpack("<Q", valid[:8])[0]
    header, body = json.loads(valid[8 : 8 + size]), valid[8 + size :]
    name = next(name for name in header if name != "__metadata__")

    def with_header(new: Any) -> bytes:
        text = new if isinstance(new, bytes) else json.dumps(new).encode()
        return struct.pack("<Q", len(text)) + text + body

    yield "a header of 10 EB", struct.pack("<Q", 2**63) + valid[8:]
    yield "a header that is a list", with_header([1])
    yield "a header nested too deeply", with_header(b"[" * 100_000)
    for label, change in {
        "offsets beyond its end": {"data_offsets": [0, 2**40]},
        "offsets backwards": {"data_offsets": [8, 0]},
        "another number type": {"dtype": "F7"},
        "another shape": {"shape": [2**62, 8]},
        "a shape of text": {"shape": "x"},
    }.items():
        yield label, with_header(header | {name: header[name] | change})


def archives(picture: bytes) -> Contents:
    """Zip and tar archives that are refused, by the name of their file."""

    def zipped(names: dict[str, bytes], change: Callable[[zipfile.ZipInfo], None] = lambda info: None) -> bytes:
        with zipfile.ZipFile(file := io.BytesIO(), "w", zipfile.ZIP_DEFLATED) as archive:
            for name, content in names.items():
                info = zipfile.ZipInfo("x")
                info.filename = name
                change(info)
                archive.writestr(info, content, zipfile.ZIP_DEFLATED)
        return file.getvalue()

    def packed(name: str, kind: bytes, target: str = "") -> bytes:
        with tarfile.open(fileobj=(file := io.BytesIO()), mode="w") as archive:
            info = tarfile.TarInfo(name)
            info.type, info.linkname, info.size = kind, target, len(picture) if kind == tarfile.REGTYPE else 0
            archive.addfile(info, io.BytesIO(picture))
        return file.getvalue()

    valid = zipped({"faces/a.png": picture, "faces/b.png": picture})
    for label, content in damaged(valid, 6):
        yield f"{label}.zip", content
    for label, content in damaged(gzip.compress(packed("a.png", tarfile.REGTYPE)), 7):
        yield f"{label}.tar.gz", content
    for number, name in enumerate(("../evil.png", "/tmp/evil.png", "..\\evil.png", "a/../../evil.png", "C:\\evil.png")):
        yield f"a way out {number}.zip", zipped({name: picture})
        yield f"a way out {number}.tar", packed(name, tarfile.REGTYPE)
    yield "a link.tar", packed("a.png", tarfile.SYMTYPE, "/etc/passwd")
    yield "a hard link.tar", packed("a.png", tarfile.LNKTYPE, "/etc/passwd")
    yield "a device.tar", packed("a.png", tarfile.CHRTYPE)
    yield "a pipe.tar", packed("a.png", tarfile.FIFOTYPE)
    yield "a bomb.zip", zipped({"a.png": bytes(1 << 27)})
    yield "a long name.zip", zipped({"x" * 300 + ".png": picture})
    yield "a file and a folder.zip", zipped({"a.png": picture, "a.png/b.png": picture})
    yield "another packing.zip", valid.replace(b"\x08\x00", b"\x63\x00")
    yield "locked.zip", valid.replace(b"PK\x01\x02\x14\x03\x14\x00\x00\x00", b"PK\x01\x02\x14\x03\x14\x00\x01\x00")


def notebooks(valid: dict[str, Any], mark: Path) -> Contents:
    """Notebooks that are none, or are broken; the last ones are whole, and touch the mark outside of any exercise."""
    yield from damaged(json.dumps(valid).encode(), 8)
    for key, value in (("cells", None), ("cells", 3), ("cells", "x"), ("metadata", []), ("nbformat", "x"), ("nbformat", 99)):
        yield f"{key} is {value!r}", json.dumps(valid | {key: value}).encode()
    yield from ((label, content) for label, content in spoiled(valid, 9, 0))
    cell = {"cell_type": "code", "metadata": {}, "outputs": [], "execution_count": None, "source": "1"}
    for label, cells in {
        "cells that are numbers": [1, 2],
        "a cell without a type": [{"source": "1"}],
        "a source that is a number": [cell | {"source": 3}],
        "a source of lists": [cell | {"source": [["1"]]}],
        "cells in a cell": [cell | {"source": {"cells": [cell]}}],
    }.items():
        yield label, json.dumps(valid | {"cells": cells}).encode()
    yield "UTF-16", json.dumps(valid).encode("utf-16")
    yield "a pickle", next(pickles(mark))[1]
    for label, source in {
        "touches a file": f"from pathlib import Path\nPath({str(mark)!r}).touch()",
        "touches a file by a shell": f"!touch '{mark}'",
    }.items():
        yield label, json.dumps(valid | {"cells": [cell | {"source": source}]}).encode()
