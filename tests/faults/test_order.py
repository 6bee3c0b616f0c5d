"""Goal: in a traced run each upload that is acknowledged was on the disk before: its file synced,
then named, then the folder synced; and after a sync has failed nothing of it is believed."""

from __future__ import annotations

import re
import subprocess
import threading
import unittest

from oracle import CALLS, Oracle, read_calls
from shim import Server, at, count, is_sanitized, start_again
from uploads import ACKNOWLEDGED, KINDS, Judge, Upload, folders, make_upload, send

from tarn import eventually

CLIENTS = 8


def why_not() -> str:
    """Why nothing can be traced here; empty: it can."""
    try:
        done = subprocess.run(["strace", "-D", "-o", "/dev/null", "true"], capture_output=True,
                              check=False)
    except FileNotFoundError:
        return "strace is not installed"
    if done.returncode != 0:
        return "this process may not trace others"
    return "a sanitizer cannot be traced" if is_sanitized() else ""


class TracedServer(Server):
    """A server with strace beside it, which ends with it."""

    def __init__(self, workers: int, *options: str) -> None:
        super().__init__({"files.writable": True, "files.directory": "www/files",
                          "log.access": "off", "limits.max_requests": 1000000}, workers)
        self.trace = self.folder / "trace"
        self.options = options
        self.is_traced = False

    def command(self) -> list[str]:
        if not self.is_traced:
            return super().command()
        return ["strace", "-D", "-f", "-y", "-s", "4096", "-o", str(self.trace), "-e",
                f"trace={CALLS}", *self.options, *super().command()]

    def start(self) -> Server:
        """At first twice: that makes folders and syncs them, which is not what is to fail."""
        if not self.is_traced:
            super().start()
            self.finish()
            self.port = 0
        self.is_traced = True
        return super().start()

    def read(self, has_past: bool = False) -> Oracle:
        """Ends the server and reads its trace."""
        self.finish()
        end = re.compile(rf"^{self.running.pid} +\+\+\+ exited", re.MULTILINE)
        eventually(lambda: end.search(self.trace.read_text("latin-1")),
                   "strace has written all")
        oracle = Oracle(*folders(self), has_past)
        oracle.follow(read_calls(self.trace))
        return oracle


@unittest.skipIf(why_not(), why_not())
class OrderTest(unittest.TestCase):

    def start(self, workers: int, *options: str) -> TracedServer:
        server = TracedServer(workers, *options)
        self.addCleanup(server.destroy)
        server.start()
        return server

    def send_all(self, server: Server, uploads: list[Upload]) -> None:
        with server.connect() as connection:
            for upload in uploads:
                send(connection, upload)

    def test_acknowledged_is_synced_named_synced(self) -> None:
        each = max(1, count("UPLOADS", 56) // CLIENTS)
        server = self.start(CLIENTS)
        uploads = [[make_upload(KINDS[(client + i) % len(KINDS)], f"{client}-{i}", f"slot-{client}")
                    for i in range(each)] for client in range(CLIENTS)]
        threads = [threading.Thread(target=self.send_all, args=(server, mine)) for mine in uploads]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        sent = [upload for mine in uploads for upload in mine]
        self.assertEqual([str(u) for u in sent if u.state != ACKNOWLEDGED], [])
        Judge(server, sent).check()
        oracle = server.read()
        self.assertEqual(oracle.faults, [])
        self.assertEqual(oracle.answers, len(sent))
        self.assertGreaterEqual(oracle.records, sum("keyed" in upload.kind for upload in sent))
        print(f"{oracle.answers} answers in order", flush=True)

    def test_failed_sync_is_not_believed(self) -> None:
        """The first sync of a worker is the file's, the second the folder's, and so on."""
        for kind in KINDS:
            for call in range(1, count("SYNCS", 4)):
                with at(kind=kind, call=call):
                    server = self.start(1, "-e", f"inject=fsync:error=EIO:when={call}+100")
                    sent = [make_upload(kind, f"{kind.replace(' ', '-')}-{i}") for i in range(4)]
                    self.send_all(server, sent)
                    Judge(server, sent).check()
                    self.assertIn(ACKNOWLEDGED, [upload.state for upload in sent])
                    oracle = server.read()
                    self.assertEqual(oracle.faults, [])
                    server.destroy()

    def test_repetition_after_a_crash_lasts(self) -> None:
        """The server is killed after the document got its name and before the folder is synced: its
        repetition finds it, and syncs the folder before it says so."""
        for kind in ("keyed", "keyed batch"):
            for call in range(1, 20):
                with at(kind=kind, call=call):
                    server = self.start(1, "-e", f"inject=fsync:signal=KILL:when={call}")
                    upload = make_upload(kind, "one")
                    self.send_all(server, [upload])
                    if upload.answer:
                        server.destroy()
                        break
                    server.wait()
                    server.options = ()
                    start_again(server)
                    again = make_upload(kind, "one")
                    self.send_all(server, [again])
                    Judge(server, [again]).check()
                    self.assertEqual(again.state, ACKNOWLEDGED)
                    self.assertEqual(server.read(has_past=True).faults, [])
                    server.destroy()
        self.assertGreater(call, 3)


if __name__ == "__main__":
    unittest.main()
