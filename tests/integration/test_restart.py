"""Goal: a restart and a reload lose no request, whoever asks for them and however often."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import threading
import time
import unittest

from background import Background, processes_of
from tarn import EXECUTABLE, Connection, eventually, request_bytes

TURNS = 3


class Client(threading.Thread):
    """Sends one request after the other on kept connections, and never tries one again."""

    def __init__(self, server: Background, request: bytes, status: int) -> None:
        super().__init__()
        self.server = server
        self.request = request
        self.status = status
        self.count = 0
        self.fault = ""
        self.over = threading.Event()

    def run(self) -> None:
        connection: Connection | None = None
        try:
            while not self.over.is_set():
                connection = connection or self.server.connect()
                response = connection.exchange(self.request)
                if response.status != self.status:
                    raise AssertionError(f"status {response.status}")
                self.count += 1
                if response.closes():
                    connection.close()
                    connection = None
        except (OSError, EOFError, AssertionError) as error:
            self.fault = f"request {self.count}: {error!r}"
        finally:
            if connection:
                connection.close()


class RestartTest(unittest.TestCase):

    def setUp(self) -> None:
        self.server = Background()
        self.addCleanup(self.server.destroy)

    def restart(self, *arguments: str, code: int = 0) -> subprocess.CompletedProcess[str]:
        done = self.server.run("restart", *arguments)
        self.assertEqual(done.returncode, code, done)
        return done

    def replace(self) -> None:
        """A restart, after which the old process knows that it has been replaced."""
        old = self.server.pid()
        self.restart()
        eventually(lambda: f"[{old}:{old}] [-] another process has taken over" in
                   self.server.log(), "the old one retires")

    def test_no_request_is_lost_by_restarts_and_reloads(self) -> None:
        self.server.launch()
        body = json.dumps({"stored": True}).encode()
        clients = [Client(self.server, request_bytes("GET", "/"), 200) for _ in range(8)]
        poster = Client(self.server, request_bytes(
            "POST", "/upload", {"Content-Type": "application/json"}, body), 201)
        clients.append(poster)
        for client in clients:
            client.start()
        try:
            for _ in range(TURNS):
                counts = [client.count for client in clients]
                self.restart()
                self.assertEqual(self.server.run("reload").returncode, 0)
                eventually(lambda: all(client.fault or client.count > count
                                       for client, count in zip(clients, counts)),
                           "each client gets on")
        finally:
            for client in clients:
                client.over.set()
            for client in clients:
                client.join()
        self.assertEqual([client.fault for client in clients if client.fault], [])
        self.assertEqual(len(self.server.stored()), poster.count)

    def test_new_process_takes_over_with_the_arguments_of_the_old(self) -> None:
        self.server.workers = 3
        self.server.launch()
        old = self.server.pid()
        self.restart()
        self.assertNotEqual(self.server.pid(), old)
        self.assertEqual(self.server.get("/").status, 200)
        self.assertTrue(self.server.status()["workers"].startswith("3: "))
        eventually(lambda: processes_of(self.server.folder) == [self.server.pid()], "the old ends")

    def test_restart_from_another_folder_keeps_the_old_one(self) -> None:
        self.server.launch()
        pid = self.server.pid()
        elsewhere = self.server.folder / "elsewhere"
        elsewhere.mkdir()
        find = ("-o", f"pid_file={self.server.folder / 'tarn.pid'}")
        restart = [EXECUTABLE, "restart", *find, "-o", "root=nowhere"]
        done = subprocess.run(restart, cwd=elsewhere, capture_output=True, check=False)
        self.assertEqual(done.returncode, 1, done)
        done = subprocess.run([EXECUTABLE, "status", *find], cwd=elsewhere, capture_output=True,
                              text=True, check=False)
        self.assertTrue(done.stdout.startswith(f"process     {pid},"), done)

    def test_idle_connection_has_one_more_request(self) -> None:
        self.server.launch()
        with self.server.connect() as used, self.server.connect() as fresh:
            self.assertFalse(used.exchange(request_bytes("GET", "/")).closes())
            eventually(lambda: self.server.status()["connections"].startswith("2 "), "both are in")
            self.replace()
            for connection in (used, fresh):
                response = connection.exchange(request_bytes("GET", "/"))
                self.assertEqual(response.status, 200)
                self.assertTrue(response.closes())
                self.assertEqual(connection.read_rest(), b"")

    def test_download_goes_on_in_the_old_process(self) -> None:
        self.server.write("large.png", size=50_000_000)
        self.server.launch()
        with self.server.connect(receive_buffer=65536) as connection:
            connection.send(request_bytes("GET", "/large.png"))
            connection.read_head()
            self.replace()
            self.assertEqual(len(processes_of(self.server.folder)), 2)
            self.assertEqual(len(connection.read_exactly(50_000_000)), 50_000_000)
        eventually(lambda: len(processes_of(self.server.folder)) == 1, "the old process ends")

    def test_new_process_that_fails_leaves_the_old_one_serving(self) -> None:
        self.server.launch()
        old = self.server.pid()
        self.server.configure(root="nowhere")
        done = self.restart(code=1)
        self.assertIn("document root nowhere", done.stderr)
        self.assertEqual(self.server.pid(), old)
        self.assertEqual(self.server.get("/").status, 200)
        eventually(lambda: "a restart was given up" in self.server.log(), "the old one knows")
        self.server.configure(root="www")
        self.restart()
        self.assertEqual(self.server.get("/").status, 200)

    def test_vanished_file_leaves_the_old_one_serving(self) -> None:
        self.server.leave_the_project()
        self.server.launch()
        for label in ("as it was started", "as it was restarted"):
            with self.subTest(label):
                old = self.server.pid()
                (self.server.folder / "server.conf").unlink()
                done = self.restart(code=78)
                self.assertEqual(done.stderr, "server: the server did not start: server.conf: "
                                 "cannot be read: No such file or directory\n")
                self.assertEqual(self.server.pid(), old)
                self.assertEqual(self.server.get("/").status, 200)
                self.server.configure()
                self.replace()
                self.assertEqual(self.server.get("/").status, 200)

    def test_vanished_file_that_was_named_leaves_the_old_one_serving(self) -> None:
        self.server.leave_the_project()
        named = self.server.folder / "named.conf"
        (self.server.folder / "server.conf").rename(named)
        self.assertEqual(self.server.run("start", "-c", "named.conf", "0").returncode, 0)
        old = self.server.pid()
        named.unlink()
        self.assertIn("named.conf: cannot be read", self.restart(code=78).stderr)
        self.assertEqual(self.server.pid(), old)

    def test_two_restarts_at_once_leave_one_server(self) -> None:
        self.server.launch()
        old = self.server.pid()
        restarts = [subprocess.Popen([EXECUTABLE, "restart"], cwd=self.server.folder,
                                     stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
                    for _ in range(4)]
        codes = [restart.wait(60) for restart in restarts]
        self.assertIn(0, codes)
        self.assertNotEqual(self.server.pid(), old)
        self.assertEqual(self.server.get("/").status, 200)
        eventually(lambda: processes_of(self.server.folder) == [self.server.pid()],
                   "only one process is left")

    def test_restart_on_another_port_listens_there(self) -> None:
        self.server.launch()
        old_port = self.server.port
        done = self.restart("-o", "listen.port=0", "-o", "listen.host=127.0.0.1")
        self.assertIn(f":{old_port}/", done.stdout)  # any port will do, so it is kept
        done = self.restart("-o", "listen.port=0", "-o", "listen.host=::1")
        self.assertIn("http://[::1]:", done.stdout)
        eventually(lambda: self.is_refused(old_port), "nobody listens on the old port any more")

    @staticmethod
    def is_refused(port: int) -> bool:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=5).close()
        except ConnectionRefusedError:
            return True
        return False

    def test_restart_without_a_server_starts_one(self) -> None:
        done = self.restart("0")
        self.assertIn("http://127.0.0.1:", done.stdout)
        self.assertEqual(self.server.run("stop").returncode, 0)

    def test_stop_after_a_restart_ends_both(self) -> None:
        self.server.configure(limits__drain_timeout=3600, limits__idle_timeout=3600)
        self.server.launch()
        with self.server.connect() as idle:
            idle.exchange(request_bytes("GET", "/"))
            self.restart()
            self.assertEqual(len(processes_of(self.server.folder)), 2)
            self.assertEqual(self.server.run("stop").returncode, 0)
            self.assertEqual(idle.read_rest(), b"")
        self.server.wait_until_gone()

    def test_stop_after_several_restarts_ends_all(self) -> None:
        self.server.configure(limits__drain_timeout=3600, limits__idle_timeout=3600)
        self.server.launch()
        with self.server.connect() as first, self.server.connect() as second:
            first.exchange(request_bytes("GET", "/"))
            eventually(lambda: self.server.status()["connections"].startswith("2 "), "both are in")
            self.restart()
            with self.server.connect() as third:
                third.exchange(request_bytes("GET", "/"))
                self.restart()
                self.assertEqual(len(processes_of(self.server.folder)), 3)
                self.assertEqual(self.server.run("stop").returncode, 0)
                for connection in (first, second, third):
                    self.assertEqual(connection.read_rest(), b"")
        self.server.wait_until_gone()

    def test_idle_connections_are_closed_when_the_time_for_draining_is_over(self) -> None:
        self.server.configure(limits__drain_timeout=1)
        self.server.launch()
        with self.server.connect() as idle:
            idle.exchange(request_bytes("GET", "/"))
            self.restart()
            self.assertEqual(idle.read_rest(), b"")
        eventually(lambda: len(processes_of(self.server.folder)) == 1, "the old process ends")
        self.assertNotIn("connections are open", self.server.log())

    def test_restart_of_one_that_stops_is_refused(self) -> None:
        self.server.write("large.png", size=50_000_000)
        self.server.launch()
        with self.server.connect(receive_buffer=65536) as connection:
            connection.send(request_bytes("GET", "/large.png"))
            connection.read_head()
            os.kill(self.server.pid(), signal.SIGTERM)
            eventually(lambda: "signal 15" in self.server.log(), "it has been told")
            self.assertEqual(self.server.status()["state"], "stopping")
            self.assertIn("about to stop", self.restart(code=1).stderr)
            os.kill(self.server.pid(), signal.SIGTERM)
        self.server.wait_until_gone()

    def test_restart_cannot_move_the_pid_file(self) -> None:
        settings = (self.server.folder / "server.conf").read_text()
        other = self.server.folder / "other.conf"
        other.write_text(settings)
        self.assertEqual(self.server.run("start", "-c", "other.conf", "0").returncode, 0)
        old = self.server.pid()
        other.write_text(settings + 'pid_file = "other.pid";\n')
        self.assertIn("the pid file cannot become other.pid", self.restart(code=1).stderr)
        self.assertEqual(self.server.pid(), old)
        self.assertEqual(self.server.run("stop").returncode, 0)

    def test_restart_to_another_address_of_the_same_port_is_explained(self) -> None:
        self.server.launch()
        done = self.restart(str(self.server.port), "0.0.0.0", code=1)
        self.assertIn("stop and start it", done.stderr)
        self.assertEqual(self.server.get("/").status, 200)

    def test_signal_to_the_retiring_process_ends_it(self) -> None:
        self.server.launch()
        old = self.server.pid()
        with self.server.connect() as idle:
            idle.exchange(request_bytes("GET", "/"))
            self.restart()
            os.kill(old, signal.SIGTERM)
            self.assertEqual(idle.read_rest(), b"")
        eventually(lambda: old not in processes_of(self.server.folder), "the old process ends")
        self.assertEqual(self.server.get("/").status, 200)
        self.assertTrue((self.server.folder / "tarn.pid").exists())


class SuccessorTest(unittest.TestCase):
    """The test itself is the process that is about to take over."""

    def setUp(self) -> None:
        self.server = Background()
        self.addCleanup(self.server.destroy)
        self.server.launch()
        self.old = self.server.pid()
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self.addCleanup(self.socket.close)
        self.socket.connect(str(self.server.folder / "tarn.sock"))
        self.socket.send(b"handover")
        text, self.descriptors, _, _ = socket.recv_fds(self.socket, 65536, 4)
        self.addCleanup(self.close_descriptors)
        self.assertTrue(text.startswith(f"0\n{self.server.folder}\0".encode()), text)
        self.assertEqual(len(self.descriptors), 2)

    def close_descriptors(self) -> None:
        while self.descriptors:
            os.close(self.descriptors.pop())

    def test_only_one_is_taken(self) -> None:
        done = self.server.run("restart")
        self.assertEqual(done.returncode, 1)
        self.assertIn("another restart is under way", done.stderr)

    def test_one_that_goes_before_it_serves_changes_nothing(self) -> None:
        self.socket.close()
        eventually(lambda: "a restart was given up" in self.server.log(), "the old one knows")
        self.assertEqual(self.server.get("/").status, 200)
        self.assertEqual(self.server.run("restart").returncode, 0)

    def test_one_that_dies_with_the_pid_file_gives_it_back(self) -> None:
        """It had taken the pid file and the control socket, but nobody's place yet."""
        os.pwrite(self.descriptors[1], b"1\n", 0)
        os.ftruncate(self.descriptors[1], 2)
        (self.server.folder / "tarn.sock").unlink()
        with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as mine:
            mine.bind(str(self.server.folder / "tarn.sock"))
            mine.listen()
        self.close_descriptors()
        self.socket.close()
        eventually(lambda: self.server.pid() == self.old, "the number is its own again")
        self.assertTrue(self.server.status()["process"].startswith(f"{self.old},"))
        self.assertEqual(self.server.run("stop").returncode, 0)
        self.server.wait_until_gone()

    def test_stop_reaches_it_and_waits_for_it(self) -> None:
        with subprocess.Popen([EXECUTABLE, "stop"], cwd=self.server.folder,
                              stdout=subprocess.DEVNULL) as stop:
            self.assertEqual(self.socket.recv(100), b"stop")
            self.assertIsNone(stop.poll())
            self.assertEqual(processes_of(self.server.folder), [self.old, stop.pid])
            self.close_descriptors()
            self.socket.close()
            self.assertEqual(stop.wait(60), 0)
        self.server.wait_until_gone()

    def test_stop_leaves_the_files_of_one_that_has_taken_over(self) -> None:
        os.pwrite(self.descriptors[1], b"1\n", 0)
        os.ftruncate(self.descriptors[1], 2)
        os.kill(self.old, signal.SIGTERM)
        self.assertEqual(self.socket.recv(100), b"stop")
        self.socket.close()
        self.server.wait_until_gone()
        self.assertTrue((self.server.folder / "tarn.pid").exists())

    def test_old_one_is_told_to_stop_with_the_new_one(self) -> None:
        with self.server.connect() as idle:
            idle.exchange(request_bytes("GET", "/"))
            self.socket.send(b"retire")
            eventually(lambda: "another process has taken over" in self.server.log(), "it retires")
            self.socket.send(b"stop")
            self.assertEqual(idle.read_rest(), b"")
        self.server.wait_until_gone()

    def test_old_one_finishes_by_itself_after_a_farewell(self) -> None:
        with self.server.connect() as idle:
            idle.exchange(request_bytes("GET", "/"))
            self.socket.send(b"retire")
            self.socket.send(b"farewell")
            self.socket.close()
            self.close_descriptors()
            eventually(lambda: "another process has taken over" in self.server.log(), "it retires")
            time.sleep(0.1)
            self.assertTrue(idle.exchange(request_bytes("GET", "/")).closes())
        self.server.wait_until_gone()

    def test_old_one_ends_with_the_new_one(self) -> None:
        with self.server.connect() as idle:
            idle.exchange(request_bytes("GET", "/"))
            self.socket.send(b"retire")
            self.socket.close()
            self.assertEqual(idle.read_rest(), b"")
        self.server.wait_until_gone()


class ConsoleTest(unittest.TestCase):

    def setUp(self) -> None:
        self.server = Background()
        self.addCleanup(self.server.destroy)
        self.console = subprocess.Popen(
            [EXECUTABLE, "--console", "0", "127.0.0.1", "2"], cwd=self.server.folder,
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
            bufsize=1)
        self.addCleanup(self.end_console)
        self.read_until("http://")

    def end_console(self) -> None:
        if self.console.poll() is None:
            self.console.kill()
        self.console.wait()
        for stream in (self.console.stdin, self.console.stdout):
            if stream:
                stream.close()

    def read_until(self, word: str) -> str:
        assert self.console.stdout
        for line in self.console.stdout:
            if word in line:
                return line
        raise AssertionError(f"no {word} from the console")

    def type(self, line: str) -> None:
        assert self.console.stdin
        self.console.stdin.write(f"{line}\n")
        self.console.stdin.flush()

    def test_commands_are_obeyed_in_the_same_window(self) -> None:
        self.type("status")
        self.read_until("workers     2: ")
        self.type("reload")
        self.read_until("the configuration has been reloaded")
        old = self.server.pid()
        self.type("restart")
        self.read_until("another process has taken over")
        eventually(lambda: self.server.pid() != old, "a new process serves")
        self.type("nonsense")
        self.read_until("status, reload, restart, quit")
        self.type("quit")
        self.read_until("stopped")
        self.assertEqual(self.console.wait(60), 0)
        self.server.wait_until_gone()

    def test_other_commands_reach_it_too(self) -> None:
        self.assertTrue(self.server.status()["workers"].startswith("2: "))
        self.assertEqual(self.server.run("stop").returncode, 0)
        self.assertEqual(self.console.wait(60), 0)

    def test_interrupt_ends_both(self) -> None:
        self.console.send_signal(signal.SIGINT)
        self.assertEqual(self.console.wait(60), 0)
        self.server.wait_until_gone()

    def test_second_quit_ends_it_at_once(self) -> None:
        self.server.write("large.png", size=50_000_000)
        self.server.port = int(self.server.status()["address"].split()[-1])
        with self.server.connect(receive_buffer=65536) as connection:
            connection.send(request_bytes("GET", "/large.png"))
            connection.read_head()
            self.type("quit")
            self.read_until("finishing what is under way")
            self.type("quit")
            self.read_until("stopped with 1 connections open")
        self.assertEqual(self.console.wait(60), 0)

    def test_restart_from_elsewhere_is_told(self) -> None:
        self.assertEqual(self.server.run("restart").returncode, 0)
        self.read_until(f"process {self.server.pid()} serves now, in the background")
        self.assertEqual(self.console.wait(60), 0)
        self.assertEqual(self.server.run("stop").returncode, 0)

    def test_end_of_input_leaves_it_running(self) -> None:
        assert self.console.stdin
        self.console.stdin.close()
        time.sleep(0.1)
        self.assertTrue(self.server.status()["workers"].startswith("2: "))
        self.console.send_signal(signal.SIGTERM)
        self.assertEqual(self.console.wait(60), 0)

    def test_server_does_not_outlive_a_killed_console(self) -> None:
        self.console.kill()
        self.server.wait_until_gone()


if __name__ == "__main__":
    unittest.main()
