"""What a request costs as something grows; and how soon a server that starts gives an answer."""

from __future__ import annotations

import socket
import time
from typing import Sequence

import documents
from case import Bench, Case, Column, Result
from load import measure, warm, wrk
from peers import REAL
from processes import HOST, PATIENCE_S, Failure, Server
from web import WEBS, record_response

COLUMNS = [Column("cpu_us", "us CPU / request", 2), Column("rate", "requests/s"),
           Column("p99_us", "p99 us"), Column("errors", "errors")]
PAGE = "/1kib.html"
STARTS_A_ROUND = 5


def steps(bench: Bench, values: list[int], million: bool = False) -> list[int]:
    if bench.quick:
        return values[::2]
    return values + [1_000_000] if million and bench.million else values


def add_point(bench: Bench, result: Result, value: int, server: Server, path: str, connections: int,
              task: Sequence[str] = ()) -> None:
    """Measures a server at one point of a curve; one that fails there has no sample."""
    try:
        with server:
            warm(server, wrk, path, connections, task=task)
            sample = measure(server, wrk, path, connections, bench.seconds, task=task)
    except Failure as failure:
        result.notes.append(f"{server.name}, {value:,} {result.x}: {failure}")
        bench.say(f"  left out: {result.notes[-1]}")
        return
    result.add(server.name, {result.x: value, **sample})
    bench.say(f"  {server.name}, {value:,} {result.x}: {sample['cpu_us']:.2f} us CPU / request")


def run_connections(bench: Bench) -> Result:
    result = Result("Cost over connections", "1 KiB, keep-alive, all of them active.", COLUMNS,
                    x="connections")
    recorded = record_response(bench, WEBS[0], [])
    for _ in range(bench.rounds):
        for count in steps(bench, [1, 10, 100, 1000, 10_000]):
            for name in bench.chosen(["tarn", "limit", "nginx", "lighttpd", "h2o"]):
                server = bench.server(name, **(recorded if name == "limit" else {}))
                add_point(bench, result, count, server, PAGE, count)
    return result


def run_workers(bench: Bench) -> Result:
    result = Result("Cost over workers", "1 KiB, 64 keep-alive connections.", COLUMNS, x="workers")
    for _ in range(bench.rounds):
        for count in steps(bench, [1, 2, 4, 8, 16, 32, 64]):
            add_point(bench, result, count, bench.server("tarn", workers=count), PAGE, 64)
    return result


def run_files(bench: Bench) -> Result:
    result = Result("Cost over files",
                    "1 KiB each, asked for in turn by 64 keep-alive connections.", COLUMNS,
                    x="files")
    counts = steps(bench, [10, 100, 1000, 10_000, 100_000], million=True)
    paths = {count: documents.make_pages(bench.root, count) for count in counts}
    for _ in range(bench.rounds):
        for count in counts:
            for name in bench.chosen(["tarn", "nginx", "lighttpd"]):
                add_point(bench, result, count, bench.server(name), paths[count], 64,
                          ["files", str(count)])
    return result


def run_stored(bench: Bench) -> Result:
    result = Result("Cost over stored documents",
                    "2 KB uploads without sync from 32 connections, into a folder that holds so "
                    "many; and the time from the start to the first answer with it.",
                    [*COLUMNS, Column("first_ms", "ms to the first answer", 1)], x="stored")
    for _ in range(bench.rounds):
        for count in steps(bench, [10, 1000, 100_000], million=True):
            server = bench.server("tarn", durability="none")
            documents.make_uploads(server.folder / "uploads", count)
            with server:
                sample = measure(server, wrk, "/upload", 32, bench.seconds,
                                 task=["upload", "2048"])
            try:
                sample["first_ms"] = first_answer(server) * 1e3
            finally:
                server.stop()
            result.add("tarn", {"stored": count, **sample})
            bench.say(f"  tarn, {count:,} stored: {sample['cpu_us']:.2f} us CPU / document")
    return result


def first_answer(server: Server) -> float:
    """Starts a server; seconds from the execution of its program to the first byte it sends."""
    server.launch()
    start = time.monotonic()
    request = f"GET {PAGE} HTTP/1.1\r\nHost: {HOST}:{server.port}\r\n\r\n".encode()
    while time.monotonic() < start + PATIENCE_S:
        try:
            with socket.create_connection((HOST, server.port), PATIENCE_S) as connection:
                connection.sendall(request)
                if connection.recv(1):
                    return time.monotonic() - start
        except OSError:
            time.sleep(0.0002)
    raise Failure(f"{server.name} did not answer after its start")


def run_start(bench: Bench) -> Result:
    result = Result("Start", "From the execution of the program to the first byte of an answer, "
                    "and the memory of the idle server after that.",
                    [Column("first_ms", "ms to the first answer", 1),
                     Column("resident_mb", "resident MB", 2),
                     Column("private_mb", "private MB", 2)])
    for _ in range(bench.rounds * STARTS_A_ROUND):
        for name in bench.chosen(REAL):
            server = bench.server(name, accounted=False)
            try:
                seconds = first_answer(server)
                time.sleep(0.1)
                memory = server.memory()
            finally:
                server.stop()
            result.add(name, {"first_ms": seconds * 1e3, "resident_mb": memory.resident / 1e6,
                              "private_mb": memory.private / 1e6})
    return result


CASES = [Case("start", run_start), Case("scale-connections", run_connections, quick=False),
         Case("scale-workers", run_workers, quick=False),
         Case("scale-files", run_files, quick=False), Case("scale-stored", run_stored, quick=False)]
