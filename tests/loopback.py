"""A server on this machine, with the faults of real ones."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class Host:
    """Sends `files` by name, or `content` under any other, at most `cut` bytes per answer, and notes the ranges asked for.

    ranges: whether it can send a part. status: of its answers.
    """

    def __init__(self, content: bytes = b"", name: str = "file") -> None:
        self.content, self.files = content, dict[str, bytes]()
        self.cut: int | None = None
        self.ranges, self.status = True, 200
        self.asked: list[str | None] = []
        host = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                asked = self.headers.get("Range")
                host.asked.append(asked)
                content = host.files.get(self.path.lstrip("/"), host.content)
                start = int(asked.removeprefix("bytes=").rstrip("-")) if asked and host.ranges else 0
                status = 206 if start else host.status
                body = content[start:]
                self.send_response(status)
                self.send_header("Content-Length", str(len(body)))
                if status == 206:
                    self.send_header("Content-Range", f"bytes {start}-{len(content) - 1}/{len(content)}")
                self.end_headers()
                with suppress(ConnectionError):  # the client leaves when it has seen too much
                    self.wfile.write(body[: host.cut])

            def log_message(self, *args: object) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.root = f"http://127.0.0.1:{self.server.server_port}"
        self.url = f"{self.root}/{name}"


@contextmanager
def serving(host: Host) -> Iterator[Host]:
    """Serve while the block runs."""
    thread = threading.Thread(target=host.server.serve_forever, args=(0.01,))
    thread.start()
    try:
        yield host
    finally:
        host.server.shutdown()
        host.server.server_close()
        thread.join()
