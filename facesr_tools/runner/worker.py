"""A process that carries out one call after another, so that torch and images are loaded once. It ends when its parent does.

The parent sends calls over a pipe; the process answers with how far it is, what it prints, and how the call ended.
"""

from __future__ import annotations

import os
import pickle
import signal
import threading
import time
import uuid
from collections.abc import Callable, Mapping
from contextlib import redirect_stdout, suppress
from dataclasses import dataclass
from multiprocessing import get_context
from multiprocessing.connection import Connection
from queue import SimpleQueue
from types import FrameType
from typing import Any

from facesr_tools.runner.log import Stream
from facesr_tools.runner.machine import death, end_marked

MARK = "FACESR_WORKER"  # in the environment of what a worker starts
ONE_THREAD = dict.fromkeys(
    ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS", "VECLIB_MAXIMUM_THREADS", "OPENCV_FOR_THREADS_NUM"), "1"
)
_STOP = b""  # in place of a call
_GRACE = 30.0  # seconds in which a call must have stopped once the parent is gone


@dataclass(frozen=True)
class Told:
    """What the running call told."""

    value: Any


@dataclass(frozen=True)
class Said:
    """A line that the running call printed."""

    line: str


@dataclass(frozen=True)
class Ended:
    """How a call ended: its value, or the error that it raised, or that the process died; or it was asked to stop."""

    value: Any = None
    error: str = ""
    died: bool = False
    interrupted: bool = False


Message = Told | Said | Ended


class Worker:
    """The parent's end. A call is a function of a module, its arguments, and last a function `tell(value)`.

    environment: variables for the process and what it starts; set before it imports anything large.
    """

    def __init__(self, environment: Mapping[str, str]) -> None:
        context = get_context("spawn")
        self._mark = uuid.uuid4().hex
        self.connection, theirs = context.Pipe()
        self._process = context.Process(target=_serve, args=(theirs, {**environment, MARK: self._mark}))
        before = signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the parent alone, from the child's first moment on
        try:
            self._process.start()
        finally:
            signal.signal(signal.SIGINT, before)
        theirs.close()

    def call(self, function: Callable[..., Any], *args: Any) -> None:
        """Start a call. `receive` brings what it tells, and its end."""
        with suppress(OSError):  # it is dead, which `receive` reports
            self.connection.send_bytes(pickle.dumps((function, args)))

    def receive(self) -> Message:
        """The next message; waits for it. A process that died has Ended, with the reason."""
        try:
            return self.connection.recv()
        except (EOFError, OSError):
            self._process.join(_GRACE)
            self.kill()
            return Ended(error=death("its process", self._process.exitcode or 0), died=True)

    def stop(self) -> None:
        """Ask the running call to stop: it gets a KeyboardInterrupt, which a training answers after its step."""
        with suppress(OSError):
            self.connection.send_bytes(_STOP)

    def close(self) -> None:
        """Tell the process that there is nothing left to do."""
        self.connection.close()

    def end(self) -> None:
        """Close, and wait until the process has ended; after some time, kill it."""
        self.close()
        self._process.join(_GRACE)
        self.kill()

    def kill(self) -> None:
        """End the process and all that it started, now."""
        self._process.kill()
        end_marked(MARK, self._mark)
        self._process.join()


def _serve(connection: Connection, environment: Mapping[str, str]) -> None:
    """Carry out calls until the pipe is closed."""
    os.environ.update(environment)
    os.setsid()  # out of the reach of a terminal's Ctrl-C
    signal.signal(signal.SIGTERM, lambda *_: None)  # the parent, which gets it too, says what to do; programs started here end
    signal.signal(signal.SIGINT, _stop)
    nowhere = os.open(os.devnull, os.O_WRONLY)
    for stream in (1, 2):  # what C code and warnings write would tear the parent's lines apart
        os.dup2(nowhere, stream)

    calls: SimpleQueue[bytes | None] = SimpleQueue()
    answers: SimpleQueue[bytes | None] = SimpleQueue()
    busy = threading.Event()

    def answer(message: Message) -> None:
        answers.put(pickle.dumps(message))  # now: the next moment may change it

    threading.Thread(target=_read, args=(connection, calls, busy, environment[MARK]), daemon=True).start()
    writer = threading.Thread(target=_write, args=(connection, answers), daemon=True)
    writer.start()
    lines = Stream(lambda line: answer(Said(line)))
    with suppress(KeyboardInterrupt), redirect_stdout(lines):  # type: ignore[type-var]
        while (call := calls.get()) is not None:
            ended = _carry_out(call, lambda value: answer(Told(value)))
            busy.clear()
            lines.close()
            answer(ended)
    answers.put(None)
    writer.join()


def _carry_out(call: bytes, tell: Callable[[Any], None]) -> Ended:
    try:
        function, args = pickle.loads(call)
        return Ended(function(*args, tell))
    except KeyboardInterrupt:
        return Ended(interrupted=True)
    except BaseException as error:
        return Ended(error=f"{type(error).__name__}: {error}".strip().removesuffix(":"))


def _read(connection: Connection, calls: SimpleQueue[bytes | None], busy: threading.Event, mark: str) -> None:
    """Hand calls to the main thread and interrupt it where the parent asks, or is gone."""
    asked = False
    with suppress(EOFError, OSError):
        while True:
            message = connection.recv_bytes()
            if message != _STOP:
                busy.set()
                calls.put(message)
            elif busy.is_set() and not asked:
                asked = True
                _interrupt()
    calls.put(None)
    if busy.is_set():
        if not asked:
            _interrupt()
        time.sleep(_GRACE)  # ends with the process, as this thread does
        end_marked(MARK, mark)
        os._exit(1)


def _stop(number: int, frame: FrameType | None) -> None:
    raise KeyboardInterrupt  # not Python's own handler, in whose place asyncio would put one that only cancels


def _interrupt() -> None:
    signal.pthread_kill(threading.main_thread().ident or 0, signal.SIGINT)


def _write(connection: Connection, answers: SimpleQueue[bytes | None]) -> None:
    """Send answers from a thread of its own: an interrupt, which hits the main thread, then tears no message apart."""
    with suppress(OSError):  # the parent is gone: `_read` ends the process
        while (message := answers.get()) is not None:
            connection.send_bytes(message)
