"""Goal: /cookies shows what cookies came, whatever bytes they hold; pages set the visitor cookie
where the operator has named one, and nothing else ever sets one."""

from __future__ import annotations

import json
import re
import unittest
from typing import Iterable

from tarn import Response, ServerTestCase

# The values of the Cookie fields, and what /cookies shows.
ROWS: list[tuple[str, list[bytes], dict[str, str]]] = [
    ("no field", [], {}),
    ("empty field", [b""], {}),
    ("one", [b"a=1"], {"a": "1"}),
    ("two", [b"a=1; b=2"], {"a": "1", "b": "2"}),
    ("two fields", [b"a=1", b"b=2"], {"a": "1", "b": "2"}),
    ("no space", [b"a=1;b=2"], {"a": "1", "b": "2"}),
    ("spaces and tabs", [b" \t a = 1 \t;\t b\t=\t2 "], {"a": "1", "b": "2"}),
    ("empty pairs", [b";;; a=1 ;;"], {"a": "1"}),
    ("empty value", [b"a="], {"a": ""}),
    ("empty name", [b"=1; a=2"], {"a": "2"}),
    ("no equals sign", [b"a; b=2"], {"b": "2"}),
    ("equals sign in the value", [b"a=b=c=="], {"a": "b=c=="}),
    ("the first of a name counts", [b"a=1; a=2", b"a=3"], {"a": "1"}),
    ("names differ in case", [b"a=1; A=2"], {"a": "1", "A": "2"}),
    ("quotes around the value", [b'a="b c"'], {"a": "b c"}),
    ("a semicolon ends a quoted value", [b'a="b; c=d"'], {"a": '"b', "c": 'd"'}),
    ("lonely quote", [b'a="'], {"a": '"'}),
    ("quotes and backslashes", [rb'a=x"y\z'], {"a": 'x"y\\z'}),
    ("a tab in the value", [b"a=1\t2"], {"a": "1\t2"}),
    ("commas", [b"a=1, b=2"], {"a": "1, b=2"}),
    ("names that are no tokens", [b"a b=1; c[]=2; \xc3\xbc=3; d=4"], {"d": "4"}),
    ("names that mean something elsewhere", [b"__proto__=1; $Version=1; constructor=2"],
     {"__proto__": "1", "$Version": "1", "constructor": "2"}),
    ("markup", [b"a=</script><b>"], {"a": "</script><b>"}),
    ("percent escapes stay", [b"a=%00%0a"], {"a": "%00%0a"}),
    ("UTF-8", ["a=\u00fc\u20ac\U0001f600".encode()], {"a": "\u00fc\u20ac\U0001f600"}),
    ("not UTF-8", [b"a=\xff\xc3x\xed\xa0\x80"], {"a": "\ufffd\ufffdx" + 3 * "\ufffd"}),
    ("cut UTF-8", [b"a=\xf0\x9f\x98"], {"a": 3 * "\ufffd"}),
    ("large", [b"a=" + b"x" * 7000], {"a": "x" * 7000}),
]

VISITOR = re.compile(r"visitor=([0-9a-f]{32}); Path=/; Max-Age=3600; HttpOnly; SameSite=Lax")
PAGE = {"Accept": "text/html"}


class CookiesTest(ServerTestCase):

    def show(self, values: Iterable[bytes]) -> Response:
        lines = b"".join(b"Cookie: " + value + b"\r\n" for value in values)
        with self.server.connect() as connection:
            return connection.exchange(b"GET /cookies HTTP/1.1\r\n<H>\r\n" + lines + b"\r\n")

    def test_rows(self) -> None:
        for label, values, expected in ROWS:
            with self.subTest(label):
                response = self.show(values)
                self.assertEqual(response.status, 200)
                self.assertEqual(json.loads(response.body.decode("utf-8")), expected)

    def test_answer_is_json_that_nobody_stores(self) -> None:
        response = self.show([b"a=1"])
        self.assertEqual(response.value("Content-Type"), "application/json")
        self.assertEqual(response.value("Cache-Control"), "no-store")

    def test_value_that_grows_too_long_is_cut_between_characters(self) -> None:
        for length in range(6990, 7000):
            shown = json.loads(self.show([b"a=" + b"\xff" * length]).body.decode("utf-8"))["a"]
            self.assertEqual(shown, "\ufffd" * len(shown))
            self.assertGreater(len(shown), 2000)

    def test_field_full_of_pairs_is_answered(self) -> None:
        shown = json.loads(self.show([b";".join(b"%x=" % i for i in range(1500))]).body)
        self.assertEqual(list(shown)[:2], ["0", "1"])
        self.assertEqual(set(shown.values()), {""})

    def test_head_has_the_length_and_no_bytes(self) -> None:
        response = self.server.request("HEAD", "/cookies", {"Cookie": "a=1"})
        self.assertEqual((response.status, response.value("Content-Length")), (200, "9"))

    def test_nothing_is_set_unless_configured(self) -> None:
        for target in ("/", "/index.html", "/cookies", "/missing"):
            self.assertEqual(self.server.get(target, PAGE).values("Set-Cookie"), [])


class VisitorTest(ServerTestCase):
    """Pages set the visitor cookie, for who has none."""

    settings = {"cookies.name": "visitor", "cookies.max_age": 3600}

    @classmethod
    def prepare(cls) -> None:
        cls.server.write("folder/index.html", b"<!doctype html>")
        for name in ("logo.png", "style.css", "notes.txt", "data.json"):
            cls.server.write(name, b"{}")

    def visit(self, target: str, cookie: str = "", method: str = "GET") -> list[str]:
        fields = {"Cookie": cookie} if cookie else {}
        return self.server.request(method, target, {**PAGE, **fields}).values("Set-Cookie")

    def test_pages_set_it(self) -> None:
        for method, target in (("GET", "/"), ("GET", "/index.html"), ("GET", "/folder/"),
                               ("GET", "/index.html?query"), ("HEAD", "/")):
            with self.subTest(target=target, method=method):
                values = self.visit(target, method=method)
                self.assertEqual(len(values), 1)
                self.assertRegex(values[0], VISITOR)

    def test_other_answers_do_not(self) -> None:
        for target in ("/logo.png", "/style.css", "/notes.txt", "/data.json", "/cookies",
                       "/echo/x", "/user-agent", "/healthz", "/folder", "/missing", "/../x",
                       "/uploads/missing"):
            with self.subTest(target=target):
                self.assertEqual(self.visit(target), [])
        self.assertEqual(self.visit("/", method="OPTIONS"), [])
        self.assertEqual(self.server.post_json(b"{}").values("Set-Cookie"), [])

    def test_304_and_206_do_not(self) -> None:
        etag = self.server.get("/").value("ETag")
        for status, fields in ((304, {"If-None-Match": etag}), (206, {"Range": "bytes=0-1"})):
            response = self.server.get("/", fields)
            self.assertEqual((response.status, response.values("Set-Cookie")), (status, []))

    def test_who_has_it_keeps_it(self) -> None:
        for cookie in ("visitor=1", "a=b; visitor=1", "visitor=", 'visitor="x"'):
            self.assertEqual(self.visit("/", cookie), [], cookie)

    def test_another_cookie_is_not_it(self) -> None:
        for cookie in ("a=visitor", "Visitor=1", "visitor", "visitors=1", "visitor[]=1"):
            self.assertEqual(len(self.visit("/", cookie)), 1, cookie)

    def test_it_comes_back_once_set(self) -> None:
        pair = self.visit("/")[0].partition(";")[0]
        self.assertEqual(self.visit("/", pair), [])
        name, _, value = pair.partition("=")
        shown = self.server.get("/cookies", {"Cookie": pair})
        self.assertEqual(json.loads(shown.body), {name: value})

    def test_each_visitor_gets_another(self) -> None:
        found = {self.visit("/")[0] for _ in range(50)}
        self.assertEqual(len(found), 50)


if __name__ == "__main__":
    unittest.main()
