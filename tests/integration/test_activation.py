"""Goal: a service manager can hand over the listening socket (systemd's socket activation)."""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import sys
import unittest

from tarn import BANNER_URL, Server

# Becomes the server with the socket at descriptor 3, as a service manager does it: LISTEN_PID is
# the process that executes the server.
MANAGER = """
import os, sys
os.environ.update(LISTEN_PID=str(os.getpid() + int(sys.argv[1])), LISTEN_FDS=sys.argv[2])
if sys.argv[3]:
    os.environ["LISTEN_FDNAMES"] = sys.argv[3]
os.dup2(int(sys.argv[4]), 3)
os.set_inheritable(3, True)
os.execv(sys.argv[5], sys.argv[5:])
"""


class ActivationTest(unittest.TestCase):

    def setUp(self) -> None:
        self.server = Server()
        self.addCleanup(self.server.destroy)
        self.listening = socket.create_server(("127.0.0.1", 0))
        self.addCleanup(self.listening.close)

    def start(self, handed: socket.socket, pid_offset: int = 0, names: str = "") -> str:
        """Starts the server with the socket, and returns what it says until it serves or ends."""
        command = [sys.executable, "-c", MANAGER, str(pid_offset), "1", names,
                   str(handed.fileno()), *self.server.command()]
        process = subprocess.Popen(command, cwd=self.server.folder, stdin=subprocess.DEVNULL,
                                   stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True,
                                   pass_fds=[handed.fileno()])
        self.addCleanup(self.end, process)
        self.process = process
        assert process.stderr
        said = ""
        for line in process.stderr:
            said += line
            if BANNER_URL.search(said):
                break
        return said

    def end(self, process: subprocess.Popen[str]) -> None:
        process.send_signal(signal.SIGTERM)
        self.assertIn(process.wait(60), (0, 1))
        assert process.stderr
        process.stderr.close()

    def port_of(self, said: str) -> int:
        match = re.search(BANNER_URL, said)
        self.assertTrue(match, said)
        assert match
        return int(match.group(1))

    def test_socket_is_served_whatever_the_configuration_says(self) -> None:
        port = self.listening.getsockname()[1]
        for names in ("", "tarn.socket"):
            with self.subTest(names):
                self.server.port = 1  # which it could not take
                self.assertEqual(self.port_of(self.start(self.listening, names=names)), port)
                self.server.port = port
                self.assertEqual(self.server.get("/").status, 200)

    def test_request_from_before_the_start_is_answered(self) -> None:
        self.server.port = self.listening.getsockname()[1]
        with self.server.connect() as connection:
            connection.send(b"GET / HTTP/1.1\r\n<H>\r\n\r\n")
            self.start(self.listening)
            self.assertEqual(connection.read_response().status, 200)

    def test_manager_is_told_of_the_start_and_of_the_end(self) -> None:
        manager = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.addCleanup(manager.close)
        manager.settimeout(60)
        path = str(self.server.folder / "notify")
        manager.bind(path)
        os.environ["NOTIFY_SOCKET"] = path
        self.addCleanup(os.environ.pop, "NOTIFY_SOCKET")
        self.start(self.listening)
        self.assertEqual(manager.recv(100), b"READY=1")
        self.process.send_signal(signal.SIGTERM)
        self.assertEqual(manager.recv(100), b"STOPPING=1")

    def test_socket_for_another_process_is_left_alone(self) -> None:
        said = self.start(self.listening, pid_offset=1)
        self.assertNotEqual(self.port_of(said), self.listening.getsockname()[1])

    def test_socket_that_does_not_listen_is_told(self) -> None:
        with socket.socket() as idle:
            self.assertIn("cannot listen on the socket that was handed over", self.start(idle))



if __name__ == "__main__":
    unittest.main()
