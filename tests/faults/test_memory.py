"""Goal (row D13): whichever allocation fails on the way of an upload, or at the start, the server
does not crash and says nothing that is not true, and the next upload works."""

from __future__ import annotations

import errno
import shutil
import unittest

from shim import HAS_MODULE, NO_MODULE, ShimServer, at, count, is_sanitized
from uploads import KINDS, Judge, left_over, make_upload, remove_all, send_alone

from tarn import EXECUTABLE, eventually

FUNCTIONS = ("malloc", "calloc", "realloc", "aligned_alloc")
CALLS_MAX = 2000  # of which a start, or an upload, needs fewer


class BareServer(ShimServer):
    """Without a configuration file: libconfig itself does not survive a want of memory."""

    def __init__(self) -> None:
        super().__init__(workers=1)
        self.root = self.root.rename(self.folder / "resources")
        self.uploads = self.root / "uploads"

    def command(self) -> list[str]:
        command = super().command()
        at = command.index("-c")
        (self.folder / "server.conf").unlink()  # it would be found, as would one near the program
        program = self.folder / "bin" / "server"
        program.parent.mkdir(exist_ok=True)
        shutil.copy(EXECUTABLE, program)
        command = command[:at] + command[at + 2:]
        return [str(program) if word == EXECUTABLE else word for word in command]


@unittest.skipUnless(HAS_MODULE, NO_MODULE)
class MemoryTest(unittest.TestCase):

    def try_one(self, server: ShimServer, kind: str, function: str, call: int) -> bool:
        """Returns whether there was such a call."""
        remove_all(server)
        token = f"{kind.replace(' ', '-')}-{function}-{call}"
        before = [make_upload(kind, f"{token}-before")] if kind == "replaced file" else []
        for upload in before:
            send_alone(server, upload)
        upload = make_upload(kind, token)
        server.board.fail(function, errno.ENOMEM, call)
        answer = send_alone(server, upload)
        hits = server.board.hits()
        server.board.clear()
        self.assertIn(answer.status if answer else None, (201, 204, 500, 503, None))
        if hits == 0:
            self.assertIn(answer.status if answer else None, (201, 204))
        eventually(lambda: not left_over(server), "nothing is left over")
        Judge(server, [*before, upload]).check()
        again = make_upload(kind, token if "keyed" in kind else f"{token}-next")
        answer = send_alone(server, again)
        self.assertIn(answer.status if answer else None, (201, 204))
        sent = [*before, again] if "keyed" in kind else [*before, upload, again]
        Judge(server, sent).check()
        return hits > 0

    def test_each_allocation_of_an_upload(self) -> None:
        server = ShimServer(workers=1)
        self.addCleanup(server.destroy)
        server.start()
        failures = 0
        for kind in KINDS:
            for function in FUNCTIONS:
                for call in range(1, CALLS_MAX):
                    with at(kind=kind, function=function, call=call):
                        if not self.try_one(server, kind, function, call):
                            break
                        failures += 1
        self.assertIsNone(server.running.poll(), "it has not crashed")
        server.finish()
        print(f"{failures} allocations failed", flush=True)

    @unittest.skipIf(is_sanitized(), "a sanitizer needs memory itself for each thread")
    def test_each_allocation_of_the_start(self) -> None:
        """It says what is wanting and ends, or does without."""
        step = count("START_STEP", 5)
        ended = served = 0
        for function in FUNCTIONS:
            for call in range(1, CALLS_MAX, step):
                server = BareServer()
                self.addCleanup(server.destroy)
                server.board.fail(function, errno.ENOMEM, call)
                with at(function=function, call=call):
                    try:
                        server.start()
                    except AssertionError:
                        self.assertEqual(server.wait(), 1, server.error_text)
                        self.assertRegex(server.error_text, "memory|No space|cannot")
                        server.check_sanitizers()
                        ended += 1
                    else:
                        hits = server.board.hits()
                        server.board.clear()
                        self.assertEqual(server.post_json(b"1").status, 201)
                        server.finish()
                        served += 1
                        if hits == 0:
                            break
                server.destroy()
        print(f"of the starts without memory {ended} ended and {served} served", flush=True)


if __name__ == "__main__":
    unittest.main()
