"""Goal: a stop lets what is under way come to its end, a second one does not; other signals inform."""

from __future__ import annotations

import re
import signal
import socket
import unittest

from tarn import Connection, Server, eventually, request_bytes

GET = b"GET / HTTP/1.1\r\n<H>\r\n\r\n"
SIZE = 50_000_000


class SignalTest(unittest.TestCase):

    def setUp(self) -> None:
        self.server = Server({"limits.drain_timeout": 60})
        self.addCleanup(self.server.destroy)
        self.server.write("large.png", size=SIZE)
        self.server.start()

    def start_download(self) -> Connection:
        connection = self.server.connect(receive_buffer=65536)
        self.addCleanup(connection.close)
        connection.send(request_bytes("GET", "/large.png"))
        self.assertEqual(connection.read_head().status, 200)
        return connection

    def refuses_connections(self) -> bool:
        try:
            socket.create_connection((self.server.address, self.server.port), 1).close()
        except OSError:
            return True
        return False

    def test_stop_signals_end_an_idle_server(self) -> None:
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGQUIT):
            with self.subTest(signal=number):
                server = Server()
                self.addCleanup(server.destroy)
                server.start()
                self.assertEqual(server.get("/").status, 200)
                server.signal(number)
                self.assertEqual(server.wait(), 0)
                server.check_sanitizers()

    def test_download_is_finished_before_the_end(self) -> None:
        connection = self.start_download()
        self.server.signal(signal.SIGTERM)
        eventually(self.refuses_connections, "no new connections")
        self.assertIsNone(self.server.running.poll())
        received = 0
        while received < SIZE:
            self.assertTrue(connection.pending or connection.fill(), f"cut after {received} bytes")
            received += len(connection.take())
        self.assertEqual(connection.read_rest(), b"")
        self.assertEqual(self.server.wait(), 0)
        self.server.check_sanitizers()

    def test_idle_connections_do_not_delay_the_end(self) -> None:
        idle = [self.server.connect() for _ in range(20)]
        for connection in idle:
            self.addCleanup(connection.close)
            self.assertEqual(connection.exchange(GET).status, 200)
        self.server.signal(signal.SIGTERM)
        self.assertEqual(self.server.wait(), 0)
        for connection in idle:
            self.assertEqual(connection.read_rest(), b"")
        self.server.check_sanitizers()

    def test_requests_that_came_before_the_stop_are_answered(self) -> None:
        """The server stands still while they come, so that it hears of them and of the stop at
        once."""
        asking, silent = ([self.server.connect() for _ in range(count)] for count in (400, 50))
        for connection in asking + silent:
            self.addCleanup(connection.close)
            self.assertEqual(connection.exchange(GET).status, 200)
        self.server.signal(signal.SIGSTOP)
        for connection in asking:
            connection.send(GET)
        self.server.signal(signal.SIGTERM)
        self.server.signal(signal.SIGCONT)
        for connection in asking:
            self.assertEqual(connection.read_response().status, 200)
            self.assertEqual(connection.read_rest(), b"")
        for connection in silent:
            self.assertEqual(connection.read_rest(), b"")
        self.assertEqual(self.server.wait(), 0)
        self.server.check_sanitizers()

    def test_request_behind_a_download_is_answered(self) -> None:
        """The download's head has said that the connection stays."""
        connection = self.server.connect(receive_buffer=65536)
        self.addCleanup(connection.close)
        connection.send(request_bytes("GET", "/large.png"))
        self.assertFalse(connection.read_head().closes())
        self.server.signal(signal.SIGTERM)
        eventually(self.refuses_connections, "no new connections")
        connection.send(GET)
        self.assertEqual(len(connection.read_exactly(SIZE)), SIZE)
        response = connection.read_response()
        self.assertEqual((response.status, response.closes()), (200, True))
        self.assertEqual(connection.read_rest(), b"")
        self.assertEqual(self.server.wait(), 0)
        self.server.check_sanitizers()

    def test_upload_under_way_is_finished(self) -> None:
        with self.server.connect() as connection:
            connection.send(request_bytes("POST", "/upload", {
                "Content-Type": "application/json", "Content-Length": "5"}) + b"[1,")
            self.server.wait_for_connections(1)
            self.server.signal(signal.SIGTERM)
            eventually(self.refuses_connections, "no new connections")
            response = connection.exchange(b"2]")
            self.assertEqual((response.status, response.closes()), (201, True))
        self.assertEqual(self.server.wait(), 0)
        self.assertEqual(len(self.server.stored()), 1)

    def test_second_stop_ends_at_once(self) -> None:
        self.start_download()
        self.server.signal(signal.SIGTERM)
        eventually(self.refuses_connections, "no new connections")
        self.server.signal(signal.SIGTERM)
        self.assertEqual(self.server.wait(15), 0)  # a quarter of drain_timeout
        self.assertRegex(self.server.error_text, r"stopped with 1 connections? open")
        self.server.check_sanitizers()

    def test_drain_timeout_ends_the_wait(self) -> None:
        server = Server({"limits.drain_timeout": 1})
        self.addCleanup(server.destroy)
        server.write("large.png", size=SIZE)
        server.start()
        with server.connect(receive_buffer=4096) as connection:
            connection.send(request_bytes("GET", "/large.png"))
            connection.read_head()
            server.signal(signal.SIGTERM)
            server.wait()
        server.check_sanitizers()

    def test_usr2_prints_a_line_for_each_worker(self) -> None:
        self.start_download()
        self.server.signal(signal.SIGUSR2)
        eventually(lambda: len(self.worker_lines()) >= self.server.workers, "a line a worker")
        self.assertEqual(self.server.get("/").status, 200)

    def worker_lines(self) -> list[str]:
        return [line for line in self.server.error_text.splitlines() if re.search(r"worker \d+", line)]

    def test_pipe_signal_is_ignored(self) -> None:
        self.server.signal(signal.SIGPIPE)
        self.assertEqual(self.server.get("/").status, 200)


if __name__ == "__main__":
    unittest.main()
