"""Goal: whatever is done to a server that restarts or reloads, exactly one goes on serving, nothing
leaks, and no request is lost.

TARN_SERVER=build/server python3 tests/faults/restarts.py [TURNS [SECONDS]] does each thing TURNS
times (50), and sends signals for SECONDS (20). Needs wrk. tests/integration/test_restart.py does a
little of this in each run of the tests.
"""

from __future__ import annotations

import json
import os
import random
import re
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "integration"))

from background import Background, processes_of  # noqa: E402
from tarn import EXECUTABLE, Connection, eventually, request_bytes  # noqa: E402

# About what a restart takes: so long after its begin at most something is done to it.
RESTART_SECONDS = 0.015


class Poster(threading.Thread):
    """Sends one document after the other, and never tries one again."""

    def __init__(self, server: Background) -> None:
        super().__init__()
        self.server = server
        self.count = 0
        self.faults: list[str] = []
        self.over = threading.Event()

    def run(self) -> None:
        connection: Connection | None = None
        body = json.dumps({"stored": True}).encode()
        request = request_bytes("POST", "/upload", {"Content-Type": "application/json"}, body)
        while not self.over.is_set():
            try:
                connection = connection or self.server.connect()
                response = connection.exchange(request)
                if response.status != 201:
                    raise AssertionError(f"status {response.status}")
                self.count += 1
                if not response.closes():
                    continue
            except (OSError, EOFError, AssertionError) as error:
                self.faults.append(f"request {self.count}: {error!r}")
            if connection:
                connection.close()
            connection = None
        if connection:
            connection.close()


class Load:
    """wrk with 64 connections, and a poster; leaving the block checks that nothing was lost."""

    def __init__(self, server: Background, seconds: int) -> None:
        self.server = server
        self.seconds = seconds
        self.poster = Poster(server)

    def __enter__(self) -> None:
        self.stored = len(self.server.stored()) if self.server.uploads.exists() else 0
        self.wrk = subprocess.Popen(
            ["wrk", "-t1", "-c64", f"-d{self.seconds}s", "--timeout", "20s", self.server.url("/")],
            stdout=subprocess.PIPE, text=True)
        self.poster.start()
        time.sleep(0.3)

    def __exit__(self, *_: object) -> None:
        said, _ = self.wrk.communicate()
        self.poster.over.set()
        self.poster.join()
        requests = re.search(r"(\d+) requests in", said)
        print(f"  {requests[1] if requests else '?'} pages, {self.poster.count} documents")
        assert "Socket errors" not in said and "Non-2xx" not in said, said
        assert not self.poster.faults, self.poster.faults
        stored = len(self.server.stored()) - self.stored
        assert stored == self.poster.count, f"{stored} are stored"


def memory_kib(pid: int) -> int:
    text = Path(f"/proc/{pid}/status").read_text()
    return int(re.search(r"VmRSS:\s+(\d+)", text)[1])  # type: ignore[index]


def descriptors(pid: int) -> int:
    return len(os.listdir(f"/proc/{pid}/fd"))


def begin_restart(server: Background) -> subprocess.Popen[bytes]:
    return subprocess.Popen([EXECUTABLE, "restart"], cwd=server.folder, stdin=subprocess.DEVNULL,
                            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def is_settled(server: Background) -> bool:
    """No process is left, or one that serves."""
    if not processes_of(server.folder):
        return True
    done = server.run("status")
    return done.returncode == 0 and "state       serving" in done.stdout


def check_one_serves(server: Background) -> None:
    """One process is left, and it is the one that the pid file and the control socket lead to."""
    eventually(lambda: len(processes_of(server.folder)) == 1, "one process is left")
    assert server.get("/").status == 200
    assert server.status()["process"].startswith(f"{processes_of(server.folder)[0]},")


# --- what is done --------------------------------------------------------------------------------


def restarts_and_reloads(server: Background, turns: int, seconds: int) -> None:
    begin = time.monotonic()
    with Load(server, seconds):
        for _ in range(turns):
            for command in ("restart", "reload"):
                done = server.run(command)
                assert done.returncode == 0, done
        took = time.monotonic() - begin
        print(f"  {turns} restarts and reloads took {took:.1f} s")
        assert took < seconds, "give it more seconds"
    check_one_serves(server)


def hang_ups(server: Background, _turns: int, seconds: int) -> None:
    pid = server.pid()
    with Load(server, 3):
        for _ in range(100):
            os.kill(pid, signal.SIGHUP)
            time.sleep(0.01)
    before = memory_kib(pid), descriptors(pid)
    with Load(server, seconds + 2):
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            os.kill(pid, signal.SIGHUP)
            time.sleep(0.01)
    eventually(lambda: server.status()["connections"].startswith("0 "), "all have gone")
    after = memory_kib(pid), descriptors(pid)
    print(f"  reloads: {server.log().count('has been reloaded')}; KiB and descriptors before "
          f"{before}, after {after}")
    assert after[1] <= before[1]
    if before[0] < 32768:  # the sanitizers keep what has been freed
        assert after[0] < before[0] + 4096


def killed_commands(server: Background, turns: int, _seconds: int) -> None:
    changes = 0
    for _ in range(turns):
        before = server.pid()
        command = begin_restart(server)
        time.sleep(random.uniform(0, RESTART_SECONDS))
        command.kill()
        command.wait()
        check_one_serves(server)
        changes += server.pid() != before
    print(f"  {changes} of {turns} restarts took place all the same")


def killed_successors(server: Background, turns: int, _seconds: int) -> None:
    taken_over = 0
    for _ in range(turns):
        old = server.pid()
        command = begin_restart(server)
        time.sleep(random.uniform(0, RESTART_SECONDS))
        children = Path(f"/proc/{command.pid}/task/{command.pid}/children").read_text()
        for pid in children.split():
            os.kill(int(pid), signal.SIGKILL)
        command.wait()
        eventually(lambda: len(processes_of(server.folder)) <= 1, "at most one is left")
        if f"[{old}:{old}] [-] another process has taken over" in server.log():
            taken_over += 1  # by one that may have been killed afterwards, as any server may be
            server.run("start", str(server.port))
        check_one_serves(server)
    print(f"  {turns - taken_over} of {turns} went on serving, {taken_over} had retired")


def stops_during_restarts(server: Background, turns: int, _seconds: int) -> None:
    left = 0
    server.configure(listen__port=server.port)
    for turn in range(turns):
        command = begin_restart(server)
        time.sleep(random.uniform(0, RESTART_SECONDS))
        if turn % 2:
            server.run("stop")
        else:
            try:
                os.kill(server.pid(), signal.SIGTERM)
            except (FileNotFoundError, ValueError):
                pass  # it is just being replaced
        command.wait()
        eventually(lambda: is_settled(server), "none is left, or one that serves")
        if processes_of(server.folder):
            left += 1  # it has come after the stop
            check_one_serves(server)
        else:
            assert server.run("status").returncode == 1
            assert not (server.folder / "tarn.pid").exists()
            assert server.run("start", str(server.port)).returncode == 0
    print(f"  after {left} of {turns} a server was there")


def many_at_once(server: Background, turns: int, _seconds: int) -> None:
    winners = 0
    for turn in range(turns):
        commands = [begin_restart(server) for _ in range(2 if turn % 2 else 8)]
        codes = [command.wait() for command in commands]
        assert 0 in codes, codes
        winners += codes.count(0)
        check_one_serves(server)
    print(f"  {winners} of {sum(2 if turn % 2 else 8 for turn in range(turns))} restarts took place")


def main() -> None:
    turns = int(sys.argv[1]) if len(sys.argv) > 1 else 50
    seconds = int(sys.argv[2]) if len(sys.argv) > 2 else 20
    for work in (restarts_and_reloads, hang_ups, killed_commands, killed_successors,
                 stops_during_restarts, many_at_once):
        print(work.__name__.replace("_", " "), flush=True)
        server = Background({"limits.drain_timeout": 5}, workers=20)
        try:
            server.launch()
            work(server, turns, seconds)
        finally:
            server.destroy()


if __name__ == "__main__":
    main()
