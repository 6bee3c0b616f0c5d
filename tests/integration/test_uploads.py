"""Goal: a 201 means that the document is on the disk, whole and alone under its name; what is not
a JSON document is refused with its place, and leaves nothing."""

from __future__ import annotations

import json
import os
import re
import threading
import unittest

from tarn import (PATIENCE, Connection, Response, Server, ServerTestCase, needs, request_bytes, run)

JSON = {"Content-Type": "application/json"}
NAME = re.compile(r"upload_\d{8}_\d{6}_[0-9a-f]{4,}\.json")
LIMIT = 1048576  # limits.body_bytes

VALID = [
    b"{}", b"[]", b"1", b"-0", b'"x"', b"true", b"null", b' {"a" : [1, 2.5e-3, "\\u00e9\\n"] }\r\n',
    b"1e400", b"12345678901234567890", b"9" * 100000, b'{"a":1,"a":2}', b'"\\u0000"',
    '"\u00e9\u20ac\U0001f600"'.encode(), b'"\\ud83d\\ude00"', b"[" * 128 + b"]" * 128,
    b"[" + b"[]," * 100000 + b"[]]", b'{"html":"<script>alert(1)</script>"}',
]

INVALID = [
    b"", b" ", b"{}x", b"{}\x00", b"{} {}", b"1 2", b"01", b"-01", b"2.", b".5", b"+1", b"1e", b"0x1",
    b"NaN", b"Infinity", b"-", b"tru", b"nul", b"[1,]", b"{,}", b'{"a":1,}', b'{"a" 1}', b"{a:1}",
    b"'a'", b'"', b'"a', b'"\n"', b'"\x00"', b'"\x1f"', b'"\\x41"', b'"\\u12"', b'"\\uD800"',
    b'"\\uDC00"', b'"\\uD800\\u0041"', b'"\xff"', b'"\xc0\xae"', b'"\xed\xa0\x80"', b'"\xc3"',
    b'"\xe9"', b"\xef\xbb\xbf{}", "{}".encode("utf-16"), b"\x0c{}", b"[" * 129 + b"]" * 129,
    b"[" * 100000, b'{"a":' * 150000, b'{"1":1,', b"/* */ 1", b"[1 2]", b'{"a":1 "b":2}', b"]", b"}",
]

# Content, line and column of what is wrong.
PLACES = [
    (b"[1,\n 2,\n x]", 3, 2),
    (b'{"a":1,}', 1, 8),
    (b"", 1, 1),
    (b"{}\n\nx", 3, 1),
]


class UploadTest(ServerTestCase):

    def assert_refused(self, response: Response, status: int) -> None:
        self.assertEqual(response.status, status)
        self.assertEqual(response.value("Content-Type"), "application/problem+json")
        self.assertEqual(json.loads(response.body)["status"], status)

    def test_document_is_stored_under_its_name(self) -> None:
        body = b'{"ok":true}'
        response = self.server.post_json(body)
        self.assertEqual(response.status, 201)
        self.assertEqual(response.value("Content-Type"), "application/json")
        answer = json.loads(response.body)
        self.assertTrue(NAME.fullmatch(answer["name"]))
        self.assertEqual(response.value("Location"), "/uploads/" + answer["name"])
        self.assertEqual(answer["path"], "www/uploads/" + answer["name"])
        self.assertEqual((answer["bytes"], answer["durability"]), (len(body), "fsync"))
        self.assertEqual((self.server.uploads / answer["name"]).read_bytes(), body)

        stored = self.server.get(response.value("Location"))
        self.assertEqual((stored.status, stored.body), (200, body))
        self.assertEqual(stored.value("Content-Type"), "application/json")
        self.assertEqual(stored.value("X-Content-Type-Options"), "nosniff")

    def test_valid_documents_are_kept_byte_for_byte(self) -> None:
        for body in VALID:
            with self.subTest(body=body[:40]):
                response = self.server.post_json(body)
                self.assertEqual(response.status, 201, response.body)
                self.assertEqual(self.server.get(response.value("Location")).body, body)

    def test_invalid_documents_leave_nothing(self) -> None:
        before = self.server.stored()
        for body in INVALID:
            with self.subTest(body=body[:40]):
                self.assert_refused(self.server.post_json(body), 400)
        self.assertEqual(self.server.stored(), before)

    def test_refusal_names_line_and_column(self) -> None:
        for body, line, column in PLACES:
            with self.subTest(body=body):
                text = self.server.post_json(body).body.decode()
                self.assertRegex(text, rf"line\W+{line}\b")
                self.assertRegex(text, rf"column\W+{column}\b")

    def test_document_cut_at_each_byte_is_400(self) -> None:
        whole = b'{"a":[1.5e1,"\\u00e9",true]}'
        for count in range(len(whole)):
            self.assert_refused(self.server.post_json(whole[:count]), 400)

    def test_media_type_must_be_json(self) -> None:
        for media_type in (None, "", "text/plain", "application/x-www-form-urlencoded",
                           "application/jsonx", "application/json; charset=utf-16",
                           "application/json, text/plain"):
            with self.subTest(media_type=media_type):
                fields = {} if media_type is None else {"Content-Type": media_type}
                self.assert_refused(self.server.request("POST", "/upload", fields, b"{}"), 415)

    def test_media_type_may_have_parameters(self) -> None:
        for media_type in ("application/json; charset=utf-8", "Application/JSON;charset=UTF-8",
                           'application/json; charset="utf-8"', "application/json ; x=y"):
            with self.subTest(media_type=media_type):
                response = self.server.post_json(b"{}", {"Content-Type": media_type})
                self.assertEqual(response.status, 201)

    def test_content_coding_is_415(self) -> None:
        self.assert_refused(self.server.post_json(b"{}", {"Content-Encoding": "gzip"}), 415)

    def test_length_is_demanded(self) -> None:
        with self.server.connect() as connection:
            response = connection.exchange(request_bytes("POST", "/upload", JSON))
            self.assert_refused(response, 411)
            self.assertTrue(response.closes())

    def test_framing_errors_are_problems_too(self) -> None:
        for field, value, status in (("Content-Length", "abc", 400), ("Expect", "x", 417),
                                     ("Transfer-Encoding", "gzip", 501),
                                     ("Transfer-Encoding", "chunked;q=1", 400)):
            with self.subTest(field=field, value=value), self.server.connect() as connection:
                connection.send(request_bytes("POST", "/upload", {**JSON, field: value}))
                self.assert_refused(connection.read_response(), status)

    def test_limit_is_exact(self) -> None:
        for size, status in ((LIMIT - 1, 201), (LIMIT, 201), (LIMIT + 1, 413)):
            with self.subTest(size=size):
                self.assertEqual(self.server.post_json(b"1".ljust(size)).status, status)

    def test_limit_holds_for_chunks_at_the_byte(self) -> None:
        for size, status in ((LIMIT, 201), (LIMIT + 1, 413)):
            with self.subTest(size=size), self.server.connect() as connection:
                connection.send(request_bytes("POST", "/upload",
                                              {**JSON, "Transfer-Encoding": "chunked"}))
                connection.send(b"1000\r\n" + b"1".ljust(4096) + b"\r\n")
                connection.send((b"1000\r\n" + b" " * 4096 + b"\r\n") * (LIMIT // 4096 - 1))
                connection.send(b"1\r\n \r\n" if size > LIMIT else b"0\r\n\r\n")
                self.assertEqual(connection.read_response().status, status)

    def test_too_long_is_refused_before_it_is_read(self) -> None:
        with self.server.connect() as connection:
            connection.send(request_bytes("POST", "/upload",
                                          {**JSON, "Content-Length": str(LIMIT + 1)}))
            response = connection.read_response()
            self.assert_refused(response, 413)
            self.assertTrue(response.closes())

    def test_foreign_sites_may_not_post(self) -> None:
        own = self.server.url("")
        for fields, status in (({"Origin": "http://evil.example"}, 403),
                               ({"Origin": "null"}, 403),
                               ({"Sec-Fetch-Site": "cross-site"}, 403),
                               ({"Origin": own}, 201),
                               ({"Origin": own, "Sec-Fetch-Site": "same-origin"}, 201)):
            with self.subTest(fields=fields):
                self.assertEqual(self.server.post_json(b"{}", fields).status, status)

    def test_connection_goes_on_after_an_upload(self) -> None:
        with self.server.connect() as connection:
            for body, status in ((b"{}", 201), (b"{x}", 400), (b"[1]", 201)):
                response = connection.exchange(request_bytes("POST", "/upload", JSON, body))
                self.assertEqual(response.status, status)

    def test_pipelined_uploads_are_all_stored(self) -> None:
        bodies = [json.dumps({"number": number}).encode() for number in range(40)]
        with self.server.connect() as connection:
            connection.send(b"".join(request_bytes("POST", "/upload", JSON, b) for b in bodies))
            for body in bodies:
                location = connection.read_response().value("Location")
                self.assertEqual(self.server.get(location).body, body)

    def test_client_that_vanishes_leaves_nothing(self) -> None:
        body = json.dumps({"text": "x" * 200_000}).encode()
        request = self.server.expand(request_bytes("POST", "/upload", JSON, body))
        before = self.server.stored()
        head = len(request) - len(body)
        for count in (head, head + 1, head + 1000, head + 70_000, len(request) - 1):
            for end in (Connection.reset, Connection.close):
                connection = self.server.connect()
                connection.socket.sendall(request[:count])
                end(connection)
        self.server.wait_for_connections(0)
        self.assertEqual(self.server.stored(), before)
        self.assertEqual(self.litter(), [])

    def test_chunks_that_end_early_leave_nothing(self) -> None:
        before = self.server.stored()
        with self.server.connect() as connection:
            connection.send(request_bytes("POST", "/upload",
                                          {**JSON, "Transfer-Encoding": "chunked"}))
            connection.send(b"5\r\n[1,2]\r\n")
            connection.half_close()
            self.assertNotIn(b" 201 ", connection.read_rest())
        self.assertEqual(self.server.stored(), before)

    def litter(self) -> list[str]:
        """Files that are neither documents nor part of the housekeeping at rest."""
        housekeeping = self.server.uploads / ".tarn"
        if not housekeeping.is_dir():
            return []
        return [name for name in os.listdir(housekeeping) if "tmp" in name]

    def test_housekeeping_is_not_served(self) -> None:
        for target in ("/uploads/.tarn", "/uploads/.tarn/", "/uploads/.tarn/counts"):
            self.assertEqual(self.server.get(target).status, 404)

    def test_unknown_document_is_404(self) -> None:
        self.assertEqual(self.server.get("/uploads/upload_20200101_000000_0000.json").status, 404)

    @needs("curl")
    def test_curl_posts(self) -> None:
        done = run("curl", "-sS", "-i", "-H", "Content-Type: application/json", "-d", '{"ok":true}',
                   self.server.url("/upload"))
        self.assertTrue(done.stdout.startswith(b"HTTP/1.1 201 Created\r\n"), done)

    @needs("curl")
    def test_curl_waits_for_100(self) -> None:
        big = self.server.folder / "big.json"
        for size, status in ((LIMIT, b"201"), (LIMIT + 1, b"413"), (3 * LIMIT, b"413")):
            big.write_bytes(b"1".ljust(size))
            with self.subTest(size=size):
                done = run("curl", "-sS", "-o", "/dev/null", "-w", "%{http_code}",
                           "-H", "Content-Type: application/json", "-H", "Expect: 100-continue",
                           "--data-binary", f"@{big}", self.server.url("/upload"))
                self.assertEqual((done.returncode, done.stdout), (0, status), done.stderr)


class ManyUploadsTest(ServerTestCase):
    """Many at the same time, for either durability."""

    CLIENTS = 16
    EACH = 50

    def upload_some(self, client: int, stored: dict[str, bytes]) -> None:
        with self.server.connect() as connection:
            for number in range(self.EACH):
                body = json.dumps({"client": client, "number": number}).encode()
                response = connection.exchange(request_bytes("POST", "/upload", JSON, body))
                if response.status == 201:
                    stored[json.loads(response.body)["name"]] = body

    def test_parallel_uploads_are_all_different(self) -> None:
        stored: dict[str, bytes] = {}
        threads = [threading.Thread(target=self.upload_some, args=(client, stored))
                   for client in range(self.CLIENTS)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        self.assertEqual(len(stored), self.CLIENTS * self.EACH)
        for name, body in stored.items():
            self.assertEqual((self.server.uploads / name).read_bytes(), body)
        self.assertEqual(len(self.server.stored()), len(stored))


class ManyUnsyncedUploadsTest(ManyUploadsTest):

    settings = {"uploads.durability": "none"}

    def test_answer_says_that_nothing_was_synced(self) -> None:
        answer = json.loads(self.server.post_json(b"{}").body)
        self.assertEqual(answer["durability"], "none")
        (self.server.uploads / answer["name"]).unlink()


class OneWorkerUploadsTest(ManyUploadsTest):
    """A worker that waits for the disk must not be waited for by itself."""

    workers = 1


class FullDiskTest(ServerTestCase):

    settings = {"uploads.min_free_bytes": 1 << 60}

    def test_no_room_is_507_before_the_body(self) -> None:
        with self.server.connect() as connection:
            connection.send(request_bytes("POST", "/upload", {**JSON, "Content-Length": "100"}))
            self.assertEqual(connection.read_response().status, 507)
        self.assertEqual(self.server.stored(), [])

    def test_server_is_not_ready_but_alive(self) -> None:
        response = self.server.get("/readyz")
        self.assertEqual(response.status, 503)
        self.assertRegex(response.value("Retry-After"), r"\A\d+\Z")
        self.assertEqual(self.server.get("/healthz").status, 200)


class KilledServerTest(unittest.TestCase):
    """A kill at any moment loses nothing that was acknowledged."""

    ROUNDS = 5

    def upload_until_the_end(self, server: Server, stored: dict[str, bytes], client: int) -> None:
        number = 0
        try:
            with server.connect() as connection:
                while True:
                    body = json.dumps({"client": client, "number": number, "x": "y" * 3000}).encode()
                    response = connection.exchange(request_bytes("POST", "/upload", JSON, body))
                    stored[json.loads(response.body)["name"]] = body
                    number += 1
        except (OSError, EOFError):
            pass  # killed

    def test_sigkill_loses_no_acknowledged_upload(self) -> None:
        server = Server({"limits.max_requests": 1000000})
        self.addCleanup(server.destroy)
        stored: dict[str, bytes] = {}
        for round_number in range(self.ROUNDS):
            server.port = 0
            server.start()
            threads = [threading.Thread(target=self.upload_until_the_end,
                                        args=(server, stored, 100 * round_number + client))
                       for client in range(8)]
            for thread in threads:
                thread.start()
            enough = len(stored) + 50 + 37 * round_number
            while len(stored) < enough and any(thread.is_alive() for thread in threads):
                threads[0].join(0.005)
            server.kill()
            for thread in threads:
                thread.join(PATIENCE)
            self.assertGreaterEqual(len(stored), enough)
            for name, body in stored.items():
                self.assertEqual((server.uploads / name).read_bytes(), body)
            for path in server.stored():
                json.loads(path.read_bytes())  # none is torn
        server.port = 0
        server.start()
        self.assertEqual(server.post_json(b"{}").status, 201)
        server.finish()


if __name__ == "__main__":
    unittest.main()
