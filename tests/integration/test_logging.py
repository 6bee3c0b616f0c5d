"""Goal: one line a request in the access log, whatever bytes it held."""

from __future__ import annotations

import re
import time
import unittest
from datetime import datetime

from tarn import ServerTestCase, eventually, request_bytes

LOG_TIME = "%d/%b/%Y:%H:%M:%S %z"
SLOW_BYTES = 20_000_000  # more than the kernel takes

COMBINED = re.compile(
    rb'^127\.0\.0\.1 - - \[(?P<time>\d\d/\w{3}/\d{4}:\d\d:\d\d:\d\d [+-]\d{4})\] '
    rb'"(?P<line>[^"]*)" (?P<status>\d{3}) (?P<bytes>\d+|-) "(?P<referer>[^"]*)" "(?P<agent>[^"]*)"$')


class AccessLogTest(ServerTestCase):

    def line_for(self, marker: bytes) -> re.Match[bytes]:
        """The one line that holds the marker, taken apart."""
        self.server.wait_for_access(marker)
        lines = [line for line in self.server.access_log().split(b"\n") if marker in line]
        self.assertEqual(len(lines), 1, lines)
        match = COMBINED.match(lines[0])
        assert match is not None, lines[0]
        return match

    def test_line_is_combined(self) -> None:
        response = self.server.get("/?combined", {"Referer": "http://a/b", "User-Agent": "probe/1"})
        line = self.line_for(b"combined")
        self.assertEqual(line["line"], b"GET /?combined HTTP/1.1")
        self.assertEqual(line["status"], b"200")
        self.assertEqual(line["bytes"], str(len(response.body)).encode())
        self.assertEqual((line["referer"], line["agent"]), (b"http://a/b", b"probe/1"))

    def test_missing_fields_are_dashes(self) -> None:
        self.server.request("HEAD", "/?missing-fields")
        line = self.line_for(b"missing-fields")
        self.assertEqual((line["bytes"], line["referer"], line["agent"]), (b"-", b"-", b"-"))

    def test_errors_have_their_line(self) -> None:
        for target, status in (("/error-404", b"404"), ("/error-400/%", b"400"),
                               ("/error-403/../x", b"403")):
            self.server.get(target)
            self.assertEqual(self.line_for(target.encode())["status"], status)

    def test_each_request_of_a_connection_has_its_line(self) -> None:
        with self.server.connect() as connection:
            for number in range(1, 11):
                connection.exchange(request_bytes("GET", f"/?request-{number}-"))
        for number in range(1, 11):
            self.line_for(b"request-%d-" % number)

    def test_time_is_that_of_the_request(self) -> None:
        """And not that of the answer's end, which the client puts off for some seconds."""
        self.server.write("slow.png", size=SLOW_BYTES)
        with self.server.connect() as connection:
            began = time.time()
            connection.send(request_bytes("GET", "/slow.png"))
            connection.read_head()
            time.sleep(3)  # what is tested is that this time does not show
            connection.read_exactly(SLOW_BYTES)
        logged = datetime.strptime(self.line_for(b"slow.png")["time"].decode(), LOG_TIME)
        self.assertLess(abs(logged.timestamp() - began), 2)

    def test_hostile_bytes_are_escaped(self) -> None:
        agent = b'agent-hostile "quoted" back\\slash \xe9\xff\t'
        with self.server.connect() as connection:
            connection.send(b"GET /?hostile HTTP/1.1\r\n<H>\r\nUser-Agent: " + agent +
                            b"\r\nReferer: \xc2\x9b0m\r\n\r\n")
            self.assertEqual(connection.read_response().status, 200)
        line = self.line_for(b"agent-hostile")
        self.assertEqual(line["agent"],
                         rb"agent-hostile \x22quoted\x22 back\x5cslash \xe9\xff")
        self.assertEqual(line["referer"], rb"\xc2\x9b0m")

    def test_bad_request_lines_stay_on_one_line(self) -> None:
        for number, data in enumerate((b"\x1b]0;x\x07", b'"', b"\x7f\x80\xff", b"\x00")):
            marker = b"bad-line-%d" % number
            with self.server.connect() as connection:
                connection.send(b"GET /" + marker + data + b" HTTP/1.1\r\n<H>\r\n\r\n")
                self.assertEqual(connection.read_response().status, 400)
                connection.read_rest()
        # Whether a line that could not be parsed is logged as it came or as "-" is free.
        self.server.get("/?last")
        self.server.wait_for_access(b"last")
        for line in self.server.access_log().splitlines():
            self.assertTrue(COMBINED.match(line), line)
            self.assertRegex(line, rb"^[\x20-\x7e]*$")


class LogFileTest(ServerTestCase):

    settings = {"log.access": "requests.log", "log.error": "errors.log", "log.level": "debug"}

    def test_lines_go_to_the_files(self) -> None:
        self.server.get("/?to-the-file")
        log = self.server.folder / "requests.log"
        eventually(lambda: b"to-the-file" in log.read_bytes(), "the line in the file")
        self.assertEqual(self.server.access_log(), b"")
        self.assertTrue((self.server.folder / "errors.log").exists())
        for name in ("requests.log", "errors.log"):
            self.assertEqual((self.server.folder / name).stat().st_mode & 0o027, 0)


class LogOffTest(ServerTestCase):

    settings = {"log.access": "off"}

    def test_nothing_is_written(self) -> None:
        self.assert_serves()
        self.assertEqual(self.server.access_log(), b"")


if __name__ == "__main__":
    unittest.main()
