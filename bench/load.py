"""The clients: wrk and h2load, and our own crowd and flood. Each returns plain numbers."""

from __future__ import annotations

import http.client
import json
import re
import resource
import select
import subprocess
import tempfile
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Iterator, Sequence

from processes import HOST, PATIENCE_S, Failure, Server

SCRIPT = Path(__file__).resolve().parent / "load.lua"
GATHERING_S = 30  # a server that has no place for a crowd lets it wait for minutes
Sample = dict[str, float]


def client_cpu_seconds() -> float:
    """User and system time of the clients that have ended."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def run(command: Sequence[str], seconds: float) -> str:
    """The output of a client that ends by itself after about that time."""
    try:
        answer = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True,
                                timeout=seconds + 60, check=False)
    except subprocess.TimeoutExpired as error:
        raise Failure(f"{command[0]} did not end") from error
    if answer.returncode:
        raise Failure(f"{command[0]} failed: {answer.stderr.strip()}")
    return answer.stdout


def wrk_command(port: int, path: str, connections: int, seconds: int,
                headers: Sequence[str] = (), task: Sequence[str] = ()) -> list[str]:
    command = ["wrk", f"-t{min(2, connections)}", f"-c{connections}", f"-d{seconds}s",
               "--timeout", "10s", "-s", str(SCRIPT)]
    for header in headers:
        command += ["-H", header]
    return command + [f"http://{HOST}:{port}{path}", "--", *task]


def wrk(port: int, path: str, connections: int, seconds: int, headers: Sequence[str] = (),
        task: Sequence[str] = ()) -> Sample:
    """Requests, errors, bytes and latencies of a run; see load.lua for the task."""
    command = wrk_command(port, path, connections, seconds, headers, task)
    output = run(command, seconds)
    sample: Sample = json.loads(output.strip().splitlines()[-1])
    if not sample["requests"]:
        raise Failure("no request was answered")
    sample["rate"] = sample["requests"] / sample["seconds"]
    return sample


def h2load(port: int, path: str, connections: int, seconds: int) -> Sample:
    """The same from h2load over HTTP/1.1, a client with another manner."""
    with tempfile.TemporaryDirectory() as folder:
        log = Path(folder) / "requests"
        output = run(["h2load", "--h1", "-t2", f"-c{connections}", f"-D{seconds}",
                      f"--log-file={log}", f"http://{HOST}:{port}{path}"], seconds)
        # A line of the log is: start, status, microseconds.
        times = sorted(int(line.split()[2]) for line in log.read_text().splitlines())
    counts = re.search(r"(\d+) done, (\d+) succeeded, (\d+) failed, (\d+) errored", output)
    if not counts or not times:
        raise Failure(f"h2load said:\n{output}")
    requests = int(counts[2])
    return {"requests": requests, "seconds": seconds, "rate": requests / seconds,
            "errors": int(counts[3]) + int(counts[4]), "p50_us": times[len(times) // 2],
            "p99_us": times[len(times) - 1 - len(times) // 100]}


def warm(server: Server, drive: object, *args: object, **options: object) -> None:
    """A second of load, so that caches are filled; nothing needs to come of it."""
    assert callable(drive)
    with suppress(Failure):
        drive(server.port, *args, 1, **options)


def measure(server: Server, drive: object, *args: object, **options: object) -> Sample:
    """Runs wrk() or h2load() and adds the CPU time and the memory of the server."""
    assert callable(drive)
    before = server.cpu_seconds()
    client_before = client_cpu_seconds()
    sample: Sample = drive(server.port, *args, **options)
    used = server.cpu_seconds() - before
    client_used = client_cpu_seconds() - client_before
    sample["cpu_us"] = used * 1e6 / sample["requests"]
    if "bytes" in sample:
        sample["cpu_s_per_gb"] = used * 1e9 / sample["bytes"]
        sample["client_s_per_gb"] = client_used * 1e9 / sample["bytes"]
        sample["mb_per_s"] = sample["bytes"] / 1e6 / sample["seconds"]
    memory = server.memory()
    sample["resident_mb"] = memory.resident / 1e6
    sample["private_mb"] = memory.private / 1e6
    return sample


def get(port: int, path: str, headers: dict[str, str] | None = None) -> tuple[int, int, str]:
    """Status, length of the content, and Last-Modified of one answer."""
    connection = http.client.HTTPConnection(HOST, port, timeout=PATIENCE_S)
    try:
        connection.request("GET", path, headers=headers or {})
        answer = connection.getresponse()
        return answer.status, len(answer.read()), answer.getheader("Last-Modified", "")
    except (OSError, http.client.HTTPException) as error:
        raise Failure(f"no answer: {error}") from error
    finally:
        connection.close()


class Crowd:
    """What is known of a crowd: after its end, how many of its clients were lost."""

    def __init__(self) -> None:
        self.lost = 0


@contextmanager
def crowd(programs: Path, port: int, *arguments: object) -> Iterator[Crowd]:
    """Keeps a crowd at the server's door (bench/crowd.c) as long as the context lasts."""
    result = Crowd()
    with subprocess.Popen([str(programs / "crowd"), str(port), *map(str, arguments)],
                          stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
                          start_new_session=True) as process:
        assert process.stdin is not None and process.stdout is not None
        try:
            told, _, _ = select.select([process.stdout], [], [], GATHERING_S)
            if not told or process.stdout.readline() != "ready\n":
                raise Failure(f"the crowd could not connect within {GATHERING_S} s")
            yield result
            process.stdin.close()
            result.lost = int(process.stdout.readline() or "-1")
        finally:
            process.kill()


@contextmanager
def background(command: list[str]) -> Iterator[None]:
    """Lets a client run beside what is measured, and ends it then."""
    with subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                          stderr=subprocess.DEVNULL, start_new_session=True) as process:
        try:
            yield
        finally:
            process.kill()


def flood(programs: Path, port: int, path: str, rate: int, seconds: int) -> Sample:
    output = run([str(programs / "flood"), str(port), path, str(rate), str(seconds)], seconds)
    sample: Sample = json.loads(output)
    return sample
