"""Goal: no single peer takes all connections: beyond its limit it hears 503 until one of its own
has gone, and nobody else notices."""

from __future__ import annotations

import re
import signal
import unittest

from tarn import Connection, Response, ServerTestCase, eventually

GET = b"GET / HTTP/1.1\r\n<H>\r\n\r\n"
LIMIT = 4


class PeerLimitTest(ServerTestCase):

    settings = {"limits.connections_per_peer": LIMIT}

    def setUp(self) -> None:
        self.server.wait_for_connections(0)

    def connect(self, source: str = "127.0.0.1") -> Connection:
        connection = Connection(self.server, source=source)
        self.addCleanup(connection.close)
        return connection

    def try_connect(self, source: str) -> Connection | None:
        """A connection that is served, and stays open, if the peer may have another."""
        connection = self.connect(source)
        if connection.exchange(GET).status == 200:
            return connection
        connection.close()
        return None

    def connect_served(self, source: str = "127.0.0.1") -> Connection:
        """The same, as soon as the server has seen that an earlier one is closed."""
        return eventually(lambda: self.try_connect(source), "room for the peer")

    def fill(self, source: str = "127.0.0.1") -> list[Connection]:
        """As many connections as the peer may have."""
        return [self.connect_served(source) for _ in range(LIMIT)]

    def assert_refused(self, source: str = "127.0.0.1") -> None:
        connection = self.connect(source)
        connection.send(GET)
        self.check_refusal(connection.read_response())
        self.assertEqual(connection.read_rest(), b"")

    def check_refusal(self, response: Response) -> None:
        self.assertEqual((response.status, response.closes()), (503, True))
        self.assertRegex(response.value("Retry-After"), r"\A\d+\Z")

    def test_one_more_than_the_limit_is_503(self) -> None:
        opened = self.fill()
        for _ in range(3):
            self.assert_refused()
        for connection in opened:
            self.assertEqual(connection.exchange(GET).status, 200)

    def test_refusal_comes_without_a_request(self) -> None:
        self.fill()
        self.check_refusal(self.connect().read_response())

    def test_connections_that_send_nothing_count(self) -> None:
        for _ in range(LIMIT):
            self.connect()
        self.server.wait_for_connections(LIMIT)
        self.assert_refused()

    def test_other_peers_do_not_notice(self) -> None:
        self.fill("127.0.0.1")
        self.assert_refused("127.0.0.1")
        self.fill("127.0.0.2")
        self.assert_refused("127.0.0.2")
        self.fill("127.0.0.3")

    def test_each_that_closes_makes_room_for_one(self) -> None:
        opened = self.fill()
        for connection in opened:
            self.assert_refused()
            connection.close()
            self.connect_served()

    def test_reset_makes_room(self) -> None:
        self.fill()[0].reset()
        self.connect_served()

    def test_refusals_do_not_count(self) -> None:
        opened = self.fill()
        for _ in range(20):
            self.connect().read_response()  # and stays open
        opened[0].close()
        self.connect_served()

    def test_closing_answer_makes_room(self) -> None:
        for _ in range(5 * LIMIT):
            eventually(lambda: self.server.get("/").status == 200, "room for the same peer")

    def test_warning_tells_why(self) -> None:
        self.fill()
        self.assert_refused()
        self.server.wait_for_error(r"saturated \(connections of one peer\)")

    def test_each_refusal_is_told_of_though_there_is_one_warning_a_second(self) -> None:
        self.fill()
        told = self.refusals_told()
        for _ in range(20):
            self.assert_refused()
        eventually(lambda: self.refusals_told() >= told + 20, "the last of them in the log")

    def test_refusals_are_told_at_the_end_too(self) -> None:
        """Those of the last second, for which the next warning would have come too late."""
        self.fill()
        told = self.refusals_told()
        for _ in range(20):
            self.assert_refused()
        self.server.signal(signal.SIGTERM)
        self.server.wait()
        self.assertGreaterEqual(self.refusals_told(), told + 20)
        self.server.start()

    def refusals_told(self) -> int:
        warnings = re.findall(r"saturated \(connections of one peer\): (\d+) refused",
                              self.server.error_text)
        return sum(map(int, warnings))


class NoPeerLimitTest(ServerTestCase):
    """Unless configured there is none."""

    def test_many_connections_of_one_peer(self) -> None:
        connections = [self.server.connect() for _ in range(300)]
        for connection in connections:
            self.addCleanup(connection.close)
            connection.send(GET)
        self.assertEqual({connection.read_response().status for connection in connections}, {200})


class MappedPeerLimitTest(PeerLimitTest):
    """IPv4 peers that come to an IPv6 socket are told apart as well."""

    host = "*"

    @classmethod
    def setUpClass(cls) -> None:
        super().setUpClass()
        cls.server.address = "127.0.0.1"


if __name__ == "__main__":
    unittest.main()
