"""Goal (row E12): however many uploads fall into one second, and whatever the clock does, each gets
a name of its own, and none takes the place of another."""

from __future__ import annotations

import json
import re
import threading
import time
import unittest

from shim import HAS_MODULE, NO_MODULE, Server, ShimServer, count

from tarn import request_bytes

CLIENTS = 8
AT_ONCE = 50  # requests that one client sends before it reads the answers
HOUR = 3600
STAMP = re.compile(r"upload_(\d{8}_\d{6})_[0-9a-f]{4,}\.json")


class Client(threading.Thread):
    """Sends documents, each another number, and notes the names they get."""

    def __init__(self, server: Server, numbers: range) -> None:
        super().__init__()
        self.server = server
        self.numbers = numbers
        self.names: dict[str, int] = {}
        self.refused = 0

    def run(self) -> None:
        with self.server.connect() as connection:
            for begin in range(self.numbers.start, self.numbers.stop, AT_ONCE):
                numbers = range(begin, min(begin + AT_ONCE, self.numbers.stop))
                connection.send(b"".join(
                    request_bytes("POST", "/upload", {"Content-Type": "application/json"},
                                  b"%d" % number) for number in numbers))
                for number in numbers:
                    answer = connection.read_response("POST")
                    if answer.status == 201:
                        self.names[json.loads(answer.body)["name"]] = number
                    else:
                        self.refused += 1


@unittest.skipUnless(HAS_MODULE, NO_MODULE)
class NamesTest(unittest.TestCase):

    def upload(self, server: Server, first: int, total: int) -> dict[str, int]:
        share = total // CLIENTS
        clients = [Client(server, range(first + i * share, first + (i + 1) * share))
                   for i in range(CLIENTS)]
        for client in clients:
            client.start()
        for client in clients:
            client.join()
        self.assertEqual(sum(client.refused for client in clients), 0)
        return {name: number for client in clients for name, number in client.names.items()}

    def test_all_names_differ(self) -> None:
        """Five seconds, of which the clock goes back by an hour in the middle, and forth again to a
        second that has been. That is how long they take for the server, however long it is."""
        total = count("NAMES", 2000)
        server = ShimServer(workers=8)
        self.addCleanup(server.destroy)
        server.start()
        now = int(time.time())
        seconds = (now, now + 1, now + 1 - HOUR, now + 2 - HOUR, now + 1)
        names: dict[str, int] = {}
        for turn, second in enumerate(seconds):
            server.board.freeze(second)
            share = total // len(seconds)
            names |= self.upload(server, turn * share, share)
            stamp = time.strftime("%Y%m%d_%H%M%S", time.gmtime(second))
            self.assertIn(f"upload_{stamp}_", "\n".join(names))
        self.assertEqual(len(names), total)
        self.assertEqual({match[1] for match in map(STAMP.fullmatch, names) if match},
                         {time.strftime("%Y%m%d_%H%M%S", time.gmtime(s)) for s in seconds})
        stored = {path.name: int(path.read_bytes()) for path in server.stored()}
        self.assertEqual(stored, names)
        self.assertEqual(len(set(stored.values())), total)
        server.board.freeze(0)
        server.finish()
        print(f"{total} different names in {len(set(seconds))} seconds", flush=True)


if __name__ == "__main__":
    unittest.main()
