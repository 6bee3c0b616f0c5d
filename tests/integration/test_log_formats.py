"""Goal: the logs in each format that they can have, what refuses a wrong one, and logs whose disk is
full or whose reader does not read: they cost lines and never a request."""

from __future__ import annotations

import fcntl
import json
import os
import random
import re
import signal
import time
import unittest
from datetime import datetime, timezone
from pathlib import Path

from tarn import EXECUTABLE, Server, ServerTestCase, eventually, needs, request_bytes, run

GET = request_bytes("GET", "/")
SLOW_BYTES = 20_000_000  # more than the kernel takes


def lines_of(server: Server, count: int) -> list[bytes]:
    """The access log, when it has so many lines."""
    eventually(lambda: server.access_log().count(b"\n") >= count, f"{count} lines")
    lines = server.access_log().splitlines()
    if len(lines) != count:
        raise AssertionError(f"{len(lines)} lines and not {count}")
    return lines


class FormatStringTest(ServerTestCase):

    settings = {"log.format": "%a %A %p %m %U%q %H %>s %b %k %X %{Host}i %{session}C %D %Q "
                              "%{%Y}t [%{Referer}i]"}

    def test_values_are_those_of_the_request(self) -> None:
        fields = {"Cookie": "a=b; session=s1", "Referer": "http://a/"}
        with self.server.connect() as connection:
            for _ in range(3):
                connection.exchange(request_bytes("GET", "/?x=1", fields))
            connection.exchange(request_bytes("HEAD", "/", {"Connection": "close"}), "HEAD")
        with self.server.connect() as connection:
            connection.exchange(b"BAD LINE\r\n\r\n")
        port, year = self.server.port, datetime.now().year
        times = rf"\d+ \d+ {year}"
        wanted = [
            *(rf"127\.0\.0\.1 127\.0\.0\.1 {port} GET /\?x=1 HTTP/1\.1 200 36 {number} \+ "
              rf"127\.0\.0\.1:{port} s1 {times} \[http://a/\]" for number in range(3)),
            rf"127\.0\.0\.1 127\.0\.0\.1 {port} HEAD / HTTP/1\.1 200 - 3 - "
            rf"127\.0\.0\.1:{port} - {times} \[-\]",
            rf"127\.0\.0\.1 127\.0\.0\.1 {port} - - - 400 \d+ 0 - - - {times} \[-\]",
        ]
        lines = lines_of(self.server, 5)
        for pattern in wanted:
            self.assertTrue(any(re.fullmatch(pattern.encode(), line) for line in lines),
                            (pattern, lines))


class SeedFormatTest(ServerTestCase):
    """The two that server.conf has ready."""

    settings = {"log.format": "%a %t %m %U %H %>s %b %{Referer}i %{User-Agent}i",
                "log.error_format": "[%t] [%m:%l] [pid %P:tid %T] [%a] [%M]"}

    def test_lines_have_their_form(self) -> None:
        text = (Path(__file__).parents[2] / "server.conf").read_text()
        for value in self.settings.values():
            self.assertIn(f'format = "{value}";', text)
        self.server.get("/", {"User-Agent": "probe/1"})
        self.assertRegex(lines_of(self.server, 1)[0],
                         rb"^127\.0\.0\.1 \[\d\d/\w{3}/\d{4}:\d\d:\d\d:\d\d [+-]\d{4}\] GET / HTTP/1\.1 "
                         rb"200 36 - probe/1$")
        self.server.signal(signal.SIGUSR2)
        pid = self.server.running.pid
        self.server.wait_for_error(rf"\[20\S+Z\] \[core:info\] \[pid {pid}:tid {pid}\] \[-\] "
                                   r"\[snapshot: worker 0 waits\]\n")


class JsonTest(ServerTestCase):

    settings = {"log.format": "json", "limits.max_requests": 100000}

    def setUp(self) -> None:
        self.before = self.server.access_log().count(b"\n")

    def new_lines(self, count: int) -> list[dict[str, object]]:
        return [json.loads(line) for line in lines_of(self.server, self.before + count)[self.before:]]

    def test_members_are_those_of_the_request(self) -> None:
        began = time.time()
        self.server.get("/?x=\x7e", {"User-Agent": 'a"b\\c', "Referer": "caf\u00e9"})
        line = self.new_lines(1)[0]
        logged = datetime.fromisoformat(str(line.pop("time")))
        self.assertEqual(logged.tzinfo, timezone.utc)
        self.assertLess(abs(logged.timestamp() - began), 60)
        for name in ("duration_us", "queue_wait_us"):
            self.assertGreaterEqual(int(str(line.pop(name))), 0)
        self.assertEqual(line, {
            "client": "127.0.0.1", "request": "GET /?x=~ HTTP/1.1", "method": "GET", "path": "/",
            "query": "x=~", "version": "HTTP/1.1", "host": f"127.0.0.1:{self.server.port}",
            "status": 200, "bytes": 36, "referer": "caf\u00e9", "user_agent": 'a"b\\c',
            "request_number": 1})

    def test_broken_request_is_the_next_of_its_connection(self) -> None:
        with self.server.connect() as connection:
            connection.exchange(GET)
            connection.exchange(b"GET /\xff HTTP/1.1\r\n\r\n")
        lines = sorted(self.new_lines(2), key=lambda line: str(line["request_number"]))
        self.assertEqual([line["request_number"] for line in lines], [1, 2])
        self.assertEqual((lines[1]["status"], lines[1]["request"]), (400, "GET /\u00ff HTTP/1.1"))

    def test_duration_lasts_until_the_last_byte(self) -> None:
        self.server.write("slow.png", size=SLOW_BYTES)
        with self.server.connect() as connection:
            connection.send(request_bytes("GET", "/slow.png"))
            connection.read_head()
            time.sleep(1)  # what is tested is that this time shows
            connection.read_exactly(SLOW_BYTES)
        line = self.new_lines(1)[0]
        self.assertGreaterEqual(int(str(line["duration_us"])), 1_000_000)
        self.assertEqual(line["bytes"], SLOW_BYTES)

    def test_hostile_bytes_give_one_object_a_line(self) -> None:
        """By chance, from a fixed seed; whatever the server answers."""
        chance = random.Random(20260301)  # the seed
        pieces = [bytes([octet]) for octet in range(256)] + [
            b'"', b"\\", b"\r\n", b"\xc2\x9b", b"\xe2\x80\xa8", b"\xed\xa0\x80", b"\xc3\xa9", b" "]
        count = 2000
        for _ in range(count):
            def some(most: int) -> bytes:
                return b"".join(chance.choices(pieces, k=chance.randrange(most)))
            with self.server.connect() as connection:
                connection.send(b"GET /" + some(8) + b" HTTP/1.1\r\n<H>\r\nConnection: close\r\n"
                                b"User-Agent: " + some(12) + b"\r\nReferer: " + some(12) + b"\r\n\r\n")
                connection.half_close()
                connection.read_rest()
        for line in self.new_lines(count):
            self.assertEqual(line["client"], "127.0.0.1")


class WrongFormatTest(unittest.TestCase):

    def test_wrong_format_is_told_with_its_place(self) -> None:
        rows = (
            ("log.format", "%h %y", "not \"%h %y\" (unknown directive, byte 4)"),
            ("log.format", "%{Referer", "not \"%{Referer\" ('{' without '}', byte 1)"),
            ("log.format", "combinde", "not \"combinde\" (no directive, byte 1)"),
            ("log.error_format", "[%t]", "must be a format string with %M, not \"[%t]\" (no %M, byte 1)"),
            ("log.error_format", "%r %M", "not \"%r %M\" (unknown directive, byte 1)"),
        )
        for key, value, message in rows:
            server = Server({key: value})
            self.addCleanup(server.destroy)
            done = run(*server.command())
            self.assertEqual(done.returncode, 78, done)
            self.assertRegex(done.stderr.decode(), rf"^\S+/server\.conf:\d+: {re.escape(key)}: must be ")
            self.assertIn(message, done.stderr.decode())


class FullDiskTest(ServerTestCase):

    settings = {"log.access": "/dev/full", "log.error": "/dev/full"}

    @classmethod
    def setUpClass(cls) -> None:
        if not os.path.exists("/dev/full"):
            raise unittest.SkipTest("there is no /dev/full")
        super().setUpClass()

    def test_requests_are_answered(self) -> None:
        with self.server.connect() as connection:
            for _ in range(50):
                self.assertEqual(connection.exchange(GET).status, 200)
                self.server.signal(signal.SIGUSR2)
        self.assert_serves()


class FullAccessLogTest(ServerTestCase):

    settings = {"log.access": "/dev/full"}

    def test_lost_lines_are_told(self) -> None:
        self.assert_serves()
        self.server.wait_for_error(r"\[warn\] .*access log: 1 lines dropped: No space left on device")
        self.server.signal(signal.SIGUSR2)
        self.server.wait_for_error(r"snapshot: queue .* log lines dropped 1\n")


class BlockedPipeTest(unittest.TestCase):
    """A named pipe that is open for reading, and nobody reads."""

    def start(self, key: str) -> tuple[Server, int]:
        server = Server({key: "pipe", "limits.head_bytes": 16384, "limits.max_requests": 1000000})
        self.addCleanup(server.destroy)
        os.mkfifo(server.folder / "pipe")
        reader = os.open(server.folder / "pipe", os.O_RDONLY | os.O_NONBLOCK)
        self.addCleanup(os.close, reader)
        fcntl.fcntl(reader, fcntl.F_SETPIPE_SZ, 4096)
        return server, reader

    def test_access_log_drops_and_counts_lines(self) -> None:
        server, reader = self.start("log.access")
        server.start()
        long_request = request_bytes("GET", "/", {"User-Agent": "x" * 8000, "Referer": "y" * 6000})
        with server.connect() as connection:
            while "lines dropped, its sink is too slow" not in server.error_text:
                self.assertEqual(connection.exchange(long_request).status, 200)
        server.finish()
        self.assertRegex(os.read(reader, 65536), rb"^127\.0\.0\.1 - - ")

    def test_error_log_loses_lines_and_says_so(self) -> None:
        server, reader = self.start("log.error")
        server.start()
        for _ in range(60):  # five lines each
            server.signal(signal.SIGUSR2)
            self.assertEqual(server.get("/").status, 200)
        read = b""

        def says_so() -> bool:
            nonlocal read
            server.signal(signal.SIGUSR2)
            try:
                read += os.read(reader, 65536)
            except BlockingIOError:
                pass
            return b"lines of this log were lost here" in read

        eventually(says_so, "a line that tells of the lost ones")
        server.finish()


class SnapshotIntervalTest(ServerTestCase):

    settings = {"log.snapshot_interval": 1}

    def test_snapshots_come_by_themselves(self) -> None:
        eventually(lambda: self.server.error_text.count("snapshot: worker 3 ") >= 2, "two snapshots")
        self.assert_serves()


@needs("goaccess")
class GoaccessTest(ServerTestCase):

    def test_combined_log_is_read(self) -> None:
        agents = ("Mozilla/5.0 (X11; Linux x86_64) Firefox/120.0", 'a "quoted" one', "\u00e9\u00ff\\")
        count = 0
        for agent in agents:
            for target in ("/", "/?q=a b".replace(" ", "+"), "/missing", "/a%22b"):
                self.server.get(target, {"User-Agent": agent, "Referer": "http://a/?\"x\""})
                count += 1
        lines_of(self.server, count)
        report = self.server.folder / "report.json"
        done = run("goaccess", "--no-global-config", "--log-format=COMBINED", "--output", str(report),
                   str(self.server.folder / "access.log"))
        self.assertEqual(done.returncode, 0, done)
        general = json.loads(report.read_text())["general"]
        self.assertEqual((general["total_requests"], general["valid_requests"],
                          general["failed_requests"]), (count, count, 0), general)


if __name__ == "__main__":
    unittest.main()
