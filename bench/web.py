"""The cases in which a client asks for files: CPU time per request, rate and latency."""

from __future__ import annotations

import socket
from contextlib import ExitStack
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import documents
from case import Bench, Case, Column, Result
from load import get, h2load, measure, warm, wrk
from peers import LIMITS, REAL
from processes import HOST, PATIENCE_S, Failure, Server

REQUEST_COLUMNS = [
    Column("rate", "requests/s"), Column("cpu_us", "us CPU / request", 2),
    Column("p50_us", "p50 us"), Column("p99_us", "p99 us"),
    Column("resident_mb", "resident MB", 1), Column("errors", "errors"),
]
DOWNLOAD_COLUMNS = [
    Column("mb_per_s", "MB/s"), Column("cpu_s_per_gb", "s CPU / GB", 3),
    Column("client_s_per_gb", "the client's s CPU / GB", 3),
    Column("resident_mb", "resident MB", 1), Column("errors", "errors"),
]


@dataclass(frozen=True)
class Web:
    """A case of this kind."""

    name: str
    title: str
    what: str
    path: str
    names: list[str]
    connections: int = 64
    close: bool = False
    validate: bool = False  # asks whether the page has changed: If-Modified-Since
    page_count: int = 0  # asks for so many pages of a folder in turn
    log: bool = True
    client: str = "wrk"


def ask_raw(port: int, path: str, headers: list[str]) -> bytes:
    """The bytes of an answer to a request as wrk sends it, as far as Content-Length says."""
    lines = [f"GET {path} HTTP/1.1", f"Host: {HOST}:{port}", *headers, "", ""]
    with socket.create_connection((HOST, port), PATIENCE_S) as connection:
        connection.sendall("\r\n".join(lines).encode())
        answer = b""
        while b"\r\n\r\n" not in answer:
            answer += connection.recv(65536)
        head, _, content = answer.partition(b"\r\n\r\n")
        length = 0
        for line in head.split(b"\r\n"):
            name, _, value = line.partition(b":")
            length = int(value) if name.lower() == b"content-length" else length
        if b" 304 " in head[:15]:
            length = 0
        if length > documents.LARGE_BYTES // 2:
            return head + b"\r\n\r\n"  # the limit case sends the rest from the file itself
        while len(content) < length:
            content += connection.recv(65536)
        return head + b"\r\n\r\n" + content


def record_response(bench: Bench, web: Web, headers: list[str]) -> dict[str, Path]:
    """What the limit case is started with: the very bytes that tarn answers."""
    response = bench.folder / f"response-{web.name}"
    path = web.path + ("000000.html" if web.page_count else "")
    with bench.server("tarn", accounted=False) as tarn:
        response.write_bytes(ask_raw(tarn.port, path, headers))
    files = {"response": response}
    if web.path == "/" + documents.LARGE:
        files["body"] = bench.root / documents.LARGE
    return files


def check(server: Server, web: Web, headers: list[str], expected: tuple[int, int]) -> None:
    path = web.path + ("000000.html" if web.page_count else "")
    fields = dict(header.split(": ", 1) for header in headers)
    status, length, _ = get(server.port, path, fields)
    if (status, length) != expected:
        raise Failure(f"answers {status} with {length} bytes, not {expected}")


def start_all(bench: Bench, web: Web, stack: ExitStack, result: Result,
              headers: list[str]) -> list[Server]:
    """The contenders that start and answer as they should; the others are noted."""
    recorded = record_response(bench, web, headers)
    path = web.path + ("000000.html" if web.page_count else "")
    length = 0 if web.validate else (bench.root / path[1:]).stat().st_size
    servers = []
    for name in bench.chosen(web.names):
        options = recorded if name in LIMITS else {}
        try:
            server = stack.enter_context(bench.server(name, log=web.log, **options))
            check(server, web, headers, (304 if web.validate else 200, length))
        except Failure as failure:
            result.leave_out(name, failure)
            bench.say(f"  left out: {name}: {failure}")
            continue
        servers.append(server)
    return servers


def run_web(web: Web, bench: Bench) -> Result:
    if web.page_count:
        web = replace(web, path=documents.make_pages(bench.root, web.page_count))
    headers = ["Connection: close"] if web.close else []
    if web.validate:
        with bench.server("tarn", accounted=False) as tarn:
            headers.append("If-Modified-Since: " + get(tarn.port, web.path)[2])
    large = web.path == "/" + documents.LARGE
    result = Result(web.title, web.what, DOWNLOAD_COLUMNS if large else REQUEST_COLUMNS,
                    "cpu_s_per_gb" if large else "cpu_us")
    options: dict[str, object] = {}
    if web.client == "wrk":
        task = ["files", str(web.page_count)] if web.page_count else []
        options = {"headers": headers, "task": task}
    drive = h2load if web.client == "h2load" else wrk
    with ExitStack() as stack:
        servers = start_all(bench, web, stack, result, headers)
        for server in servers:
            warm(server, drive, web.path, web.connections, **options)
        for number in range(1, bench.rounds + 1):
            for server in list(servers):
                try:
                    sample = measure(server, drive, web.path, web.connections, bench.seconds,
                                     **options)
                except Failure as failure:
                    result.leave_out(server.name, failure)
                    bench.say(f"  left out: {server.name}: {failure}")
                    servers.remove(server)
                    continue
                result.add(server.name, sample)
                bench.say(f"  round {number}: {server.name}: {sample['rate']:.0f} requests/s, "
                          f"{sample['cpu_us']:.2f} us CPU / request")
    return result


KEEP_ALIVE = LIMITS + REAL
WEBS = [
    Web("1kib", "1 KiB, keep-alive, access log to a file",
        "64 connections ask for a page of 1 KiB again and again.", "/1kib.html",
        LIMITS + ["tarn", "nginx", "nginx-buffered", *REAL[2:], "busybox", "python"]),
    Web("1kib-nolog", "1 KiB, keep-alive, no access log", "The same without an access log.",
        "/1kib.html", KEEP_ALIVE, log=False),
    Web("1kib-h2load", "1 KiB, keep-alive, h2load",
        "The first case with h2load as the client, as a check on wrk.", "/1kib.html", KEEP_ALIVE,
        client="h2load"),
    Web("10kib", "10 KiB, keep-alive", "64 connections, a page of 10 KiB.", "/10kib.html",
        KEEP_ALIVE),
    Web("100kib", "100 KiB, keep-alive", "64 connections, a page of 100 KiB.", "/100kib.html",
        KEEP_ALIVE),
    Web("1000files", "1,000 different files of 1 KiB",
        "64 connections ask for 1,000 pages in turn.", "", KEEP_ALIVE, page_count=1000),
    Web("connection", "1 KiB, a new connection for each request",
        "64 clients, each of which opens a connection for each request.", "/1kib.html",
        KEEP_ALIVE + ["busybox", "python"], close=True),
    Web("304", "Not modified", "64 connections ask whether a page has changed (304).",
        "/1kib.html", KEEP_ALIVE, validate=True),
    Web("100mb", "100 MB download", "4 connections load a file of 100 MB again and again.",
        "/" + documents.LARGE, KEEP_ALIVE, connections=4),
]
IN_QUICK = {"1kib", "connection", "100mb"}
CASES = [Case(web.name, partial(run_web, web), web.name in IN_QUICK) for web in WEBS]
