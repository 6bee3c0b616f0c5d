"""Goal: a form that is answered 201 is stored as a whole, fields and files, under names that the
server chose; one that is refused, whatever it holds and wherever it ends, leaves nothing."""

from __future__ import annotations

import base64
import hashlib
import json
import re
import threading
import unittest
from pathlib import Path

from tarn import Response, ServerTestCase, needs, request_bytes, run

URLENCODED = {"Content-Type": "application/x-www-form-urlencoded"}
MULTIPART = {"Content-Type": "multipart/form-data; boundary=b"}
HTML = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"
BROWSER = {"Accept": HTML}
BODY_LIMIT = 200_000
FILE_LIMIT = 300_000
STORED_NAME = re.compile(r"[A-Za-z0-9_-]{1,64}_[0-9a-f]{16}(\.[a-z0-9]{1,16})?")


def part(name: bytes, content: bytes, filename: bytes | None = None, more: bytes = b"",
         boundary: bytes = b"b") -> bytes:
    """A part of a form, with the line end behind it."""
    disposition = b'form-data; name="' + name + b'"'
    if filename is not None:
        disposition += b'; filename="' + filename + b'"'
    return (b"--" + boundary + b"\r\nContent-Disposition: " + disposition + b"\r\n" + more
            + b"\r\n" + content + b"\r\n")


END = b"--b--\r\n"
FIELD = part(b"a", b"1")
FILE = part(b"f", b"one", b"x.txt")

# Row E15: what stands behind "multipart/form-data", and the status.
BOUNDARIES = [
    (b"", 400), (b";", 400), (b"; boundary", 400), (b"; boundary=", 400), (b'; boundary=""', 400),
    (b"; boundary=b; boundary=b", 400), (b"; boundary=a; boundary=b", 400),
    (b"; boundary=a=b", 400), (b'; boundary="b\\"', 400), (b"; boundary=" + b"b" * 71, 400),
    (b"; boundary=" + b"b" * 252, 400), (b"; boundary=" + b"b" * 255, 400),
    (b"; boundary=" + b"b" * 256, 400), (b"; boundary=" + b"b" * 326, 400),
    (b"; boundary=a\0b", 400), (b"; boundary=b", 201), (b'; boundary="b"', 201),
    (b"; charset=utf-8; BOUNDARY=b", 201), (b"; charset=latin1; boundary=b", 415),
]

# Row E16, and row E17 where a name breaks the header.
WRONG_PARTS = [
    (b"nothing", b""),
    (b"no boundary", b"a=1"),
    (b"another boundary", FIELD.replace(b"--b", b"--c") + b"--c--\r\n"),
    (b"no name", b"--b\r\nContent-Disposition: form-data\r\n\r\n1\r\n" + END),
    (b"empty name", part(b"", b"1") + END),
    (b"two names", part(b'a"; name="b', b"1") + END),
    (b"no disposition", b"--b\r\nContent-Type: text/plain\r\n\r\n1\r\n" + END),
    (b"no header", b"--b\r\n\r\n1\r\n" + END),
    (b"65 parts", FIELD * 65 + END),
    (b"1,001 parts", FIELD * 1001 + END),
    (b"65 files", part(b"f", b"", b"x") * 65 + END),
    (b"long header", part(b"a", b"1", more=b"X: " + b"x" * 65536 + b"\r\n") + END),
    (b"long name", part(b"a" * 1025, b"1") + END),
    (b"header without colon", part(b"a", b"1", more=b"abc\r\n") + END),
    (b"folded header", part(b"a", b"1", more=b"X: y\r\n z\r\n") + END),
    (b"no last dashes", FIELD + b"--b\r\n"),
    (b"no last boundary", FIELD),
    (b"LF only", (FIELD + END).replace(b"\r\n", b"\n")),
    (b"nested", part(b"a", b"--c--", more=b"Content-Type: multipart/mixed; boundary=c\r\n") + END),
    (b"base64", part(b"a", b"MQ==", more=b"Content-Transfer-Encoding: base64\r\n") + END),
    (b"longer line", FIELD + b"--bb\r\n" + END),
    (b"text, no UTF-8", part(b"a", b"\xff") + END),
    (b"text with NUL", part(b"a", b"\0") + END),
    (b"text of another charset",
     part(b"a", b"1", more=b"Content-Type: text/plain; charset=latin1\r\n") + END),
    (b"filename with NUL", part(b"f", b"1", b"a\0b") + END),
    (b"filename with CR LF", part(b"f", b"1", b"x\r\nSet-Cookie: a") + END),
    (b"filename, no UTF-8", part(b"f", b"1", b"\xff") + END),
]

# Row E17: the name as it is sent, and as it is told.
FILENAMES = [
    (b"../../x", "../../x"), (b"/abs", "/abs"), (b"C:\\x", "C:\\x"), (b".", "."), (b"..", ".."),
    (b"CON", "CON"), (b".htaccess", ".htaccess"), (b'a\\"b\\".txt', 'a"b".txt'),
    (b"x" * 4096, "x" * 4096), (b"..%2f..%2fx", "..%2f..%2fx"), (b"<b>.html", "<b>.html"),
    ("\u00e9t\u00e9 \U0001f600.png".encode(), "\u00e9t\u00e9 \U0001f600.png"), (b"a;b=c", "a;b=c"),
    (b"%00", "%00"), (b"~root", "~root"), (b"a.b.c.d", "a.b.c.d"),
]


class FormTestCase(ServerTestCase):

    settings = {"files.directory": "files", "files.writable": True,
                "limits.body_bytes": BODY_LIMIT, "limits.file_bytes": FILE_LIMIT}

    @property
    def files(self) -> Path:
        return self.server.folder / "files"

    def stored_files(self) -> list[Path]:
        return sorted(path for path in self.files.iterdir() if not path.name.startswith("."))

    def litter(self) -> list[Path]:
        return [path for folder in (self.files, self.server.uploads)
                for path in folder.glob(".tarn/*tmp*")]

    def snapshot(self) -> tuple[list[Path], list[Path]]:
        return self.server.stored(), self.stored_files()

    def post(self, fields: dict[str, str], body: bytes) -> Response:
        return self.server.request("POST", "/form", fields, body)

    def record(self, response: Response) -> dict[str, object]:
        """The record of a form that has been stored."""
        self.assertEqual(response.status, 201, response.body)
        target = response.value("Location")
        record = (self.server.uploads / target.removeprefix("/uploads/")).read_bytes()
        self.assertEqual(self.server.get(target).body, record)
        answer = json.loads(response.body)
        self.assertEqual(answer["bytes"], len(record))
        self.assertEqual("/uploads/" + answer["name"], target)
        found = json.loads(record)
        self.assertEqual(answer["files"], found["files"])
        return found

    def assert_refused(self, response: Response, status: int) -> None:
        self.assertEqual(response.status, status, response.body)
        self.assertEqual(response.value("Content-Type"), "application/problem+json")
        self.assertEqual(json.loads(response.body)["status"], status)


class FieldsTest(FormTestCase):

    def test_urlencoded_fields_become_a_record(self) -> None:
        response = self.post(URLENCODED, b"name=Ada+Lovelace&c=red&c=%C3%A9&empty=&flag")
        self.assertEqual(self.record(response), {
            "fields": {"name": "Ada Lovelace", "c": ["red", "\u00e9"], "empty": "", "flag": ""},
            "files": []})
        self.assertEqual(json.loads(response.body)["path"],
                         "www" + response.value("Location"))
        self.assertEqual(json.loads(response.body)["durability"], "fsync")

    def test_multipart_fields_become_a_record(self) -> None:
        response = self.post(MULTIPART, FIELD + part(b"b", b"x\r\n--\r\ny") + FIELD + END)
        self.assertEqual(self.record(response)["fields"],
                         {"a": ["1", "1"], "b": "x\r\n--\r\ny"})

    def test_wrong_urlencoded_is_400_and_leaves_nothing(self) -> None:
        before = self.snapshot()
        for body in (b"a=%", b"a=%4", b"a=%zz&b=1", b"=1", b"=", b"a=%00", b"a=%ff", b"a=\xe9",
                     b"&".join(b"a%d=" % i for i in range(1001)), b"a" * 1025 + b"=1"):
            with self.subTest(body=body[:40]):
                self.assert_refused(self.post(URLENCODED, body), 400)
        self.assertEqual(self.snapshot(), before)

    def test_connection_persists_after_a_wrong_form(self) -> None:
        with self.server.connect() as connection:
            for fields, body in ((URLENCODED, b"a=%"), (MULTIPART, FIELD + b"--bx" + b"y" * 9999)):
                response = connection.exchange(request_bytes("POST", "/form", fields, body))
                self.assertEqual((response.status, response.closes()), (400, False))
            response = connection.exchange(request_bytes("POST", "/form", URLENCODED, b"a=1"))
            self.assertEqual(response.status, 201)

    def test_media_types(self) -> None:
        for media_type, status in ((None, 415), ("", 415), ("text/plain", 415),
                                   ("application/json", 415), ("multipart/mixed; boundary=b", 415),
                                   ("multipart/form-datax; boundary=b", 415),
                                   ("application/x-www-form-urlencoded; charset=latin1", 415),
                                   ("application/x-www-form-urlencoded; charset=UTF-8", 201),
                                   ("Application/X-WWW-Form-Urlencoded", 201)):
            with self.subTest(media_type=media_type):
                fields = {} if media_type is None else {"Content-Type": media_type}
                self.assertEqual(self.post(fields, b"a=1").status, status)
        self.assert_refused(self.post({**URLENCODED, "Content-Encoding": "gzip"}, b"a=1"), 415)

    def test_length_is_demanded(self) -> None:
        for fields in (URLENCODED, MULTIPART):
            with self.server.connect() as connection:
                response = connection.exchange(request_bytes("POST", "/form", fields))
                self.assert_refused(response, 411)

    def test_only_post_is_allowed(self) -> None:
        for method in ("GET", "PUT", "DELETE"):
            response = self.server.request(method, "/form")
            self.assertEqual((response.status, response.value("Allow")), (405, "POST, OPTIONS"))

    def test_cross_site_form_is_403(self) -> None:
        for fields in ({"Origin": "http://evil.example"}, {"Sec-Fetch-Site": "cross-site"},
                       {"Origin": "null"}):
            self.assert_refused(self.post({**URLENCODED, **fields}, b"a=1"), 403)
        own = f"http://127.0.0.1:{self.server.port}"
        self.assertEqual(self.post({**URLENCODED, "Origin": own}, b"a=1").status, 201)

    def test_content_digest_is_verified(self) -> None:
        for body, status in ((b"a=1", 201), (b"a=2", 400)):
            digest = base64.b64encode(hashlib.sha256(b"a=1").digest()).decode()
            fields = {**URLENCODED, "Content-Digest": f"sha-256=:{digest}:"}
            self.assertEqual(self.post(fields, body).status, status)

    def test_fields_are_limited_together(self) -> None:
        """413 at the byte that crosses, of either kind."""
        for size, status in ((BODY_LIMIT, 201), (BODY_LIMIT + 1, 413)):
            self.assertEqual(self.post(URLENCODED, b"a=".ljust(size, b"x")).status, status)
        for size, status in ((BODY_LIMIT - 1, 201), (BODY_LIMIT, 413)):
            body = part(b"a", b"x" * size) + END
            self.assertEqual(self.post(MULTIPART, body).status, status)

    def test_chunked_form_over_its_limit_is_413_before_its_end(self) -> None:
        with self.server.connect() as connection:
            connection.send(request_bytes("POST", "/form",
                                          {**URLENCODED, "Transfer-Encoding": "chunked"}))
            connection.send(b"%x\r\na=" % (BODY_LIMIT + 1) + b"x" * (BODY_LIMIT - 1))
            response = connection.read_response()
            self.assert_refused(response, 413)
            self.assertTrue(response.closes())

    def test_form_in_any_pieces_is_the_same(self) -> None:
        for fields, body in ((URLENCODED, b"a=%C3%A9+&b=2"), (MULTIPART, FIELD + FILE + END)):
            whole = self.record(self.post(fields, body))["fields"]
            data = self.server.expand(request_bytes("POST", "/form", fields, body))
            for size in (1, 7):
                with self.server.connect() as connection:
                    connection.send_pieces([data[i:i + size] for i in range(0, len(data), size)], 0)
                    self.assertEqual(self.record(connection.read_response())["fields"], whole)

    @needs("curl")
    def test_curl_posts_fields(self) -> None:
        done = run("curl", "-sS", "-d", "name=Ada", "--data-urlencode", "t=a&b c%",
                   self.server.url("/form"))
        name = json.loads(done.stdout)["name"]
        self.assertEqual(json.loads((self.server.uploads / name).read_bytes())["fields"],
                         {"name": "Ada", "t": "a&b c%"})


class FilesTest(FormTestCase):

    def test_file_is_stored_and_served(self) -> None:
        content = bytes(range(256)) * 1000
        body = FIELD + part(b"photo", content, b"me.JPG", b"Content-Type: image/jpeg\r\n") + END
        record = self.record(self.post(MULTIPART, body))
        self.assertEqual(record["fields"], {"a": "1"})
        (file,) = record["files"]
        self.assertEqual((file["field"], file["filename"], file["type"], file["bytes"]),
                         ("photo", "me.JPG", "image/jpeg", len(content)))
        self.assertRegex(file["name"], r"\Ame_[0-9a-f]{16}\.jpg\Z")
        self.assertEqual((self.files / file["name"]).read_bytes(), content)
        response = self.server.get(file["path"])
        self.assertEqual((response.status, response.body), (200, content))
        self.assertEqual(response.value("X-Content-Type-Options"), "nosniff")
        self.assertIn("sandbox", response.value("Content-Security-Policy"))

    def test_filename_is_never_a_path(self) -> None:
        outside = set(self.server.folder.rglob("*")) - set(self.files.rglob("*"))
        for sent, told in FILENAMES:
            with self.subTest(sent=sent[:40]):
                record = self.record(self.post(MULTIPART, part(b"f", b"1", sent) + END))
                (file,) = record["files"]
                self.assertEqual(file["filename"], told)
                self.assertTrue(STORED_NAME.fullmatch(file["name"]), file["name"])
                self.assertEqual((self.files / file["name"]).read_bytes(), b"1")
        now = set(self.server.folder.rglob("*")) - set(self.files.rglob("*"))
        self.assertEqual([path for path in now - outside if path.parent != self.server.uploads], [])

    def test_extended_filename_is_not_used(self) -> None:
        for more in (b"f\"; filename*=UTF-8''..%2fx; x=\"", b"f\"; filename*=x; filename=\"y.txt"):
            (file,) = self.record(self.post(MULTIPART, part(more, b"1") + END))["files"]
            self.assertIn(file["filename"], ("", "y.txt"))

    def test_boundaries(self) -> None:
        before = self.server.stored()
        for rest, status in BOUNDARIES:
            with self.subTest(rest=rest), self.server.connect() as connection:
                body = FIELD + END
                connection.send(b"POST /form HTTP/1.1\r\n<H>\r\nContent-Type: multipart/form-data"
                                + rest + b"\r\nContent-Length: %d\r\n\r\n" % len(body) + body)
                self.assertEqual(connection.read_response().status, status)
        self.assertEqual(len(self.server.stored()) - len(before),
                         sum(status == 201 for _, status in BOUNDARIES))

    def test_wrong_parts_are_400_and_leave_nothing(self) -> None:
        before = self.snapshot()
        for label, body in WRONG_PARTS:
            for whole in (body, FILE + body):
                with self.subTest(label=label):
                    self.assert_refused(self.post(MULTIPART, whole), 400)
        self.assertEqual(self.snapshot(), before)
        self.assertEqual(self.litter(), [])
        self.assert_serves()

    def test_file_not_chosen_is_none(self) -> None:
        more = b"Content-Type: application/octet-stream\r\n"
        record = self.record(self.post(MULTIPART, FIELD + part(b"f", b"", b"", more) + END))
        self.assertEqual(record, {"fields": {"a": "1"}, "files": []})

    def test_file_over_its_limit_is_413_and_leaves_nothing(self) -> None:
        before = self.snapshot()
        self.assertEqual(self.post(MULTIPART, part(b"f", b"x" * FILE_LIMIT, b"x") + END).status, 201)
        (made,) = set(self.stored_files()) - set(before[1])
        self.assertEqual(made.stat().st_size, FILE_LIMIT)
        after = self.snapshot()
        body = FILE + part(b"f", b"x" * (FILE_LIMIT + 1), b"x") + FIELD + END
        self.assert_refused(self.post(MULTIPART, body), 413)
        self.assertEqual(self.snapshot(), after)
        self.assertEqual(self.litter(), [])

    def test_several_files_may_be_longer_than_one(self) -> None:
        body = b"".join(part(b"f", b"%d" % i * FILE_LIMIT, b"x") for i in range(4)) + END
        self.assertEqual(len(self.record(self.post(MULTIPART, body))["files"]), 4)

    def test_64_files_hold_no_descriptor_afterwards(self) -> None:
        record = self.record(self.post(MULTIPART, FILE * 64 + END))
        self.assertEqual(len({file["name"] for file in record["files"]}), 64)
        self.server.wait_for_connections(0)
        self.assertLessEqual(self.server.descriptor_count(), self.server.idle_descriptors)

    def test_vanished_clients_leave_nothing(self) -> None:
        before = self.snapshot()
        request = self.server.expand(request_bytes("POST", "/form", MULTIPART, FILE + FIELD + END))
        for count in range(request.index(b"\r\n\r\n"), len(request), 9):
            for leave in ("reset", "close"):
                connection = self.server.connect()
                connection.socket.sendall(request[:count])
                getattr(connection, leave)()
        self.server.wait_for_connections(0)
        self.assertEqual(self.snapshot(), before)
        self.assertEqual(self.litter(), [])

    def test_flood_of_nearly_delimiters_is_content(self) -> None:
        """Row D3; no time is asserted, but a quadratic parser would need minutes."""
        content = b"\r\n--" * (FILE_LIMIT // 4)
        record = self.record(self.post(MULTIPART, part(b"f", content, b"x") + END))
        self.assertEqual((self.files / record["files"][0]["name"]).read_bytes(), content)
        self.assert_refused(self.post(MULTIPART, b"\r\n--" * (BODY_LIMIT // 4)), 400)

    def test_many_forms_at_once_are_all_whole(self) -> None:
        records: list[dict[str, object]] = []

        def send(client: int) -> None:
            with self.server.connect() as connection:
                for number in range(10):
                    text = f"{client}.{number}".encode()
                    body = part(b"a", text) + part(b"f", text * 1000, text) + END
                    records.append(self.record(connection.exchange(
                        request_bytes("POST", "/form", MULTIPART, body))))

        threads = [threading.Thread(target=send, args=(client,)) for client in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        self.assertEqual(len(records), 80)
        for record in records:
            text = record["fields"]["a"].encode()
            self.assertEqual((self.files / record["files"][0]["name"]).read_bytes(), text * 1000)

    @needs("curl")
    def test_curl_posts_files(self) -> None:
        path = self.server.folder / "a \"b\".bin"
        path.write_bytes(bytes(range(256)) * 100)
        target = str(path).replace("\\", "\\\\").replace('"', '\\"')
        for more in ([], ["--form-escape"], ["-H", "Transfer-Encoding: chunked"],
                     ["-H", "Expect: 100-continue"]):
            done = run("curl", "-sS", "-F", "name=Ada", "-F", f'f=@"{target}"', *more,
                       self.server.url("/form"))
            answer = json.loads(done.stdout)
            (file,) = answer["files"]
            self.assertEqual((self.files / file["name"]).read_bytes(), path.read_bytes())
            self.assertIn(file["filename"], ('a "b".bin', "a %22b%22.bin"))

    @needs("curl")
    def test_curl_reads_413_of_a_large_file(self) -> None:
        path = self.server.folder / "large.bin"
        path.write_bytes(b"x" * 20_000_000)
        done = run("curl", "-sS", "-o", "/dev/null", "-w", "%{http_code}", "-F", f"f=@{path}",
                   self.server.url("/form"))
        self.assertEqual((done.returncode, done.stdout), (0, b"413"), done.stderr)


class ResultPageTest(FormTestCase):

    def test_browser_is_led_to_a_page(self) -> None:
        body = (part(b"<script>", b"<img src=x onerror=alert(1)>")
                + part(b"f", b"<script>", b"<svg onload=alert(1)>.svg") + END)
        response = self.post({**MULTIPART, **BROWSER}, body)
        self.assertEqual((response.status, response.body), (303, b""))
        page = self.server.get(response.value("Location"), BROWSER)
        self.assertEqual(page.status, 200)
        self.assertEqual(page.value("Content-Type"), "text/html; charset=utf-8")
        self.assertIn("default-src 'none'", page.value("Content-Security-Policy"))
        text = page.body.decode()
        for harmful in ("<script", "<img", "<svg"):
            self.assertNotIn(harmful, text)
        self.assertIn("&lt;img src=x onerror=alert(1)&gt;", text)
        for target in re.findall(r'href="([^"]+)"', text):
            self.assertEqual(self.server.get(target).status, 200, target)

    def test_page_is_also_there_for_head(self) -> None:
        response = self.post({**URLENCODED, **BROWSER}, b"a=1")
        target = response.value("Location")
        page = self.server.get(target)
        head = self.server.request("HEAD", target)
        self.assertEqual((head.status, head.value("Content-Length")), (200, str(len(page.body))))

    def test_scripts_get_201(self) -> None:
        for accept in ("*/*", "application/json", "application/json, text/html;q=0.5"):
            self.assertEqual(self.post({**URLENCODED, "Accept": accept}, b"a=1").status, 201)

    def test_page_of_anything_else_is_404(self) -> None:
        upload = self.server.post_json(b'{"fields": 1}').value("Location").removeprefix("/uploads/")
        for name in ("", "nothing", upload, ".tarn", "..%2fserver.conf"):
            self.assertIn(self.server.get("/form/" + name).status, (403, 404), name)

    @needs("curl")
    def test_curl_follows(self) -> None:
        done = run("curl", "-sSL", "-H", "Accept: text/html", "-d", "name=Ada",
                   self.server.url("/form"))
        self.assertIn(b"<bdi>Ada</bdi>", done.stdout)


class NoFilesTest(ServerTestCase):
    """Files are not writable, as shipped."""

    def test_file_is_403_and_fields_are_taken(self) -> None:
        before = self.server.stored()
        refused = self.server.request("POST", "/form", MULTIPART, FIELD + FILE + END)
        self.assertEqual(refused.status, 403)
        self.assertIn("files", json.loads(refused.body)["detail"])
        self.assertEqual(self.server.stored(), before)
        unchosen = FIELD + part(b"f", b"", b"") + END
        for body in (FIELD + END, unchosen):
            self.assertEqual(self.server.request("POST", "/form", MULTIPART, body).status, 201)


class FullTest(FormTestCase):
    """The record does not fit: its files go with it."""

    settings = {**FormTestCase.settings, "uploads.max_files": 2}

    def test_quota_of_records_leaves_no_files(self) -> None:
        statuses = [self.post(MULTIPART, FILE + END).status for _ in range(4)]
        self.assertEqual(statuses, [201, 201, 507, 507])
        self.assertEqual((len(self.server.stored()), len(self.stored_files())), (2, 2))
        self.assertEqual(self.litter(), [])


class FullFilesTest(FormTestCase):
    """The third file does not fit: nothing of its form is left."""

    settings = {**FormTestCase.settings, "files.max_files": 2}

    def test_quota_of_files_leaves_nothing(self) -> None:
        self.assertEqual(self.post(MULTIPART, FILE + END).status, 201)
        self.assert_refused(self.post(MULTIPART, FILE + FILE + END), 507)
        self.assertEqual((len(self.server.stored()), len(self.stored_files())), (1, 1))
        self.assertEqual(self.post(MULTIPART, FILE + END).status, 201)


if __name__ == "__main__":
    unittest.main()
