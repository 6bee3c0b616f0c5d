"""Goal: start, stop and status find the server they are about, and tell the operator what happened."""

from __future__ import annotations

import fcntl
import os
import signal
import socket
import stat
import subprocess
import unittest
from pathlib import Path

from background import Background, processes_of
from tarn import EXECUTABLE, eventually, request_bytes


class ControlTest(unittest.TestCase):

    def setUp(self) -> None:
        self.server = Background()
        self.addCleanup(self.server.destroy)

    def assert_fails(self, done: subprocess.CompletedProcess[str], code: int, *words: str) -> None:
        """One line on stderr that holds the words."""
        self.assertEqual(done.returncode, code, done)
        self.assertEqual(done.stderr.count("\n"), 1, done.stderr)
        for word in words:
            self.assertIn(word, done.stderr)

    def test_started_server_answers_at_once(self) -> None:
        done = self.server.launch()
        self.assertEqual(self.server.get("/").status, 200)
        self.assertIn("http://127.0.0.1:", done.stdout)
        self.assertEqual(processes_of(self.server.folder), [self.server.pid()])

    def test_started_server_leaves_the_terminal(self) -> None:
        self.server.launch()
        process = f"/proc/{self.server.pid()}"
        self.assertEqual(os.readlink(f"{process}/fd/0"), "/dev/null")
        self.assertEqual(os.readlink(f"{process}/fd/1"), str(self.server.folder / "tarn.log"))
        self.assertEqual(os.getsid(self.server.pid()), self.server.pid())

    def test_started_server_has_nothing_else_of_the_starters_open(self) -> None:
        """Such as the lock of a script: it would be held as long as the server lives."""
        with (self.server.folder / "lock").open("w") as lock:
            number = fcntl.fcntl(lock, fcntl.F_DUPFD_CLOEXEC, 50)
        subprocess.run([EXECUTABLE, "start", "0"], cwd=self.server.folder, check=True,
                       stdout=subprocess.DEVNULL, pass_fds=[number])
        os.close(number)
        open_files = Path(f"/proc/{self.server.pid()}/fd").iterdir()
        self.assertNotIn(str(self.server.folder / "lock"), [os.readlink(fd) for fd in open_files])

    def test_start_with_closed_standard_streams_works(self) -> None:
        for closed in ("<&-", ">&-", "2>&-", "<&- >&- 2>&-"):
            with self.subTest(closed):
                command = ["sh", "-c", f'"$1" start 0 {closed}', "sh", str(EXECUTABLE)]
                done = subprocess.run(command, cwd=self.server.folder, capture_output=True,
                                      text=True, check=False)
                self.assertEqual(done.returncode, 0, done)
                process = f"/proc/{self.server.pid()}"
                self.assertEqual(os.readlink(f"{process}/fd/0"), "/dev/null")
                self.assertEqual(os.readlink(f"{process}/fd/1"),
                                 str(self.server.folder / "tarn.log"))
                self.assertEqual(self.server.run("stop").returncode, 0)

    def test_status_that_cannot_be_printed_fails(self) -> None:
        self.server.launch()
        with open("/dev/full", "w") as full:
            done = subprocess.run([EXECUTABLE, "status"], cwd=self.server.folder, stdout=full,
                                  stderr=subprocess.PIPE, text=True, check=False)
        self.assert_fails(done, 1, "cannot print the status")

    def test_control_socket_is_its_users_own(self) -> None:
        self.server.launch()
        status = os.stat(self.server.folder / "tarn.sock")
        self.assertTrue(stat.S_ISSOCK(status.st_mode))
        self.assertEqual(stat.S_IMODE(status.st_mode), 0o600)

    def test_second_start_refuses(self) -> None:
        self.server.launch()
        self.assert_fails(self.server.run("start", "0"), 1, "running already",
                          str(self.server.pid()))
        self.assertEqual(self.server.get("/").status, 200)

    def test_stop_ends_it_and_leaves_nothing(self) -> None:
        self.server.launch()
        done = self.server.run("stop")
        self.assertEqual((done.returncode, done.stdout), (0, "stopped\n"))
        self.assertEqual(processes_of(self.server.folder), [])
        left = sorted(path.name for path in self.server.folder.iterdir())
        self.assertEqual(left, ["access.log", "server.conf", "tarn.log", "www"])

    def test_stop_finishes_what_is_under_way(self) -> None:
        self.server.write("large.png", size=50_000_000)
        self.server.launch()
        with self.server.connect(receive_buffer=65536) as connection:
            connection.send(request_bytes("GET", "/large.png"))
            connection.read_head()
            stop = subprocess.Popen([EXECUTABLE, "stop"], cwd=self.server.folder,
                                    stdout=subprocess.DEVNULL)
            eventually(lambda: "told to stop" in self.server.log(), "the server has been told")
            self.assertEqual(len(connection.read_rest()), 50_000_000)
            self.assertEqual(stop.wait(60), 0)

    def test_commands_without_a_server_say_so(self) -> None:
        for command in ("stop", "status", "reload"):
            with self.subTest(command):
                self.assert_fails(self.server.run(command), 1, "no server is running", "tarn.pid")

    def test_pid_file_of_a_foreign_process_harms_nobody(self) -> None:
        with subprocess.Popen(["sleep", "600"]) as sleeper:
            (self.server.folder / "tarn.pid").write_text(f"{sleeper.pid}\n")
            self.assert_fails(self.server.run("stop"), 1, "no server is running")
            self.assertIsNone(sleeper.poll())
            self.server.launch()
            self.assertEqual(self.server.run("stop").returncode, 0)
            self.assertIsNone(sleeper.poll())
            sleeper.kill()

    def test_pid_file_locked_by_a_foreign_process_harms_nobody(self) -> None:
        """Whoever may read the file can lock it, while the number of a crashed server stands there."""
        with subprocess.Popen(["sleep", "600"]) as sleeper:
            path = self.server.folder / "tarn.pid"
            path.write_text(f"{sleeper.pid}\n")
            with path.open() as file:
                fcntl.flock(file, fcntl.LOCK_EX)
                self.assert_fails(self.server.run("stop"), 1, "no server is running")
            self.assertIsNone(sleeper.poll())
            sleeper.kill()

    def test_start_after_a_crash_needs_no_cleaning_up(self) -> None:
        self.server.launch()
        first = self.server.pid()
        os.kill(first, signal.SIGKILL)
        self.server.wait_until_gone()
        self.assertEqual(self.server.run("status").returncode, 1)
        self.server.launch()
        self.assertNotEqual(self.server.pid(), first)
        self.assertEqual(self.server.get("/").status, 200)

    def test_stop_of_one_that_does_not_listen_to_its_socket_works(self) -> None:
        self.server.launch()
        (self.server.folder / "tarn.sock").unlink()
        self.assertEqual(self.server.run("stop").returncode, 0)
        self.assertEqual(processes_of(self.server.folder), [])

    def test_stop_ends_one_that_hangs(self) -> None:
        self.server.configure(limits__drain_timeout=0)
        self.server.launch()
        os.kill(self.server.pid(), signal.SIGSTOP)
        done = self.server.run("stop", prefix=("timeout", "40"))  # a minute was too long
        self.assertEqual(done.returncode, 0, done)
        self.assertEqual(done.stdout, "ended by force: it did not stop in time\nstopped\n")
        self.assertEqual(processes_of(self.server.folder), [])

    def test_stop_with_a_broken_configuration_works(self) -> None:
        self.server.launch()
        (self.server.folder / "server.conf").write_text("root = ;")
        self.assertEqual(self.server.run("status").returncode, 0)
        self.assertEqual(self.server.run("stop").returncode, 0)

    def test_status_tells_what_it_does(self) -> None:
        self.server.launch()
        self.server.get("/")
        self.server.get("/nothing")
        with self.server.connect() as idle:
            idle.exchange(request_bytes("GET", "/"))
            status = self.server.status()
            self.assertTrue(status["process"].startswith(f"{self.server.pid()}, tarn "))
            self.assertEqual(status["state"], "serving")
            self.assertEqual(status["address"], f"127.0.0.1 port {self.server.port}")
            self.assertTrue(status["workers"].startswith("4: "))
            self.assertTrue(status["connections"].startswith("1 of "), status["connections"])
            self.assertTrue(status["requests"].startswith("3: 2xx 2, 3xx 0, 4xx 1, 5xx 0"))

    def test_port_in_use_is_told(self) -> None:
        with socket.create_server(("127.0.0.1", 0)) as taken:
            port = taken.getsockname()[1]
            self.assert_fails(self.server.run("start", str(port)), 1, "cannot listen",
                              str(port), "Address already in use")
        self.server.wait_until_gone()
        self.assertFalse((self.server.folder / "tarn.pid").exists())

    def test_missing_root_is_told(self) -> None:
        self.server.configure(root="nowhere")
        self.assert_fails(self.server.run("start", "0"), 1, "document root", "nowhere")
        self.server.wait_until_gone()

    def test_privileged_port_is_told(self) -> None:
        if os.geteuid() == 0:
            prefix = ("setpriv", "--bounding-set", "-net_bind_service",
                      "--inh-caps", "-net_bind_service")
        else:
            prefix = ()
        with open("/proc/sys/net/ipv4/ip_unprivileged_port_start", encoding="ascii") as file:
            if int(file.read()) <= 81:
                self.skipTest("no port is privileged here")
        self.assert_fails(self.server.run("start", "81", prefix=prefix), 1, "cannot listen",
                          "81", "privilege")

    def test_log_that_cannot_be_opened_is_told(self) -> None:
        for key in ("log.access", "log.error"):
            with self.subTest(key):
                self.server.configure(**{key.replace(".", "__"): "no-folder/it.log"})
                self.assert_fails(self.server.run("start", "0"), 1, "no-folder/it.log",
                                  "No such file")
                self.server.wait_until_gone()
                del self.server.settings[key]

    def test_last_line_of_a_log_file_is_told(self) -> None:
        self.server.configure(root="nowhere", log__error="errors.log")
        self.assert_fails(self.server.run("start", "0"), 1, "document root", "nowhere")

    def test_wrong_configuration_does_not_start(self) -> None:
        self.server.configure(limits__connections=0)
        done = self.server.run("start", "0")
        self.assertEqual(done.returncode, 78)
        self.assertIn("server.conf:", done.stderr)
        self.assertFalse((self.server.folder / "tarn.pid").exists())

    def test_every_fault_of_the_configuration_is_told(self) -> None:
        self.server.launch()
        (self.server.folder / "server.conf").write_text('roof = "x";\nrood = "y";\n')
        for command in ("restart", "reload"):
            with self.subTest(command):
                done = self.server.run(command)
                self.assertEqual(done.returncode, 78)
                self.assertIn("server.conf:1: ", done.stderr)
                self.assertIn("server.conf:2: ", done.stderr)
        self.assertEqual(self.server.get("/").status, 200)

    def test_answer_that_is_too_long_is_cut(self) -> None:
        self.server.launch()
        lines = "".join(f"unknown_{number} = 1;\n" for number in range(10000))
        (self.server.folder / "server.conf").write_text(lines)
        done = self.server.run("reload")
        self.assertEqual(done.returncode, 78)
        self.assertIn("server.conf:1: ", done.stderr)

    def test_configuration_that_may_have_hidden_the_server_is_told(self) -> None:
        (self.server.folder / "server.conf").write_text('pid_file = "other.pid";\nroof = "x";\n')
        done = self.server.run("status")
        self.assertEqual(done.returncode, 1)
        self.assertIn("no server is running (pid file other.pid)", done.stderr)
        self.assertIn("server.conf:2: ", done.stderr)

    def test_pid_file_that_cannot_be_made_is_told(self) -> None:
        for name, reason in (("nowhere/tarn.pid", "No such file"),
                             ("server.conf/tarn.pid", "Not a directory")):
            with self.subTest(name):
                self.server.configure(pid_file=name)
                self.assert_fails(self.server.run("start", "0"), 1, f"pid file {name}", reason)

    def test_pid_file_that_cannot_be_read_is_told(self) -> None:
        (self.server.folder / "tarn.pid").symlink_to("elsewhere")
        for command in ("stop", "status", "reload"):
            with self.subTest(command):
                self.assert_fails(self.server.run(command), 1, "cannot read the pid file",
                                  "tarn.pid")

    def test_output_that_cannot_be_opened_is_told(self) -> None:
        (self.server.folder / "tarn.log").mkdir()
        self.assert_fails(self.server.run("start", "0"), 1, "cannot open tarn.log",
                          "Is a directory")
        (self.server.folder / "tarn.log").rmdir()

    def test_start_tells_the_process_and_its_output(self) -> None:
        done = self.server.launch()
        self.assertIn(f"process {self.server.pid()}, output in tarn.log\n", done.stdout)
        self.assertNotIn("Ctrl-C", done.stdout)

    def test_output_is_opened_again_after_it_was_moved(self) -> None:
        self.server.configure(log__access="-")
        self.server.launch()
        moved = self.server.folder / "tarn.log.1"
        (self.server.folder / "tarn.log").rename(moved)
        os.kill(self.server.pid(), signal.SIGUSR1)
        eventually(lambda: "access log opened again" in self.server.log(), "the new file is used")
        self.server.get("/seen")
        eventually(lambda: "GET /seen" in self.server.log(), "the new file has the line")
        self.assertNotIn("GET /seen", moved.read_text())
        for number in (1, 2):
            self.assertEqual(os.readlink(f"/proc/{self.server.pid()}/fd/{number}"),
                             str(self.server.folder / "tarn.log"))

    def test_stop_waits_as_long_as_the_server_says(self) -> None:
        self.server.write("large.png", size=50_000_000)
        self.server.launch()
        self.server.configure(limits__drain_timeout=0)  # which the server does not know of
        with self.server.connect(receive_buffer=65536) as connection:
            connection.send(request_bytes("GET", "/large.png"))
            connection.read_head()
            stop = subprocess.Popen([EXECUTABLE, "stop"], cwd=self.server.folder,
                                    stdout=subprocess.PIPE, text=True)
            with self.assertRaises(subprocess.TimeoutExpired):
                stop.wait(6)  # longer than it would wait by the new configuration
            self.assertEqual(len(connection.read_rest()), 50_000_000)
            self.assertEqual(stop.communicate()[0], "stopped\n")

    def test_two_starts_at_once_have_one_winner(self) -> None:
        starts = [subprocess.Popen([EXECUTABLE, "start", "0"], cwd=self.server.folder,
                                   stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
                  for _ in range(8)]
        codes = sorted(start.wait(60) for start in starts)
        self.assertEqual(codes, [0] + [1] * 7)
        self.assertEqual(processes_of(self.server.folder), [self.server.pid()])


if __name__ == "__main__":
    unittest.main()
