"""Goal (row E13): a disk that is full costs 507 and nothing else: no half upload, no left-over; and
when there is space again, the next upload works. The disk is a small one in memory, mounted where
nobody else sees it, which only root may do."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import unittest

from shim import Server, at
from uploads import (ACKNOWLEDGED, KINDS, REFUSED, Judge, Upload, folders, left_over, make_upload,
                     remove_all, send_alone)

MEGABYTE = 1048576
PADDING = 50_000  # bytes of each file, so that the disk is full soon

MOUNT = ["mount", "-t", "tmpfs", "-o", "size=4m", "tarn", "/mnt"]
ALONE = ["unshare", "--mount", "--propagation", "private"]


def can_mount() -> bool:
    return bool(shutil.which("unshare")) and subprocess.run(
        [*ALONE, *MOUNT], capture_output=True, check=False).returncode == 0


def pad(upload: Upload) -> Upload:
    """The same with more in it, if it is a file."""
    if upload.kind in ("file", "replaced file"):
        upload.body = upload.file = upload.file * (PADDING // len(upload.file))
    return upload


class DiskTest(unittest.TestCase):

    def mount(self, server: Server, options: str) -> None:
        done = subprocess.run(["mount", "-t", "tmpfs", "-o", options, "tarn", str(server.root)],
                              capture_output=True, check=False)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.addCleanup(subprocess.run, ["umount", str(server.root)], check=False)
        server.write("index.html", b"Index")

    def start(self, options: str, min_free_bytes: int) -> Server:
        server = Server({"files.writable": True, "files.directory": "www/files",
                         "uploads.min_free_bytes": min_free_bytes, "log.access": "off"})
        self.addCleanup(server.destroy)
        self.mount(server, options)
        server.start()
        return server

    def fill(self, server: Server, kind: str, turn: int) -> list[Upload]:
        """Uploads until ten in a row have been refused."""
        sent: list[Upload] = []
        refused = 0
        while refused < 10:
            upload = pad(make_upload(kind, f"{kind.replace(' ', '-')}-{turn}-{len(sent)}",
                                     slot=f"slot-{len(sent)}"))
            answer = send_alone(server, upload)
            assert answer is not None
            self.assertIn(answer.status, (201, 507), answer.body)
            refused = refused + 1 if upload.state == REFUSED else 0
            sent.append(upload)
            self.assertLess(len(sent), 20000, "the disk is never full")
        return sent

    def check_fill_and_empty(self, server: Server, kind: str) -> None:
        for turn in range(2):
            sent = self.fill(server, kind, turn)
            self.assertIn(ACKNOWLEDGED, [upload.state for upload in sent])
            self.assertEqual(left_over(server), [])
            Judge(server, sent).check()
            self.assertEqual(server.get("/").status, 200)
            self.check_repetition(server, sent)
            remove_all(server)

    def check_repetition(self, server: Server, sent: list[Upload]) -> None:
        """What was refused works as soon as something has been removed."""
        refused = sent.pop()
        for upload in sent[:len(sent) // 2]:
            for name in upload.names() if upload.state == ACKNOWLEDGED else []:
                (folders(server)[0 if upload.documents else 1] / name).unlink(missing_ok=True)
        if refused.kind == "form":
            remove_all(server)
        again = pad(make_upload(refused.kind, refused.token, slot="again"))
        self.assertEqual(getattr(send_alone(server, again), "status", None), 201)

    def test_disk_fills_and_empties(self) -> None:
        server = self.start("size=4m", 0)
        for kind in KINDS:
            with at(kind=kind):
                self.check_fill_and_empty(server, kind)
        server.finish()

    def test_disk_without_inodes(self) -> None:
        """There is space, but for no more files."""
        server = self.start("size=64m,nr_inodes=60", 0)
        for kind in KINDS:
            with at(kind=kind):
                self.check_fill_and_empty(server, kind)
        server.finish()

    def test_disk_below_its_mark(self) -> None:
        """The default: the last 16 MB are left to others."""
        server = self.start(f"size={18 * MEGABYTE}", 16 * MEGABYTE)
        for kind in KINDS:
            with at(kind=kind):
                self.check_fill_and_empty(server, kind)
                usage = os.statvfs(server.root)
                self.assertGreater(usage.f_bavail * usage.f_frsize, 15 * MEGABYTE)
        server.finish()

    def test_disk_that_is_too_small(self) -> None:
        """It never has what is to be left free."""
        server = self.start("size=4m", 16 * MEGABYTE)
        for kind in KINDS:
            upload = make_upload(kind, "one")
            answer = send_alone(server, upload)
            self.assertEqual(answer.status if answer else None, 507)
            Judge(server, [upload]).check()
        self.assertEqual(server.get("/").status, 200)
        self.assertEqual(left_over(server), [])
        server.finish()


if __name__ == "__main__":
    if os.environ.get("TARN_FAULTS_ALONE"):
        unittest.main()
    elif can_mount():
        os.environ["TARN_FAULTS_ALONE"] = "1"
        os.execvp(ALONE[0], [*ALONE, sys.executable, "-B", *sys.argv])
    else:
        unittest.skip("this process may not mount a file system")(DiskTest)
        unittest.main()
