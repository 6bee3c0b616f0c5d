"""Goal: whatever comes while a connection is being served is noticed, and nothing waits for ever.

The server is told of each change once (edge-triggered epoll), and not again of what is still there.
Clients send in pieces, pipeline, end and vanish at any moment; the timeouts are so long that only a
change that is noticed can end a connection.
"""

from __future__ import annotations

import random
import socket
import threading
import time
import unittest

from tarn import ServerTestCase, request_bytes

ROUNDS = 150
CLIENTS = 12


class EdgeTest(ServerTestCase):
    settings = {"limits.idle_timeout": 3600, "limits.header_timeout": 3600,
                "limits.body_timeout": 3600, "limits.max_requests": 100000}

    @classmethod
    def prepare(cls) -> None:
        cls.server.write("small.html", b"x" * 1000)
        cls.server.write("large.bin", b"x" * 3_000_000)

    def test_end_behind_a_request_is_noticed(self) -> None:
        request = self.server.expand(request_bytes("GET", "/small.html"))
        for _ in range(ROUNDS):
            with self.server.connect() as connection:
                connection.send(request)
                connection.half_close()
                self.assertTrue(connection.read_rest().startswith(b"HTTP/1.1 200 OK\r\n"))
        self.server.wait_for_connections(0)

    def test_end_behind_a_part_of_a_request_is_noticed(self) -> None:
        request = self.server.expand(request_bytes("GET", "/small.html"))
        for round_ in range(ROUNDS):
            for reset in (False, True):
                connection = self.server.connect()
                connection.send(request[:10])
                time.sleep(round_ % 5 * 0.0002)
                connection.send(request[10:20])
                if reset:
                    connection.reset()
                else:
                    connection.close()
        self.server.wait_for_connections(0)

    def test_urgent_data_does_not_hide_what_follows(self) -> None:
        with self.server.connect() as connection:
            request = self.server.expand(request_bytes("GET", "/small.html"))
            self.assertEqual(connection.exchange(request).status, 200)
            connection.send(request[:12])
            connection.socket.send(b"!", socket.MSG_OOB)  # is not part of the stream
            connection.send(request[12:])
            self.assertEqual(connection.read_response().status, 200)

    def test_requests_in_pieces_are_all_answered(self) -> None:
        failures: list[BaseException] = []

        def talk(seed: int) -> None:
            try:
                self.talk(random.Random(seed))
            except BaseException as failure:  # pylint: disable=broad-except
                failures.append(failure)

        threads = [threading.Thread(target=talk, args=(seed,)) for seed in range(CLIENTS)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        self.assertEqual(failures, [])
        self.server.wait_for_connections(0)

    def talk(self, numbers: random.Random) -> None:
        small = self.server.expand(request_bytes("GET", "/small.html"))
        large = self.server.expand(request_bytes("GET", "/large.bin"))
        for _ in range(ROUNDS // 10):
            with self.server.connect() as connection:
                for _ in range(numbers.randrange(1, 10)):
                    count = numbers.randrange(1, 4)
                    data = b"".join(numbers.choice((small, small, small, large))
                                    for _ in range(count))
                    while data:
                        length = numbers.randrange(1, len(data) + 1)
                        connection.send(data[:length])
                        data = data[length:]
                        if numbers.randrange(2):
                            time.sleep(numbers.random() * 0.001)
                    for _ in range(count):
                        self.assertEqual(connection.read_response().status, 200)
                if numbers.randrange(2):
                    connection.send(small[:numbers.randrange(1, len(small))])
                    connection.reset()


if __name__ == "__main__":
    unittest.main()
