"""
A local HTTP server that writes down what it is asked and answers as it was told.

It knows nothing of MAST: tests say byte for byte what it answers, and how it misbehaves.
"""

import contextlib
import json
import socket
import threading
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl, urlsplit


@dataclass(frozen=True)
class Recorded:
    """One request as it arrived."""

    method: str
    path: str
    query: list[tuple[str, str]]
    headers: dict[str, str]
    body: bytes = b""

    @property
    def parameters(self) -> dict[str, str]:
        return dict(self.query)


@dataclass(frozen=True)
class Answer:
    """
    What to send back.

    `claimed_length` is sent as Content-Length instead of the true one: when it is larger, the
    connection ends early. `chunk` is the size of the pieces if the body is to come without
    Content-Length.
    """

    body: bytes = b""
    status: int = 200
    content_type: str = "application/octet-stream"
    headers: dict[str, str] = field(default_factory=dict)
    delay_s: float = 0.0
    stall_s: float = 0.0
    claimed_length: int | None = None
    chunk: int | None = None
    hang_up: bool = False


Answerer = Callable[[Recorded], Answer]


def json_answer(content: Any, **options: Any) -> Answer:
    return Answer(json.dumps(content).encode(), content_type="application/json", **options)


class RecordingServer:
    """
    Answers each path with the answers given for it, one after the other, the last one for ever.

    Attributes
    ----------
    url : str
    requests : list of Recorded
        In the order in which they arrived.
    most_in_flight : int
        The largest number of requests that were under way at the same time.
    """

    def __init__(self) -> None:
        self.requests: list[Recorded] = []
        self.most_in_flight = 0
        self._in_flight = 0
        self.lock = threading.Lock()
        self._answers: dict[str, list[Answer | Answerer]] = defaultdict(list)
        self.connections: set[socket.socket] = set()
        self._server = _Server(self)
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"
        self._thread = threading.Thread(
            target=self._server.serve_forever, kwargs={"poll_interval": 0.01}
        )

    def answer(self, path: str, *answers: Answer | Answerer) -> None:
        """Say what to answer to `path`, in turn."""
        self._answers[path] = list(answers)

    def asked(self, path: str) -> list[Recorded]:
        """Return the requests that `path` got."""
        return [request for request in self.requests if request.path == path]

    def __enter__(self) -> "RecordingServer":
        self._thread.start()
        return self

    def __exit__(self, *exc_info: object) -> None:
        self._server.shutdown()
        # Clients keep connections open; the threads that wait on them end when they are cut.
        with self.lock:
            open_connections = list(self.connections)
        for connection in open_connections:
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)
        self._server.server_close()
        self._thread.join()

    def next_answer(self, request: Recorded) -> Answer:
        with self.lock:
            self.requests.append(request)
            answers = self._answers.get(request.path)
            if not answers:
                return Answer(b"no answer was given for this path", status=404)
            answer = answers.pop(0) if len(answers) > 1 else answers[0]
        return answer if isinstance(answer, Answer) else answer(request)

    @contextlib.contextmanager
    def counted(self) -> Iterator[None]:
        with self.lock:
            self._in_flight += 1
            self.most_in_flight = max(self.most_in_flight, self._in_flight)
        try:
            yield
        finally:
            with self.lock:
                self._in_flight -= 1


class _Server(ThreadingHTTPServer):
    # Not daemons, so that closing the server waits for them and no socket outlives the test.
    daemon_threads = False
    request_queue_size = 64

    def __init__(self, recorder: RecordingServer) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.recorder = recorder


class _Handler(BaseHTTPRequestHandler):
    server: "_Server"
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    timeout = 10.0

    def setup(self) -> None:
        super().setup()
        with self.server.recorder.lock:
            self.server.recorder.connections.add(self.connection)

    def finish(self) -> None:
        with self.server.recorder.lock:
            self.server.recorder.connections.discard(self.connection)
        with contextlib.suppress(OSError):
            super().finish()

    def do_GET(self) -> None:
        with contextlib.suppress(OSError):
            self._answer()

    do_HEAD = do_POST = do_GET  # noqa: N815

    def _answer(self) -> None:
        parts = urlsplit(self.path)
        query = parse_qsl(parts.query, keep_blank_values=True)
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        request = Recorded(self.command, parts.path, query, dict(self.headers), body)
        # Counted until the answer begins: the client may ask again before this thread has ended.
        with self.server.recorder.counted():
            answer = self.server.recorder.next_answer(request)
            time.sleep(answer.delay_s)
        if answer.hang_up:
            self.close_connection = True
            return
        self._send_head(answer)
        self._send_body(answer)

    def _send_head(self, answer: Answer) -> None:
        self.send_response(answer.status)
        self.send_header("Content-Type", answer.content_type)
        for name, value in answer.headers.items():
            self.send_header(name, value)
        if answer.chunk:
            self.send_header("Transfer-Encoding", "chunked")
        else:
            length = answer.claimed_length
            self.send_header("Content-Length", str(len(answer.body) if length is None else length))
        self.end_headers()

    def _send_body(self, answer: Answer) -> None:
        # A view, so that a test can measure the memory of the client beside this thread.
        body = memoryview(answer.body)
        if not answer.chunk:
            half = len(body) // 2
            self.wfile.write(body[:half])
            time.sleep(answer.stall_s)
            self.wfile.write(body[half:])
            self.close_connection = answer.claimed_length is not None
            return
        for start in range(0, len(body), answer.chunk):
            piece = body[start : start + answer.chunk]
            self.wfile.write(f"{len(piece):x}\r\n".encode() + piece + b"\r\n")
        self.wfile.write(b"0\r\n\r\n")

    def log_message(self, *args: object) -> None:
        """Say nothing: the requests are in `requests`."""
