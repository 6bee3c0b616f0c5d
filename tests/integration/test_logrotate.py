"""Goal: with the logrotate file that is shipped, and the real logrotate, no line is lost or torn."""

from __future__ import annotations

import gzip
import os
import re
import subprocess
import threading
import unittest
from pathlib import Path

from tarn import EXECUTABLE, PROJECT, Server, eventually, needs, request_bytes, run

# Debian's is not in the path of users.
os.environ["PATH"] += os.pathsep + "/usr/sbin"

SHIPPED = PROJECT / "packaging" / "logrotate" / "tarn"
LINE = re.compile(rb'^127\.0\.0\.1 - - \[[^\]]+\] "GET /\?n=(\d+)- HTTP/1\.1" 200 \d+ "-" "-"$')


@needs("logrotate")
class LogrotateTest(unittest.TestCase):

    def setUp(self) -> None:
        self.server = Server({"log.access": "access.log", "log.error": "error.log",
                              "limits.max_requests": 100000, "pid_file": "tarn.pid"})
        self.addCleanup(self.server.destroy)
        self.folder = self.server.folder
        text = SHIPPED.read_text().replace("/var/log/tarn", str(self.folder))
        text = text.replace("/run/tarn", str(self.folder))
        self.assertNotRegex(text, "/var/|/run/")
        self.config = self.folder / "logrotate.conf"
        self.config.write_text(text)
        self.config.chmod(0o644)

    def start_in_background(self) -> None:
        command = self.server.command()
        started = run(command[0], "start", *command[1:], cwd=self.folder)
        self.assertEqual(started.returncode, 0, started.stderr)
        self.addCleanup(run, EXECUTABLE, "stop", *command[1:], cwd=self.folder)
        match = re.search(rb"http://127\.0\.0\.1:(\d+)/", started.stdout + started.stderr)
        assert match is not None, started
        self.server.port = int(match.group(1))

    def rotate(self) -> None:
        done = run("logrotate", "--force", "--state", str(self.folder / "state"), str(self.config))
        self.assertEqual((done.returncode, done.stderr), (0, b""))

    def access_files(self) -> list[Path]:
        return [path for path in self.folder.glob("access.log*") if path.is_file()]

    def read_numbers(self) -> list[int]:
        """The numbers of all requests in all files; every line must be whole."""
        numbers = []
        for path in self.access_files():
            read = gzip.open if path.suffix == ".gz" else open
            with read(path, "rb") as file:
                for line in file.read().splitlines():
                    match = LINE.match(line)
                    assert match is not None, (path, line)
                    numbers.append(int(match[1]))
        return numbers

    def test_lines_are_in_one_of_the_files(self) -> None:
        self.start_in_background()
        finished = threading.Event()
        count = 0

        def ask() -> None:
            nonlocal count
            with self.server.connect() as connection:
                while not finished.is_set():
                    connection.exchange(request_bytes("GET", f"/?n={count}-"))
                    count += 1

        asking = threading.Thread(target=ask)
        asking.start()
        try:
            for _ in range(3):
                eventually(lambda: (self.folder / "access.log").stat().st_size, "a line")
                error_log = self.folder / "error.log"
                self.rotate()
                eventually(lambda: error_log.exists() and
                           b"access log opened again" in error_log.read_bytes(), "new files")
        finally:
            finished.set()
            asking.join()
        eventually(lambda: len(self.read_numbers()) == count, "a line for each request")
        self.assertEqual(sorted(self.read_numbers()), list(range(count)))
        names = {path.name for path in self.access_files()}
        self.assertEqual(names, {"access.log", "access.log.1", "access.log.2.gz",
                                 "access.log.3.gz"})

    def test_foreign_process_is_not_signalled(self) -> None:
        """The pid file of a server that has ended, and another process has its number by now."""
        (self.folder / "access.log").write_bytes(b"a line\n")
        with subprocess.Popen(["sleep", "600"]) as foreign:
            self.addCleanup(foreign.kill)
            (self.folder / "tarn.pid").write_text(f"{foreign.pid}\n")
            self.rotate()
            self.assertTrue((self.folder / "access.log.1").exists())
            self.assertIsNone(foreign.poll())
            foreign.kill()


if __name__ == "__main__":
    unittest.main()
