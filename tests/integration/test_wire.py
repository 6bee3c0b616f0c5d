"""Goal: hostile and unusual bytes get the answer of the wire contract, however they arrive.

Each row is sent whole, in two pieces split at several places, and (short ones) one byte a segment
and split at every place.
The answers must be the same each time, and after each the server must serve a clean request on a
new connection.
"""

from __future__ import annotations

import time
import unittest
from contextlib import ExitStack
from typing import Iterator

from tarn import Connection, Response, ServerTestCase, request_bytes
from wire_rows import (CHUNK_ROWS, CODING_ROWS, FIELD_ROWS, GET, GOOD_CHUNKS, HOST_ROWS,
                       LENGTH_ROWS, LINE_ROWS, MESSAGE_ROWS, POST, SIZE_ROWS, TARGET_ROWS, Row)

SHORT_MAX = 512  # bytes of input that are also sent one byte a segment, and split everywhere
SPLIT_PAUSE = 0.003  # seconds for the server to read a piece by itself


class WireTest(ServerTestCase):
    """The tables."""

    def check_common(self, response: Response) -> None:
        """What every answer has, and what goes with its status."""
        self.assertRegex(response.value("Date"), r"^[A-Z][a-z]{2}, \d\d [A-Z][a-z]{2} \d{4} ")
        self.assertEqual(response.value("Server"), "tarn")
        self.assertEqual(response.value("X-Content-Type-Options"), "nosniff")
        self.assertEqual(bool(response.values("Keep-Alive")), not response.closes())
        self.assertEqual(bool(response.values("Content-Length")), response.status != 204)
        if response.status in (204, 405):
            response.value("Allow")

    def read_answers(self, row: Row, connection: Connection) -> list[int]:
        """Reads as many answers as there must be, then the end of the stream."""
        statuses = []
        for number, expected in enumerate(row.statuses):
            response = connection.read_response("HEAD" if row.head and number == 0 else "GET")
            self.check_common(response)
            statuses.append(response.status)
            allowed = expected if isinstance(expected, tuple) else (expected,)
            self.assertIn(response.status, allowed)
        if row.close is not None:
            self.assertEqual(response.closes(), row.close, "announces the close")
        if not response.closes():
            connection.half_close()
        self.assertEqual(connection.read_rest(), b"", "more than the answers")
        return statuses

    def ways(self, data: bytes) -> Iterator[tuple[str, list[bytes], float]]:
        """The ways to send the bytes: a label, the pieces, the pause after each."""
        yield "whole", [data], 0
        middle = {len(data) * part // 4 for part in (1, 2, 3)}
        for place in sorted({1, *middle, len(data) - 2, len(data) - 1}):
            yield f"split at {place}", [data[:place], data[place:]], SPLIT_PAUSE
        if len(data) <= SHORT_MAX:
            yield "bytewise", [data[i:i + 1] for i in range(len(data))], 0

    def check_rows(self, rows: list[Row]) -> None:
        for row in rows:
            first: list[int] = []
            data = self.server.expand(row.data)
            for way, pieces, pause in self.ways(data):
                with self.subTest(row=row.label, way=way), self.server.connect() as connection:
                    connection.send_pieces(pieces, pause)
                    statuses = self.read_answers(row, connection)
                    first = first or statuses
                    self.assertEqual(statuses, first, "the same answers as in one piece")
                    self.assert_serves()
            if len(data) <= SHORT_MAX:
                self.check_every_split(row, data)

    def check_every_split(self, row: Row, data: bytes) -> None:
        """Each place has a connection of its own, so that the server can read all the first
        pieces in the time that one would take."""
        with ExitStack() as stack:
            connections = [stack.enter_context(self.server.connect()) for _ in data[1:]]
            for place, connection in enumerate(connections, 1):
                connection.send_pieces([data[:place]], 0)
            time.sleep(SPLIT_PAUSE)
            for place, connection in enumerate(connections, 1):
                connection.send_pieces([data[place:]], 0)
            for place, connection in enumerate(connections, 1):
                with self.subTest(row=row.label, split=place):
                    self.read_answers(row, connection)
        self.assert_serves()

    def test_lengths(self) -> None:
        self.check_rows(LENGTH_ROWS)

    def test_codings(self) -> None:
        self.check_rows(CODING_ROWS)

    def test_chunks(self) -> None:
        self.check_rows(CHUNK_ROWS)

    def test_fields(self) -> None:
        self.check_rows(FIELD_ROWS)

    def test_request_lines(self) -> None:
        self.check_rows(LINE_ROWS)

    def test_messages(self) -> None:
        self.check_rows(MESSAGE_ROWS)

    def test_sizes(self) -> None:
        self.check_rows(SIZE_ROWS)

    def test_targets(self) -> None:
        self.check_rows(TARGET_ROWS)

    def test_hosts(self) -> None:
        self.check_rows(HOST_ROWS)


class CodingMutationTest(ServerTestCase):
    """A byte put anywhere around `Transfer-Encoding: chunked` never makes a second reading of it."""

    def check(self, label: str, field: bytes, plain: bool) -> None:
        with self.subTest(label), self.server.connect() as connection:
            connection.send(POST + field + b"\r\n\r\n" + GOOD_CHUNKS)
            response = connection.read_response()
            if plain:
                self.assertEqual(response.status, 201)
            else:
                self.assertIn(response.status, (400, 411, 501))
                self.assertTrue(response.closes())
                self.assertEqual(connection.read_rest(), b"")

    def test_each_byte_at_each_place(self) -> None:
        for number in range(256):
            byte = bytes([number])
            space = byte in b" \t"
            self.check(f"before the value, {byte!r}", b"Transfer-Encoding:" + byte + b"chunked",
                       space)
            self.check(f"after the value, {byte!r}", b"Transfer-Encoding: chunked" + byte, space)
            self.check(f"in the value, {byte!r}", b"Transfer-Encoding: chu" + byte + b"nked", False)
            self.check(f"before the name, {byte!r}", byte + b"Transfer-Encoding: chunked", False)
            # A colon after the name makes the value ":chunked".
            self.check(f"after the name, {byte!r}", b"Transfer-Encoding" + byte + b": chunked",
                       False)


class LimitTest(ServerTestCase):
    """The size of a head, at the limit and one beyond it."""

    settings = {"limits.head_bytes": 2048}

    def head_of(self, size: int) -> bytes:
        head = self.server.expand(GET + b"A: \r\n\r\n")
        return head.replace(b"A: ", b"A: " + b"a" * (size - len(head)))

    def test_head_limits(self) -> None:
        for size, status in ((2047, 200), (2048, 200), (2049, 431)):
            with self.subTest(size=size), self.server.connect() as connection:
                data = self.head_of(size)
                self.assertEqual(len(data), size)
                response = connection.exchange(data)
                self.assertEqual((response.status, response.closes()), (status, status == 431))

    def test_field_of_64_kb_in_single_bytes_is_431(self) -> None:
        with self.server.connect() as connection:
            data = self.server.expand(GET) + b"A: " + b"a" * 65536
            connection.send_pieces((data[i:i + 1] for i in range(len(data))), 0)
            self.assertEqual(connection.read_response().status, 431)


class DialogueTest(ServerTestCase):
    """What takes more than one piece of input and its answers."""

    def test_unread_body_is_never_a_request(self) -> None:
        hidden = b"GET /smuggled HTTP/1.1\r\nHost: x\r\n\r\n".ljust(40)
        data = (b"POST /nope HTTP/1.1\r\n<H>\r\nContent-Length: %d\r\n\r\n" % len(hidden)) + hidden
        with self.server.connect() as connection:
            connection.send(data + GET + b"\r\n")
            response = connection.read_response()
            self.assertIn(response.status, (404, 405))
            if not response.closes():
                self.assertEqual(connection.read_response().status, 200)
                connection.half_close()
            self.assertEqual(connection.read_rest(), b"")

    def test_answer_before_the_body_closes(self) -> None:
        for target, status in (("/upload", 413), ("/../x", 403), ("/index.html", 405)):
            with self.subTest(target=target), self.server.connect() as connection:
                connection.send(request_bytes("POST", target, {
                    "Content-Type": "application/json", "Content-Length": "2000000"}))
                response = connection.read_response()
                self.assertEqual(response.status, status)
                self.assertTrue(response.closes())
                self.assertEqual(connection.read_rest(), b"")

    def test_error_is_read_although_the_body_keeps_coming(self) -> None:
        body = b" " * 3_000_000
        with self.server.connect() as connection:
            connection.send(request_bytes("POST", "/upload", {"Content-Type": "text/plain"}, body))
            self.assertEqual(connection.read_response().status, 415)
            self.assertEqual(connection.read_rest(), b"")

    def test_pipeline_of_10000_stops_after_100(self) -> None:
        with self.server.connect() as connection:
            connection.send((GET + b"\r\n") * 10000)
            for number in range(1, 101):
                response = connection.read_response()
                self.assertEqual(response.status, 200)
                self.assertEqual(response.closes(), number == 100)
            self.assertEqual(connection.read_rest(), b"")

    def test_pipelined_answers_come_in_order(self) -> None:
        with self.server.connect() as connection:
            connection.send(b"".join(
                request_bytes("GET", f"/echo/number-{number}") for number in range(50)))
            for number in range(50):
                body = connection.read_response().body
                self.assertEqual(body.strip(), f"number-{number}".encode())

    def test_expect_gets_100_before_the_body(self) -> None:
        head = POST + b"Expect: 100-continue\r\nContent-Length: 5\r\n\r\n"
        with self.server.connect() as connection:
            self.assertEqual(connection.exchange(head).status, 100)
            self.assertEqual(connection.exchange(b"[1,2]").status, 201)

    def test_expect_gets_no_100_when_the_body_is_there(self) -> None:
        with self.server.connect() as connection:
            connection.send(POST + b"Expect: 100-continue\r\nContent-Length: 5\r\n\r\n[1,2]")
            self.assertEqual(connection.read_response().status, 201)

    def test_expect_gets_the_final_answer_where_the_body_is_not_wanted(self) -> None:
        head = b"POST /upload HTTP/1.1\r\n<H>\r\nContent-Type: text/plain\r\n"
        with self.server.connect() as connection:
            connection.send(head + b"Expect: 100-continue\r\nContent-Length: 5\r\n\r\n")
            self.assertEqual(connection.read_response().status, 415)
            self.assertEqual(connection.read_rest(), b"")

    def test_half_close_after_the_request_is_answered(self) -> None:
        with self.server.connect() as connection:
            connection.send(GET + b"\r\n")
            connection.half_close()
            self.assertEqual(connection.read_response().status, 200)
            self.assertEqual(connection.read_rest(), b"")

    def test_half_close_within_a_head_ends_the_connection(self) -> None:
        with self.server.connect() as connection:
            connection.send(GET)
            connection.half_close()
            self.assertNotIn(b" 200 ", connection.read_rest())

    def test_reset_at_each_byte_leaves_nothing(self) -> None:
        data = self.server.expand(POST + b"Content-Length: 5\r\n\r\n[1,2")
        before = self.server.stored()
        for count in range(0, len(data) + 1):
            connection = self.server.connect()
            connection.send(data[:count])
            connection.reset()
        self.assert_serves()
        self.server.wait_for_connections(0)
        self.assertEqual(self.server.stored(), before)

    def test_reset_before_the_answer_is_read(self) -> None:
        for _ in range(200):
            connection = self.server.connect()
            connection.send(GET + b"\r\n")
            connection.reset()
        self.assert_serves()
        self.server.wait_for_connections(0)


if __name__ == "__main__":
    unittest.main()
