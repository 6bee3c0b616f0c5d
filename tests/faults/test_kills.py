"""Goal: a server that is killed, at any moment of any upload, has lost nothing of what it had
acknowledged, shows nothing in part, and after the next start leaves nothing behind."""

from __future__ import annotations

import random
import signal
import threading
import time
import unittest

from shim import ANY, HAS_MODULE, KILL, NO_MODULE, Server, ShimServer, at, count, start_again
from uploads import (ACKNOWLEDGED, KINDS, UNKNOWN, Judge, Upload, left_over, make_upload,
                     remove_all, send, send_alone)

UPLOADERS = 16
LONGEST_S = 0.4  # from the first upload to the kill


class Uploader(threading.Thread):
    """A client that sends one upload after the other until the server is gone."""

    def __init__(self, server: Server, number: int, cycle: int) -> None:
        super().__init__()
        self.server = server
        self.number = number
        self.cycle = cycle
        self.sent: list[Upload] = []

    def run(self) -> None:
        try:
            with self.server.connect() as connection:
                self.send_until_the_end(connection)
        except ConnectionError:
            pass  # it was killed before

    def send_until_the_end(self, connection: object) -> None:
        answer: object = ""
        while answer is not None:
            kind = KINDS[(self.number + len(self.sent)) % len(KINDS)]
            token = f"{self.cycle}-{self.number}-{len(self.sent)}"
            upload = make_upload(kind, token, slot=f"slot-{self.cycle}-{self.number}")
            self.sent.append(upload)
            answer = send(connection, upload)  # type: ignore[arg-type]


class KillTest(unittest.TestCase):
    """At random moments, under many uploads."""

    def setUp(self) -> None:
        self.server = Server({"files.writable": True, "files.directory": "www/files",
                              "log.access": "off", "limits.max_requests": 1000000}, workers=8)
        self.addCleanup(self.server.destroy)
        self.starts: list[float] = []
        self.sums = {ACKNOWLEDGED: 0, UNKNOWN: 0, "refused": 0}

    def start(self) -> None:
        """Starts the server, and takes the time until it has answered."""
        begin = time.monotonic()
        start_again(self.server)
        self.assertEqual(self.server.get("/healthz").status, 200)
        self.starts.append(time.monotonic() - begin)

    def upload_until_killed(self, cycle: int) -> list[Upload]:
        uploaders = [Uploader(self.server, number, cycle) for number in range(UPLOADERS)]
        for uploader in uploaders:
            uploader.start()
        time.sleep(random.uniform(0, LONGEST_S))
        self.server.kill()
        for uploader in uploaders:
            uploader.join()
        return [upload for uploader in uploaders for upload in uploader.sent]

    def repeat_keyed(self, sent: list[Upload]) -> None:
        """What had a key is sent again: each is there once, and under the name that was told."""
        for upload in sent:
            if "keyed" not in upload.kind:
                continue
            told = upload.answer
            for _ in range(2):
                again = make_upload(upload.kind, upload.token)
                answer = send_alone(self.server, again)
                self.assertEqual(answer.status if answer else None, 201, upload)
                if told:
                    self.assertEqual(told.value("Location"), again.answer.value("Location"))
                upload.note(answer)
                told = answer

    def test_killed_at_random(self) -> None:
        self.start()
        for cycle in range(count("KILLS", 5)):
            with at(cycle=cycle):
                sent = self.upload_until_killed(cycle)
                for upload in sent:
                    self.sums[upload.state] += 1
                self.start()
                self.assertEqual(left_over(self.server), [])
                Judge(self.server, sent).check()
                self.repeat_keyed(sent)
                Judge(self.server, sent).check()
                remove_all(self.server)
        self.assertEqual(self.sums["refused"], 0)
        self.server.finish()
        self.starts.sort()
        print(f"{self.sums[ACKNOWLEDGED]} uploads acknowledged, {self.sums[UNKNOWN]} not; start to "
              f"first answer {1000 * self.starts[len(self.starts) // 2]:.0f} ms, at most "
              f"{1000 * self.starts[-1]:.0f} ms, {sum(s < 0.2 for s in self.starts)} of "
              f"{len(self.starts)} under 200 ms", flush=True)


@unittest.skipUnless(HAS_MODULE, NO_MODULE)
class CrashPointTest(unittest.TestCase):
    """Before each single call that one upload makes."""

    def setUp(self) -> None:
        self.server = ShimServer(workers=1)
        self.addCleanup(self.server.destroy)
        self.server.start()
        self.crashes = 0

    def try_one(self, kind: str, call: int) -> bool:
        """Returns whether there was such a call."""
        remove_all(self.server)
        sent = []
        if kind == "replaced file":
            sent.append(make_upload(kind, f"{call}-before"))
            self.assertIsNotNone(send_alone(self.server, sent[0]))
        upload = make_upload(kind, f"{kind.replace(' ', '-')}-{call}")
        self.server.board.fail(ANY, KILL, call)
        send_alone(self.server, upload)
        has_answered = upload.answer is not None
        if has_answered:
            self.server.signal(signal.SIGKILL)
        self.server.wait()
        self.server.board.clear()
        start_again(self.server)
        self.crashes += 1
        self.assertEqual(left_over(self.server), [])
        sent.append(upload)
        Judge(self.server, sent).check()
        self.check_next(kind, sent)
        return not has_answered

    def check_next(self, kind: str, sent: list[Upload]) -> None:
        """The next upload works; one with a key is the same one."""
        again = make_upload(kind, sent[-1].token if "keyed" in kind else "next")
        answer = send_alone(self.server, again)
        self.assertIn(answer.status if answer else None, (201, 204))
        if "keyed" in kind:
            sent.pop()
        Judge(self.server, [*sent, again]).check()

    def test_killed_before_each_call(self) -> None:
        step = count("STEP", 4)
        for kind in KINDS:
            call = 1
            while True:
                with at(kind=kind, call=call):
                    if not self.try_one(kind, call):
                        break
                call += step
        self.server.finish()
        print(f"{self.crashes} crashes", flush=True)


if __name__ == "__main__":
    unittest.main()
