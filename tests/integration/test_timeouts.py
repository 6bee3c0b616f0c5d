"""Goal: each deadline holds, and who keeps going is not cut off. Deadlines here are a second or two,
and what must happen is waited for, not timed."""

from __future__ import annotations

import time
import unittest

from tarn import Connection, Server, ServerTestCase, request_bytes

GET = b"GET / HTTP/1.1\r\n<H>\r\n"
POST = {"Content-Type": "application/json", "Content-Length": "10"}
CHUNKED = {"Content-Type": "application/json", "Transfer-Encoding": "chunked"}
LARGE = 200_000_000


class IdleTest(ServerTestCase):

    # The time for a head is shorter, to show that it does not begin before the head.
    settings = {"limits.idle_timeout": 2, "limits.header_timeout": 1}

    def test_silent_connection_is_closed_without_a_word(self) -> None:
        with self.server.connect() as connection:
            self.assertEqual(connection.read_rest(), b"")

    def test_idle_connection_is_closed_without_a_word(self) -> None:
        with self.server.connect() as connection:
            response = connection.exchange(GET + b"\r\n")
            self.assertEqual(response.value("Keep-Alive"), "timeout=2, max=100")
            self.assertEqual(connection.read_rest(), b"")

    def test_empty_lines_behind_a_request_provoke_no_answer(self) -> None:
        for lines in (b"\r", b"\r\n", b"\r\n\r", b"\r\n" * 4):
            with self.subTest(lines=lines), self.server.connect() as connection:
                self.assertEqual(connection.exchange(GET + b"\r\n").status, 200)
                connection.send(lines)
                self.assertEqual(connection.read_rest(), b"")

    def test_empty_lines_on_a_new_connection_provoke_no_answer(self) -> None:
        with self.server.connect() as connection:
            connection.send(b"\r\n")
            self.assertEqual(connection.read_rest(), b"")

    def test_five_empty_lines_behind_a_request_are_400(self) -> None:
        with self.server.connect() as connection:
            self.assertEqual(connection.exchange(GET + b"\r\n").status, 200)
            response = connection.exchange(b"\r\n" * 5)
            self.assertEqual((response.status, response.closes()), (400, True))
            self.assertEqual(connection.read_rest(), b"")

    def test_connection_that_is_used_stays(self) -> None:
        with self.server.connect() as connection:
            for _ in range(4):
                self.assertEqual(connection.exchange(GET + b"\r\n").status, 200)
                time.sleep(1)  # what is tested is that this time passes and does no harm


class HeaderTest(ServerTestCase):

    settings = {"limits.header_timeout": 1, "limits.idle_timeout": 30}

    def assert_408(self, connection: Connection) -> None:
        response = connection.read_response()
        self.assertEqual((response.status, response.closes()), (408, True))
        self.assertEqual(connection.read_rest(), b"")

    def test_incomplete_head_is_408(self) -> None:
        for data in (b"G", GET, GET + b"A: b\r\n"):
            with self.subTest(data=data), self.server.connect() as connection:
                connection.send(data)
                self.assert_408(connection)

    def test_incomplete_second_head_is_408(self) -> None:
        with self.server.connect() as connection:
            connection.exchange(GET + b"\r\n")
            connection.send(GET)
            self.assert_408(connection)

    def test_drops_of_bytes_do_not_move_the_deadline(self) -> None:
        with self.server.connect() as connection:
            connection.send(GET)
            connection.send_pieces([b"a"] * 200, 0.1)
            self.assert_408(connection)


class BodyTest(ServerTestCase):

    settings = {"limits.body_timeout": 1, "limits.min_rate": 0}

    def tearDown(self) -> None:
        self.assertEqual(self.server.stored(), [])

    def test_incomplete_body_is_408(self) -> None:
        for fields, data in ((POST, b""), (POST, b"[1,"), (CHUNKED, b"5\r\n[1,2]\r\n"),
                             (CHUNKED, b"5\r\n[1"), (CHUNKED, b"5")):
            with self.subTest(data=data), self.server.connect() as connection:
                connection.send(request_bytes("POST", "/upload", fields) + data)
                response = connection.read_response()
                self.assertEqual((response.status, response.closes()), (408, True))
                self.assertEqual(connection.read_rest(), b"")

    def test_body_that_keeps_coming_is_taken(self) -> None:
        with self.server.connect() as connection:
            connection.send(request_bytes("POST", "/upload", POST))
            connection.send_pieces([b"1"] + [b" "] * 8, 0.3)
            response = connection.exchange(b" ")
            self.assertEqual(response.status, 201)
        for path in self.server.stored():
            path.unlink()


class RateTest(ServerTestCase):
    """Progress that is too slow to be one, after the grace of ten seconds."""

    settings = {"limits.min_rate": 1000, "limits.body_timeout": 60, "limits.write_timeout": 60}

    def test_body_below_the_rate_is_408(self) -> None:
        with self.server.connect() as connection:
            connection.send(request_bytes("POST", "/upload", {**POST, "Content-Length": "100000"}))
            connection.send_pieces([b" "] * 300, 0.1)
            response = connection.read_response()
            self.assertEqual((response.status, response.closes()), (408, True))


class WriteTest(ServerTestCase):

    settings = {"limits.write_timeout": 2, "limits.min_rate": 0}

    @classmethod
    def prepare(cls) -> None:
        cls.server.write("large.png", size=LARGE)

    def start_download(self) -> Connection:
        connection = self.server.connect(receive_buffer=4096)
        self.addCleanup(connection.close)
        connection.send(request_bytes("GET", "/large.png"))
        self.assertEqual(connection.read_head().status, 200)
        return connection

    def test_client_that_does_not_read_is_closed(self) -> None:
        self.start_download()
        self.server.wait_for_connections(1)
        self.server.wait_for_connections(0)

    def test_client_that_reads_slowly_is_not(self) -> None:
        """At 10 KB/s the kernel opens the socket for writing only now and then, but the peer goes
        on acknowledging. (With the usual window, and loopback's segments of 64 KB, it would take
        longer than this test's deadline to acknowledge anything.)"""
        connection = self.start_download()
        connection.take()
        for _ in range(60):
            self.assertTrue(connection.socket.recv(1000))
            time.sleep(0.1)
        self.server.wait_for_connections(1)
        connection.close()
        self.server.wait_for_connections(0)


class SlowSenderStormTest(unittest.TestCase):
    """Heads that come a byte at a time, many of them, in front of one worker."""

    def test_all_are_closed_and_others_are_served(self) -> None:
        server = Server({"limits.header_timeout": 1}, workers=1)
        self.addCleanup(server.destroy)
        server.start()
        connections = [server.connect() for _ in range(200)]
        for connection in connections:
            self.addCleanup(connection.close)
            connection.send(b"G")
        self.assertEqual(server.get("/").status, 200)
        for connection in connections:
            self.assertTrue(connection.read_rest().startswith(b"HTTP/1.1 408 "))
        server.finish()


if __name__ == "__main__":
    unittest.main()
