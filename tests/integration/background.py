"""A server in the background, as an operator runs it: start, stop, restart, reload, status.

Goal: one way for the tests of the commands to run them in a folder of its own, and to be sure that
no process outlives the test.
"""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import time
from pathlib import Path
from typing import Mapping

from tarn import BANNER_URL, EXECUTABLE, PATIENCE, SANITIZER_WORDS, Server, config_text, eventually


def processes_of(folder: Path) -> list[int]:
    """The server processes whose working directory is the folder."""
    found = []
    for entry in Path("/proc").iterdir():
        try:
            if entry.name.isdigit() and os.readlink(entry / "cwd") == str(folder):
                found.append(int(entry.name))
        except OSError:
            pass  # it has ended, or is none of ours
    return found


class Background(Server):
    """The commands of `server`, in the folder of a Server that is not started."""

    def __init__(self, settings: Mapping[str, object] | None = None, workers: int = 4,
                 port: int = 0) -> None:
        super().__init__({"log.access": "access.log", **(settings or {})}, workers, port=port)
        self.executable = EXECUTABLE
        self.configure()

    def leave_the_project(self) -> None:
        """From now on a copy of the program is run, beside which there is no server.conf."""
        folder = self.folder / "bin"
        folder.mkdir()
        self.executable = shutil.copy2(EXECUTABLE, folder)

    def configure(self, **changes: object) -> None:
        """Writes server.conf: the settings with these changes ("limits__connections" = 5)."""
        for name, value in changes.items():
            self.settings[name.replace("__", ".")] = value
        (self.folder / "server.conf").write_text(config_text(self.settings))

    def run(self, *arguments: str, prefix: tuple[str, ...] = ()) -> subprocess.CompletedProcess[str]:
        return subprocess.run([*prefix, self.executable, *arguments], cwd=self.folder,
                              stdin=subprocess.DEVNULL, capture_output=True, text=True,
                              timeout=4 * PATIENCE, check=False)

    def launch(self) -> subprocess.CompletedProcess[str]:
        """`server start`, which must work; afterwards requests reach it."""
        done = self.run("start", str(self.port), self.host, str(self.workers))
        if done.returncode != 0:
            raise AssertionError(f"start: {done.returncode}: {done.stdout}{done.stderr}")
        url = BANNER_URL.search(done.stdout)
        assert url, done.stdout
        self.port = int(url.group(1))
        return done

    def pid(self) -> int:
        return int((self.folder / "tarn.pid").read_text())

    def log(self) -> str:
        """What background servers have written to their output."""
        path = self.folder / "tarn.log"
        return path.read_text() if path.exists() else ""

    def status(self) -> dict[str, str]:
        done = self.run("status")
        if done.returncode != 0:
            raise AssertionError(f"status: {done.returncode}: {done.stderr}")
        return dict(re.split(r"\s+", line, maxsplit=1) for line in done.stdout.splitlines())

    def wait_until_gone(self) -> None:
        eventually(lambda: not processes_of(self.folder), "no process is left")

    def destroy(self) -> None:
        for pid in processes_of(self.folder):
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                pass
        deadline = time.monotonic() + PATIENCE
        while processes_of(self.folder) and time.monotonic() < deadline:
            time.sleep(0.01)
        text = self.log()
        super().destroy()
        if SANITIZER_WORDS.search(text):
            raise AssertionError(f"a sanitizer complained:\n{text}")
