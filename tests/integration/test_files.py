"""Goal: what a client puts under /files is there whole or not at all, goes through the server in
bounded memory, and comes back byte for byte, as a download that no browser runs."""

from __future__ import annotations

import base64
import hashlib
import json
import os
import re
import shutil
import subprocess
import threading
import unittest
from pathlib import Path

from tarn import (PATIENCE, Connection, Response, Server, ServerTestCase, eventually, needs,
                  request_bytes, run)

LIMIT = 1_000_000  # limits.file_bytes, where a test needs one
CHUNKED = {"Transfer-Encoding": "chunked"}
WRITABLE = {"files.directory": "files", "files.writable": True, "uploads.durability": "none"}
PROBLEM = "application/problem+json"


class FilesTestCase(ServerTestCase):

    settings = WRITABLE

    @property
    def folder(self) -> Path:
        return self.server.folder / "files"

    def put(self, name: str, body: bytes, fields: dict[str, str] | None = None) -> Response:
        return self.server.request("PUT", f"/files/{name}", fields, body)

    def stored(self) -> dict[str, bytes]:
        return {path.name: path.read_bytes() for path in self.folder.iterdir()
                if path.is_file() and not path.name.startswith(".")}

    def litter(self) -> list[str]:
        return [name for name in os.listdir(self.folder / ".tarn") if "tmp" in name]

    def assert_refused(self, response: Response, status: int) -> None:
        self.assertEqual(response.status, status)
        self.assertEqual(response.value("Content-Type"), PROBLEM)
        self.assertEqual(json.loads(response.body)["status"], status)


class WritingTest(FilesTestCase):

    settings = {**WRITABLE, "limits.file_bytes": LIMIT, "uploads.durability": "fsync"}

    def setUp(self) -> None:
        for name in self.stored():
            (self.folder / name).unlink()

    def test_put_makes_and_replaces(self) -> None:
        for body, status in ((b"first", 201), (b"second", 204), (b"", 204)):
            response = self.put("a.bin", body)
            self.assertEqual(response.status, status)
            self.assertEqual(response.values("Location"), ["/files/a.bin"] * (status == 201))
            read = self.server.get("/files/a.bin")
            self.assertEqual((read.status, read.body), (200, body))
            self.assertEqual(read.value("ETag"), response.value("ETag"))
        self.assertEqual(self.stored(), {"a.bin": b""})
        self.assertEqual(self.litter(), [])

    def test_answer_tells_what_was_stored(self) -> None:
        response = self.put("r%C3%A9sum%C3%A9%201.txt", b"four")
        self.assertEqual(response.value("Location"), "/files/r%C3%A9sum%C3%A9%201.txt")
        self.assertEqual(json.loads(response.body),
                         {"path": "/files/r\u00e9sum\u00e9 1.txt", "name": "r\u00e9sum\u00e9 1.txt",
                          "bytes": 4, "durability": "fsync"})

    def test_post_makes_only_what_is_not_there(self) -> None:
        for body, status in ((b"first", 201), (b"second", 409)):
            response = self.server.request("POST", "/files/a", None, body)
            self.assertEqual(response.status, status)
        self.assertEqual(self.stored(), {"a": b"first"})

    def test_delete_removes(self) -> None:
        self.put("a", b"x")
        for status in (204, 404):
            self.assertEqual(self.server.request("DELETE", "/files/a").status, status)
        self.assertEqual(self.stored(), {})

    def test_delete_ignores_content(self) -> None:
        self.put("a", b"x")
        with self.server.connect() as connection:
            for status in (204, 404):
                answer = connection.exchange(request_bytes("DELETE", "/files/a", None, b"content"))
                self.assertEqual(answer.status, status)
                if answer.closes():
                    break

    def test_stored_content_is_never_active(self) -> None:
        for name in ("page.html", "script.js", "image.svg", "a.txt", "noext"):
            self.put(name, b"<script>alert(1)</script>", {"Content-Type": "text/html"})
            for method in ("GET", "HEAD"):
                response = self.server.request(method, f"/files/{name}")
                self.assertEqual(response.value("Content-Type"), "application/octet-stream")
                self.assertEqual(response.value("Content-Disposition"),
                                 f'attachment; filename="{name}"')
                self.assertEqual(response.value("X-Content-Type-Options"), "nosniff")
                self.assertEqual(response.value("Content-Security-Policy"),
                                 "default-src 'none'; sandbox")

    def test_ranges_of_a_stored_file(self) -> None:
        self.put("a", b"0123456789")
        part = self.server.get("/files/a", {"Range": "bytes=2-4"})
        self.assertEqual((part.status, part.body), (206, b"234"))
        self.assertEqual(part.value("Content-Range"), "bytes 2-4/10")
        self.assertEqual(self.server.get("/files/a", {"Range": "bytes=10-"}).status, 416)

    def test_chunks_are_put(self) -> None:
        with self.server.connect() as connection:
            connection.send(request_bytes("PUT", "/files/chunked", CHUNKED))
            for _ in range(100):
                connection.send(b"5\r\nabcde\r\n")
            connection.send(b"0\r\n\r\n")
            self.assertEqual(connection.read_response().status, 201)
        self.assertEqual(self.stored(), {"chunked": b"abcde" * 100})

    def test_length_is_demanded(self) -> None:
        for method in ("PUT", "POST"):
            with self.server.connect() as connection:
                response = connection.exchange(request_bytes(method, "/files/a"))
                self.assert_refused(response, 411)
                self.assertTrue(response.closes())

    def test_limit_is_exact(self) -> None:
        for size, status in ((LIMIT - 1, 201), (LIMIT, 204), (LIMIT + 1, 413)):
            with self.subTest(size=size):
                self.assertEqual(self.put("a", b"x" * size).status, status)
        self.assertEqual(len(self.stored()["a"]), LIMIT)

    def test_limit_holds_for_chunks_at_the_byte(self) -> None:
        chunk = b"3e8\r\n" + b"x" * 1000 + b"\r\n"
        for rest, status in ((b"0\r\n\r\n", 201), (b"1\r\nx\r\n", 413)):
            with self.subTest(status=status), self.server.connect() as connection:
                connection.send(request_bytes("PUT", f"/files/{status}", CHUNKED))
                connection.send(chunk * (LIMIT // 1000) + rest)
                self.assertEqual(connection.read_response().status, status)
        self.assertEqual(list(self.stored()), ["201"])
        self.assertEqual(self.litter(), [])

    def test_too_long_is_refused_before_it_is_read(self) -> None:
        for fields in ({}, {"Expect": "100-continue"}):
            with self.server.connect() as connection:
                connection.send(request_bytes("PUT", "/files/a",
                                              {**fields, "Content-Length": str(LIMIT + 1)}))
                response = connection.read_response()
                self.assert_refused(response, 413)
                self.assertTrue(response.closes())

    def test_100_comes_only_when_the_content_will_be_read(self) -> None:
        with self.server.connect() as connection:
            connection.send(request_bytes("PUT", "/files/a", {"Expect": "100-continue",
                                                              "Content-Length": "3"}))
            self.assertEqual(connection.read_response().status, 100)
            connection.send(b"abc")
            self.assertEqual(connection.read_response().status, 201)
        with self.server.connect() as connection:
            connection.send(request_bytes("POST", "/files/a", {"Expect": "100-continue",
                                                               "Content-Length": "3"}))
            self.assert_refused(connection.read_response(), 409)

    def test_coded_or_partial_content_is_refused(self) -> None:
        for fields, status in (({"Content-Encoding": "gzip"}, 415),
                               ({"Content-Encoding": "identity"}, 201),
                               ({"Content-Range": "bytes 0-2/3"}, 400),
                               ({"Content-Range": "bytes 0-2/3", "If-Match": '"x"'}, 400)):
            with self.subTest(fields=fields):
                self.assertEqual(self.put("a", b"abc", fields).status, status)

    def test_digest_is_verified(self) -> None:
        body = b"some content"
        right = base64.b64encode(hashlib.sha256(body).digest()).decode()
        wrong = base64.b64encode(hashlib.sha256(b"other").digest()).decode()
        for value, status in ((f"sha-256=:{wrong}:", 400), (f"sha-256=:{right[:-4]}:", 400),
                              ("sha-256=", 400), (f"sha-256=:{right}:", 201), ("md5=:AAAA:", 204)):
            with self.subTest(value=value):
                self.assertEqual(self.put("a", body, {"Content-Digest": value}).status, status)
                self.assertEqual(bool(self.stored()), status != 400)
        asked = self.put("a", body, {"Want-Repr-Digest": "sha-256=10"})
        read = self.server.get("/files/a", {"Want-Repr-Digest": "sha-256=10"})
        for response in (asked, read):
            self.assertEqual(response.value("Repr-Digest"), f"sha-256=:{right}:")

    def test_digest_of_what_is_made_is_in_the_receipt(self) -> None:
        """A Repr-Digest would have to be that of the receipt (RFC 9530 section 3.2)."""
        body = b"some content"
        response = self.put("new", body, {"Want-Repr-Digest": "sha-512=10"})
        right = base64.b64encode(hashlib.sha512(body).digest()).decode()
        self.assertEqual((response.status, response.values("Repr-Digest")), (201, []))
        self.assertEqual(json.loads(response.body)["digest"], f"sha-512=:{right}:")
        plain = self.put("other", body)
        self.assertNotIn("digest", json.loads(plain.body))

    def test_client_that_vanishes_leaves_nothing(self) -> None:
        self.put("old", b"old")
        request = request_bytes("PUT", "/files/old", None, b"x" * 200_000)
        head = len(request) - 200_000
        for count in (head, head + 1, head + 1000, head + 70_000, len(request) - 1):
            for end in (Connection.reset, Connection.close):
                connection = self.server.connect()
                connection.send(request[:count])
                end(connection)
        self.server.wait_for_connections(0)
        self.assertEqual(self.stored(), {"old": b"old"})
        self.assertEqual(self.litter(), [])

    def test_readers_see_the_old_or_the_new_file(self) -> None:
        bodies = [bytes([65 + number]) * 50_000 for number in range(4)]
        self.put("a", bodies[0])
        done = threading.Event()
        seen: set[bytes] = set()

        def read() -> None:
            while not done.is_set():
                seen.add(self.server.get("/files/a").body)

        reader = threading.Thread(target=read)
        reader.start()
        for number in range(60):
            self.assertEqual(self.put("a", bodies[number % 4]).status, 204)
        done.set()
        reader.join()
        self.assertLessEqual(seen, set(bodies))

    def test_foreign_sites_may_not_write(self) -> None:
        for method in ("PUT", "POST", "DELETE"):
            response = self.server.request(method, "/files/a", {"Sec-Fetch-Site": "cross-site"})
            self.assert_refused(response, 403)

    @needs("curl")
    def test_curl_uploads_a_file(self) -> None:
        path = self.server.folder / "data.bin"
        path.write_bytes(os.urandom(300_000))
        for number, options in enumerate(([], ["-H", "Expect:"], ["-H", "Expect: 100-continue"],
                                          ["-H", "Transfer-Encoding: chunked"])):
            with self.subTest(options=options):
                done = run("curl", "-sS", "-o", "/dev/null", "-w", "%{http_code}", *options,
                           "-T", str(path), self.server.url(f"/files/{'' if number else 'x'}"))
                self.assertEqual(done.returncode, 0, done.stderr)
                self.assertIn(done.stdout, (b"201", b"204"))
        self.assertEqual(self.stored(), {"x": path.read_bytes(), "data.bin": path.read_bytes()})


class NamesTest(FilesTestCase):
    """What is no name of a file, or is taken by something else."""

    @classmethod
    def prepare(cls) -> None:
        folder = cls.server.folder / "files"
        (folder / "folder").mkdir(parents=True)
        os.mkfifo(folder / "fifo")
        (folder / "link").symlink_to("inside")
        (folder / "out").symlink_to("/etc/passwd")
        (folder / "dangling").symlink_to("nothing")
        (folder / "inside").write_bytes(b"inside")
        (folder / ".hidden").write_bytes(b"hidden")

    # Name, and the statuses of PUT, DELETE and GET.
    ROWS = [
        ("", 405, 405, 403), ("folder", 403, 403, 403), ("folder/", 404, 404, 404),
        ("folder/x", 404, 404, 404), ("nothing/x", 404, 404, 404), ("fifo", 403, 403, 403),
        ("link", 403, 403, 403), ("out", 403, 403, 403), ("dangling", 403, 403, 403),
        (".hidden", 404, 404, 404), (".tarn", 404, 404, 404), (".tarn/x", 404, 404, 404),
        ("..", 403, 403, 403), ("../x", 403, 403, 403), ("%2e%2e/x", 403, 403, 403),
        ("..%2fx", 403, 403, 403), ("a%2fb", 403, 403, 403), ("a%5cb", 403, 403, 403),
        ("a%00b", 400, 400, 400), ("a%0ab", 400, 400, 400), ("a%7fb", 400, 400, 400),
        ("%ff", 400, 400, 400), ("%zz", 400, 400, 400), ("x" * 256, 414, 404, 404),
        ("x" * 4000, 414, 404, 404), ("%C3%A9" * 128, 414, 404, 404),
    ]

    def test_names_that_are_none(self) -> None:
        before = sorted(os.listdir(self.folder))
        for name, *statuses in self.ROWS:
            for method, status in zip(("PUT", "DELETE", "GET"), statuses):
                with self.subTest(method=method, name=name[:20]):
                    body = b"x" if method == "PUT" else None
                    response = self.server.request(method, f"/files/{name}", None, body)
                    self.assertEqual(response.status, status)
                    self.assertNotIn(str(self.server.folder).encode(), response.body)
        self.assertEqual(sorted(os.listdir(self.folder)), before)
        self.assertEqual((self.folder / "inside").read_bytes(), b"inside")

    def test_methods_of_the_folder_and_of_a_file(self) -> None:
        for target, methods in (("/files/", "GET, HEAD, OPTIONS"),
                                ("/files/a", "GET, HEAD, POST, PUT, DELETE, OPTIONS")):
            response = self.server.request("OPTIONS", target)
            self.assertEqual((response.status, response.value("Allow")), (204, methods))
            response = self.server.request("PATCH", target, None, b"x")
            self.assertEqual((response.status, response.value("Allow")), (405, methods))

    def test_longest_name_is_taken(self) -> None:
        for name in ("y" * 255, "%C3%A9" * 127):
            self.assertEqual(self.put(name, b"x").status, 201)
            self.assertEqual(self.server.get(f"/files/{name}").body, b"x")
            self.assertEqual(self.server.request("DELETE", f"/files/{name}").status, 204)

    def test_many_slashes_are_one(self) -> None:
        self.assertEqual(self.server.request("PUT", "//files///s", None, b"x").status, 201)
        self.assertEqual(self.server.request("DELETE", "/files/s").status, 204)

    def test_uploads_are_not_written_to(self) -> None:
        for target in ("/uploads/", "/uploads/x", "/", "/index.html", "/files"):
            for method in ("PUT", "DELETE"):
                response = self.server.request(method, target, None, b"x")
                self.assertEqual(response.status, 405, target)


class ReadOnlyTest(FilesTestCase):

    settings = {"files.directory": "files"}

    def test_folder_need_not_be_there(self) -> None:
        self.assertEqual(self.server.get("/files/a").status, 404)
        self.folder.mkdir()
        self.addCleanup(shutil.rmtree, self.folder)
        (self.folder / "a").write_bytes(b"later")
        (self.folder / ".b").write_bytes(b"hidden")
        (self.folder / "inside").symlink_to("a")
        (self.folder / "out").symlink_to("/etc/passwd")
        os.mkfifo(self.folder / "fifo")
        (self.folder / "c").mkdir()
        for name, status in (("a", 200), ("inside", 200), ("b", 404), (".b", 404), ("out", 403),
                             ("fifo", 403), ("c", 403), ("c/d", 404), ("", 403)):
            self.assertEqual(self.server.get(f"/files/{name}").status, status, name)
        response = self.server.get("/files/a")
        self.assertEqual(response.body, b"later")
        self.assertEqual(response.value("Content-Type"), "application/octet-stream")

    def test_writing_is_405(self) -> None:
        for method in ("PUT", "POST", "DELETE"):
            for name in ("a", ""):
                response = self.server.request(method, f"/files/{name}", None, b"x")
                self.assert_refused(response, 405)
                self.assertEqual(response.value("Allow"), "GET, HEAD, OPTIONS")
        self.assertFalse(self.folder.exists())


class ListedTest(FilesTestCase):

    settings = {**WRITABLE, "static.listing": True}

    def test_folder_is_listed(self) -> None:
        self.put("b", b"123")
        self.put("a", b"1")
        listing = self.server.get("/files/", {"Accept": "application/json"})
        names = [entry["name"] for entry in json.loads(listing.body)["entries"]]
        self.assertEqual(names, ["a", "b"])
        page = self.server.get("/files/", {"Accept": "text/html"})
        self.assertEqual(page.status, 200)
        self.assertNotIn(b".tarn", page.body)


class LargeFileTest(FilesTestCase):

    SIZE = 200_000_000
    MEMORY_MAX = 8_000_000

    def peak_bytes(self) -> int:
        status = Path(f"/proc/{self.server.running.pid}/status").read_text()
        match = re.search(r"VmHWM:\s+(\d+) kB", status)
        assert match
        return int(match[1]) * 1000

    def test_large_file_goes_through_in_bounded_memory(self) -> None:
        self.put("small", b"x")
        self.server.get("/files/small")
        before = self.peak_bytes()
        block = os.urandom(1_000_000)
        digest = hashlib.sha256()
        with self.server.connect() as connection:
            connection.send(request_bytes("PUT", "/files/large",
                                          {"Content-Length": str(self.SIZE)}))
            for _ in range(self.SIZE // len(block)):
                connection.socket.sendall(block)  # nothing in it is to be expanded
                digest.update(block)
            self.assertEqual(connection.read_response().status, 201)
        read = hashlib.sha256()
        with self.server.connect() as connection:
            connection.send(request_bytes("GET", "/files/large"))
            left = int(connection.read_head().value("Content-Length"))
            self.assertEqual(left, self.SIZE)
            while left > 0:
                connection.fill()
                piece = connection.take()
                read.update(piece)
                left -= len(piece)
        self.assertEqual(read.digest(), digest.digest())
        self.assertLess(self.peak_bytes() - before, self.MEMORY_MAX)
        self.assertEqual(self.server.request("DELETE", "/files/large").status, 204)


class NoRoomTest(FilesTestCase):

    settings = {**WRITABLE, "uploads.min_free_bytes": 1 << 60}

    def test_no_room_is_507_before_the_content(self) -> None:
        for fields in ({"Content-Length": "100"}, CHUNKED):
            with self.server.connect() as connection:
                connection.send(request_bytes("PUT", "/files/a", fields))
                response = connection.read_response()
                self.assert_refused(response, 507)
                self.assertTrue(response.closes())
        self.assertEqual(self.stored(), {})


class QuotaTest(FilesTestCase):

    settings = {**WRITABLE, "files.max_files": 2, "files.max_bytes": 10_000}

    def put_eventually(self, name: str, size: int, status: int) -> None:
        """The first count of what is there may still be under way."""
        eventually(lambda: self.put(name, b"x" * size).status == status, f"{name} is {status}")

    def test_quota_is_507_and_leaves_room_for_replacing(self) -> None:
        self.assertEqual(self.put("a", b"x" * 4000).status, 201)
        self.assertEqual(self.put("b", b"x" * 4000).status, 201)
        self.put_eventually("c", 10, 507)
        self.assertEqual(self.put("a", b"y" * 5000).status, 204)
        self.assertEqual(self.put("a", b"z" * 6001).status, 507)
        self.assertEqual(self.stored(), {"a": b"y" * 5000, "b": b"x" * 4000})
        self.assertEqual(self.server.request("DELETE", "/files/b").status, 204)
        self.assertEqual(self.put("c", b"x" * 5000).status, 201)
        self.assertEqual(self.litter(), [])


class SmallDiskTest(unittest.TestCase):
    """A file system of 4 MB that fills while a file comes, and empties again."""

    def setUp(self) -> None:
        self.server = Server({**WRITABLE, "uploads.min_free_bytes": 0})
        self.addCleanup(self.server.destroy)
        self.disk = self.server.folder / "files"
        self.disk.mkdir()
        mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=4m", "tmpfs", self.disk],
                                 capture_output=True, check=False)
        if mounted.returncode != 0:
            self.skipTest("mounting a small file system needs a privilege")
        self.addCleanup(subprocess.run, ["umount", "-l", self.disk], check=True)
        self.server.start()

    def test_file_that_fills_the_disk_is_507_at_once(self) -> None:
        block = b"100000\r\n" + b"x" * 0x100000 + b"\r\n"
        with self.server.connect() as connection:
            connection.send(request_bytes("PUT", "/files/a", CHUNKED))
            connection.send(block * 5)  # without an end
            response = connection.read_response()
            self.assertEqual(response.status, 507)
            self.assertTrue(response.closes())
        self.server.wait_for_error(r"cannot store a file")
        self.assertEqual(self.server.request("PUT", "/files/b", None, b"x" * 3_000_000).status, 201)
        self.assertEqual(self.server.request("PUT", "/files/c", None, b"x" * 3_000_000).status, 507)
        self.assertEqual(self.server.request("DELETE", "/files/b").status, 204)
        self.assertEqual(self.server.request("PUT", "/files/c", None, b"x" * 3_000_000).status, 201)
        self.assertEqual([path.name for path in self.disk.iterdir() if path.name[0] != "."], ["c"])
        self.server.finish()


class KilledServerTest(unittest.TestCase):
    """A kill at any moment leaves a file as it was, or as it was acknowledged to be."""

    ROUNDS = 5

    def put_until_the_end(self, server: Server, name: str, kept: dict[str, tuple[int, int]],
                          first: int) -> None:
        number = first
        try:
            with server.connect() as connection:
                while True:
                    kept[name] = (kept.get(name, (number, number))[1], number + 1)
                    body = (b"%d," % (number + 1)) * 10_000
                    response = connection.exchange(
                        request_bytes("PUT", f"/files/{name}", None, body))
                    assert response.status in (201, 204)
                    number += 1
                    kept[name] = (number, number)
        except (OSError, EOFError):
            pass  # killed

    def test_sigkill_tears_no_file(self) -> None:
        server = Server({**WRITABLE, "uploads.durability": "fsync",
                         "limits.max_requests": 1_000_000})
        self.addCleanup(server.destroy)
        kept: dict[str, tuple[int, int]] = {}  # the last acknowledged, and the one sent last
        for round_number in range(self.ROUNDS):
            server.port = 0
            server.start()
            threads = [threading.Thread(
                target=self.put_until_the_end,
                args=(server, f"f{client}", kept, 100_000 * (round_number + 1)))
                       for client in range(4)]
            for thread in threads:
                thread.start()
            threads[0].join(0.1 + 0.05 * round_number)
            server.kill()
            for thread in threads:
                thread.join(PATIENCE)
            for name, numbers in kept.items():
                path = server.folder / "files" / name
                if not path.exists():
                    self.assertEqual(round_number, 0, name)
                    continue
                values = set(path.read_bytes().split(b",")) - {b""}
                self.assertEqual(len(values), 1, f"{name} is torn")
                value = int(values.pop())
                self.assertTrue(value in numbers, f"{name} is {value}, not of {numbers}")
                kept[name] = (value, value)
        server.port = 0
        server.start()
        self.assertEqual([name for name in os.listdir(server.folder / "files" / ".tarn")
                          if "tmp" in name], [])
        server.finish()


if __name__ == "__main__":
    unittest.main()
