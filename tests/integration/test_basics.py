"""Goal: an ordinary client gets ordinary answers: pages, fields, keep-alive, errors, diagnostics."""

from __future__ import annotations

import json
import time
import unittest
from email.utils import parsedate_to_datetime

from tarn import ServerTestCase, request_bytes

GET = b"GET / HTTP/1.1\r\n<H>\r\n"


class PageTest(ServerTestCase):

    @classmethod
    def prepare(cls) -> None:
        cls.server.write("about.html", b"<p>About</p>")
        cls.server.write("style.css", b"p { margin: 0 }")
        cls.server.write("empty.html", b"")
        cls.server.write("folder/index.html", b"<p>Folder</p>")
        cls.server.write("bare/file.html", b"<p>File</p>")
        cls.server.write("w\u00f6rter und mehr.html", b"<p>Words</p>")

    def test_page_has_its_type_length_and_bytes(self) -> None:
        for target, body in (("/about.html", b"<p>About</p>"), ("/folder/", b"<p>Folder</p>"),
                             ("/empty.html", b""),
                             ("/w%C3%B6rter%20und%20mehr.html", b"<p>Words</p>")):
            with self.subTest(target=target):
                response = self.server.get(target)
                self.assertEqual((response.status, response.body), (200, body))
                self.assertEqual(response.value("Content-Type"), "text/html; charset=utf-8")
                self.assertEqual(response.value("Content-Length"), str(len(body)))
                self.assertEqual(response.values("Transfer-Encoding"), [])

    def test_root_is_the_index(self) -> None:
        response = self.server.get("/")
        self.assertEqual(response.body, (self.server.root / "index.html").read_bytes())

    def test_every_answer_has_date_server_and_nosniff(self) -> None:
        for target in ("/", "/missing", "/%", "/echo/x"):
            with self.subTest(target=target):
                response = self.server.get(target)
                date = parsedate_to_datetime(response.value("Date")).timestamp()
                self.assertLess(abs(date - time.time()), 10)
                self.assertRegex(response.value("Date"), r"^\w{3}, \d\d \w{3} \d{4} [\d:]{8} GMT$")
                self.assertEqual(response.value("Server"), "tarn")
                self.assertEqual(response.value("X-Content-Type-Options"), "nosniff")

    def test_head_has_the_fields_of_get_and_no_body(self) -> None:
        for target in ("/about.html", "/missing", "/folder", "/upload", "/bare/"):
            with self.subTest(target=target), self.server.connect() as connection:
                get = connection.exchange(request_bytes("GET", target))
                connection.send(request_bytes("HEAD", target))
                head = connection.read_response("HEAD")
                self.assertEqual(head.status, get.status)
                own = {"Date", "Keep-Alive"}
                self.assertEqual([item for item in head.fields if item[0] not in own],
                                 [item for item in get.fields if item[0] not in own])
                # What follows is the next answer, so there was no body.
                self.assertEqual(connection.exchange(GET + b"\r\n").status, 200)

    def test_folder_without_slash_is_redirected(self) -> None:
        response = self.server.get("/folder")
        self.assertEqual((response.status, response.value("Location")), (301, "/folder/"))

    def test_folder_without_index_is_403(self) -> None:
        self.assertEqual(self.server.get("/bare/").status, 403)

    def test_changed_file_shows_at_once(self) -> None:
        for number in range(20):
            content = f"<p>{number}</p>".encode()
            self.server.write("changing.html", content)
            self.assertEqual(self.server.get("/changing.html").body, content)

    def test_removed_file_is_404_at_once(self) -> None:
        path = self.server.write("removed.html", b"x")
        self.assertEqual(self.server.get("/removed.html").status, 200)
        path.unlink()
        self.assertEqual(self.server.get("/removed.html").status, 404)

    def test_cache_control_is_as_configured(self) -> None:
        self.assertEqual(self.server.get("/about.html").value("Cache-Control"), "no-cache")


class KeepAliveTest(ServerTestCase):

    def test_countdown_ends_with_close(self) -> None:
        with self.server.connect() as connection:
            for left in range(100, 1, -1):
                response = connection.exchange(GET + b"\r\n")
                self.assertEqual(response.value("Keep-Alive"), f"timeout=30, max={left}")
                self.assertEqual(response.value("Connection"), "keep-alive")
            last = connection.exchange(GET + b"\r\n")
            self.assertEqual(last.value("Connection"), "close")
            self.assertEqual(last.values("Keep-Alive"), [])
            self.assertEqual(connection.read_rest(), b"")

    def test_request_101_is_not_answered(self) -> None:
        with self.server.connect() as connection:
            connection.send((GET + b"\r\n") * 101)
            self.assertEqual(connection.read_rest().count(b"HTTP/1.1 200 OK\r\n"), 100)

    def test_http_1_0_closes_unless_asked(self) -> None:
        with self.server.connect() as connection:
            response = connection.exchange(b"GET / HTTP/1.0\r\n<H>\r\n\r\n")
            self.assertEqual(response.value("Connection"), "close")
            self.assertEqual(connection.read_rest(), b"")
        with self.server.connect() as connection:
            request = b"GET / HTTP/1.0\r\n<H>\r\nConnection: Keep-Alive\r\n\r\n"
            response = connection.exchange(request)
            self.assertEqual(response.value("Connection"), "keep-alive")
            self.assertEqual(response.value("Keep-Alive"), "timeout=30, max=100")
            self.assertEqual(connection.exchange(request).value("Keep-Alive"),
                             "timeout=30, max=99")

    def test_error_keeps_the_connection(self) -> None:
        with self.server.connect() as connection:
            self.assertEqual(connection.exchange(request_bytes("GET", "/missing")).status, 404)
            self.assertEqual(connection.exchange(GET + b"\r\n").status, 200)


class ErrorTest(ServerTestCase):

    def test_page_for_those_who_take_html(self) -> None:
        response = self.server.get("/missing", {"Accept": "text/html,*/*;q=0.8"})
        self.assertEqual(response.value("Content-Type"), "text/html; charset=utf-8")
        self.assertIn(b"404", response.body)

    def test_plain_text_for_the_rest(self) -> None:
        for accept in ({}, {"Accept": "*/*"}):
            response = self.server.get("/missing", accept)
            self.assertTrue(response.value("Content-Type").startswith("text/plain"))

    def test_problem_details_for_those_who_prefer_json(self) -> None:
        response = self.server.get("/missing", {"Accept": "application/json"})
        self.assertEqual(response.value("Content-Type"), "application/problem+json")
        self.assertEqual(json.loads(response.body)["status"], 404)

    def test_request_is_not_echoed_as_markup(self) -> None:
        for target in ("/%3Cscript%3Ealert(1)%3C/script%3E", "/echo/%3Cscript%3E"):
            response = self.server.get(target, {"Accept": "text/html"})
            if response.value("Content-Type").startswith("text/html"):
                self.assertNotIn(b"<script", response.body)

    def test_answer_tells_nothing_of_the_machine(self) -> None:
        folder = str(self.server.folder).encode()
        for target in ("/missing", "/%", "/../x", "/uploads/.tarn/x"):
            response = self.server.get(target)
            self.assertNotIn(folder, response.head + response.body)

    def test_method_that_is_not_allowed_is_405_with_allow(self) -> None:
        for method, target, allowed in (("DELETE", "/", {"GET", "HEAD"}),
                                        ("POST", "/index.html", {"GET", "HEAD"}),
                                        ("GET", "/upload", {"POST"})):
            with self.subTest(method=method, target=target):
                response = self.server.request(method, target)
                self.assertEqual(response.status, 405)
                allow = {word.strip() for word in response.value("Allow").split(",")}
                self.assertLessEqual(allowed, allow)
                self.assertNotIn(method, allow)


class DiagnosticsTest(ServerTestCase):

    def test_echo_gives_the_text_back(self) -> None:
        for target, text in (("/echo/hello", b"hello"), ("/echo/a%20b%C3%A9", b"a b\xc3\xa9")):
            response = self.server.get(target)
            self.assertEqual((response.status, response.body.rstrip(b"\n")), (200, text))
            self.assertTrue(response.value("Content-Type").startswith("text/plain"))

    def test_server_is_alive_and_ready(self) -> None:
        for target in ("/healthz", "/readyz"):
            response = self.server.get(target)
            self.assertEqual((response.status, response.values("Retry-After")), (200, []))

    def test_user_agent_is_told(self) -> None:
        response = self.server.get("/user-agent", {"User-Agent": "probe/1.0"})
        self.assertEqual((response.status, response.body.rstrip(b"\n")), (200, b"probe/1.0"))

    def test_user_agent_that_is_missing_is_no_error(self) -> None:
        self.assertEqual(self.server.get("/user-agent").status, 200)


if __name__ == "__main__":
    unittest.main()
