"""Goal: the server answers under its own names and addresses, and under no other."""

from __future__ import annotations

import socket
import unittest

from tarn import Response, Server, ServerTestCase


def own_addresses() -> list[str]:
    """Addresses of this machine beyond loopback, as far as its name tells them."""
    found = set()
    for family, target in ((socket.AF_INET, "192.0.2.1"), (socket.AF_INET6, "2001:db8::1")):
        with socket.socket(family, socket.SOCK_DGRAM) as probe:
            try:
                probe.connect((target, 9))  # sends nothing; chooses the local address
                found.add(probe.getsockname()[0])
            except OSError:
                pass
    return sorted(found)


def get_as(server: Server, host: str, address: str | None = None) -> Response:
    with server.connect(address) as connection:
        return connection.exchange(f"GET / HTTP/1.1\r\nHost: {host}\r\n\r\n".encode())


class HostTestCase(ServerTestCase):

    def assert_status(self, host: str, status: int, address: str | None = None) -> None:
        host = host.replace("<PORT>", str(self.server.port))
        with self.subTest(host=host, address=address):
            self.assertEqual(get_as(self.server, host, address).status, status)


class LoopbackTest(HostTestCase):

    settings = {"hosts": ["files.example.org", "other.example:8443", "192.0.2.77"]}

    def test_own_names(self) -> None:
        for host in ("localhost:<PORT>", "LocalHost:<PORT>", "127.0.0.1:<PORT>", "[::1]:<PORT>"):
            self.assert_status(host, 200)

    def test_port_is_part_of_the_name(self) -> None:
        for host in ("localhost", "127.0.0.1", "localhost:1", "localhost:", "[::1]"):
            self.assert_status(host, 403)

    def test_foreign_names(self) -> None:
        for host in ("evil.example:<PORT>", "127.0.0.2:<PORT>", "localhost.:<PORT>",
                     "127.1:<PORT>", "xlocalhost:<PORT>", "localhost.evil:<PORT>"):
            self.assert_status(host, 403)

    def test_configured_names_have_any_port_or_their_own(self) -> None:
        for host in ("files.example.org", "FILES.example.org:1", "files.example.org:<PORT>",
                     "other.example:8443", "192.0.2.77"):
            self.assert_status(host, 200)
        for host in ("other.example", "other.example:<PORT>", "x.files.example.org"):
            self.assert_status(host, 403)


class AnyAddressTest(HostTestCase):
    """Bound to all addresses, reached by each of them."""

    host = "0.0.0.0"

    def test_address_of_the_connection_is_served(self) -> None:
        for address in ("127.0.0.1", "127.0.0.2", *own_addresses()):
            if ":" not in address:
                self.assert_status(f"{address}:<PORT>", 200, address)

    def test_address_of_another_connection_is_not(self) -> None:
        self.assert_status("127.0.0.3:<PORT>", 403, "127.0.0.2")
        self.assert_status("evil.example:<PORT>", 403, "127.0.0.2")

    def test_banner_names_an_address_that_answers(self) -> None:
        self.assertEqual(self.server.get("/").status, 200)
        self.server.wait_for_error(rf"http://[^\s/]+:{self.server.port}/")


@unittest.skipUnless(socket.has_ipv6, "no IPv6")
class Version6Test(HostTestCase):

    host = "::1"

    @classmethod
    def setUpClass(cls) -> None:
        with socket.socket(socket.AF_INET6) as probe:
            try:
                probe.bind(("::1", 0))
            except OSError as error:
                raise unittest.SkipTest(f"no IPv6 loopback: {error}") from error
        super().setUpClass()

    def test_address_in_brackets(self) -> None:
        self.assert_status("[::1]:<PORT>", 200)
        self.assert_status("[::2]:<PORT>", 403)


class Version6AnyAddressTest(Version6Test):

    host = "::"

    def test_own_addresses(self) -> None:
        for address in own_addresses():
            if ":" in address:
                self.assert_status(f"[{address}]:<PORT>", 200, address)


if __name__ == "__main__":
    unittest.main()
