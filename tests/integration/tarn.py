"""Runs the real server on loopback, and talks to it over raw sockets.

Goal: one way for all test modules to start a server in a folder of its own, to send exact bytes,
to read an answer, and to see that the server ends clean: exit code 0 on SIGTERM, no descriptor
leaked, not a word from a sanitizer. The executable is named by the environment, TARN_SERVER.
"""

from __future__ import annotations

import os
import re
import resource
import select
import shutil
import signal
import socket
import struct
import subprocess
import sys
import tempfile
import threading
import time
import unittest
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Callable, Iterable, Mapping

PROJECT = Path(__file__).resolve().parents[2]
EXECUTABLE = os.environ.get("TARN_SERVER", str(PROJECT / "build" / "server"))
if not os.access(EXECUTABLE, os.X_OK):
    sys.exit(f"there is no {EXECUTABLE}: build it, or name another in TARN_SERVER")

# Whether it is one of the sanitizers' builds.
SANITIZED = any(word in Path(EXECUTABLE).read_bytes() for word in (b"__asan_init", b"__tsan_init"))

# Seconds after which what should have happened counts as hung. It is never waited for in full
# unless something is broken, and a sanitizer on a busy machine is slow.
PATIENCE = 30.0

SANITIZER_WORDS = re.compile(r"AddressSanitizer|LeakSanitizer|ThreadSanitizer|runtime error")
BANNER_URL = re.compile(r"http://(?:\[[^\]]+\]|[^\s/:]+):(\d+)/")


def eventually(condition: Callable[[], Any], what: str, patience: float = PATIENCE) -> Any:
    """Waits until the condition is true, and returns its value."""
    deadline = time.monotonic() + patience
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > deadline:
            raise AssertionError(f"it did not happen within {patience:g} s: {what}")
        time.sleep(0.01)


# --- The configuration file ----------------------------------------------------------------------


def config_value(value: object) -> str:
    """A value as libconfig writes it."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        return f"{value}L" if abs(value) > 0x7FFFFFFF else str(value)
    if isinstance(value, (list, tuple)):
        return "( " + ", ".join(config_value(item) for item in value) + " )"
    return '"' + str(value).replace("\\", "\\\\").replace('"', '\\"') + '"'


def config_text(settings: Mapping[str, object]) -> str:
    """The file's text for settings that are named as in `--set`, "limits.idle_timeout"."""
    lines: dict[str, list[str]] = {}
    for key, value in settings.items():
        group, _, name = key.rpartition(".")
        lines.setdefault(group, []).append(f"{name} = {config_value(value)};")
    text = "".join(f"{line}\n" for line in lines.pop("", []))
    for group, members in lines.items():
        text += f"{group} = {{ {' '.join(members)} }};\n"
    return text


# --- The client ----------------------------------------------------------------------------------


@dataclass
class Response:
    """An answer as it came over the wire."""

    status: int
    reason: str
    fields: list[tuple[str, str]]
    body: bytes = b""
    head: bytes = field(default=b"", repr=False)

    def values(self, name: str) -> list[str]:
        """All values of a field."""
        return [value for key, value in self.fields if key.lower() == name.lower()]

    def value(self, name: str) -> str:
        """The value of a field that must be there exactly once."""
        values = self.values(name)
        if len(values) != 1:
            raise AssertionError(f"{len(values)} fields {name} in {self.head!r}")
        return values[0]

    def closes(self) -> bool:
        """Whether the answer announces the end of the connection."""
        return "close" in [value.lower() for value in self.values("Connection")]


class Connection:
    """A connection to a server, with nothing between the test and the bytes."""

    def __init__(self, server: Server, address: str | None = None, receive_buffer: int = 0,
                 source: str = "") -> None:
        """To `address` (the server's own otherwise), from `source` if it is given."""
        address = address or server.address
        family = socket.AF_INET6 if ":" in address else socket.AF_INET
        self.server = server
        self.pending = bytearray()  # received, not yet looked at
        self.socket = socket.socket(family, socket.SOCK_STREAM)
        self.socket.settimeout(PATIENCE)
        if receive_buffer:
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
        try:
            if source:
                self.socket.bind((source, 0))
            self.socket.connect((address, server.port))
            self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        except OSError:
            self.socket.close()
            raise

    def __enter__(self) -> Connection:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        self.socket.close()

    def reset(self) -> None:
        """Closes with a reset, as a client that crashes."""
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.socket.close()

    def half_close(self) -> None:
        """Says that nothing more will be sent."""
        try:
            self.socket.shutdown(socket.SHUT_WR)
        except OSError:
            pass  # the other side was faster

    def send(self, data: bytes) -> None:
        """Sends the bytes, with <H> and <PORT> replaced as Server.expand() says."""
        self.socket.sendall(self.server.expand(data))

    def send_pieces(self, pieces: Iterable[bytes], pause: float) -> None:
        """Sends raw pieces, each in a segment of its own, until the server has answered.

        The pause lets the server read each piece by itself; the answer does not depend on it.
        """
        for piece in pieces:
            try:
                self.socket.sendall(piece)
            except (BrokenPipeError, ConnectionResetError):
                return
            if pause and self.readable(pause):
                pause = 0

    def readable(self, patience: float) -> bool:
        """Whether there are bytes, or the end, to be read within that time."""
        return bool(self.pending) or bool(select.select([self.socket], [], [], patience)[0])

    def fill(self) -> bool:
        """Receives some bytes; False at the end of the stream."""
        data = self.socket.recv(1 << 18)
        self.pending += data
        return bool(data)

    def take(self, count: int | None = None) -> bytes:
        """Takes so many of the bytes that have been received, or all of them."""
        data = bytes(self.pending[:count])
        del self.pending[:count]
        return data

    def read_until(self, end: bytes) -> bytes:
        while end not in self.pending:
            if not self.fill():
                raise EOFError(f"the server closed after {bytes(self.pending)!r}")
        return self.take(self.pending.index(end) + len(end))

    def read_exactly(self, count: int) -> bytes:
        while len(self.pending) < count:
            if not self.fill():
                raise EOFError(f"the server closed {count - len(self.pending)} bytes early")
        return self.take(count)

    def read_head(self) -> Response:
        """Reads an answer's head; the body stays."""
        head = self.read_until(b"\r\n\r\n")
        lines = head[:-4].decode("latin-1").split("\r\n")
        version, status, reason = lines[0].split(" ", 2)
        if version != "HTTP/1.1":
            raise AssertionError(f"not an answer: {head!r}")
        fields = []
        for line in lines[1:]:
            name, colon, value = line.partition(": ")
            if not colon:
                raise AssertionError(f"not a field: {line!r}")
            fields.append((name, value))
        return Response(int(status), reason, fields, head=head)

    def read_response(self, method: str = "GET") -> Response:
        """Reads a whole answer to a request of that method."""
        response = self.read_head()
        if method != "HEAD" and response.status not in (100, 204, 304):
            response.body = self.read_exactly(int(response.value("Content-Length")))
        return response

    def read_rest(self) -> bytes:
        """Reads to the end of the stream. A reset is an error."""
        while self.fill():
            pass
        return self.take()

    def exchange(self, data: bytes, method: str = "GET") -> Response:
        """Sends a request and reads its answer."""
        self.send(data)
        return self.read_response(method)


def request_bytes(method: str, target: str, fields: Mapping[str, str] | None = None,
                  body: bytes | None = None) -> bytes:
    """A request with a Host of its own, and a Content-Length if it has a body."""
    lines = [f"{method} {target} HTTP/1.1"]
    fields = dict(fields or {})
    if "Host" not in fields:
        lines.append("<H>")
    if body is not None:
        fields.setdefault("Content-Length", str(len(body)))
    lines += [f"{name}: {value}" for name, value in fields.items()]
    return "\r\n".join(lines + ["", ""]).encode("latin-1") + (body or b"")


# --- The server ----------------------------------------------------------------------------------


class Server:
    """A server process with a folder of its own: server.conf, www/ (the root), access.log."""

    def __init__(self, settings: Mapping[str, object] | None = None, workers: int = 4,
                 host: str = "127.0.0.1", port: int = 0, arguments: Iterable[str] = (),
                 descriptors: int = 0) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="tarn-test-"))
        self.root = self.folder / "www"
        self.uploads = self.root / "uploads"
        self.settings: dict[str, object] = {"root": "www", "uploads.directory": "www/uploads"}
        self.settings.update(settings or {})
        self.workers = workers
        self.host = host
        self.port = port
        self.arguments = list(arguments)
        self.descriptors = descriptors
        self.address = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)
        self.process: subprocess.Popen[bytes] | None = None
        self.error_text = ""
        self.errors_changed = threading.Condition()
        self.error_reader: threading.Thread | None = None
        self.idle_descriptors = 0
        self.listening_sockets = 0
        self.root.mkdir()
        self.write("index.html", b"<!doctype html><title>Index</title>\n")

    def write(self, name: str, content: bytes = b"", size: int = 0) -> Path:
        """Makes a file in the root; `size` extends it, sparse."""
        path = self.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        with open(path, "wb") as file:
            file.write(content)
            if size:
                file.truncate(size)
        return path

    # -- start and end

    def command(self) -> list[str]:
        config = self.folder / "server.conf"
        config.write_text(config_text(self.settings))
        return [EXECUTABLE, "-c", str(config), *self.arguments,
                str(self.port), self.host, str(self.workers)]

    def start(self) -> Server:
        """Starts the process and waits for its banner, which tells the port."""
        self.error_text = ""
        with open(self.folder / "access.log", "ab") as access_log:
            self.process = subprocess.Popen(
                self.command(), cwd=self.folder, stdin=subprocess.DEVNULL, stdout=access_log,
                stderr=subprocess.PIPE,
                preexec_fn=self.limit_descriptors if self.descriptors else None)
        self.error_reader = threading.Thread(target=self.read_errors, daemon=True)
        self.error_reader.start()
        self.port = int(self.wait_for_error(BANNER_URL).group(1))
        self.idle_descriptors = self.descriptor_count()
        self.listening_sockets = self.socket_count()
        return self

    def limit_descriptors(self) -> None:
        resource.setrlimit(resource.RLIMIT_NOFILE, (self.descriptors, self.descriptors))

    @property
    def running(self) -> subprocess.Popen[bytes]:
        assert self.process is not None, "the server has not been started"
        return self.process

    def signal(self, number: int) -> None:
        self.running.send_signal(number)

    def wait(self, patience: float = PATIENCE) -> int:
        """Waits for the end of the process, and returns its exit code."""
        code = self.running.wait(patience)
        assert self.running.stderr is not None and self.error_reader is not None
        self.error_reader.join(PATIENCE)
        self.running.stderr.close()
        return code

    def kill(self) -> None:
        """Ends the process at once, as a power cut would."""
        self.signal(signal.SIGKILL)
        self.wait()

    def destroy(self) -> None:
        """Ends the process if it still runs, and removes the folder."""
        if self.process is not None:
            if self.process.poll() is None:
                self.process.kill()
            self.wait()
        shutil.rmtree(self.folder, ignore_errors=True)

    def finish(self) -> None:
        """Stops the server and checks that it leaves nothing to complain about."""
        if self.running.poll() is None:
            eventually(lambda: self.descriptor_count() <= self.idle_descriptors,
                       "the descriptors of closed connections are closed")
            self.signal(signal.SIGTERM)
        code = self.wait()
        self.check_sanitizers()
        if code != 0:
            raise AssertionError(f"the server ended with {code}; it said:\n{self.error_text}")

    def check_sanitizers(self) -> None:
        if SANITIZER_WORDS.search(self.error_text):
            raise AssertionError(f"a sanitizer complained:\n{self.error_text}")

    # -- what it says

    def read_errors(self) -> None:
        """Collects stderr; runs in a thread of its own until the process closes it."""
        assert self.process is not None and self.process.stderr is not None
        for line in self.process.stderr:
            with self.errors_changed:
                self.error_text += line.decode("utf-8", "backslashreplace")
                self.errors_changed.notify_all()
        with self.errors_changed:
            self.errors_changed.notify_all()

    def wait_for_error(self, pattern: str | re.Pattern[str]) -> re.Match[str]:
        """Waits until stderr holds the pattern."""
        deadline = time.monotonic() + PATIENCE
        with self.errors_changed:
            while True:
                match = re.search(pattern, self.error_text)
                if match:
                    return match
                assert self.error_reader is not None
                if time.monotonic() > deadline or not self.error_reader.is_alive():
                    raise AssertionError(f"no {pattern!r} on stderr, but:\n{self.error_text}")
                self.errors_changed.wait(0.1)

    def access_log(self) -> bytes:
        return (self.folder / "access.log").read_bytes()

    def wait_for_access(self, pattern: bytes) -> re.Match[bytes]:
        """Waits until the access log holds the pattern."""
        return eventually(lambda: re.search(pattern, self.access_log(), re.MULTILINE),
                          f"{pattern!r} in the access log")

    # -- what it holds

    def descriptor_count(self) -> int:
        return len(os.listdir(f"/proc/{self.running.pid}/fd"))

    def socket_count(self) -> int:
        count = 0
        for link in Path(f"/proc/{self.running.pid}/fd").iterdir():
            try:
                count += os.readlink(link).startswith("socket:")
            except FileNotFoundError:
                pass  # closed meanwhile
        return count

    def wait_for_connections(self, count: int) -> None:
        """Waits until that many connections are open in the server."""
        eventually(lambda: self.socket_count() == self.listening_sockets + count,
                   f"{count} open connections")

    def stored(self) -> list[Path]:
        """The uploads on disk, without the housekeeping."""
        return sorted(path for path in self.uploads.iterdir() if not path.name.startswith("."))

    # -- talking to it

    def expand(self, data: bytes) -> bytes:
        """Replaces <H> by the right Host field, and <PORT> by the port."""
        host = f"[{self.address}]" if ":" in self.address else self.address
        data = data.replace(b"<H>", f"Host: {host}:<PORT>".encode())
        return data.replace(b"<PORT>", str(self.port).encode())

    def url(self, path: str = "/") -> str:
        host = f"[{self.address}]" if ":" in self.address else self.address
        return f"http://{host}:{self.port}{path}"

    def connect(self, address: str | None = None, receive_buffer: int = 0) -> Connection:
        return Connection(self, address, receive_buffer)

    def request(self, method: str, target: str, fields: Mapping[str, str] | None = None,
                body: bytes | None = None) -> Response:
        """One request on a connection of its own."""
        with self.connect() as connection:
            fields = {"Connection": "close", **(fields or {})}
            connection.send(request_bytes(method, target, fields, body))
            response = connection.read_response(method)
            rest = connection.read_rest()
            if rest:
                raise AssertionError(f"bytes after the answer: {rest!r}")
            return response

    def get(self, target: str, fields: Mapping[str, str] | None = None) -> Response:
        return self.request("GET", target, fields)

    def post_json(self, body: bytes, fields: Mapping[str, str] | None = None) -> Response:
        return self.request("POST", "/upload",
                            {"Content-Type": "application/json", **(fields or {})}, body)


class ServerTestCase(unittest.TestCase):
    """A class of tests that share one server; checks the server's end after the last."""

    settings: Mapping[str, object] = {}
    workers = 4
    host = "127.0.0.1"
    descriptors = 0
    server: Server

    @classmethod
    def prepare(cls) -> None:
        """Fills the root before the server starts."""

    @classmethod
    def setUpClass(cls) -> None:
        cls.server = Server(cls.settings, cls.workers, cls.host, descriptors=cls.descriptors)
        cls.addClassCleanup(cls.server.destroy)
        cls.prepare()
        cls.server.start()

    @classmethod
    def tearDownClass(cls) -> None:
        cls.server.finish()

    def assert_serves(self) -> None:
        """A clean request on a new connection is answered."""
        response = self.server.get("/")
        self.assertEqual(response.status, 200)


def run(*command: str, cwd: Path | None = None) -> subprocess.CompletedProcess[bytes]:
    """Runs a program to its end and returns what it said."""
    return subprocess.run(command, cwd=cwd, stdin=subprocess.DEVNULL, capture_output=True,
                          timeout=4 * PATIENCE, check=False)


def needs(program: str) -> Callable[[Any], Any]:
    """Skips a test where a program is not installed."""
    return unittest.skipUnless(shutil.which(program), f"{program} is not installed")
