"""Goal: what the system refuses costs what cannot be had without it, and nothing else.

Calls of the system are made to fail by tests/faults/faults.c, which is built beside the tests.
"""

from __future__ import annotations

import errno
import os
import unittest
from pathlib import Path

from tarn import EXECUTABLE, Server, request_bytes

MODULE = Path(EXECUTABLE).resolve().parent / "tests" / "tarn_faults.so"

# What accept(2) may fail with for a connection that has gone meanwhile, and for the want of
# something.
LOST = ("ECONNABORTED", "EINTR", "EPROTO", "EPERM", "ENETDOWN", "EHOSTUNREACH", "ETIMEDOUT")
WANTING = ("EMFILE", "ENFILE", "ENOBUFS", "ENOMEM")


class FaultyServer(Server):
    """A server in which calls fail: (function, error, first call, how many)."""

    def __init__(self, faults: list[tuple[str, str, int, int]],
                 settings: dict[str, object] | None = None) -> None:
        super().__init__(settings, workers=2)
        self.faults = ";".join(f"{function} {getattr(errno, error)} {first} {count}"
                               for function, error, first, count in faults)

    def command(self) -> list[str]:
        sanitizer = os.environ.get("ASAN_OPTIONS", "") + ":verify_asan_link_order=0"
        return ["env", f"LD_PRELOAD={MODULE}", f"TARN_FAULTS={self.faults}",
                f"ASAN_OPTIONS={sanitizer.lstrip(':')}", *super().command()]


@unittest.skipUnless(MODULE.exists(), f"{MODULE} has not been built")
class FaultTest(unittest.TestCase):

    def start(self, faults: list[tuple[str, str, int, int]],
              settings: dict[str, object] | None = None) -> FaultyServer:
        server = FaultyServer(faults, settings)
        self.addCleanup(server.destroy)
        return server

    def assert_serves(self, server: Server, count: int = 10) -> None:
        for _ in range(count):
            self.assertEqual(server.get("/").status, 200)


class AcceptTest(FaultTest):

    def test_lost_connections_are_passed_over(self) -> None:
        for error in LOST:
            with self.subTest(error=error):
                server = self.start([("accept4", error, 1, 3), ("accept4", error, 8, 5)])
                server.start()
                self.assert_serves(server)
                server.finish()
                self.assertNotIn("saturated", server.error_text)

    def test_what_is_wanting_is_waited_for(self) -> None:
        for error in WANTING:
            with self.subTest(error=error):
                server = self.start([("accept4", error, 3, 4)])
                server.start()
                self.assert_serves(server)
                server.finish()
                self.assertIn("saturated", server.error_text)


class ThreadTest(FaultTest):

    def test_start_without_threads_fails_and_says_so(self) -> None:
        """The first thread fails, then the second, until all that are needed can be had."""
        for number in range(1, 20):
            server = self.start([("pthread_create", "EAGAIN", number, 1)])
            try:
                server.start()
            except AssertionError:
                self.assertEqual(server.wait(), 1)
                server.check_sanitizers()
                self.assertRegex(server.error_text, r"cannot .*: Resource temporarily unavailable")
            else:
                self.assert_serves(server)
                server.finish()
                self.assertGreater(number, 3, "two workers and the listener at least")
                return
        self.fail("it never starts")


class ReadTest(FaultTest):
    """The disk fails in the middle of a file: a short answer and the end, never a false one."""

    SIZE = 100_000

    def check(self, function: str, first: int, settings: dict[str, object]) -> None:
        server = self.start([(function, "EIO", first, 1)], settings)
        server.write("file.png", b"x" * self.SIZE)
        server.start()
        with server.connect() as connection:
            connection.send(request_bytes("GET", "/file.png") + request_bytes("GET", "/"))
            answer = connection.read_rest()  # nothing at all where the first read fails
            if answer:
                head, _, body = answer.partition(b"\r\n\r\n")
                self.assertTrue(head.startswith(b"HTTP/1.1 200 OK\r\n"))
                self.assertIn(b"\r\nContent-Length: %d\r\n" % self.SIZE, head)
                self.assertEqual(body, b"x" * len(body))
                self.assertLess(len(body), self.SIZE)
        self.assert_serves(server)
        server.finish()
        complaints = [line for line in server.error_text.splitlines() if "[error]" in line]
        self.assertEqual(len(complaints), 1, server.error_text)

    def test_failing_read_ends_short(self) -> None:
        for first in (1, 2, 5, 12):
            with self.subTest(first=first):
                self.check("pread", first, {"stream.sendfile": False})

    def test_failing_sendfile_ends_short(self) -> None:
        self.check("sendfile", 1, {})

    def test_file_that_sendfile_cannot_read_is_copied(self) -> None:
        server = self.start([("sendfile", "EINVAL", 1, 1)])
        server.write("file.png", b"x" * self.SIZE)
        server.start()
        self.assertEqual(server.get("/file.png").body, b"x" * self.SIZE)
        server.finish()


if __name__ == "__main__":
    unittest.main()
