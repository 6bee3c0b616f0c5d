"""Goal: pages of other sites can read answers and write where the operator lists their origin, and
nowhere else; unless configured, nothing of the CORS protocol is on the wire."""

from __future__ import annotations

import unittest
from typing import Mapping

from tarn import Response, ServerTestCase

APP = "https://app.example"
LOCAL_APP = "http://10.0.0.7:3000"
JSON = {"Content-Type": "application/json"}

# Method and target of each kind of route, and the methods that a preflight names.
ROUTES = [
    ("/upload", "POST"),
    ("/uploads/x.json", "GET, HEAD"),
    ("/index.html", "GET, HEAD"),
    ("/missing", "GET, HEAD"),
    ("/folder/", "GET, HEAD"),
    ("/echo/x", "GET, HEAD"),
    ("/user-agent", "GET, HEAD"),
    ("/cookies", "GET, HEAD"),
    ("/healthz", "GET, HEAD"),
    ("/readyz", "GET, HEAD"),
]

# Origins of which none is "https://app.example" or "http://10.0.0.7:3000".
FOREIGN = [
    "https://evil.example", "http://app.example", "https://app.example:8443",
    "https://app.example.evil.example", "https://evilapp.example", "https://app.example/",
    "https://app.example, https://evil.example", "https://evil.example https://app.example",
    "https://user@app.example", "http://10.0.0.7", "http://10.0.0.7:30000", "app.example", "null",
    "", "*", "file://", "https://app.example\t.evil.example",
]

# Fields of a request that writes, and whether a server that lists no origin takes it.
WRITES: list[tuple[Mapping[str, str], bool]] = [
    ({}, True),
    ({"Origin": "http://127.0.0.1:<PORT>"}, True),
    ({"Origin": "http://localhost:<PORT>"}, True),
    ({"Origin": "http://LOCALHOST:<PORT>"}, True),
    ({"Origin": "http://127.0.0.1:<PORT>", "Sec-Fetch-Site": "same-origin"}, True),
    ({"Sec-Fetch-Site": "same-origin"}, True),
    ({"Sec-Fetch-Site": "same-site"}, True),
    ({"Sec-Fetch-Site": "none"}, True),
    ({"Sec-Fetch-Site": "cross-site"}, False),
    ({"Sec-Fetch-Site": "Cross-Site"}, False),
    ({"Origin": "http://127.0.0.1:<PORT>", "Sec-Fetch-Site": "cross-site"}, False),
    ({"Origin": "http://127.0.0.1"}, False),
    ({"Origin": "http://localhost:1"}, False),
    ({"Origin": "http://localhost.evil.example:<PORT>"}, False),
    ({"Origin": "http://evil.example:<PORT>"}, False),
    ({"Origin": "http://localhost:<PORT>@evil.example"}, False),
    ({"Origin": "http://evil@localhost:<PORT>"}, False),
    ({"Origin": "http://localhost:<PORT>/"}, False),
    ({"Origin": "http://localhost:<PORT>, http://evil.example"}, False),
    ({"Origin": "ftp://localhost:<PORT>"}, False),
    ({"Origin": "null"}, False),
    ({"Origin": ""}, False),
    ({"Origin": "localhost:<PORT>"}, False),
]


def cors_fields(response: Response) -> list[str]:
    """The names of the fields that belong to the protocol."""
    return [name for name, _ in response.fields if name.lower().startswith("access-control-")]


class CorsTestCase(ServerTestCase):

    @classmethod
    def prepare(cls) -> None:
        (cls.server.root / "folder").mkdir()

    def preflight(self, target: str, origin: str, method: str = "POST") -> Response:
        return self.server.request("OPTIONS", target, {
            "Origin": origin, "Access-Control-Request-Method": method,
            "Access-Control-Request-Headers": "content-type"})


class OffTest(CorsTestCase):
    """Without an entry in the list."""

    def test_no_answer_has_a_field_of_it(self) -> None:
        for origin in (APP, "null", "http://127.0.0.1:<PORT>"):
            for target, _ in ROUTES:
                response = self.server.get(target, {"Origin": origin})
                self.assertEqual(cors_fields(response), [], target)
                self.assertNotIn("Origin", response.values("Vary"), target)

    def test_preflight_is_an_ordinary_options(self) -> None:
        for target, methods in ROUTES:
            with self.subTest(target):
                response = self.preflight(target, APP)
                self.assertEqual(response.status, 204)
                self.assertEqual(response.value("Allow"), f"{methods}, OPTIONS")
                self.assertEqual(cors_fields(response), [])

    def test_writes_of_other_sites_are_refused(self) -> None:
        before = self.server.stored()
        taken = 0
        for fields, allowed in WRITES:
            with self.subTest(fields):
                response = self.server.post_json(b"{}", fields)
                self.assertEqual(response.status, 201 if allowed else 403)
                taken += allowed
        self.assertEqual(len(self.server.stored()), len(before) + taken)

    def test_forms_of_other_sites_are_refused(self) -> None:
        """These need no preflight, so that only the server can stop them."""
        for media_type in ("text/plain", "application/x-www-form-urlencoded",
                           "multipart/form-data; boundary=x"):
            response = self.server.post_json(b"{}", {"Content-Type": media_type, "Origin": APP})
            self.assertEqual(response.status, 403)

    def test_two_origins_are_refused(self) -> None:
        lines = b"Origin: http://localhost:<PORT>\r\nOrigin: https://app.example\r\n"
        with self.server.connect() as connection:
            connection.send(b"POST /upload HTTP/1.1\r\n<H>\r\nContent-Type: application/json\r\n"
                            + lines + b"Content-Length: 2\r\n\r\n{}")
            self.assertIn(connection.read_response().status, (400, 403))

    def test_reading_is_not_refused(self) -> None:
        for fields in ({"Origin": APP}, {"Sec-Fetch-Site": "cross-site"}, {"Origin": "null"}):
            self.assertEqual(self.server.get("/", fields).status, 200)


class ListTest(CorsTestCase):
    """With a list of origins."""

    settings = {"cors.origins": [APP, LOCAL_APP]}

    def assert_allowed(self, response: Response, origin: str) -> None:
        self.assertEqual(response.value("Access-Control-Allow-Origin"), origin)
        self.assertEqual(response.values("Access-Control-Allow-Credentials"), [])
        self.assertIn("Origin", response.values("Vary"))

    def test_each_answer_to_a_listed_origin_says_so(self) -> None:
        for origin in (APP, LOCAL_APP):
            for target, _ in ROUTES + [("/%zz", ""), ("/../x", ""), ("/folder", "")]:
                for method in ("GET", "HEAD"):
                    with self.subTest(origin=origin, target=target, method=method):
                        response = self.server.request(method, target, {"Origin": origin})
                        self.assert_allowed(response, origin)
                        exposed = response.value("Access-Control-Expose-Headers")
                        for name in ("Location", "ETag", "Content-Range", "Content-Disposition"):
                            self.assertIn(name, exposed)

    def test_answers_without_the_whole_say_so_too(self) -> None:
        for fields, status in (({"If-None-Match": "*"}, 304), ({"Range": "bytes=0-1"}, 206),
                               ({"Range": "bytes=999-"}, 416), ({"If-Match": '"x"'}, 412)):
            response = self.server.get("/", {"Origin": APP, **fields})
            self.assertEqual(response.status, status)
            self.assert_allowed(response, APP)

    def test_other_origins_learn_nothing(self) -> None:
        for origin in FOREIGN:
            for target in ("/", "/missing", "/echo/x"):
                with self.subTest(origin=origin, target=target):
                    response = self.server.get(target, {"Origin": origin})
                    self.assertEqual(cors_fields(response), [])
                    self.assertIn("Origin", response.values("Vary"))

    def test_two_origins_learn_nothing(self) -> None:
        with self.server.connect() as connection:
            response = connection.exchange(b"GET / HTTP/1.1\r\n<H>\r\nOrigin: https://app.example"
                                           b"\r\nOrigin: https://evil.example\r\n\r\n")
            self.assertEqual(cors_fields(response), [])

    def test_without_origin_there_is_only_vary(self) -> None:
        for target in ("/", "/missing"):
            response = self.server.get(target)
            self.assertEqual(cors_fields(response), [])
            self.assertIn("Origin", response.values("Vary"))

    def test_preflight_of_each_route(self) -> None:
        for target, methods in ROUTES:
            with self.subTest(target):
                response = self.preflight(target, APP)
                self.assertEqual(response.status, 204)
                self.assert_allowed(response, APP)
                self.assertEqual(response.value("Access-Control-Allow-Methods"), methods)
                self.assertRegex(response.value("Access-Control-Max-Age"), r"\A\d+\Z")
                allowed = response.value("Access-Control-Allow-Headers").lower()
                for name in ("content-type", "range", "if-match", "if-none-match"):
                    self.assertIn(name, allowed.split(", "))

    def test_preflight_of_other_origins(self) -> None:
        for origin in FOREIGN:
            with self.subTest(origin):
                response = self.preflight("/upload", origin)
                self.assertEqual((response.status, cors_fields(response)), (204, []))

    def test_preflight_keeps_the_rules_of_the_host(self) -> None:
        response = self.server.request("OPTIONS", "/upload", {
            "Host": "evil.example", "Origin": APP, "Access-Control-Request-Method": "POST"})
        self.assertEqual(response.status, 403)

    def test_options_without_request_method_is_no_preflight(self) -> None:
        response = self.server.request("OPTIONS", "/upload", {"Origin": APP})
        self.assertEqual(response.values("Access-Control-Allow-Methods"), [])
        self.assert_allowed(response, APP)

    def test_options_of_the_whole_server_is_no_preflight(self) -> None:
        response = self.preflight("*", APP)
        self.assertEqual(response.status, 204)
        self.assertEqual(response.values("Access-Control-Allow-Methods"), [])
        self.assert_allowed(response, APP)

    def test_listed_origin_writes(self) -> None:
        for origin in (APP, LOCAL_APP):
            for fields in ({}, {"Sec-Fetch-Site": "cross-site"}):
                response = self.server.post_json(b"{}", {"Origin": origin, **fields})
                self.assertEqual(response.status, 201)
                self.assert_allowed(response, origin)

    def test_refusals_of_a_write_can_be_read(self) -> None:
        for body, fields, status in ((b"x", {}, 400), (b"x", {"Content-Type": "text/plain"}, 415),
                                     (b"x", {"Content-Length": "9999999"}, 413)):
            with self.server.connect() as connection:
                lines = {**JSON, "Origin": APP, "Content-Length": str(len(body)), **fields}
                head = "".join(f"{name}: {value}\r\n" for name, value in lines.items())
                connection.send(b"POST /upload HTTP/1.1\r\n<H>\r\n" + head.encode() + b"\r\n"
                                + body)
                response = connection.read_response()
                self.assertEqual(response.status, status)
                self.assert_allowed(response, APP)

    def test_other_origins_do_not_write(self) -> None:
        before = self.server.stored()
        for origin in FOREIGN:
            with self.subTest(origin):
                response = self.server.post_json(b"{}", {"Origin": origin})
                self.assertEqual((response.status, cors_fields(response)), (403, []))
        self.assertEqual(self.server.stored(), before)

    def test_own_pages_write(self) -> None:
        response = self.server.post_json(b"{}", {"Origin": "http://127.0.0.1:<PORT>"})
        self.assertEqual((response.status, cors_fields(response)), (201, []))


class AnyTest(CorsTestCase):
    """With "*" in the list."""

    settings = {"cors.origins": ["*"]}

    def test_every_origin_reads_and_writes(self) -> None:
        for origin in (APP, LOCAL_APP, "null", "https://evil.example"):
            with self.subTest(origin):
                for response in (self.server.get("/", {"Origin": origin}),
                                 self.server.post_json(b"{}", {"Origin": origin}),
                                 self.preflight("/upload", origin)):
                    self.assertIn(response.status, (200, 201, 204))
                    self.assertIn(response.value("Access-Control-Allow-Origin"), (origin, "*"))
                    self.assertEqual(response.values("Access-Control-Allow-Credentials"), [])


if __name__ == "__main__":
    unittest.main()
