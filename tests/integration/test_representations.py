"""Goal: a client can tell one state of a file from another, and gets 304 and 412 exactly where
RFC 9110 section 13 says, however its request arrives. A change on disk shows at once."""

from __future__ import annotations

import os
import re
import time
import unittest
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import Callable

from representation import MODIFIED, answers, fill_in, http_date, lasting, write_old
from tarn import Response, Server, ServerTestCase, eventually, request_bytes

CONTENT = b"<!doctype html><title>A page</title>\n"
STRONG_TAG = re.compile(r'"[\x21\x23-\x7e]+"')
LATER = "Fri, 31 Dec 9999 23:59:59 GMT"

# Lines of a request, and the status of the answer to GET and to HEAD.
MATCH_ROWS: list[tuple[bytes, int]] = [
    (b"If-Match: <TAG>", 200),
    (b"If-Match: *", 200),
    (b'If-Match: "x"', 412),
    (b"If-Match: W/<TAG>", 412),
    (b'If-Match: "x", <TAG>', 200),
    (b'If-Match: "x,y" ,, <TAG> ,', 200),
    (b'If-Match: "x"\r\nIf-Match: <TAG>', 200),
    (b'if-match: "\xfc", <TAG>', 200),
    (b"If-Match:", 412),
    (b"If-Match: x", 412),
    (b'If-Match: <TAG>, *', 412),
    (b'If-Match: <TAG> "x"', 412),
    (b"If-Match: w/<TAG>", 412),
    (b'If-Match: ""', 412),
]

UNMODIFIED_ROWS: list[tuple[bytes, int]] = [
    (b"If-Unmodified-Since: <DATE>", 200),
    (b"If-Unmodified-Since: <AFTER>", 200),
    (b"If-Unmodified-Since: <BEFORE>", 412),
    (b"If-Unmodified-Since: <DATE850>", 200),
    (b"If-Unmodified-Since: <BEFORE850>", 412),
    (b"If-Unmodified-Since: <DATEASC>", 200),
    (b"If-Unmodified-Since: <BEFOREASC>", 412),
    (b"If-Unmodified-Since: Fri, 31 Dec 9999 23:59:59 GMT", 200),
    (b"If-Unmodified-Since: Mon, 01 Jan 1900 00:00:00 GMT", 412),
    (b"If-Unmodified-Since: never", 200),
    (b"If-Unmodified-Since: <BEFORE>, <BEFORE>", 200),
    (b"If-Unmodified-Since: <BEFORE>\r\nIf-Unmodified-Since: <BEFORE>", 200),
]

NONE_MATCH_ROWS: list[tuple[bytes, int]] = [
    (b"If-None-Match: <TAG>", 304),
    (b"If-None-Match: W/<TAG>", 304),
    (b"If-None-Match: *", 304),
    (b'If-None-Match: "x"', 200),
    (b'If-None-Match: W/"x"', 200),
    (b'If-None-Match: "x", "y,z", <TAG>', 304),
    (b'If-None-Match: ,, "x" ,\t<TAG> ,', 304),
    (b'If-None-Match: "x"\r\nIf-None-Match: <TAG>', 304),
    (b'If-None-Match: "a\\", <TAG>', 304),
    (b"If-None-Match:", 200),
    (b"If-None-Match: x", 200),
    (b"If-None-Match: x, <TAG>", 304),
    (b'If-None-Match: <TAG>x', 200),
    (b'If-None-Match: "', 200),
]

MODIFIED_ROWS: list[tuple[bytes, int]] = [
    (b"If-Modified-Since: <DATE>", 304),
    (b"If-Modified-Since: <AFTER>", 304),
    (b"If-Modified-Since: <BEFORE>", 200),
    (b"If-Modified-Since: <DATE850>", 304),
    (b"If-Modified-Since: <BEFORE850>", 200),
    (b"If-Modified-Since: <DATEASC>", 304),
    (b"If-Modified-Since: <BEFOREASC>", 200),
    (b"If-Modified-Since: Fri, 31 Dec 9999 23:59:59 GMT", 304),
    (b"If-Modified-Since: Tue, 29 Feb 2000 23:59:60 GMT", 304),
    (b"If-Modified-Since: Mon, 01 Jan 1900 00:00:00 GMT", 200),
    (b"If-Modified-Since: <DATE>\r\nIf-Modified-Since: <DATE>", 200),
    (b"If-Modified-Since: <DATE>, <DATE>", 200),
    (b"If-Modified-Since: <DATE>; length=37", 200),
    (b"If-Modified-Since:", 200),
    (b"If-Modified-Since: 0", 200),
    (b"If-Modified-Since: 9999999999", 200),
    (b"If-Modified-Since: 2030-01-01T00:00:00Z", 200),
    (b"If-Modified-Since: Tue, 01 Jan 2030 00:00:00 UTC", 200),
    (b"If-Modified-Since: Tue, 01 Jan 2030 00:00:00 +0000", 200),
    (b"If-Modified-Since: Tue, 01 Jan 2030 00:00:00", 200),
    (b"If-Modified-Since: Tue, 1 Jan 2030 00:00:00 GMT", 200),
    (b"If-Modified-Since: Tue, 01 jan 2030 00:00:00 GMT", 200),
    (b"If-Modified-Since: Tue, 01 Jan 10000 00:00:00 GMT", 200),
    (b"If-Modified-Since: Tue, 32 Jan 2030 00:00:00 GMT", 200),
    (b"If-Modified-Since: Sat, 30 Feb 2030 00:00:00 GMT", 200),
    (b"If-Modified-Since: Thu, 29 Feb 2029 00:00:00 GMT", 200),
    (b"If-Modified-Since: Tue, 01 Jan 2030 24:00:00 GMT", 200),
    (b"If-Modified-Since: Tue, 01 Jan 2030 00:60:00 GMT", 200),
    (b"If-Modified-Since: Tue, 01 Jan 2030 00:00:61 GMT", 200),
    (b"If-Modified-Since: Tue, 01 Jan -030 00:00:00 GMT", 200),
    (b"If-Modified-Since: \xff", 200),
    (b"If-Modified-Since: " + b"9" * 300, 200),
]

# The order of section 13.2.2: the former of a pair decides, and switches the date beside it off.
ORDER_ROWS: list[tuple[bytes, int]] = [
    (b"If-Match: <TAG>\r\nIf-Unmodified-Since: <BEFORE>", 200),
    (b'If-Match: "x"\r\nIf-Unmodified-Since: <AFTER>', 412),
    (b'If-Match: "x"\r\nIf-None-Match: <TAG>', 412),
    (b"If-Match: <TAG>\r\nIf-None-Match: <TAG>", 304),
    (b'If-Match: <TAG>\r\nIf-None-Match: "x"', 200),
    (b"If-Match: *\r\nIf-None-Match: *", 304),
    (b'If-Match: "x"\r\nIf-Modified-Since: <DATE>', 412),
    (b"If-Match: <TAG>\r\nIf-Modified-Since: <DATE>", 304),
    (b"If-Unmodified-Since: <BEFORE>\r\nIf-None-Match: <TAG>", 412),
    (b"If-Unmodified-Since: <DATE>\r\nIf-None-Match: <TAG>", 304),
    (b"If-Unmodified-Since: <BEFORE>\r\nIf-Modified-Since: <DATE>", 412),
    (b"If-Unmodified-Since: <DATE>\r\nIf-Modified-Since: <DATE>", 304),
    (b"If-Unmodified-Since: <DATE>\r\nIf-Modified-Since: <BEFORE>", 200),
    (b"If-None-Match: <TAG>\r\nIf-Modified-Since: <BEFORE>", 304),
    (b'If-None-Match: "x"\r\nIf-Modified-Since: <AFTER>', 200),
    (b"If-None-Match: *\r\nIf-Modified-Since: <BEFORE>", 304),
    (b"If-None-Match: *\r\nIf-Modified-Since: never", 304),
    (b"If-None-Match:\r\nIf-Modified-Since: <DATE>", 200),
    (b"If-Modified-Since: <BEFORE>\r\nIf-Match: <TAG>\r\nIf-None-Match: W/<TAG>\r\n"
     b"If-Unmodified-Since: <BEFORE>", 304),
]

# Answers that preconditions do not change, since they are neither 2xx nor 412 without them.
OTHER_ANSWERS = [
    ("GET", "/missing", 404),
    ("GET", "/../x", 403),
    ("GET", "/folder", 301),
    ("GET", "/folder/", 403),
    ("POST", "/page.html", 405),
    ("PUT", "/page.html", 405),
    ("DELETE", "/page.html", 405),
    ("OPTIONS", "/page.html", 204),
]


class PreconditionTest(ServerTestCase):

    @classmethod
    def prepare(cls) -> None:
        write_old(cls.server, "page.html", CONTENT)
        (cls.server.root / "folder").mkdir()

    def check(self, response: Response, status: int, method: str) -> None:
        self.assertEqual(response.status, status)
        if status == 304:
            self.assertEqual(response.values("Content-Length"), [])
            self.assertEqual(response.values("Content-Type"), [])
        if status in (200, 304):
            self.assertRegex(response.value("ETag"), STRONG_TAG)
            self.assertEqual(response.value("Last-Modified"), http_date(MODIFIED))
            self.assertEqual(response.value("Cache-Control"), "no-cache")
        if status == 200:
            self.assertEqual(response.body, b"" if method == "HEAD" else CONTENT)

    def check_row(self, lines: bytes, status: int, method: str, everywhere: bool) -> None:
        """The same answer however the request comes; that each is followed by the next shows that
        no byte is left over."""
        data = method.encode() + b" /page.html HTTP/1.1\r\n<H>\r\n" + lines + b"\r\n\r\n"
        data = fill_in(self.server, data, "/page.html")
        first: Response | None = None
        for response in answers(self.server, data, method, everywhere):
            self.check(response, status, method)
            first = first or response
            self.assertEqual(lasting(response), lasting(first))

    def check_rows(self, rows: list[tuple[bytes, int]]) -> None:
        for lines, status in rows:
            for method in ("GET", "HEAD"):
                with self.subTest(lines, method=method):
                    self.check_row(lines, status, method, everywhere=method == "GET")
        self.assert_serves()

    def test_if_match(self) -> None:
        self.check_rows(MATCH_ROWS)

    def test_if_unmodified_since(self) -> None:
        self.check_rows(UNMODIFIED_ROWS)

    def test_if_none_match(self) -> None:
        self.check_rows(NONE_MATCH_ROWS)

    def test_if_modified_since(self) -> None:
        self.check_rows(MODIFIED_ROWS)

    def test_order(self) -> None:
        self.check_rows(ORDER_ROWS)

    def test_long_lists_are_read(self) -> None:
        tag = self.server.get("/page.html").value("ETag")
        for label, value in (("tags", '"x", ' * 1500), ("commas", "," * 7500),
                             ("weak tags", 'W/"",' * 1500)):
            for fields, status in (({"If-None-Match": value}, 200),
                                   ({"If-None-Match": value + tag}, 304),
                                   ({"If-Match": value}, 412), ({"If-Match": value + tag}, 200)):
                with self.subTest(label, status=status):
                    self.assertEqual(self.server.get("/page.html", fields).status, status)

    def test_other_answers_stay(self) -> None:
        for method, target, status in OTHER_ANSWERS:
            for fields in ({"If-Match": '"x"'}, {"If-None-Match": "*"}, {"If-Match": "*"},
                           {"If-Modified-Since": LATER},
                           {"If-Unmodified-Since": http_date(0)}):
                with self.subTest(method=method, target=target, fields=fields):
                    response = self.server.request(method, target, fields)
                    self.assertEqual(response.status, status)

    def test_304_of_a_download_has_no_fields_of_content(self) -> None:
        self.server.write("logo.png", b"logo")
        tag = self.server.get("/logo.png").value("ETag")
        response = self.server.get("/logo.png", {"If-None-Match": tag})
        self.assertEqual(response.status, 304)
        for name in ("Content-Length", "Content-Type", "Content-Range", "Transfer-Encoding"):
            self.assertEqual(response.values(name), [])

    def test_304_keeps_the_connection_and_has_no_body(self) -> None:
        tag = self.server.get("/page.html").value("ETag")
        data = request_bytes("GET", "/page.html", {"If-None-Match": tag})
        with self.server.connect() as connection:
            connection.send(data * 3 + request_bytes("GET", "/page.html"))
            for _ in range(3):
                self.assertEqual(connection.read_response().status, 304)
            self.assertEqual(connection.read_response().body, CONTENT)

    def test_304_in_http_1_0(self) -> None:
        tag = self.server.get("/page.html").value("ETag").encode()
        with self.server.connect() as connection:
            connection.send(b"GET /page.html HTTP/1.0\r\n<H>\r\nIf-None-Match: " + tag
                            + b"\r\n\r\n")
            self.assertEqual(connection.read_response().status, 304)
            self.assertEqual(connection.read_rest(), b"")

    def test_304_is_logged_without_bytes(self) -> None:
        self.server.get("/page.html?logged", {"If-None-Match": "*"})
        self.server.wait_for_access(rb'"GET /page.html\?logged HTTP/1.1" 304 (0|-) ')

    def test_uploaded_document_has_validators(self) -> None:
        target = self.server.post_json(b"{}").value("Location")
        tag = self.server.get(target).value("ETag")
        self.assertEqual(self.server.get(target, {"If-None-Match": tag}).status, 304)
        self.assertEqual(self.server.get(target, {"If-Match": '"x"'}).status, 412)
        self.assertEqual(self.server.get(target, {"If-Modified-Since": LATER}).status, 304)

    def test_expectation_and_precondition(self) -> None:
        """A read that expects 100 gets its final answer at once."""
        response = self.server.get("/page.html", {"Expect": "100-continue", "If-None-Match": "*"})
        self.assertEqual(response.status, 304)


def overwrite(path: Path) -> None:
    """Other bytes, the same file and size."""
    with open(path, "r+b") as file:
        file.write(os.urandom(path.stat().st_size))


def overwrite_secretly(path: Path) -> None:
    """The same, and the time of the change is put back."""
    before = path.stat()
    overwrite(path)
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))


def replace(path: Path) -> None:
    """Another file of the same size and time under the name."""
    before = path.stat()
    other = path.with_name("other")
    other.write_bytes(os.urandom(before.st_size))
    os.utime(other, ns=(before.st_atime_ns, before.st_mtime_ns))
    other.rename(path)


def append(path: Path) -> None:
    with open(path, "ab") as file:
        file.write(b"more")


def truncate(path: Path) -> None:
    os.truncate(path, path.stat().st_size - 1)


def touch(path: Path) -> None:
    os.utime(path)


CHANGES: list[Callable[[Path], None]] = [overwrite, overwrite_secretly, replace, append, truncate,
                                         touch]


def change(path: Path, how: Callable[[Path], None]) -> None:
    """Changes a file, at a time that the file system can tell from that of its last change."""
    before = path.stat().st_ctime_ns

    def changed() -> bool:
        how(path)
        return path.stat().st_ctime_ns != before

    eventually(changed, "the clock of the file system goes on")


class ChangeTest(ServerTestCase):
    """What a file's validators say of its changes."""

    def test_tag_stays_as_long_as_the_file_does(self) -> None:
        path = self.server.write("stays.html", CONTENT)
        tags = {self.server.get(target).value("ETag")
                for target in ("/stays.html", "/%73tays.html", "//stays.html?x")}
        path.read_bytes()
        tags.add(self.server.request("HEAD", "/stays.html").value("ETag"))
        self.assertEqual(len(tags), 1)

    def test_tag_is_that_of_the_index_however_it_is_asked_for(self) -> None:
        self.assertEqual(self.server.get("/").value("ETag"),
                         self.server.get("/index.html").value("ETag"))

    def test_files_alike_have_other_tags(self) -> None:
        tags = {self.server.get("/" + write_old(self.server, name, CONTENT).name).value("ETag")
                for name in ("one.html", "two.html", "three.html")}
        self.assertEqual(len(tags), 3)

    def test_each_change_makes_another_tag(self) -> None:
        for how in CHANGES:
            with self.subTest(how.__name__), self.server.connect() as connection:
                path = self.server.write("changes.html", CONTENT)
                data = request_bytes("GET", "/changes.html")
                tags = [connection.exchange(data).value("ETag")]
                for _ in range(10):
                    change(path, how)
                    response = connection.exchange(data)
                    self.assertEqual(response.body, path.read_bytes())
                    tags.append(response.value("ETag"))
                self.assertEqual(len(set(tags)), len(tags))

    def test_changed_file_is_neither_304_nor_resumed(self) -> None:
        for how in CHANGES:
            with self.subTest(how.__name__):
                path = self.server.write("changes.html", CONTENT)
                tag = self.server.get("/changes.html").value("ETag")
                change(path, how)
                whole = path.read_bytes()
                for fields in ({"If-None-Match": tag}, {"If-Range": tag, "Range": "bytes=1-2"}):
                    response = self.server.get("/changes.html", fields)
                    self.assertEqual((response.status, response.body), (200, whole))
                self.assertEqual(
                    self.server.get("/changes.html", {"If-Match": tag}).status, 412)

    def test_new_and_removed_files_show_at_once(self) -> None:
        with self.server.connect() as connection:
            data = request_bytes("GET", "/comes-and-goes.html")
            for number in range(10):
                self.assertEqual(connection.exchange(data).status, 404)
                path = self.server.write("comes-and-goes.html", b"%d" % number)
                self.assertEqual(connection.exchange(data).body, b"%d" % number)
                path.unlink()

    def test_last_modified_is_that_of_the_file(self) -> None:
        for modified in (0, 1, MODIFIED, 10**9, 1709251199):
            write_old(self.server, "dated.html", CONTENT, modified=modified)
            self.assertEqual(self.server.get("/dated.html").value("Last-Modified"),
                             http_date(modified))

    def test_last_modified_is_never_in_the_future(self) -> None:
        for modified in (time.time() + 1, time.time() + 100000, 2**31 + 5, 2**33, 300000000000):
            write_old(self.server, "future.html", CONTENT, modified=modified)
            response = self.server.get("/future.html")
            self.assertLessEqual(parsedate_to_datetime(response.value("Last-Modified")),
                                 parsedate_to_datetime(response.value("Date")))

    def test_file_from_before_1970_is_served(self) -> None:
        write_old(self.server, "ancient.html", CONTENT, modified=-100000)
        response = self.server.get("/ancient.html")
        self.assertEqual((response.status, response.body), (200, CONTENT))
        self.assertEqual(response.value("Last-Modified"), http_date(0))


class RestartTest(unittest.TestCase):

    def test_tag_outlives_the_process(self) -> None:
        server = Server()
        self.addCleanup(server.destroy)
        server.write("page.html", CONTENT)
        tags = []
        for _ in range(2):
            server.start()
            tags.append(server.get("/page.html").value("ETag"))
            server.finish()
        self.assertEqual(tags[0], tags[1])


if __name__ == "__main__":
    unittest.main()
