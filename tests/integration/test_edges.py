"""Goal: whatever comes while a connection is being served is noticed, and nothing waits for ever.

The server is told of each change once (edge-triggered epoll), and not again of what is still there.
Clients send in pieces, pipeline, end and vanish at any moment; the timeouts are so long that only a
change that is noticed can end a connection.
"""

from __future__ import annotations

import enum
import itertools
import random
import socket
import threading
import time
import unittest
from concurrent.futures import ThreadPoolExecutor
from typing import Sequence, Union

from tarn import Connection, ServerTestCase, request_bytes

ROUNDS = 150
CLIENTS = 12
SENDERS = 4


class EdgeTestCase(ServerTestCase):
    settings = {"limits.idle_timeout": 3600, "limits.header_timeout": 3600,
                "limits.body_timeout": 3600, "limits.max_requests": 100000,
                "uploads.durability": "none"}


class EdgeTest(EdgeTestCase):

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


class Mark(enum.Enum):
    """What a client does beside sending."""

    URGENT = "a byte that is not part of the stream"
    END = "nothing more is sent"


Step = Union[bytes, Mark]
Client = tuple[Connection, Sequence[Step]]


def take_step(connection: Connection, step: Step) -> None:
    if step is Mark.URGENT:
        connection.socket.send(b"!", socket.MSG_OOB)
    elif step is Mark.END:
        connection.half_close()
    else:
        connection.send(step)


def take_turns(turns: Sequence[Client]) -> None:
    for connection, steps in turns:
        for step in steps:
            take_step(connection, step)


class OneWorkerTest(EdgeTestCase):
    """Many clients at a time, each with a script of its own. Their steps are mixed, so that a
    client's next step comes before, while or after a worker takes what came before it."""

    workers = 1

    @classmethod
    def prepare(cls) -> None:
        cls.server.write("small.html", b"x" * 100)

    def setUp(self) -> None:
        self.numbers = random.Random(self.id())
        self.requests = [self.server.expand(text) for text in (
            request_bytes("GET", "/small.html"),
            request_bytes("POST", "/upload", {"Content-Type": "application/json"}, b'{"a": 1}'),
            request_bytes("POST", "/upload", {"Content-Type": "application/json",
                                              "Transfer-Encoding": "chunked"})
            + b'3\r\n{"a\r\n5\r\n": 1}\r\n0\r\n\r\n',
        )]

    def splits(self) -> list[tuple[bytes, bytes]]:
        """Each request, split at each place."""
        return [(request[:at], request[at:]) for request in self.requests
                for at in range(1, len(request))]

    def play(self, scripts: Sequence[Sequence[Step]], answers: int = 1) -> None:
        """Plays the scripts at the same time; each client gets so many answers, and then nothing
        more: the end, if it has said that it sends nothing more."""
        connections = [self.server.connect() for _ in scripts]
        try:
            clients = list(zip(connections, scripts))
            with ThreadPoolExecutor(SENDERS) as senders:
                for sent in [senders.submit(take_turns, self.turns(clients[first::SENDERS]))
                             for first in range(SENDERS)]:
                    sent.result()
            for connection, script in zip(connections, scripts):
                for _ in range(answers):
                    self.assertIn(connection.read_response().status, (200, 201), script)
                if Mark.END in script:
                    self.assertEqual(connection.read_rest(), b"", script)
                else:
                    self.assertFalse(connection.readable(0), script)
        finally:
            for connection in connections:
                connection.close()
        self.server.wait_for_connections(0)

    def turns(self, clients: Sequence[Client]) -> list[Client]:
        """Who takes which steps next: every other client all at once, the others one at a time."""
        turns: list[tuple[int, int]] = []
        for number, (_, script) in enumerate(clients):
            turns += [(number, len(script))] if number % 2 else [(number, 1)] * len(script)
        self.numbers.shuffle(turns)
        rests = [iter(script) for _, script in clients]
        return [(clients[number][0], list(itertools.islice(rests[number], count)))
                for number, count in turns]

    def test_request_in_two_pieces_is_answered(self) -> None:
        self.play(self.splits())

    def test_end_directly_behind_the_last_byte_is_noticed(self) -> None:
        self.play([(first, rest, Mark.END) for first, rest in self.splits()])

    def test_urgent_data_between_the_pieces_hides_nothing(self) -> None:
        self.play([(first, Mark.URGENT, rest) for first, rest in self.splits()])

    def test_urgent_data_before_a_request_hides_nothing(self) -> None:
        self.play([(Mark.URGENT, request) for request in self.requests * 8])

    def test_urgent_data_before_the_end_hides_nothing(self) -> None:
        self.play([(first, rest, Mark.URGENT, Mark.END) for first, rest in self.splits()])

    def test_urgent_data_between_requests_hides_nothing(self) -> None:
        self.play([(one, Mark.URGENT, other) for one in self.requests for other in self.requests
                   for _ in range(8)], answers=2)

    def test_requests_that_come_while_others_are_served_are_answered(self) -> None:
        self.play([[request] * 20 for request in self.requests * 8], answers=20)

    def test_request_byte_by_byte_is_answered(self) -> None:
        self.play([[bytes([byte]) for byte in request] for request in self.requests * 8])

    def test_requests_in_a_burst_are_all_answered(self) -> None:
        for ends in (False, True):
            for _ in range(2):
                self.play([self.burst(ends) for _ in range(40)], answers=6)

    def burst(self, ends: bool) -> list[Step]:
        """Six pipelined requests in pieces of any length."""
        data = b"".join(self.numbers.choices(self.requests, k=6))
        places = sorted(self.numbers.sample(range(1, len(data)), self.numbers.randrange(12)))
        steps: list[Step] = [data[start:end] for start, end in zip([0, *places],
                                                                   [*places, len(data)])]
        return steps + [Mark.END] if ends else steps


class TwoWorkersTest(OneWorkerTest):
    workers = 2


class EightWorkersTest(OneWorkerTest):
    workers = 8


if __name__ == "__main__":
    unittest.main()
