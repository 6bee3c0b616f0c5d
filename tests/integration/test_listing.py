"""Goal: where it is switched on, a folder without an index shows what a client could ask for, and
nothing else: as a page for people, as JSON for programs, whatever the names are."""

from __future__ import annotations

import json
import os
import time
import unittest
from html.parser import HTMLParser
from typing import Any
from urllib.parse import urljoin, urlsplit

from representation import lasting, write_old
from tarn import Server, ServerTestCase

HTML = "text/html; charset=utf-8"
JSON = "application/json"
BROWSER = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"

# Names that are listed, and can be asked for as the page links them.
ODD_NAMES = [
    "plain.txt", "two words", " leading", "trailing ", "per%20cent", "%", "a+b", "a&b;c", "a=b?c#d",
    '"quotes"', "'single'", "<b>bold", "</a><script>alert(1)</script>".replace("/", "\u2215"),
    "javascript:alert(1)", "http:", "a:b", "\u00fcber.txt", "\u20ac\U0001f600", "\u202egnp.exe",
    "x..", "~", "[1]", "{2}", "^|`", "*", ",", "@", "$", "-", "_" * 200,
]

# Names that no request can ask for, or none is to.
UNLISTED_NAMES = [b".hidden", b"..x", b"new\nline", b"tab\t", b"bell\x07", b"del\x7f",
                  b"back\\slash", b"\xff\xfe", b"cut\xc3", b"over\xc0\xae"]

# An Accept field's value, and the form.
FORMS = [
    (None, HTML), ("", HTML), ("*/*", HTML), (BROWSER, HTML), ("text/html", HTML), ("text/*", HTML),
    ("application/json;q=0.9, text/html", HTML), ("application/json, text/html", HTML),
    ("application/json", JSON), ("application/*", JSON), ("application/json, */*;q=0.5", JSON),
    ("application/json, text/plain, */*", JSON), ("text/html;q=0.8, application/json;q=0.9", JSON),
    ("text/html;q=0", JSON),
]

# Files in the order of their names; sizes and dates go other ways.
SORTED = [("Alpha", 300, 5000), ("beta", 100, 4000), ("Gamma", 200, 6000)]
ORDERS = [
    ("", ["Alpha", "beta", "Gamma"]),
    ("?", ["Alpha", "beta", "Gamma"]),
    ("?sort=name", ["Alpha", "beta", "Gamma"]),
    ("?sort=name&order=desc", ["Gamma", "beta", "Alpha"]),
    ("?sort=size", ["beta", "Gamma", "Alpha"]),
    ("?sort=size&order=desc", ["Alpha", "Gamma", "beta"]),
    ("?order=desc&sort=date", ["Gamma", "Alpha", "beta"]),
    ("?sort=date&order=asc", ["beta", "Alpha", "Gamma"]),
    ("?sort=inode&order=x&a=b&&=", ["Alpha", "beta", "Gamma"]),
    ("?sort=%73ize", ["Alpha", "beta", "Gamma"]),
    ("?sort", ["Alpha", "beta", "Gamma"]),
]


class Page(HTMLParser):
    """The links of a page with their texts, and the names of its elements."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.links: dict[str, str] = {}
        self.elements: set[str] = set()
        self.address: str | None = None
        self.feed(page)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.add(tag)
        if tag == "a":
            self.address = dict(attrs)["href"] or ""
            self.links[self.address] = ""

    def handle_endtag(self, tag: str) -> None:
        if tag == "a":
            self.address = None

    def handle_data(self, data: str) -> None:
        if self.address is not None:
            self.links[self.address] += data


def make_tree(server: Server) -> None:
    """A folder of odd names, one of ordered files, one of links, and an empty one."""
    for name in ODD_NAMES:
        server.write("odd/" + name, name.encode())
    folder = os.fsencode(server.root / "odd")
    for raw in UNLISTED_NAMES:
        with open(folder + b"/" + raw, "wb"):
            pass
    os.mkfifo(server.root / "odd/fifo")
    for name, size, modified in SORTED:
        write_old(server, "sorted/" + name, size=size, modified=modified)
    for name in ("zeta", "Eta"):
        (server.root / "sorted" / name).mkdir()
    (server.root / "empty").mkdir()
    links = server.root / "links"
    links.mkdir()
    for name, target in (("inside", "../sorted/Alpha"), ("folder", "../sorted"), ("loop", "loop"),
                         ("outside", "../../server.conf"), ("absolute", "/etc/passwd"),
                         ("dangling", "nowhere")):
        (links / name).symlink_to(target)
    server.write("index/index.html", b"the index")
    (server.root / ".well-known").mkdir()


class ListingTest(ServerTestCase):

    settings = {"static.listing": True, "index": "index.html"}

    @classmethod
    def prepare(cls) -> None:
        make_tree(cls.server)
        (cls.server.root / "index.html").unlink()
        cls.server.write("fake/index.html/inner.txt", b"x")
        cls.server.write("fake/other.txt", b"x")

    def read_json(self, target: str) -> dict[str, Any]:
        response = self.server.get(target, {"Accept": JSON})
        self.assertEqual((response.status, response.value("Content-Type")), (200, JSON))
        return json.loads(response.body.decode("utf-8"))

    def names(self, target: str) -> list[str]:
        return [entry["name"] for entry in self.read_json(target)["entries"]]

    def read_page(self, target: str) -> Page:
        response = self.server.get(target, {"Accept": BROWSER})
        self.assertEqual((response.status, response.value("Content-Type")), (200, HTML))
        return Page(response.body.decode("utf-8"))

    def test_form_is_what_is_accepted(self) -> None:
        for accept, media_type in FORMS:
            with self.subTest(accept):
                fields = {} if accept is None else {"Accept": accept}
                response = self.server.get("/sorted/", fields)
                self.assertEqual((response.status, response.value("Content-Type")),
                                 (200, media_type))
                self.assertIn("Accept", response.values("Vary"))

    def test_json_tells_what_there_is(self) -> None:
        shown = self.read_json("/sorted/")
        self.assertEqual(shown["path"], "/sorted/")
        self.assertEqual(shown["entries"][2:], [
            {"name": name, "type": "file", "bytes": size,
             "modified": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(modified))}
            for name, size, modified in SORTED])
        for entry in shown["entries"][:2]:
            self.assertEqual((entry["type"], "bytes" in entry), ("directory", False))

    def test_names_that_can_be_asked_for_are_listed(self) -> None:
        self.assertEqual(sorted(self.names("/odd/")), sorted(ODD_NAMES))

    def test_links_of_the_page_lead_to_the_files(self) -> None:
        page = self.read_page("/odd/")
        found = {}
        for link, text in page.links.items():
            target = urlsplit(urljoin("http://x/odd/", link))
            self.assertEqual(target.netloc, "x", link)
            if target.path.startswith("/odd/") and not target.query:
                found[text] = self.server.get(target.path).body.decode()
        self.assertEqual(found, {name: name for name in ODD_NAMES})

    def test_page_holds_no_script(self) -> None:
        response = self.server.get("/odd/", {"Accept": BROWSER})
        self.assertIn("default-src 'none'", response.value("Content-Security-Policy"))
        elements = Page(response.body.decode()).elements
        self.assertFalse(elements & {"script", "b", "img", "iframe", "form"}, elements)

    def test_links_are_what_they_lead_to(self) -> None:
        entries = {entry["name"]: entry for entry in self.read_json("/links/")["entries"]}
        self.assertEqual(entries.keys(), {"inside", "folder"})
        self.assertEqual((entries["inside"]["bytes"], entries["folder"]["type"]),
                         (300, "directory"))

    def test_order(self) -> None:
        for query, names in ORDERS:
            with self.subTest(query):
                self.assertEqual(self.names("/sorted/" + query)[2:], names)
                self.assertEqual(set(self.names("/sorted/" + query)[:2]), {"Eta", "zeta"})

    def test_page_has_the_same_order(self) -> None:
        for query, names in ORDERS:
            links = list(self.read_page("/sorted/" + query).links)
            self.assertEqual([link for link in links if link in names], names)

    def test_headings_sort(self) -> None:
        page = self.read_page("/sorted/?sort=size")
        for key, order in (("name", "asc"), ("size", "desc"), ("date", "asc")):
            self.assertIn(f"?sort={key}&order={order}", page.links)

    def test_folders_have_a_slash_and_a_parent(self) -> None:
        page = self.read_page("/sorted/")
        self.assertIn("zeta/", page.links)
        self.assertIn("../", page.links)
        self.assertNotIn("../", self.read_page("/").links)

    def test_root_is_listed(self) -> None:
        self.assertEqual(self.names("/"), [".well-known", "empty", "fake", "index", "links",
                                           "odd", "sorted", "uploads"])

    def test_housekeeping_is_not_listed(self) -> None:
        for target in ("/uploads/.tarn/", "//uploads//.tarn"):
            self.assertEqual(self.server.get(target).status, 404, target)

    def test_empty_folder(self) -> None:
        self.assertEqual(self.read_json("/empty/"), {"path": "/empty/", "entries": []})
        self.assertEqual(list(self.read_page("/empty/").links), ["../"])

    def test_index_comes_before_the_listing(self) -> None:
        response = self.server.get("/index/", {"Accept": JSON})
        self.assertEqual((response.status, response.body), (200, b"the index"))

    def test_folder_named_as_the_index_is_none(self) -> None:
        self.assertEqual(self.names("/fake/"), ["index.html", "other.txt"])
        self.assertIn("index.html/", self.read_page("/fake/").links)
        self.assertEqual(self.names("/fake/index.html/"), ["inner.txt"])

    def test_other_answers_stay(self) -> None:
        for target, status in (("/sorted", 301), ("/missing/", 404), ("/sorted/Alpha/", 404),
                               ("/odd/fifo", 403), ("/links/outside", 403), ("/.hidden/", 404),
                               ("/../", 403)):
            self.assertEqual(self.server.get(target).status, status, target)

    def test_change_shows_at_once(self) -> None:
        for number in range(5):
            path = self.server.write("changing/file", b"x" * number)
            self.assertEqual(self.read_json("/changing/")["entries"][0]["bytes"], number)
            path.unlink()
            self.assertEqual(self.names("/changing/"), [])
        (self.server.root / "changing").rmdir()

    def test_head_is_told_the_same(self) -> None:
        for accept in (BROWSER, JSON):
            whole = self.server.get("/odd/", {"Accept": accept})
            head = self.server.request("HEAD", "/odd/", {"Accept": accept})
            self.assertEqual((head.status, lasting(head)), (200, lasting(whole)))

    def test_preconditions_hold(self) -> None:
        for field, value, status in (("If-Match", "*", 200), ("If-Match", '"a"', 412),
                                     ("If-None-Match", "*", 304), ("If-None-Match", '"a"', 200)):
            with self.subTest(field=field, value=value):
                response = self.server.get("/odd/", {field: value})
                self.assertEqual(response.status, status)
                if status in (200, 304):
                    self.assertEqual(response.value("Vary"), "Accept")
                    self.assertEqual(response.value("Cache-Control"), "no-cache")

    def test_more_than_10000_are_cut(self) -> None:
        folder = self.server.root / "many"
        folder.mkdir()
        for number in range(10001):
            (folder / f"{number:05}").touch()
        try:
            shown = self.read_json("/many/")
            self.assertEqual((len(shown["entries"]), shown["truncated"]), (10000, True))
            (folder / "00000").unlink()
            shown = self.read_json("/many/")
            self.assertEqual((len(shown["entries"]), "truncated" in shown), (10000, False))
            self.assertEqual(len(self.read_page("/many/").links), 10000 + 4)
        finally:
            for path in folder.iterdir():
                path.unlink()
            folder.rmdir()


class OffTest(ServerTestCase):
    """Unless switched on there is none."""

    def test_folder_without_index_is_403(self) -> None:
        (self.server.root / "folder").mkdir()
        for accept in (BROWSER, JSON):
            self.assertEqual(self.server.get("/folder/", {"Accept": accept}).status, 403)

    def test_folder_named_as_the_index_is_none(self) -> None:
        self.server.write("fake/index.html/index.html", b"of another folder")
        self.assertEqual(self.server.get("/fake/").status, 403)
        self.assertEqual(self.server.get("/fake/index.html/").status, 200)


if __name__ == "__main__":
    unittest.main()
