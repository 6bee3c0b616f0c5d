"""Goal: a worker never waits for a peer: idle and slow clients hold none, a fast one starves none."""

from __future__ import annotations

import threading
import unittest

from tarn import Connection, ServerTestCase, request_bytes

GET = b"GET / HTTP/1.1\r\n<H>\r\n\r\n"
LARGE = 4 * 1024**3  # sparse; far more than is read here


class OneWorkerTest(ServerTestCase):

    workers = 1

    @classmethod
    def prepare(cls) -> None:
        cls.server.write("large.png", size=LARGE)

    def connections(self, count: int) -> list[Connection]:
        opened = [self.server.connect() for _ in range(count)]
        for connection in opened:
            self.addCleanup(connection.close)
        return opened

    def test_idle_connections_hold_no_worker(self) -> None:
        idle = self.connections(50)
        for connection in idle:
            self.assertEqual(connection.exchange(GET).status, 200)
        for _ in range(20):
            self.assert_serves()
        for connection in idle:  # and each of them is still served
            self.assertEqual(connection.exchange(GET).status, 200)

    def test_silent_connections_hold_no_worker(self) -> None:
        self.connections(50)
        self.assert_serves()

    def test_incomplete_heads_hold_no_worker(self) -> None:
        slow = self.connections(50)
        for connection in slow:
            connection.send(GET[:-2])
        self.assert_serves()
        for connection in slow:
            self.assertEqual(connection.exchange(b"\r\n").status, 200)

    def test_incomplete_bodies_hold_no_worker(self) -> None:
        slow = self.connections(50)
        for connection in slow:
            connection.send(request_bytes("POST", "/upload", {
                "Content-Type": "application/json", "Content-Length": "5"}) + b"[1,")
        self.assert_serves()
        for connection in slow:
            self.assertEqual(connection.exchange(b"2]").status, 201)

    def test_slow_readers_hold_no_worker(self) -> None:
        readers = self.connections(50)
        for connection in readers:
            connection.send(request_bytes("GET", "/large.png"))
        for connection in readers:
            self.assertEqual(connection.read_head().value("Content-Length"), str(LARGE))
        for _ in range(20):
            self.assert_serves()

    def test_clients_that_pipeline_and_do_not_read_hold_no_worker(self) -> None:
        for connection in self.connections(10):
            connection.send(request_bytes("GET", "/large.png") * 100)
        self.assert_serves()

    def test_lingering_closes_hold_no_worker(self) -> None:
        for connection in self.connections(50):
            connection.send(b"garbage\r\n\r\n")
        for _ in range(5):
            self.assert_serves()

    def download(self, connection: Connection, stop: threading.Event) -> None:
        """Reads as fast as it comes."""
        connection.send(request_bytes("GET", "/large.png"))
        while not stop.is_set() and connection.fill():
            connection.take()

    def test_fast_downloads_starve_nobody(self) -> None:
        stop = threading.Event()
        threads = [threading.Thread(target=self.download, args=(connection, stop))
                   for connection in self.connections(4)]
        for thread in threads:
            thread.start()
        try:
            for _ in range(20):
                self.assert_serves()
            with self.server.connect() as connection:
                for _ in range(20):
                    self.assertEqual(connection.exchange(GET).status, 200)
            self.assertTrue(all(thread.is_alive() for thread in threads))
        finally:
            stop.set()
            for thread in threads:
                thread.join()

    def flood(self, stop: threading.Event) -> None:
        """Keeps the queue of requests on a connection full."""
        while not stop.is_set():
            with self.server.connect() as connection:
                connection.send(GET * 100)
                connection.read_rest()

    def test_floods_of_pipelined_requests_starve_nobody(self) -> None:
        stop = threading.Event()
        threads = [threading.Thread(target=self.flood, args=(stop,)) for _ in range(4)]
        for thread in threads:
            thread.start()
        try:
            with self.server.connect() as idle:
                for _ in range(20):
                    self.assertEqual(idle.exchange(GET).status, 200)
                    self.assert_serves()
        finally:
            stop.set()
            for thread in threads:
                thread.join()


class ManyWorkersTest(ServerTestCase):
    """More workers than processors, a queue of few places."""

    workers = 32
    settings = {"pool.queue": 8, "limits.max_requests": 1000000}

    def keep_asking(self, count: int, statuses: list[int]) -> None:
        """Makes that many requests, on a new connection whenever one is closed."""
        while count > 0:
            with self.server.connect() as connection:
                closed = False
                while count > 0 and not closed:
                    response = connection.exchange(GET)
                    statuses.append(response.status)
                    closed = response.closes()
                    count -= 1

    def test_every_request_is_answered(self) -> None:
        statuses: list[int] = []
        threads = [threading.Thread(target=self.keep_asking, args=(100, statuses))
                   for _ in range(24)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        self.assertEqual(len(statuses), 100 * len(threads))
        self.assertLessEqual(set(statuses), {200, 503})
        self.assertIn(200, statuses)


if __name__ == "__main__":
    unittest.main()
