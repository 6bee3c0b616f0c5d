"""Goal: clients that ask for much, vanish at any point, or never speak cost what they are worth:
bounded memory, no worker, no descriptor."""

from __future__ import annotations

import os
import unittest
from pathlib import Path

from tarn import SANITIZED, Connection, ServerTestCase, eventually, request_bytes

GET = request_bytes("GET", "/")
SANITIZED_FACTOR = 40  # how much slower the sanitizers' builds may be
FILE_BYTES = 1500
LARGE = 200_000_000
STATUSES = (200, 206, 304, 403, 404, 412, 416, 417)


class MemoryTest(ServerTestCase):
    """What clients do not read is not kept for them."""

    @classmethod
    def prepare(cls) -> None:
        cls.server.write("large.png", size=LARGE)
        cls.server.write("page.html", b"x" * 4000)

    def resident_kb(self) -> int:
        status = Path(f"/proc/{self.server.running.pid}/status").read_text(encoding="ascii")
        return int(status.partition("VmRSS:")[2].split()[0])

    def flood(self, connection: Connection, data: bytes) -> None:
        """Sends until the server takes no more."""
        connection.socket.setblocking(False)
        try:
            while data:
                data = data[connection.socket.send(data):]
        except BlockingIOError:
            pass

    def test_pipelines_that_are_not_read_are_bounded(self) -> None:
        pipelines = {"/large.png": 1000, "/page.html": 1000, "/": 10000}
        self.assertEqual(self.server.get("/page.html").status, 200)
        before = self.resident_kb()
        for target, count in pipelines.items():
            data = self.server.expand(request_bytes("GET", target)) * count
            for _ in range(30):
                connection = self.server.connect(receive_buffer=4096)
                self.addCleanup(connection.close)
                self.flood(connection, data)
        self.assert_serves()
        if not SANITIZED:  # whose own memory grows with what is touched
            self.assertLess(self.resident_kb() - before, 90 * 64)  # 64 KB for each


class ResetTest(ServerTestCase):
    """A client that crashes, at each byte."""

    @classmethod
    def prepare(cls) -> None:
        cls.server.write("file.html", b"x" * FILE_BYTES)

    def test_reset_at_each_byte_of_the_answer(self) -> None:
        request = self.server.expand(request_bytes("GET", "/file.html"))
        with self.server.connect() as connection:
            response = connection.exchange(request)
        for count in range(len(response.head) + FILE_BYTES + 1):
            connection = self.server.connect()
            connection.send(request)
            connection.read_exactly(count)
            connection.reset()
        self.server.wait_for_connections(0)
        self.assert_serves()

    def test_reset_at_each_byte_of_a_chunked_upload(self) -> None:
        data = self.server.expand(request_bytes("POST", "/upload", {
            "Content-Type": "application/json", "Transfer-Encoding": "chunked"}))
        data += b"2;a=b\r\n[1\r\n3\r\n,2]\r\n0\r\nA: b\r\n\r"
        before = self.server.stored()
        for count in range(len(data) + 1):
            connection = self.server.connect()
            connection.send(data[:count])
            connection.reset()
        self.server.wait_for_connections(0)
        self.assertEqual(self.server.stored(), before)
        self.assert_serves()

    def test_client_that_went_away_is_logged_as_499(self) -> None:
        connection = self.server.connect()
        connection.send(request_bytes("POST", "/upload", {
            "Content-Type": "application/json", "Content-Length": "9"}, b"[1,"))
        self.server.wait_for_connections(1)
        connection.reset()
        self.server.wait_for_access(rb'"POST /upload HTTP/1\.1" 499 ')


class WorkTest(ServerTestCase):
    """Heads that are made to be expensive, by the CPU time that they take: linear, so next to
    nothing."""

    settings = {"limits.head_bytes": 32768, "limits.max_requests": 100000}
    COUNT = 200
    SECONDS = 0.001  # for each

    @classmethod
    def prepare(cls) -> None:
        cls.server.write("file.png", b"x" * FILE_BYTES)

    def cpu_seconds(self) -> float:
        stat = Path(f"/proc/{self.server.running.pid}/stat").read_text(encoding="ascii")
        fields = stat.rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def check(self, label: str, data: bytes) -> None:
        with self.subTest(label), self.server.connect() as connection:
            data = self.server.expand(data)
            before = self.cpu_seconds()
            for _ in range(self.COUNT):
                self.assertIn(connection.exchange(data).status, STATUSES)
            spent = self.cpu_seconds() - before
            self.assertLess(spent, self.COUNT * self.SECONDS * SANITIZED_FACTOR)

    def test_long_lists_are_cheap(self) -> None:
        for field, prefix in (("Range", "bytes="), ("If-None-Match", ""), ("If-Match", '"a"'),
                              ("Connection", ""), ("Accept", ""), ("Cookie", ""), ("Expect", "")):
            for filling in (",", '"', ";", "a,", '"a",', "0-0,", "0-,", "a=b;", "*/*;q=0.1,"):
                if field in ("If-Match", "Expect") and filling != ",":
                    continue
                value = prefix + filling * (16384 // len(filling))
                self.check(f"{field}: {filling}", request_bytes("GET", "/file.png", {field: value}))

    def test_long_targets_are_cheap(self) -> None:
        for filling in ("../", "./", "//", "%2e%2e/", "a/", "%41", "a/../"):
            target = "/" + filling * (8000 // len(filling))
            self.check(filling, request_bytes("GET", target))
        self.check("query", request_bytes("GET", "/?" + "a=b&" * 4000))


class SilentTest(ServerTestCase):
    """Thousands that connect and say nothing."""

    settings = {"limits.idle_timeout": 3}
    COUNT = 2000

    def test_they_are_parked_and_closed(self) -> None:
        connections = []
        for _ in range(self.COUNT):
            connection = self.server.connect()
            self.addCleanup(connection.close)
            connections.append(connection)
        for _ in range(20):
            self.assert_serves()
        for connection in connections:
            self.assertEqual(connection.read_rest(), b"")
        self.server.wait_for_connections(0)

    def thread_states(self) -> set[str]:
        stats = Path(f"/proc/{self.server.running.pid}/task").glob("*/stat")
        return {stat.read_text(encoding="ascii").rpartition(")")[2].split()[0] for stat in stats}

    def test_nobody_works_for_them(self) -> None:
        connections = [self.server.connect() for _ in range(100)]
        for connection in connections:
            self.addCleanup(connection.close)
        self.server.wait_for_connections(100)
        eventually(lambda: self.thread_states() == {"S"}, "all threads sleep")


if __name__ == "__main__":
    unittest.main()
