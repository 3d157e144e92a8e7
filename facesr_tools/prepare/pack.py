"""Pack pictures on all cores, resumable at every chunk: workers decode and crop, this process writes in order."""

from __future__ import annotations

import hashlib
import json
import multiprocessing
import os
import signal
import sys
import zlib
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from itertools import chain
from pathlib import Path
from types import TracebackType
from typing import Any

from facesr_lib.data.packed import HEADER_BYTES, PackedError, PackedWriter, open_packed, read_manifest
from facesr_tools.prepare.crop import Cropped, crop_chunk
from facesr_tools.prepare.description import PrepareError, Sample
from facesr_tools.runner.machine import usable_cores

CHUNK_BYTES = 4 << 20  # of pixels: what travels from a worker at once
CHUNK_SAMPLES = 256
MAX_BAD = 0.01  # largest fraction of unusable pictures; more of them mean that the source is wrong
OnProgress = Callable[[int, int], None]  # pictures done, pictures in all


def pack_samples(
    source: Path,
    samples: Sequence[Sample],
    manifest: Path,
    *,
    name: str,
    size: int,
    credit: str,
    facts: Mapping[str, Any],
    without_box: str = "centre",
    resize: str = "bicubic",
    workers: int | None = None,
    progress: OnProgress = lambda done, total: None,
) -> dict[str, str]:
    """Pack the pictures of `samples` below `source` as `manifest`, and return why others are missing, by file.

    without_box, resize: as `crop.cut` takes them.
    workers: number of processes; None: one per usable core; 1: work in this process. Beside the list of samples, memory stays at
    a few chunks of CHUNK_BYTES per worker, for any number of pictures.
    After an interruption, the next call with the same samples resumes after the last finished chunk and gives the same bytes. A
    finished part is not packed again.
    Raises PrepareError if more than MAX_BAD of the pictures (and more than one) are unusable; then nothing is kept. An OSError,
    such as a full disk, keeps the finished chunks for the next call; the set appears only when it is complete.
    """
    if not samples:
        raise PrepareError(f"{name}: there are no pictures to pack")
    per_chunk = max(1, min(CHUNK_SAMPLES, CHUNK_BYTES // (3 * size * size)))
    chunks = -(-len(samples) // per_chunk)
    about = [str(source.resolve()), facts.get("protocol"), facts.get("files")]
    key = _key(samples, size, without_box, resize, per_chunk, about)
    if (done := _finished(manifest, key)) is not None:
        return done
    with ResumableWriter(manifest, name, (size, size), credit, facts, key=key) as writer:
        jobs = (
            (str(source), samples[i * per_chunk : (i + 1) * per_chunk], size, without_box, resize)
            for i in range(writer.chunks, chunks)
        )
        progress(min(writer.chunks * per_chunk, len(samples)), len(samples))
        for result in _in_order(jobs, workers or usable_cores()):
            writer.add(result)
            if len(writer.bad) > max(1, MAX_BAD * len(samples)):
                writer.discard()
                raise PrepareError(_too_many_bad(name, writer.bad, len(samples), source))
            progress(min(writer.chunks * per_chunk, len(samples)), len(samples))
        writer.source |= {"key": key, "bad": writer.bad}
        return dict(writer.bad)


class ResumableWriter(PackedWriter):
    """A PackedWriter that can be interrupted: it keeps the pictures so far, and a journal with one line per chunk.

    key: stands for the content; with another key, packing starts from the beginning. A chunk counts only if its line is complete
    and its checksum matches, so neither a kill nor a power cut leaves a wrong picture behind.
    """

    def __init__(self, *arguments: Any, key: str) -> None:
        super().__init__(*arguments)
        self.key = key
        self.chunks = 0
        self.bad: dict[str, str] = {}
        self._journal_path = self.path.with_name(f".{self.path.stem}.journal")

    def __enter__(self) -> ResumableWriter:
        self.path.parent.mkdir(parents=True, exist_ok=True)
        self._temporary = self.path.with_name(f".{self.path.stem}.part")
        self._digest = hashlib.sha256()
        self._file = open(self._temporary, "r+b" if self._temporary.is_file() else "w+b")
        kept = self._replay()
        self._file.truncate()
        self._journal = open(self._journal_path, "r+b" if kept else "wb")
        if kept:
            self._journal.seek(kept)
            self._journal.truncate()
        else:
            self._note({"key": self.key})
        return self

    def add(self, chunk: Cropped) -> None:
        """Write one chunk and its line in the journal."""
        if chunk.people:
            self.append(chunk.pixels, chunk.people)
        self._file.flush()
        self._note({"people": chunk.people, "bad": chunk.bad, "crc": zlib.crc32(chunk.pixels.data)})
        self.bad |= chunk.bad
        self.chunks += 1

    def discard(self) -> None:
        """Delete everything written so far."""
        self._temporary.unlink(missing_ok=True)
        self._journal_path.unlink(missing_ok=True)

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        try:
            if kind is None:
                self._commit()
                self.discard()
        finally:
            try:
                self._journal.close()
            finally:
                self._file.close()

    def _note(self, entry: Mapping[str, Any]) -> None:
        self._journal.write(json.dumps(entry).encode() + b"\n")
        self._journal.flush()

    def _replay(self) -> int:
        """Read the finished chunks, and leave the file at the end of the last one. Returns the valid bytes of the journal."""
        self._file.seek(0)
        self._file.write(bytes(HEADER_BYTES))
        kept = 0
        if not self._journal_path.is_file():
            return kept
        height, width = self.size
        with open(self._journal_path, "rb") as journal:
            for number, line in enumerate(journal):
                try:
                    entry = json.loads(line) if line.endswith(b"\n") else None
                except ValueError:
                    entry = None
                if entry is None or (number == 0 and entry != {"key": self.key}):
                    break
                if number:
                    content = self._file.read(len(entry["people"]) * height * width * 3)
                    if len(content) != len(entry["people"]) * height * width * 3 or zlib.crc32(content) != entry["crc"]:
                        self._file.seek(-len(content), os.SEEK_CUR)
                        break
                    self._digest.update(content)
                    self.groups += map(sys.intern, entry["people"])  # one string per person, not per picture
                    self.bad |= entry["bad"]
                    self.chunks += 1
                kept += len(line)
        return kept


def _in_order(jobs: Iterator[tuple[str, Sequence[Sample], int, str, str]], workers: int) -> Iterator[Cropped]:
    """The results in the order of the jobs, computed a few jobs ahead."""
    first = next(jobs, None)
    if first is None:
        return
    jobs = chain([first], jobs)
    if workers == 1:
        yield from (crop_chunk(*job) for job in jobs)
        return
    # A fork server: workers share the memory of what it imported, and fork from no thread of this process.
    methods = multiprocessing.get_all_start_methods()
    context = multiprocessing.get_context("forkserver" if "forkserver" in methods else "spawn")
    context.set_forkserver_preload([crop_chunk.__module__])
    # This process handles Ctrl-C; workers finish their jobs.
    with ProcessPoolExecutor(workers, context, signal.signal, (signal.SIGINT, signal.SIG_IGN)) as pool:
        waiting: deque[Future[Cropped]] = deque()
        try:
            for job in jobs:
                waiting.append(pool.submit(crop_chunk, *job))
                if len(waiting) > 2 * workers:
                    yield waiting.popleft().result()
            while waiting:
                yield waiting.popleft().result()
        except BrokenProcessPool as error:
            raise PrepareError(
                "a worker process was killed (out of memory?): run the command again to resume; --workers 1 needs least"
            ) from error
        finally:
            for future in waiting:
                future.cancel()


def _finished(manifest: Path, key: str) -> dict[str, str] | None:
    """The bad pictures of a complete packing of the same samples; None if there is none yet."""
    try:
        open_packed(manifest)
        source = read_manifest(manifest)["source"]
    except PackedError:
        return None
    return dict(source["bad"]) if source.get("key") == key else None


def _key(samples: Sequence[Sample], size: int, without_box: str, resize: str, per_chunk: int, about: list[Any]) -> str:
    """What decides the pixels; about: where the files lie and what they hold, since two sets may have the same names."""
    digest = hashlib.sha256(json.dumps([size, without_box, resize, per_chunk, about], sort_keys=True).encode())
    for sample in samples:
        digest.update(json.dumps(sample).encode())
    return digest.hexdigest()


def _too_many_bad(name: str, bad: Mapping[str, str], total: int, source: Path) -> str:
    shown = "\n".join(f"  {file}: {reason}" for file, reason in list(bad.items())[:10])
    return (
        f"{name}: {len(bad)} of {total:,} pictures in {source} cannot be used, more than {MAX_BAD:.0%}. The first:\n{shown}\n"
        "Get these files again (or the whole archive, if it was cut short), then run the same command again."
    )
