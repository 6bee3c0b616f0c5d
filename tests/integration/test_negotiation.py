"""Goal: an error comes in a form that its reader can use: a page for browsers, JSON for programs
that ask for it and on the routes of programs, else a line of text; HEAD is told the same."""

from __future__ import annotations

import json
import unittest
from html.parser import HTMLParser
from typing import Mapping

from representation import lasting
from tarn import Response, ServerTestCase, request_bytes

TEXT = "text/plain; charset=utf-8"
HTML = "text/html; charset=utf-8"
JSON = "application/problem+json"

BROWSER = ("text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,*/*;q=0.8")

# An Accept field's value, and the form of a 404 to a file.
ROWS: list[tuple[str | None, str]] = [
    (None, TEXT),
    ("", TEXT),
    ("*/*", TEXT),
    ("text/*", TEXT),
    ("application/*", TEXT),
    ("text/plain", TEXT),
    ("image/png", TEXT),
    ("image/png, */*;q=0.1", TEXT),

    ("text/html", HTML),
    ("TEXT/HTML", HTML),
    (BROWSER, HTML),
    ("text/html;q=0.001", HTML),
    ("text/html; charset=utf-8", HTML),
    ("text/html;charset=\"UTF-8\"", HTML),
    ("text/html;level=1", TEXT),
    ("*/*, text/html", HTML),
    ("text/html;q=1.0, application/json;q=0.9", HTML),
    ("text/html, application/json", HTML),
    ("application/json;q=0.5, text/html;q=0.500", HTML),
    ("text/html;q=0.51, application/json;q=0.501", HTML),
    (" ,, text/html ,", HTML),

    ("application/json", JSON),
    ("application/problem+json", JSON),
    ("Application/Problem+JSON", JSON),
    ("application/json, text/plain, */*", JSON),
    ("application/json, */*;q=0.5", JSON),
    ("application/json;q=0.9, text/html;q=0.8", JSON),
    ("text/html;q=0.899, application/json;q=0.9", JSON),
    ("text/html;q=0.09, application/json;q=0.1", JSON),
    ("text/html;q=0.01, application/json;q=0.011", JSON),
    ("text/html;q=0.2, application/problem+json;q=0.3, application/json;q=0.1", JSON),
    ("text/html;q=0, application/json;q=0.001", JSON),
    ("text/html;q=0.1, application/json;q=0.1, application/json;q=0.2", JSON),

    ("text/html;q=0", TEXT),
    ("text/html;q=0.000", TEXT),
    ("application/json;q=0", TEXT),
    ("application/json;q=0, application/problem+json;q=0, text/html;q=0", TEXT),
    ("text/html;q=0, */*", TEXT),
    ("application/json;q=0, */*", TEXT),

    ("text/html;q=2", TEXT),
    ("text/html;q=1.001", TEXT),
    ("text/html;q=0.1234", TEXT),
    ("text/html;q=-1", TEXT),
    ("text/html;q=", TEXT),
    ("text/html;q", TEXT),
    ("text/html;q=x, application/json;q=0.1", JSON),
    ("text", TEXT),
    ("text/", TEXT),
    ("/html", TEXT),
    ("*/html", TEXT),
    ("text/htmlx", TEXT),
    ("xtext/html", TEXT),
    ("text/html text/html", TEXT),
    ("application/json+x", TEXT),
    ('"text/html"', TEXT),
    ("text/html;a=\"b, application/json\"", TEXT),
    (",".join(["x/y;q=0.1"] * 700) + ",text/html", HTML),
    ("," * 7000 + "application/json", JSON),
]

# Requests that fail, and the status.
FAILURES = [
    ("GET", "/missing", {}, 404),
    ("GET", "/../x", {}, 403),
    ("GET", "/%zz", {}, 400),
    ("GET", "/folder/", {}, 403),
    ("GET", "/uploads/missing", {}, 404),
    ("GET", "/uploads/?limit=0", {}, 400),
    ("GET", "/", {"Host": "evil"}, 403),
    ("GET", "/index.html", {"If-Match": '"x"'}, 412),
    ("GET", "/", {"Expect": "x"}, 417),
    ("DELETE", "/index.html", {}, 405),
    ("DELETE", "/healthz", {}, 405),
    ("BREW", "/index.html", {}, 501),
]

# The same for methods of /upload and what is sent there.
UPLOAD_FAILURES = [
    ("GET", {}, None, 405),
    ("POST", {"Content-Type": "text/plain"}, b"x", 415),
    ("POST", {"Content-Type": "application/json"}, b"x", 400),
    ("POST", {"Content-Type": "application/json"}, None, 411),
    ("POST", {"Content-Type": "application/json", "Content-Length": "9999999"}, None, 413),
    ("POST", {"Content-Type": "application/json", "Origin": "http://evil"}, b"{}", 403),
    ("POST", {"Content-Type": "application/json", "Host": "evil"}, b"{}", 403),
    ("POST", {"Content-Type": "application/json", "Host": "a b"}, b"{}", 400),
]

# Targets below /files that are refused before anything is looked for, and the status.
FILES_FAILURES = [
    ("/files/../x", 403),
    ("/files/a%2fb", 403),
    ("/files/%zz", 400),
    ("/files/%00", 400),
]


class PageReader(HTMLParser):
    """Collects a page's text and its elements."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.text = ""
        self.elements: list[str] = []
        self.feed(page)
        self.close()

    def handle_starttag(self, tag: str, attrs: object) -> None:
        self.elements.append(tag)

    def handle_data(self, data: str) -> None:
        self.text += data


class NegotiationTest(ServerTestCase):

    @classmethod
    def prepare(cls) -> None:
        (cls.server.root / "folder").mkdir()

    def check_form(self, response: Response, media_type: str) -> None:
        """The body is of that type, and tells the status and the reason."""
        self.assertEqual(response.value("Content-Type"), media_type)
        body = response.body.decode("utf-8")
        if media_type == JSON:
            problem = json.loads(body)
            self.assertEqual((problem["type"], problem["title"], problem["status"]),
                             ("about:blank", response.reason, response.status))
            self.assertTrue(problem["detail"].endswith("."))
        elif media_type == HTML:
            page = PageReader(body)
            self.assertIn(response.reason, page.text)
            self.assertIn("title", page.elements)
            self.assertNotIn("script", page.elements)
        else:
            self.assertRegex(body, rf"\A{response.status} {response.reason}: .+\.\n\Z")

    def test_rows(self) -> None:
        for accept, media_type in ROWS:
            with self.subTest(accept and accept[:80]):
                fields = {} if accept is None else {"Accept": accept}
                response = self.server.get("/missing", fields)
                self.assertEqual(response.status, 404)
                self.check_form(response, media_type)

    def test_several_fields_are_one_list(self) -> None:
        lines = b"Accept: text/html;q=0.5\r\nAccept: application/json\r\n"
        with self.server.connect() as connection:
            response = connection.exchange(b"GET /missing HTTP/1.1\r\n<H>\r\n" + lines + b"\r\n")
            self.check_form(response, JSON)

    def test_each_error_has_each_form(self) -> None:
        for method, target, fields, status in FAILURES:
            for accept, media_type in (("*/*", TEXT), (BROWSER, HTML), ("application/json", JSON)):
                with self.subTest(method=method, target=target, accept=accept):
                    response = self.server.request(method, target, {**fields, "Accept": accept})
                    self.assertEqual(response.status, status)
                    self.check_form(response, media_type)

    def test_416_has_each_form(self) -> None:
        for accept, media_type in (("*/*", TEXT), (BROWSER, HTML), ("application/json", JSON)):
            response = self.server.get("/", {"Range": "bytes=999-", "Accept": accept})
            self.assertEqual(response.status, 416)
            self.check_form(response, media_type)

    def test_uploads_fail_in_json_whatever_is_accepted(self) -> None:
        for method, fields, body, status in UPLOAD_FAILURES:
            for accept in ("*/*", BROWSER, "text/plain", "application/json;q=0"):
                with self.subTest(status=status, accept=accept):
                    self.check_upload(method, {**fields, "Accept": accept}, body, status)

    def check_upload(self, method: str, fields: Mapping[str, str], body: bytes | None,
                     status: int) -> None:
        with self.server.connect() as connection:
            connection.send(request_bytes(method, "/upload", fields, body))
            response = connection.read_response()
            self.assertEqual(response.status, status)
            self.check_form(response, JSON)

    def test_files_route_always_answers_in_json(self) -> None:
        for target, status in FILES_FAILURES:
            with self.subTest(target):
                response = self.server.get(target, {"Accept": BROWSER})
                self.assertEqual(response.status, status)
                self.check_form(response, JSON)

    def test_broken_requests_have_a_form_too(self) -> None:
        for data, status in ((b"GET / HTTP/1.1\r\nAccept: text/html\r\nA : b\r\n\r\n", 400),
                             (b"GET /\r\n\r\n", 400), (b"GET / HTTP/2.0\r\n\r\n", 505),
                             (b"GET / HTTP/1.1\r\nA: " + b"a" * 9000, 431),
                             (b"GET /" + b"a" * 9000, 414)):
            with self.subTest(data[:20]), self.server.connect() as connection:
                response = connection.exchange(data)
                self.assertEqual(response.status, status)
                self.assertIn(response.value("Content-Type"), (TEXT, HTML, JSON))
                self.check_form(response, response.value("Content-Type"))

    def test_head_is_told_the_same_without_a_body(self) -> None:
        for _, target, fields, status in FAILURES:
            for accept in ("*/*", BROWSER, "application/json"):
                fields = {**fields, "Accept": accept}
                if status in (405, 501):
                    continue  # of the method, not of the target
                with self.subTest(target=target, accept=accept):
                    whole = self.server.get(target, fields)
                    head = self.server.request("HEAD", target, fields)
                    self.assertEqual((head.status, head.body), (whole.status, b""))
                    self.assertEqual(lasting(head), lasting(whole))

    def test_head_of_the_upload_route(self) -> None:
        whole = self.server.get("/upload")
        head = self.server.request("HEAD", "/upload")
        self.assertEqual((head.status, lasting(head)), (405, lasting(whole)))

    def test_head_is_told_the_same_of_what_is_there(self) -> None:
        for target in ("/", "/index.html", "/folder", "/echo/x", "/user-agent", "/cookies",
                       "/healthz", "/readyz"):
            with self.subTest(target):
                whole = self.server.get(target)
                head = self.server.request("HEAD", target)
                self.assertEqual((head.status, head.body), (whole.status, b""))
                self.assertEqual(lasting(head), lasting(whole))

    def test_nothing_of_the_request_or_the_machine_is_shown(self) -> None:
        for accept in ("*/*", BROWSER, "application/json"):
            response = self.server.get("/missing/%3Cscript%3Ealert(1)?secret", {"Accept": accept})
            for word in (b"script", b"alert", b"secret", str(self.server.root).encode(), b"errno",
                         b"No such file"):
                self.assertNotIn(word, response.body)

    def test_files_are_not_negotiated(self) -> None:
        for accept in ("application/json", "text/html;q=0", "image/png", "x"):
            response = self.server.get("/", {"Accept": accept, "Accept-Language": "x",
                                             "Accept-Encoding": "identity;q=0, gzip"})
            self.assertEqual((response.status, response.value("Content-Type")), (200, HTML))
            self.assertEqual(response.values("Content-Encoding"), [])


if __name__ == "__main__":
    unittest.main()
