"""Servers as processes: started, watched and ended by their ids, with what they use.

CPU time comes from a control group of the server's own where the machine allows one: it counts in
microseconds, with all children, also those that have ended. Elsewhere it is the sum of what /proc
tells of the process and its descendants, in clock ticks of 10 ms.
"""

from __future__ import annotations

import itertools
import os
import signal
import socket
import subprocess
import time
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

HOST = "127.0.0.1"
PATIENCE_S = 15.0
TICKS_A_SECOND = os.sysconf("SC_CLK_TCK")
JOIN_AND_RUN = 'echo $$ >"$0" && exec "$@"'

_numbers = itertools.count()


class Failure(Exception):
    """A server or a client did not do what it was started for."""


@dataclass(frozen=True)
class Memory:
    """Resident memory of a process and its descendants, in bytes."""

    resident: int
    private: int


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        return int(probe.getsockname()[1])


def make_control_group() -> Path | None:
    """A control group for one server; None where that is not allowed."""
    for line in Path("/proc/self/mounts").read_text().splitlines():
        _, mount, kind, *_ = line.split()
        if kind == "cgroup2":
            group = Path(mount) / f"tarn-bench-{os.getpid()}-{next(_numbers)}"
            try:
                group.mkdir()
            except OSError:
                return None
            return group
    return None


def descendants(pid: int) -> list[int]:
    """A process and what it has started, as far as it lives."""
    tree = [pid]
    try:
        for task in Path(f"/proc/{pid}/task").iterdir():
            for child in (task / "children").read_text().split():
                tree += descendants(int(child))
    except OSError:
        pass  # it has ended meanwhile
    return tree


def read_if_alive(pid: int, name: str) -> str:
    """A file of a process in /proc; empty if it has ended meanwhile."""
    try:
        return Path(f"/proc/{pid}/{name}").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return ""


def numbers_in(text: str) -> Counter[str]:
    """The lines `name number` or `name: number kB` of a file in /proc or of a control group."""
    numbers: Counter[str] = Counter()
    for line in text.splitlines():
        name, *values = line.split()
        if values and values[0].isdigit():
            numbers[name.rstrip(":")] = int(values[0])
    return numbers


class Server:
    """A server that runs. Use as a context: it ends with it, whatever happens."""

    def __init__(self, name: str, command: list[str], port: int, folder: Path,
                 environment: dict[str, str] | None = None, accounted: bool = True) -> None:
        self.name = name
        self.port = port
        self.folder = folder
        self._command = command
        self._environment = environment or {}
        self._group = make_control_group() if accounted else None
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Server:
        try:
            self.start()
        except BaseException:
            self.stop()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    @property
    def pid(self) -> int:
        assert self._process is not None
        return self._process.pid

    def launch(self) -> None:
        """Starts the process; returns when it has executed its program."""
        command = self._command
        if self._group is not None:
            command = ["sh", "-c", JOIN_AND_RUN, str(self._group / "cgroup.procs"), *command]
        with open(self.folder / "output.log", "ab") as output:
            self._process = subprocess.Popen(
                command, stdin=subprocess.DEVNULL, stdout=output, stderr=output,
                cwd=self.folder, env={**os.environ, **self._environment},
                process_group=0)  # so that Ctrl-C reaches only us, who end it in order; a session
            # of its own would have the scheduler (autogroup) let the clients wait for it in turns

    def start(self) -> None:
        """Starts the process and waits until it accepts connections."""
        self.launch()
        assert self._process is not None
        deadline = time.monotonic() + PATIENCE_S
        while time.monotonic() < deadline and self._process.poll() is None:
            try:
                socket.create_connection((HOST, self.port), 1).close()
                return
            except OSError:
                time.sleep(0.02)
        said = (self.folder / "output.log").read_text(errors="replace")[-500:]
        raise Failure(f"did not start: {said.strip()}")

    def stop(self) -> None:
        if self._process is not None:
            members = self.members()
            self._process.send_signal(signal.SIGTERM)
            try:
                self._process.wait(PATIENCE_S)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()
            self._end_orphans(members)
            self._process = None
        if self._group is not None:
            self._group.rmdir()
            self._group = None

    def _end_orphans(self, members: list[int]) -> None:
        """Ends what the process has left behind, and waits until its control group is empty."""
        deadline = time.monotonic() + PATIENCE_S
        while time.monotonic() < deadline:
            if self._group is not None:
                members = self.members()
            members = [pid for pid in members if os.path.exists(f"/proc/{pid}")]
            if not members:
                return
            for pid in members:
                try:
                    os.kill(pid, signal.SIGKILL)
                except ProcessLookupError:
                    pass  # it has ended meanwhile
            time.sleep(0.02)

    def members(self) -> list[int]:
        """The server's processes."""
        if self._group is not None:
            return [int(pid) for pid in (self._group / "cgroup.procs").read_text().split()]
        return descendants(self.pid)

    def cpu_seconds(self) -> float:
        """User and system time that the server has used so far."""
        if self._group is not None:
            return numbers_in((self._group / "cpu.stat").read_text())["usage_usec"] / 1e6
        ticks = 0
        for pid in self.members():
            # The second field, the name, may hold anything; what counts is behind its parenthesis:
            # fields 14 to 17, own time and that of children that have ended.
            fields = read_if_alive(pid, "stat").rpartition(")")[2].split()
            ticks += sum(int(field) for field in fields[11:15])
        return ticks / TICKS_A_SECOND

    def memory(self) -> Memory:
        resident = private = 0
        for pid in self.members():
            numbers = numbers_in(read_if_alive(pid, "smaps_rollup"))
            resident += numbers["Rss"] * 1024
            private += (numbers["Private_Clean"] + numbers["Private_Dirty"]) * 1024
        return Memory(resident, private)

    def peak_memory(self) -> int:
        """The most resident memory that the server has had, in bytes."""
        return sum(numbers_in(read_if_alive(pid, "status"))["VmHWM"] * 1024
                   for pid in self.members())
