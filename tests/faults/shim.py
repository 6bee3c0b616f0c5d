"""A real server under which calls of the system fail, as plan.h says, and as the test changes it.

Goal: one way for the tests in this folder to say what fails, when, and to learn whether it did.
"""

from __future__ import annotations

import errno
import mmap
import os
import struct
import subprocess
import sys
from contextlib import contextmanager
from pathlib import Path
from typing import Iterator, Mapping

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "integration"))

from tarn import EXECUTABLE, Server  # noqa: E402

MODULE = Path(EXECUTABLE).resolve().parent / "tests" / "tarn_faults.so"
HAS_MODULE = MODULE.exists()
NO_MODULE = f"{MODULE} has not been built"

SHORT = 0    # the call does as little as it may
KILL = -1    # the process is killed instead
ANY = "*"    # every call but those of memory

# struct plan_board in plan.h.
FROZEN = struct.Struct("=q")
FAULT = struct.Struct("=32sqQQQQ")
HITS = struct.Struct("=Q")
FAULTS_MAX = 8


def error_name(error: int) -> str:
    return {SHORT: "SHORT", KILL: "KILL"}.get(error) or errno.errorcode[error]


@contextmanager
def at(**place: object) -> Iterator[None]:
    """Tells where it was that a test failed; unlike a subtest it ends there."""
    try:
        yield
    except (AssertionError, EOFError, OSError) as fault:
        raise AssertionError(f"{place}: {fault}") from fault


def is_sanitized() -> bool:
    """Whether the server has been built with a sanitizer."""
    linked = subprocess.run(["ldd", EXECUTABLE], capture_output=True, check=False).stdout
    return b"libasan" in linked or b"libtsan" in linked


def count(name: str, few: int) -> int:
    """How often something is done: few times in the tests, as often as it says in `run`."""
    return int(os.environ.get(f"TARN_FAULTS_{name}", few))


class Board:
    """What is to fail, in a file that the server's process shares."""

    def __init__(self, path: Path) -> None:
        self.path = path
        path.write_bytes(bytes(FROZEN.size + FAULTS_MAX * FAULT.size))
        with open(path, "r+b") as file:
            self.map = mmap.mmap(file.fileno(), 0)

    def fail(self, function: str, error: int, first: int = 1, times: int = 1) -> None:
        """The first-th call from now on fails, and those after it, so many times."""
        self.clear()
        armed = FAULT.pack(function.encode(), error, first, times, 0, 0)
        disarmed = FAULT.pack(function.encode(), error, first, 0, 0, 0)
        self.map[FROZEN.size:FROZEN.size + FAULT.size] = disarmed
        self.map[FROZEN.size:FROZEN.size + FAULT.size] = armed

    def clear(self) -> None:
        """Nothing fails any more."""
        self.map[FROZEN.size:FROZEN.size + FAULT.size] = bytes(FAULT.size)

    def hits(self) -> int:
        """How often the fault has hit; to be asked before clear()."""
        end = FROZEN.size + FAULT.size
        return int(HITS.unpack(self.map[end - HITS.size:end])[0])

    def freeze(self, second: int) -> None:
        """The server's wall clock stays in that second; 0 sets it free."""
        self.map[:FROZEN.size] = FROZEN.pack(second)

    def close(self) -> None:
        self.map.close()


def start_again(server: Server) -> None:
    """Starts a server that has ended, at a port that nobody can have taken meanwhile."""
    server.port = 0
    server.start()


class ShimServer(Server):
    """A server whose calls fail as its board says."""

    def __init__(self, settings: Mapping[str, object] | None = None, workers: int = 4) -> None:
        super().__init__({"files.writable": True, "files.directory": "www/files",
                          "log.access": "off", "limits.max_requests": 1000000000,
                          **(settings or {})}, workers)
        self.board = Board(self.folder / "board")

    def command(self) -> list[str]:
        sanitizer = os.environ.get("ASAN_OPTIONS", "") + ":verify_asan_link_order=0"
        return ["env", f"LD_PRELOAD={MODULE}", f"TARN_FAULTS_BOARD={self.board.path}",
                f"ASAN_OPTIONS={sanitizer.lstrip(':')}", *super().command()]

    def destroy(self) -> None:
        super().destroy()
        self.board.close()
