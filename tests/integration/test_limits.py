"""Goal: at its limits the server makes room, or says so, and comes back by itself."""

from __future__ import annotations

import select
import time
import unittest

from tarn import PATIENCE, Connection, ServerTestCase, eventually, request_bytes

GET = b"GET / HTTP/1.1\r\n<H>\r\n\r\n"
LARGE = 1_000_000_000
APART = 0.05  # seconds between events whose order the server shall see; it counts in milliseconds


class ConnectionLimitTest(ServerTestCase):

    LIMIT = 8
    settings = {"limits.connections": LIMIT}

    @classmethod
    def prepare(cls) -> None:
        cls.server.write("large.png", size=LARGE)

    def setUp(self) -> None:
        self.opened: list[Connection] = []
        self.server.wait_for_connections(0)

    def tearDown(self) -> None:
        for connection in self.opened:
            connection.close()

    def connect(self) -> Connection:
        connection = self.server.connect()
        self.opened.append(connection)
        return connection

    def connect_idle(self) -> Connection:
        connection = self.connect()
        self.assertEqual(connection.exchange(GET).status, 200)
        return connection

    def connect_busy(self) -> Connection:
        """A connection in the middle of a long answer."""
        connection = self.connect()
        connection.send(request_bytes("GET", "/large.png"))
        self.assertEqual(connection.read_head().status, 200)
        return connection

    def test_longest_idle_makes_room(self) -> None:
        idle = []
        for _ in range(self.LIMIT):
            idle.append(self.connect_idle())
            time.sleep(APART)
        idle[0].exchange(GET)  # so the second one has been idle longest
        time.sleep(APART)
        self.connect_idle()
        self.assertEqual(idle[1].read_rest(), b"")
        self.assertEqual(idle[0].exchange(GET).status, 200)
        self.assertEqual(idle[2].exchange(GET).status, 200)

    def test_many_more_than_the_limit_are_all_served(self) -> None:
        for _ in range(5 * self.LIMIT):
            self.connect_idle()

    def test_oldest_incomplete_head_makes_room(self) -> None:
        heads = []
        for _ in range(self.LIMIT):
            heads.append(self.connect())
            heads[-1].send(GET[:-2])
            time.sleep(APART)
        newcomer = self.connect_idle()
        # Once it has been answered it is idle, and may be the one that goes.
        closed, _, _ = select.select([heads[0].socket, newcomer.socket], [], [], PATIENCE)
        self.assertTrue(closed)
        for head in heads[1:]:
            self.assertEqual(head.exchange(b"\r\n").status, 200)

    def test_no_room_is_503_with_retry_after(self) -> None:
        for _ in range(self.LIMIT):
            self.connect_busy()
        for _ in range(3):
            extra = self.connect()
            extra.send(GET)
            response = extra.read_response()
            self.assertEqual((response.status, response.closes()), (503, True))
            self.assertRegex(response.value("Retry-After"), r"^\d+$")
            self.assertEqual(extra.read_rest(), b"")
        self.opened[0].close()
        eventually(lambda: self.server.get("/").status == 200, "room again")


class DescriptorLimitTest(ServerTestCase):
    """More connections than descriptors: some hear a 503 or are evicted, but only for the moment."""

    descriptors = 64

    def is_served(self) -> bool:
        try:
            return self.server.get("/").status == 200
        except (EOFError, ConnectionResetError):
            return False  # evicted before its request was read

    def assert_serves_soon(self) -> None:
        eventually(self.is_served, "a page is served")

    def test_server_recovers(self) -> None:
        opened = []
        for _ in range(200):
            connection = self.server.connect()
            self.addCleanup(connection.close)
            opened.append(connection)
        self.assert_serves_soon()
        for connection in opened:
            connection.close()
        self.assert_serves_soon()
        self.server.wait_for_connections(0)
        self.assert_serves()

    def test_download_under_way_goes_on(self) -> None:
        size = 50_000_000
        self.server.write("large.png", size=size)
        with self.server.connect() as connection:
            connection.send(request_bytes("GET", "/large.png"))
            connection.read_head()
            others = [self.server.connect() for _ in range(100)]
            for other in others:
                self.addCleanup(other.close)
            self.assertEqual(len(connection.read_exactly(size)), size)
        for other in others:
            other.close()
        self.assert_serves_soon()


class QueueLimitTest(ServerTestCase):
    """A burst that does not fit the queue: an answer for everybody, and soon room again."""

    workers = 1
    settings = {"pool.queue": 4}

    def test_each_of_a_burst_is_answered(self) -> None:
        connections = [self.server.connect() for _ in range(300)]
        for connection in connections:
            self.addCleanup(connection.close)
            connection.send(GET)
        statuses = {connection.read_response().status for connection in connections}
        self.assertLessEqual(statuses, {200, 503})
        self.assert_serves()


if __name__ == "__main__":
    unittest.main()
