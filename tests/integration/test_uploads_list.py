"""Goal: what has been stored can be listed, newest first, page by page, as JSON and as a page."""

from __future__ import annotations

import json
import re
import threading
from typing import Any

from tarn import ServerTestCase, request_bytes

JSON = {"Accept": "application/json"}


def name_of(number: int) -> str:
    """A document of the year 2020, from before everything that the tests upload."""
    return f"upload_2020{number // 3600 % 12 + 1:02}01_{number // 3600 % 24:02}" \
           f"{number // 60 % 60:02}{number % 60:02}_{number:04x}.json"


class UploadsListTest(ServerTestCase):

    def setUp(self) -> None:
        for path in self.server.stored():
            path.unlink()
        # A change that the server did not make shows within a minute; its own show at once. So a
        # restart gives each test a list of its own.
        self.server.finish()
        self.server.port = 0
        self.server.start()

    def fill(self, count: int) -> list[str]:
        names = [name_of(number) for number in range(count)]
        for name in names:
            (self.server.uploads / name).write_text("{}")
        return sorted(names, reverse=True)

    def page(self, target: str = "/uploads/") -> Any:
        response = self.server.get(target, JSON)
        self.assertEqual(response.status, 200, response.body)
        self.assertEqual(response.value("Content-Type"), "application/json")
        return json.loads(response.body)

    def names(self, target: str = "/uploads/") -> list[str]:
        return [document["name"] for document in self.page(target)["documents"]]

    def walk(self, target: str) -> list[str]:
        names = []
        while target:
            page = self.page(target)
            names += [document["name"] for document in page["documents"]]
            target = page.get("next", "")
        return names

    def test_nothing_stored_is_an_empty_list(self) -> None:
        self.assertEqual(self.page(), {"documents": []})

    def test_upload_is_in_the_list_at_once(self) -> None:
        self.page()
        for number in range(3):
            response = self.server.post_json(b"[1,2]")
            self.assertEqual(response.status, 201)
            name = json.loads(response.body)["name"]
            document = next(d for d in self.page()["documents"] if d["name"] == name)
            self.assertEqual(document["bytes"], 5)
            self.assertRegex(document["modified"], r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$")
            self.assertEqual(len(self.names()), number + 1)

    def test_upload_with_a_key_or_in_a_batch_is_in_the_list_at_once(self) -> None:
        self.page()
        keyed = self.server.post_json(b"{}", {"Idempotency-Key": '"one"'})
        self.assertEqual(keyed.status, 201)
        self.assertEqual(self.names(), [json.loads(keyed.body)["name"]])
        batch = self.server.request("POST", "/upload", {"Content-Type": "application/x-ndjson"},
                                    b"1\n2\n3\n")
        self.assertEqual(batch.status, 201)
        self.assertEqual(len(self.names()), 4)

    def test_uploads_of_one_second_are_newest_first(self) -> None:
        names = []
        with self.server.connect() as connection:
            for _ in range(30):
                response = connection.exchange(request_bytes(
                    "POST", "/upload", {"Content-Type": "application/json"}, b"{}"))
                names.append(json.loads(response.body)["name"])
        self.assertEqual(self.names(), names[::-1])

    def test_pages_hold_each_document_once_newest_first(self) -> None:
        names = self.fill(250)
        self.assertEqual(self.walk("/uploads/"), names)
        self.assertEqual(len(self.names()), 100)
        for limit in (1, 7, 250, 1000):
            with self.subTest(limit):
                self.assertEqual(self.walk(f"/uploads/?limit={limit}") if limit > 1
                                 else self.names("/uploads/?limit=1"),
                                 names if limit > 1 else names[:1])

    def test_cursor_stays_when_documents_come_and_go(self) -> None:
        names = self.fill(30)
        first = self.page("/uploads/?limit=10")
        self.assertEqual(self.server.post_json(b"{}").status, 201)
        (self.server.uploads / names[9]).unlink()  # the one that the cursor names
        (self.server.uploads / names[15]).unlink()
        rest = self.walk(first["next"])
        self.assertEqual(rest, names[10:15] + names[16:])

    def test_more_than_is_kept_in_memory(self) -> None:
        names = self.fill(20_000)
        self.assertEqual(self.walk("/uploads/?limit=1000"), names)

    def test_other_files_are_not_listed(self) -> None:
        for name in ("notes.txt", "upload_x.json", "upload_20200101_000000_00G0.json",
                     "upload_20200101_000000_000.json", "upload_20200101_000000_0000.json.gz"):
            (self.server.uploads / name).write_text("{}")
        (self.server.uploads / name_of(1)).mkdir()
        names = self.names()
        (self.server.uploads / name_of(1)).rmdir()
        self.assertEqual(names, [])

    def test_wrong_queries_are_refused(self) -> None:
        for query in ("limit=0", "limit=1001", "limit=x", "limit=-1", "before=x",
                      "before=../../etc/passwd", "before=" + "u" * 200, "limit=%31"):
            with self.subTest(query):
                response = self.server.get(f"/uploads/?{query}", JSON)
                self.assertEqual(response.status, 400)
                self.assertEqual(response.value("Content-Type"), "application/problem+json")

    def test_unknown_parameters_are_ignored(self) -> None:
        names = self.fill(3)
        self.assertEqual(self.names("/uploads/?x=1&limit=2&y"), names[:2])

    def test_browser_gets_a_page(self) -> None:
        names = self.fill(3)
        response = self.server.get("/uploads/?limit=2", {"Accept": "text/html,*/*;q=0.8"})
        text = response.body.decode()
        self.assertEqual(response.value("Content-Type"), "text/html; charset=utf-8")
        self.assertEqual(re.findall(r'href="(upload_[^"]+)"', text), names[:2])
        following = re.search(r'rel="next" href="([^"]+)"', text)
        assert following
        self.assertEqual(self.names(following.group(1).replace("&amp;", "&")), names[2:])
        self.assertIn("default-src 'none'", response.value("Content-Security-Policy"))

    def test_head_has_no_body(self) -> None:
        self.fill(3)
        response = self.server.request("HEAD", "/uploads/", JSON)
        self.assertEqual(response.status, 200)
        self.assertGreater(int(response.value("Content-Length")), 0)

    def test_list_is_for_reading(self) -> None:
        response = self.server.request("DELETE", "/uploads/")
        self.assertEqual(response.status, 405)
        self.assertEqual(response.value("Allow"), "GET, HEAD, OPTIONS")

    def test_lists_and_uploads_at_once(self) -> None:
        self.fill(2000)
        faults: list[str] = []

        def list_all() -> None:
            try:
                for _ in range(5):
                    self.assertGreaterEqual(len(self.walk("/uploads/?limit=500")), 2000)
            except (AssertionError, OSError) as error:
                faults.append(repr(error))

        threads = [threading.Thread(target=list_all) for _ in range(4)]
        for thread in threads:
            thread.start()
        with self.server.connect() as connection:
            for _ in range(50):
                request = request_bytes("POST", "/upload", {"Content-Type": "application/json"},
                                        b"{}")
                self.assertEqual(connection.exchange(request).status, 201)
        for thread in threads:
            thread.join()
        self.assertEqual(faults, [])
        self.assertEqual(len(self.walk("/uploads/?limit=1000")), 2050)


if __name__ == "__main__":
    import unittest
    unittest.main()
