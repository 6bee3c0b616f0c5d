"""Goal: what is downloaded is the file, under its name, byte for byte, of any size, also slowly."""

from __future__ import annotations

import hashlib
import os
import random
import threading
import unittest
from pathlib import Path
from typing import BinaryIO

from tarn import Connection, Response, ServerTestCase, needs, request_bytes, run

LARGE_SIZE = 100 * 1024 * 1024
SHORT_SIZE = 3_000_001  # no multiple of any chunk

INLINE_TYPES = {
    "page.html": "text/html; charset=utf-8",
    "style.css": "text/css; charset=utf-8",
    "code.js": "text/javascript; charset=utf-8",
    "data.json": "application/json",
    "drawing.svg": "image/svg+xml",
    "icon.ico": "image/vnd.microsoft.icon",
    "picture.webp": "image/webp",
    "font.woff2": "font/woff2",
    "module.wasm": "application/wasm",
}

ATTACHMENTS = ["notes.txt", "logo.png", "photo.jpg", "photo.jpeg", "UPPER.TXT", "archive.unknown",
               "no-extension"]


def random_bytes(count: int, seed: int = 1) -> bytes:
    return random.Random(seed).randbytes(count)


def write_large(path: Path) -> str:
    """Makes a sparse file with bytes here and there; returns its hash."""
    with open(path, "wb") as file:
        file.truncate(LARGE_SIZE)
        for place in range(0, LARGE_SIZE, 7_000_003):
            file.seek(place)
            file.write(random_bytes(5000, place))
    return hash_file(open(path, "rb"))


def hash_file(file: BinaryIO) -> str:
    with file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def hash_body(connection: Connection, response: Response) -> str:
    """Reads a body of any size without keeping it."""
    digest = hashlib.sha256()
    left = int(response.value("Content-Length"))
    while left:
        if not connection.pending and not connection.fill():
            raise EOFError(f"{left} bytes early")
        piece = connection.take(left)
        digest.update(piece)
        left -= len(piece)
    return digest.hexdigest()


class DownloadTest(ServerTestCase):

    @classmethod
    def prepare(cls) -> None:
        for name in [*INLINE_TYPES, *ATTACHMENTS]:
            cls.server.write(name, name.encode() * 100)
        cls.server.write("short.png", random_bytes(SHORT_SIZE))
        cls.server.write("empty.png", b"")
        cls.large_hash = write_large(cls.server.root / "large.png")

    large_hash: str

    def test_types_of_pages(self) -> None:
        for name, media_type in INLINE_TYPES.items():
            with self.subTest(name=name):
                response = self.server.get("/" + name)
                self.assertEqual(response.value("Content-Type"), media_type)
                self.assertEqual(response.values("Content-Disposition"), [])

    def test_attachments_have_their_name(self) -> None:
        for name in ATTACHMENTS:
            with self.subTest(name=name):
                response = self.server.get("/" + name)
                self.assertEqual(response.value("Content-Type"), "application/octet-stream")
                self.assertEqual(response.value("Content-Disposition"),
                                 f'attachment; filename="{name}"')
                self.assertEqual(response.body, name.encode() * 100)

    def test_odd_names_are_quoted(self) -> None:
        for name in ('say "hi".txt', "back\\slash.txt", "100%.txt", "\u00fcber;.txt"):
            self.server.write(name, b"x")
            target = "/" + "".join(f"%{byte:02X}" for byte in name.encode())
            with self.subTest(name=name):
                response = self.server.get(target)
                if "\\" in name:  # cannot be asked for
                    self.assertEqual(response.status, 403)
                    continue
                disposition = response.value("Content-Disposition")
                self.assertTrue(disposition.startswith('attachment; filename="'))
                self.assertIn("filename*=UTF-8''", disposition)
                self.assertTrue(disposition.isascii())

    def test_sizes_around_the_chunk(self) -> None:
        for size in (0, 1, 8191, 8192, 8193, 65535, 65536, 65537, SHORT_SIZE):
            content = random_bytes(size, size)
            self.server.write(f"size-{size}.png", content)
            with self.subTest(size=size):
                response = self.server.get(f"/size-{size}.png")
                self.assertEqual(response.value("Content-Length"), str(size))
                self.assertEqual(response.values("Transfer-Encoding"), [])
                self.assertTrue(response.body == content)

    def test_head_tells_the_size_of_a_large_file(self) -> None:
        response = self.server.request("HEAD", "/large.png")
        self.assertEqual(response.value("Content-Length"), str(LARGE_SIZE))

    def test_file_beyond_4_gb_has_its_length(self) -> None:
        size = 5 * 1024**3 + 1
        path = self.server.write("huge.png", size=size)
        with self.server.connect() as connection:
            connection.send(request_bytes("GET", "/huge.png"))
            self.assertEqual(connection.read_head().value("Content-Length"), str(size))
            connection.read_exactly(1_000_000)
        path.unlink()

    def test_large_files_come_whole_to_several_at_once(self) -> None:
        failures = []

        def download() -> None:
            try:
                with self.server.connect() as connection:
                    connection.send(request_bytes("GET", "/large.png"))
                    found = hash_body(connection, connection.read_head())
                    if found != self.large_hash:
                        failures.append("another hash")
            except (OSError, EOFError) as error:
                failures.append(repr(error))

        threads = [threading.Thread(target=download) for _ in range(3)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        self.assertEqual(failures, [])

    def test_connection_goes_on_after_a_download(self) -> None:
        with self.server.connect() as connection:
            for name, size in (("short.png", SHORT_SIZE), ("empty.png", 0), ("short.png", SHORT_SIZE)):
                body = connection.exchange(request_bytes("GET", "/" + name)).body
                self.assertTrue(body == (self.server.root / name).read_bytes())
                self.assertEqual(len(body), size)

    def test_pipelined_downloads_come_in_order(self) -> None:
        names = ["short.png", "page.html", "short.png", "logo.png"]
        with self.server.connect() as connection:
            connection.send(b"".join(request_bytes("GET", "/" + name) for name in names))
            for name in names:
                expected = (self.server.root / name).read_bytes()
                self.assertTrue(connection.read_response().body == expected, name)

    def test_small_windows_get_every_byte(self) -> None:
        with self.server.connect(receive_buffer=4096) as connection:
            connection.send(request_bytes("GET", "/short.png"))
            response = connection.read_head()
            body = bytearray()
            while len(body) < SHORT_SIZE:
                self.assertTrue(connection.pending or connection.fill())
                body += connection.take()
            self.assertEqual(response.status, 200)
            self.assertTrue(bytes(body) == random_bytes(SHORT_SIZE))

    def test_file_that_shrinks_ends_short(self) -> None:
        path = self.server.write("shrinking.png", random_bytes(1000), size=200_000_000)
        with self.server.connect() as connection:
            connection.send(request_bytes("GET", "/shrinking.png"))
            self.assertEqual(connection.read_head().value("Content-Length"), "200000000")
            os.truncate(path, 1000)
            received = 0
            try:
                while connection.fill():
                    received += len(connection.take())
            except ConnectionResetError:
                pass
            self.assertLess(received, 200_000_000)
        self.assert_serves()

    def test_file_that_is_replaced_stays_what_it_was(self) -> None:
        old = random_bytes(20_000_000, 7)
        path = self.server.write("replaced.png", old)
        with self.server.connect() as connection:
            connection.send(request_bytes("GET", "/replaced.png"))
            response = connection.read_head()
            new = self.server.write("new.png", b"new")
            new.rename(path)
            self.assertEqual(hash_body(connection, response), hashlib.sha256(old).hexdigest())
        self.assertEqual(self.server.get("/replaced.png").body, b"new")

    def test_client_that_leaves_in_the_middle_is_forgotten(self) -> None:
        for end in ("close", "reset"):
            for _ in range(20):
                connection = self.server.connect()
                connection.send(request_bytes("GET", "/large.png"))
                connection.read_exactly(100_000)
                getattr(connection, end)()
        self.server.wait_for_connections(0)
        self.assert_serves()

    @needs("curl")
    def test_curl_stores_under_the_name(self) -> None:
        folder = self.server.folder / "downloads"
        folder.mkdir()
        names = ["logo.png", "photo.jpg", "notes.txt", "short.png", "large.png"]
        urls = "\n".join(self.server.url("/" + name) for name in names)
        done = run("sh", "-c", f"printf '%s\\n' '{urls}' | xargs -P 5 -n 1 curl -fsSOJ", cwd=folder)
        self.assertEqual((done.returncode, done.stderr), (0, b""))
        for name in names:
            self.assertEqual(hash_file(open(folder / name, "rb")),
                             hash_file(open(self.server.root / name, "rb")), name)


class DownloadWithoutSendfileTest(DownloadTest):
    """The same, where the server reads and sends the bytes itself."""

    settings = {"stream.sendfile": False}


class SmallChunkTest(ServerTestCase):
    """The smallest chunks that make sense."""

    settings = {"stream.sendfile": False, "stream.chunk_bytes": 1024}

    def test_file_comes_whole(self) -> None:
        content = random_bytes(SHORT_SIZE)
        self.server.write("short.png", content)
        self.assertTrue(self.server.get("/short.png").body == content)


class AttachmentListTest(ServerTestCase):
    """The list of attachments is configured."""

    settings = {"static.attachments": ["html"], "static.cache_control": ""}

    def test_only_the_listed_are_attachments(self) -> None:
        self.server.write("notes.txt", b"notes")
        self.assertIn("attachment", self.server.get("/index.html").value("Content-Disposition"))
        response = self.server.get("/notes.txt")
        self.assertEqual(response.value("Content-Type"), "text/plain; charset=utf-8")
        self.assertEqual(response.values("Content-Disposition"), [])

    def test_empty_cache_control_leaves_the_field_out(self) -> None:
        self.assertEqual(self.server.get("/index.html").values("Cache-Control"), [])


if __name__ == "__main__":
    unittest.main()
