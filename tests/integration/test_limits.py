"""Goal: at its limits the server makes room, or says so, and comes back by itself."""

from __future__ import annotations

import select
import time
import unittest

from tarn import PATIENCE, Connection, Response, ServerTestCase, eventually, request_bytes

GET = b"GET / HTTP/1.1\r\n<H>\r\n\r\n"
UPLOAD = request_bytes("POST", "/upload", {"Content-Type": "application/json"}, b"[1]")
LARGE = 1_000_000_000
FILES = 10_000
LISTINGS = 60
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

    def test_many_idle_connections_leave_descriptors_for_files(self) -> None:
        """Each of them is idle after an answer; as many stay as there are descriptors for."""
        with self.server.connect() as connection:
            for number in range(80):  # with the uploads, less than limits.max_requests
                other = self.server.connect()
                self.addCleanup(other.close)
                self.assertEqual(other.exchange(GET).status, 200)
                self.server.write(f"{number}.html", b"read from the disk, not from memory")
                page = request_bytes("GET", f"/{number}.html")
                self.assertEqual(connection.exchange(page).status, 200)
                if number % 10 == 0:
                    response = connection.exchange(UPLOAD)
                    self.assertEqual(response.status, 201)


class QueueLimitTest(ServerTestCase):
    """A burst that does not fit the queue: an answer for everybody, and soon room again."""

    workers = 1
    settings = {"pool.queue": 4, "static.listing": True}

    @classmethod
    def prepare(cls) -> None:
        folder = cls.server.root / "many"
        folder.mkdir()
        for number in range(FILES):
            (folder / f"{number:05}").touch()

    def burst(self, count: int) -> list[Response]:
        connections = [self.server.connect() for _ in range(count)]
        for connection in connections:
            self.addCleanup(connection.close)
            connection.send(GET)
        return [connection.read_response() for connection in connections]

    def test_full_queue_is_503_with_retry_after(self) -> None:
        """The only worker makes a long listing, for much longer than the listener waits for room
        in the queue, and again and again; three connections fit the queue meanwhile."""
        with self.server.connect() as busy:
            busy.send(request_bytes("HEAD", "/many/") * LISTINGS)
            busy.read_response("HEAD")  # so it is at the second one
            responses = self.burst(60)
            for _ in range(LISTINGS - 1):
                self.assertEqual(busy.read_response("HEAD").status, 200)
        refused = [response for response in responses if response.status != 200]
        self.assertTrue(refused)
        self.assertLess(len(refused), len(responses))
        for response in refused:
            self.assertEqual((response.status, response.closes()), (503, True))
            self.assertRegex(response.value("Retry-After"), r"\A\d+\Z")
        self.server.wait_for_error(r"saturated \(queue full\)")
        self.assert_serves()

    def test_each_of_a_burst_is_answered(self) -> None:
        """With 200 or 503: whether the worker keeps up is not what this is about."""
        statuses = {response.status for response in self.burst(300)}
        self.assertLessEqual(statuses, {200, 503})
        self.assert_serves()


if __name__ == "__main__":
    unittest.main()
