"""Goal: a peer that vanishes without a word costs a connection until its deadline, and nothing else.

Packets are thrown away by a rule of the routing, in a network of the test's own: so it must be
allowed to make one, as root is.
"""

from __future__ import annotations

import ctypes
import os
import shutil
import subprocess
import time
import unittest
from pathlib import Path

from tarn import Connection, ServerTestCase, request_bytes, run

CLONE_NEWNET = 0x40000000
PEER = "127.0.0.9"
RULE = ("pref", "10", "from", "127.0.0.1", "to", PEER, "blackhole")
LARGE = 100_000_000
CPU_TICKS = os.sysconf("SC_CLK_TCK") // 5  # what two seconds of waiting may cost at most


def ip(*words: str) -> None:
    done = run("ip", *words)
    if done.returncode != 0:
        raise OSError(f"ip {' '.join(words)}: {done.stderr.decode()}")


def enter_own_network() -> str:
    """Leaves the network of this machine for good. Returns why that was not possible, or nothing."""
    if not shutil.which("ip"):
        return "ip (iproute2) is not installed"
    if ctypes.CDLL(None, use_errno=True).unshare(CLONE_NEWNET) != 0:
        return f"no network of its own: {os.strerror(ctypes.get_errno())}"
    try:
        ip("link", "set", "lo", "up")
        ip("rule", "add", "pref", "100", "lookup", "local")  # behind the rule that throws away
        ip("rule", "del", "pref", "0")
    except (OSError, subprocess.SubprocessError) as error:
        return str(error)
    return ""


class BlackholeTest(ServerTestCase):

    settings = {"limits.write_timeout": 2, "limits.min_rate": 0, "limits.body_timeout": 2}

    @classmethod
    def setUpClass(cls) -> None:
        why_not = enter_own_network()
        if why_not:
            raise unittest.SkipTest(why_not)
        super().setUpClass()

    @classmethod
    def prepare(cls) -> None:
        cls.server.write("large.png", size=LARGE)

    def cpu_ticks(self) -> int:
        stat = Path(f"/proc/{self.server.running.pid}/stat").read_text(encoding="ascii")
        fields = stat.rpartition(")")[2].split()
        return int(fields[11]) + int(fields[12])  # utime and stime

    def vanish(self) -> None:
        ip("rule", "add", *RULE)
        self.addCleanup(ip, "rule", "del", *RULE)

    def connect(self) -> Connection:
        connection = Connection(self.server, source=PEER)
        self.addCleanup(connection.close)
        return connection

    def assert_gives_up_quietly(self) -> None:
        """The connection ends by its deadline, others are served, and waiting costs nothing."""
        time.sleep(0.1)  # what is under way comes to rest
        before = self.cpu_ticks()
        self.server.wait_for_connections(1)
        self.server.wait_for_connections(0)
        self.assertLess(self.cpu_ticks() - before, CPU_TICKS)
        self.assert_serves()

    def test_peer_that_vanishes_in_an_answer(self) -> None:
        connection = self.connect()
        connection.send(request_bytes("GET", "/large.png"))
        self.assertEqual(connection.read_head().status, 200)
        connection.read_exactly(1_000_000)
        self.vanish()
        self.assert_gives_up_quietly()

    def test_peer_that_vanishes_in_its_request(self) -> None:
        connection = self.connect()
        connection.send(request_bytes("POST", "/upload", {
            "Content-Type": "application/json", "Content-Length": "100"}, b"[1,"))
        self.assert_serves()
        self.vanish()
        self.assert_gives_up_quietly()


if __name__ == "__main__":
    unittest.main()
