"""Goal: a client gets the bytes of a file that it asks for, and no others; what is no range that
can be served is ignored or refused as RFC 9110 section 14 says, however the request arrives."""

from __future__ import annotations

import os
import random
import unittest
from typing import Any

from representation import answers, fill_in, lasting, read_parts, write_old
from tarn import Response, ServerTestCase, request_bytes

SIZE = 1000
LARGE_SIZE = 300_000
HUGE_SIZE = 7 * 1024**3 + 7
TYPE = "application/octet-stream"

WHOLE = 200
NONE = 416
EXPECTED = list[tuple[int, int]] | int

# A Range field's value, and the parts of 1000 bytes; WHOLE if it is ignored, NONE for 416.
ROWS: list[tuple[bytes, EXPECTED]] = [
    (b"bytes=0-0", [(0, 0)]),
    (b"bytes=0-99", [(0, 99)]),
    (b"bytes=500-", [(500, 999)]),
    (b"bytes=0-", [(0, 999)]),
    (b"bytes=0-999", [(0, 999)]),
    (b"bytes=0-1000", [(0, 999)]),
    (b"bytes=999-", [(999, 999)]),
    (b"bytes=999-999", [(999, 999)]),
    (b"bytes=-1", [(999, 999)]),
    (b"bytes=-1000", [(0, 999)]),
    (b"bytes=-1001", [(0, 999)]),
    (b"bytes=007-0010", [(7, 10)]),
    (b"bytes=5-18446744073709551615", [(5, 999)]),
    (b"bytes=5-18446744073709551616", [(5, 999)]),
    (b"bytes=5-" + b"9" * 100, [(5, 999)]),
    (b"bytes=-9223372036854775808", [(0, 999)]),
    (b"bytes=-" + b"9" * 100, [(0, 999)]),
    (b"BYTES=0-1", [(0, 1)]),

    (b"bytes=0-0,-1", [(0, 0), (999, 999)]),
    (b"bytes=0-1,2-3", [(0, 1), (2, 3)]),
    (b"bytes=0-9, 20-29 ,\t300-", [(0, 9), (20, 29), (300, 999)]),
    (b"bytes=,0-1,,5-6,", [(0, 1), (5, 6)]),
    (b"bytes=0-1,10-11,20-21,-1", [(0, 1), (10, 11), (20, 21), (999, 999)]),
    (b"bytes=0-1,1000-1001", [(0, 1)]),
    (b"bytes=-0,1000-,3-4", [(3, 4)]),
    (b"bytes=2-3,1000-,5-6,-0", [(2, 3), (5, 6)]),

    (b"bytes=0-1,10-11,20-21,30-31,40-41", WHOLE),
    (b"bytes=0-,5-0,5-1", WHOLE),
    (b"bytes=0-10,10-20", WHOLE),
    (b"bytes=0-10,0-10", WHOLE),
    (b"bytes=10-20,0-5", WHOLE),
    (b"bytes=-1,0-0", WHOLE),
    (b"bytes=0-,-1", WHOLE),
    (b"bytes=900-,-50", WHOLE),

    (b"bytes=1000-", NONE),
    (b"bytes=1000-2000", NONE),
    (b"bytes=-0", NONE),
    (b"bytes=1000-,2000-,-0", NONE),
    (b"bytes=18446744073709551615-", NONE),
    (b"bytes=18446744073709551616-", NONE),
    (b"bytes=18446744073709551614-18446744073709551615", NONE),

    (b"", WHOLE),
    (b"bytes", WHOLE),
    (b"bytes=", WHOLE),
    (b"bytes=,", WHOLE),
    (b"bytes=-", WHOLE),
    (b"bytes=abc", WHOLE),
    (b"abc", WHOLE),
    (b"bytes=5", WHOLE),
    (b"bytes=9-5", WHOLE),
    (b"bytes=1001-1000", WHOLE),
    (b"bytes=0-0,9-5", WHOLE),
    (b"bytes=0-0,x", WHOLE),
    (b"bytes=--1", WHOLE),
    (b"bytes=1--2", WHOLE),
    (b"bytes=1-2-3", WHOLE),
    (b"bytes=+1-2", WHOLE),
    (b"bytes=0x0-0x1", WHOLE),
    (b"bytes=0 - 1", WHOLE),
    (b"bytes=0-1;2-3", WHOLE),
    (b"bytes=\"0-1\"", WHOLE),
    (b"bytes= 0-1", WHOLE),
    (b"bytes =0-1", WHOLE),
    (b"bytes:0-1", WHOLE),
    (b"bytes 0-1/1000", WHOLE),
    (b"byte=0-1", WHOLE),
    (b"items=0-1", WHOLE),
    (b"none", WHOLE),
    (b"bytes=\xb2-\xb3", WHOLE),
]

# Long ones, that nobody needs but to make work.
BOMBS: list[tuple[str, bytes, EXPECTED]] = [
    ("1300 ranges", b"bytes=0-" + b"".join(b",5-%d" % i for i in range(1300)), WHOLE),
    ("1000 bytes in the wrong order", b"bytes=" + b",".join(b"%d-%d" % (i, i)
                                                            for i in range(800, 0, -1)), WHOLE),
    ("commas only", b"bytes=" + b"," * 8000, WHOLE),
    ("commas and a range", b"bytes=" + b"," * 7900 + b"0-1", [(0, 1)]),
    ("7000 digits", b"bytes=0-" + b"1" * 7000, [(0, 999)]),
    ("zeros in front", b"bytes=" + b"0" * 7000 + b"-1", [(0, 1)]),
]

# Lines besides `Range: bytes=1-2`, and whether the range is served.
IF_RANGE_ROWS: list[tuple[str, bytes, bool]] = [
    ("the tag", b"If-Range: <TAG>", True),
    ("another tag", b'If-Range: "x"', False),
    ("the tag, but weak", b"If-Range: W/<TAG>", False),
    ("the tag without quotes", b"If-Range: x", False),
    ("a list", b'If-Range: <TAG>, "x"', False),
    ("any", b"If-Range: *", False),
    ("nothing", b"If-Range:", False),
    ("two fields", b"If-Range: <TAG>\r\nIf-Range: <TAG>", False),
    ("the date", b"If-Range: <DATE>", True),
    ("the date as in RFC 850", b"If-Range: <DATE850>", True),
    ("the date as of asctime", b"If-Range: <DATEASC>", True),
    ("an earlier date", b"If-Range: <BEFORE>", False),
    ("a later date", b"If-Range: <AFTER>", False),
    ("year 9999", b"If-Range: Fri, 31 Dec 9999 23:59:59 GMT", False),
    ("no date", b"If-Range: yesterday", False),
    ("with a precondition that holds", b"If-Match: <TAG>\r\nIf-Range: <TAG>", True),
]

# Lines besides `Range: bytes=1-2` that decide before it.
PRECONDITION_ROWS = [
    (b"If-None-Match: <TAG>", 304),
    (b"If-Modified-Since: <DATE>", 304),
    (b'If-Match: "x"', 412),
    (b"If-Unmodified-Since: <BEFORE>", 412),
    (b"If-Match: <TAG>", 206),
    (b'If-None-Match: "x"', 206),
    (b"If-Modified-Since: <BEFORE>", 206),
    (b"If-Unmodified-Since: <DATE>", 206),
]


def ranged(value: bytes, lines: bytes = b"", target: bytes = b"/file.bin",
           method: bytes = b"GET") -> bytes:
    """A request with a Range field and further lines."""
    lines = lines + b"\r\n" if lines else b""
    return (method + b" " + target + b" HTTP/1.1\r\n<H>\r\nRange: " + value + b"\r\n" + lines
            + b"\r\n")


class RangeTest(ServerTestCase):

    content: bytes
    large: bytes

    @classmethod
    def prepare(cls) -> None:
        cls.content = random.Random(1).randbytes(SIZE - 8) + b"\r\n--\r\n\r\n"
        cls.large = random.Random(2).randbytes(LARGE_SIZE)
        write_old(cls.server, "file.bin", cls.content)
        write_old(cls.server, "large.bin", cls.large)
        write_old(cls.server, "empty.bin")
        write_old(cls.server, "page.html", cls.content)

    def check(self, response: Response, expected: EXPECTED, content: bytes,
              media_type: str = TYPE) -> None:
        """The answer to a GET has what is expected of that content."""
        if expected == WHOLE:
            self.assertEqual(response.status, 200)
            self.assertEqual(response.values("Content-Range"), [])
            self.assertTrue(response.body == content)
        elif expected == NONE:
            self.assertEqual(response.status, 416)
            self.assertEqual(response.value("Content-Range"), f"bytes */{len(content)}")
        else:
            assert isinstance(expected, list)
            self.assertEqual(response.status, 206)
            wanted = [((first, last, len(content)), content[first:last + 1])
                      for first, last in expected]
            self.assertTrue(read_parts(response, media_type) == wanted, response.head)
        if expected != NONE:
            self.assertEqual(response.value("Accept-Ranges"), "bytes")
            for name in ("ETag", "Last-Modified", "Cache-Control"):
                response.value(name)

    def check_every_way(self, data: bytes, expected: EXPECTED, everywhere: bool = True) -> None:
        """The answer is the same however the request comes."""
        first: Response | None = None
        for response in answers(self.server, self.server.expand(data), "GET", everywhere):
            self.check(response, expected, self.content)
            first = first or response
            self.assertEqual(lasting(response), lasting(first))

    def test_rows(self) -> None:
        for value, expected in ROWS:
            with self.subTest(value):
                self.check_every_way(ranged(value), expected)
        self.assert_serves()

    def test_bombs(self) -> None:
        for label, value, expected in BOMBS:
            with self.subTest(label):
                self.check_every_way(ranged(value), expected, False)
        self.assert_serves()

    def test_if_range(self) -> None:
        for label, line, served in IF_RANGE_ROWS:
            with self.subTest(label):
                data = fill_in(self.server, ranged(b"bytes=1-2", line), "/file.bin")
                self.check_every_way(data, [(1, 2)] if served else WHOLE)

    def test_if_range_that_fails_makes_no_416(self) -> None:
        for line, expected in ((b'If-Range: "x"', WHOLE), (b"If-Range: <TAG>", NONE)):
            data = fill_in(self.server, ranged(b"bytes=5000-", line), "/file.bin")
            self.check_every_way(data, expected)

    def test_if_range_without_range_means_nothing(self) -> None:
        response = self.server.get("/file.bin", {"If-Range": '"x"'})
        self.check(response, WHOLE, self.content)

    def test_date_of_this_second_is_no_strong_validator(self) -> None:
        write_old(self.server, "future.bin", self.content, modified=4e9)
        date = self.server.get("/future.bin").value("Last-Modified")
        response = self.server.get("/future.bin", {"Range": "bytes=1-2", "If-Range": date})
        self.check(response, WHOLE, self.content)

    def test_preconditions_come_first(self) -> None:
        for line, status in PRECONDITION_ROWS:
            for value in (b"bytes=1-2", b"bytes=5000-"):
                with self.subTest(line=line, value=value), self.server.connect() as connection:
                    data = fill_in(self.server, ranged(value, line), "/file.bin")
                    expected = 416 if (status, value) == (206, b"bytes=5000-") else status
                    self.assertEqual(connection.exchange(data).status, expected)

    def test_two_range_fields_are_ignored(self) -> None:
        data = ranged(b"bytes=0-1", b"Range: bytes=0-1")
        self.check_every_way(data, WHOLE)

    def test_head_has_the_fields_of_the_whole(self) -> None:
        whole = self.server.request("HEAD", "/file.bin")
        for value in ("bytes=1-2", "bytes=1-2,4-5", "bytes=5000-", "x"):
            response = self.server.request("HEAD", "/file.bin", {"Range": value})
            self.assertEqual((response.status, response.value("Content-Length")), (200, "1000"))
            self.assertEqual(lasting(response), lasting(whole))

    def test_other_methods_do_not_know_ranges(self) -> None:
        for method, status in (("POST", 405), ("PUT", 405), ("DELETE", 405), ("OPTIONS", 204)):
            response = self.server.request(method, "/file.bin", {"Range": "bytes=1-2"})
            self.assertEqual(response.status, status)
            self.assertEqual(response.values("Content-Range"), [])
        stored = self.server.post_json(b"[1,2]", {"Range": "bytes=1-2"})
        self.assertEqual(stored.status, 201)
        self.assertEqual(self.server.get(stored.value("Location")).body, b"[1,2]")

    def test_empty_file_has_no_ranges(self) -> None:
        for value, expected in (("bytes=0-", NONE), ("bytes=0-0", NONE), ("bytes=-1", NONE),
                                ("bytes=abc", WHOLE), ("bytes=0-1,x", WHOLE)):
            with self.subTest(value):
                self.check(self.server.get("/empty.bin", {"Range": value}), expected, b"")

    def test_generated_answers_have_no_ranges(self) -> None:
        for target in ("/echo/abcdef", "/user-agent", "/cookies", "/healthz"):
            response = self.server.get(target, {"Range": "bytes=1-2"})
            self.assertEqual(response.status, 200)
            self.assertEqual(response.values("Accept-Ranges"), [])
        self.assertEqual(self.server.get("/missing", {"Range": "bytes=1-2"}).status, 404)

    def test_parts_larger_than_a_chunk(self) -> None:
        for value, expected in (
                ("bytes=8191-", [(8191, LARGE_SIZE - 1)]),
                ("bytes=1-8192", [(1, 8192)]),
                ("bytes=10-100000,150000-250001", [(10, 100000), (150000, 250001)]),
                ("bytes=0-8191,8192-16383,-70000,", [(0, 8191), (8192, 16383),
                                                     (LARGE_SIZE - 70000, LARGE_SIZE - 1)])):
            with self.subTest(value):
                self.check(self.server.get("/large.bin", {"Range": value}), expected, self.large)

    def test_parts_of_a_page_have_its_type(self) -> None:
        media_type = "text/html; charset=utf-8"
        for value, expected in (("bytes=1-2", [(1, 2)]), ("bytes=1-2,4-5", [(1, 2), (4, 5)])):
            response = self.server.get("/page.html", {"Range": value})
            self.check(response, expected, self.content, media_type)

    def test_parts_of_a_download_keep_its_name(self) -> None:
        for value in ("bytes=1-2", "bytes=1-2,4-5"):
            response = self.server.get("/file.bin", {"Range": value})
            self.assertEqual(response.value("Content-Disposition"),
                             'attachment; filename="file.bin"')

    def test_parts_of_an_uploaded_document(self) -> None:
        document = b'{"a":[1,2,3]}'
        target = self.server.post_json(document).value("Location")
        response = self.server.get(target, {"Range": "bytes=1-3,-2"})
        self.check(response, [(1, 3), (11, 12)], document, "application/json")

    def test_boundary_is_another_each_time(self) -> None:
        types = {self.server.get("/file.bin", {"Range": "bytes=1-2,4-5"}).value("Content-Type")
                 for _ in range(20)}
        self.assertEqual(len(types), 20)

    def test_connection_goes_on(self) -> None:
        rows: list[tuple[bytes, EXPECTED]] = [
            (b"bytes=1-2", [(1, 2)]), (b"bytes=1-2,4-5", [(1, 2), (4, 5)]),
            (b"bytes=5000-", NONE), (b"x", WHOLE), (b"bytes=0-100,200-", [(0, 100), (200, 999)])]
        with self.server.connect() as connection:
            connection.send(b"".join(ranged(value) for value, _ in rows))
            for _, expected in rows:
                self.check(connection.read_response(), expected, self.content)
            self.assertEqual(connection.exchange(request_bytes("GET", "/")).status, 200)

    def test_small_windows_get_every_part(self) -> None:
        with self.server.connect(receive_buffer=4096) as connection:
            connection.send(ranged(b"bytes=0-149998,150000-", target=b"/large.bin"))
            response = connection.read_response()
            self.check(response, [(0, 149998), (150000, LARGE_SIZE - 1)], self.large)

    def test_file_that_shrinks_ends_short(self) -> None:
        path = self.server.write("shrinking.bin", b"", size=200_000_000)
        with self.server.connect() as connection:
            connection.send(ranged(b"bytes=0-99,1000-99999999", target=b"/shrinking.bin"))
            length = int(connection.read_head().value("Content-Length"))
            os.truncate(path, 1000)
            received = 0
            try:
                while connection.fill():
                    received += len(connection.take())
            except ConnectionResetError:
                pass
            self.assertLess(received, length)
        self.assert_serves()


class HugeFileTest(ServerTestCase):
    """Positions that 32 bits do not hold, in a sparse file with known bytes around them."""

    marks = (0, 2**31 - 4, 2**32 - 4, 2**32 + 2**31, HUGE_SIZE - 8)
    rows = [
        ("bytes=2147483645-2147483650", [(2**31 - 3, 2**31 + 2)]),
        ("bytes=4294967292-4294967299", [(2**32 - 4, 2**32 + 3)]),
        ("bytes=4294967296-4294967296", [(2**32, 2**32)]),
        ("bytes=-8", [(HUGE_SIZE - 8, HUGE_SIZE - 1)]),
        (f"bytes={HUGE_SIZE - 1}-", [(HUGE_SIZE - 1, HUGE_SIZE - 1)]),
        (f"bytes={HUGE_SIZE - 70000}-", [(HUGE_SIZE - 70000, HUGE_SIZE - 1)]),
        ("bytes=0-7,2147483644-2147483651,4294967290-4294967300,-5",
         [(0, 7), (2**31 - 4, 2**31 + 3), (2**32 - 6, 2**32 + 4), (HUGE_SIZE - 5, HUGE_SIZE - 1)]),
        (f"bytes={HUGE_SIZE}-", NONE),
    ]

    @classmethod
    def prepare(cls) -> None:
        path = cls.server.write("huge.bin", size=HUGE_SIZE)
        with open(path, "r+b") as file:
            for mark in cls.marks:
                file.seek(mark)
                file.write(b"%08x" % (mark & 0xFFFFFFFF))

    def bytes_of(self, first: int, last: int) -> bytes:
        with open(self.server.root / "huge.bin", "rb") as file:
            file.seek(first)
            return file.read(last - first + 1)

    def test_rows(self) -> None:
        for value, expected in self.rows:
            with self.subTest(value):
                response = self.server.get("/huge.bin", {"Range": value})
                if expected == NONE:
                    self.assertEqual(response.value("Content-Range"), f"bytes */{HUGE_SIZE}")
                    continue
                assert isinstance(expected, list)
                wanted = [((first, last, HUGE_SIZE), self.bytes_of(first, last))
                          for first, last in expected]
                self.assertTrue(read_parts(response, TYPE) == wanted)

    def test_length_of_a_part_beyond_4_gb(self) -> None:
        for value, length in (("bytes=1-", HUGE_SIZE - 1), ("bytes=-4294967297", 2**32 + 1)):
            with self.server.connect() as connection:
                connection.send(request_bytes("GET", "/huge.bin", {"Range": value}))
                response = connection.read_head()
                self.assertEqual((response.status, response.value("Content-Length")),
                                 (206, str(length)))


class RangeWithoutSendfileTest(RangeTest):
    """The same, where the server reads and sends the bytes itself, in small chunks."""

    settings: dict[str, Any] = {"stream.sendfile": False, "stream.chunk_bytes": 1024}


class HugeFileWithoutSendfileTest(HugeFileTest):

    settings = {"stream.sendfile": False}


if __name__ == "__main__":
    unittest.main()
