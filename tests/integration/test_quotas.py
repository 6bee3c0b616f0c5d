"""Goal: limits of what is stored hold exactly, for many uploads at once and over each kind of restart;
the log and /readyz tell of them before they bite; and old documents go."""

from __future__ import annotations

import threading
import time
import unittest
from pathlib import Path

from tarn import Response, Server, eventually

FILES = 20
UPLOADERS = 10


class QuotaTest(unittest.TestCase):

    def start(self, **settings: object) -> Server:
        self.server = Server({name.replace("_", ".", 1): value
                              for name, value in settings.items()}, workers=6)
        self.addCleanup(self.server.destroy)
        return self.server.start()

    def restart(self) -> None:
        self.server.port = 0
        self.server.start()

    def post(self, body: bytes = b"{}") -> int:
        return self.server.post_json(body).status

    def ready(self) -> Response:
        return self.server.get("/readyz")

    def post_at_once(self, each: int) -> list[int]:
        statuses: list[int] = []

        def upload() -> None:
            for _ in range(each):
                statuses.append(self.post())

        threads = [threading.Thread(target=upload) for _ in range(UPLOADERS)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        return statuses


class UploadQuotaTest(QuotaTest):

    def test_number_of_documents_is_limited_exactly(self) -> None:
        server = self.start(uploads_max_files=FILES)
        statuses = self.post_at_once(5)
        self.assertEqual(statuses.count(201), FILES)
        self.assertEqual(statuses.count(507), 5 * UPLOADERS - FILES)
        self.assertEqual(len(server.stored()), FILES)
        refused = server.post_json(b"{}")
        self.assertEqual(refused.value("Content-Type"), "application/problem+json")
        server.finish()

    def test_limit_holds_over_restarts(self) -> None:
        server = self.start(uploads_max_files=FILES)
        self.post_at_once(1)
        server.signal(15)
        server.wait()
        self.restart()
        self.assertEqual(self.post_at_once(1).count(201), FILES - UPLOADERS)
        server.kill()
        self.restart()
        self.assertEqual(self.post(), 507)
        server.kill()
        for document in server.stored()[:3]:
            document.unlink()
        self.restart()
        self.assertEqual(self.post_at_once(1).count(201), 3)
        server.finish()

    def test_bytes_are_limited_exactly(self) -> None:
        server = self.start(uploads_max_bytes=100)
        self.assertEqual(self.post(b'"' + b"x" * 58 + b'"'), 201)
        self.assertEqual(self.post(b'"' + b"x" * 39 + b'"'), 507)
        self.assertEqual(self.post(b'"' + b"x" * 38 + b'"'), 201)
        self.assertEqual(self.post(b"1"), 507)
        self.assertEqual(sum(path.stat().st_size for path in server.stored()), 100)
        server.finish()

    def test_batch_has_room_as_a_whole_or_not(self) -> None:
        server = self.start(uploads_max_files=3)
        fields = {"Content-Type": "application/x-ndjson"}
        self.assertEqual(self.post(), 201)
        self.assertEqual(server.request("POST", "/upload", fields, b"1\n2\n3\n").status, 507)
        self.assertEqual(len(server.stored()), 1)
        self.assertEqual(server.request("POST", "/upload", fields, b"1\n2\n").status, 201)
        self.assertEqual(len(server.stored()), 3)
        server.finish()

    def test_readiness_and_log_tell(self) -> None:
        server = self.start(uploads_max_files=10, uploads_max_bytes=1000)
        self.assertEqual(self.ready().body, b"ready\nuploads: 0 of 10 files, 0 of 1000 bytes\n")
        for _ in range(9):
            self.assertEqual(self.post(), 201)
        self.assertEqual(self.ready().body, b"ready\nuploads: 9 of 10 files, 18 of 1000 bytes\n")
        server.wait_for_error(r"\[warn\].* 8 of 10 files are stored \(uploads\.max_files\)")
        self.assertEqual(self.post(), 201)
        full = self.ready()
        self.assertEqual(full.status, 503)
        self.assertIn(b"no room", full.body)
        server.wait_for_error(r"\[warn\].* 10 of 10 files are stored \(uploads\.max_files\)")
        self.assertEqual(self.post(), 507)
        self.assertEqual(server.get("/").status, 200)
        server.signal(15)
        server.wait()
        self.assertEqual(server.error_text.count("uploads.max_files"), 2)

    def test_without_limits_nothing_is_counted(self) -> None:
        server = self.start()
        self.assertEqual(self.post(), 201)
        self.assertEqual(self.ready().body, b"ready\n")
        self.assertFalse((server.uploads / ".tarn" / "counts").exists())
        server.finish()


class FileQuotaTest(QuotaTest):

    def put(self, name: str, body: bytes) -> int:
        return self.server.request("PUT", "/files/" + name, {}, body).status

    def test_files_have_limits_of_their_own(self) -> None:
        server = self.start(files_writable=True, files_directory="files", files_max_files=2,
                            files_max_bytes=10)
        self.assertEqual(self.put("a", b"12345"), 201)
        self.assertEqual(self.put("b", b"1234"), 201)
        self.assertEqual(self.put("c", b"1"), 507)
        self.assertEqual(self.put("a", b"123456"), 204)
        self.assertEqual(self.put("a", b"1234567"), 507)
        self.assertEqual(server.get("/files/a").body, b"123456")
        self.assertEqual(server.request("DELETE", "/files/b").status, 204)
        self.assertEqual(self.put("c", b"1234"), 201)
        self.assertEqual(self.post(), 201)
        server.finish()


class HousekeepingTest(QuotaTest):

    def prepare(self, **settings: object) -> Server:
        server = self.start(**settings)
        server.signal(15)
        server.wait()
        return server

    def test_old_documents_go(self) -> None:
        server = self.prepare(uploads_ttl_days=10)
        today = time.strftime("%Y%m%d", time.gmtime())
        young = server.uploads / f"upload_{today}_000000_aaaa.json"
        old = server.uploads / "upload_20200101_000000_aaaa.json"
        for path in young, old:
            path.write_bytes(b"1")
        self.restart()
        eventually(lambda: not old.exists(), "the old document is removed")
        self.assertTrue(young.exists())
        server.finish()

    def leave_batch(self, name: str, documents: int) -> Path:
        folder = self.server.uploads / ".tarn" / name
        folder.mkdir()
        (folder / ".lock").touch()
        for i in range(documents):
            (folder / f"upload_20240229_120000_{i:04x}.json").write_bytes(b"1")
        return folder

    def test_batches_that_a_crash_interrupted(self) -> None:
        server = self.prepare()
        undone = self.leave_batch("batch_0123456789abcdef", 3)
        promised = self.leave_batch("commit_0123456789abcdef", 5)
        self.restart()
        self.assertEqual(len(server.stored()), 5)
        self.assertFalse(undone.exists() or promised.exists())
        self.assertEqual(server.get("/uploads/upload_20240229_120000_0000.json").body, b"1")
        server.finish()


if __name__ == "__main__":
    unittest.main()
