"""Uploads of small documents, beside nginx's PUT, which neither checks nor syncs them.

For about half a minute after many files have been removed ext4 is many times slower in making new
ones, for whoever asks. A run removes nothing before its end; wait a minute after another run.
"""

from __future__ import annotations

from case import Bench, Case, Column, Result
from load import Sample, measure, wrk
from processes import Server

BYTES = 2048
CONNECTIONS = 32
COLUMNS = [Column("rate", "documents/s"), Column("cpu_us", "us CPU / document", 1),
           Column("p50_us", "p50 us"), Column("p99_us", "p99 us"), Column("errors", "errors")]

# The name in the report, the server, and how long it keeps what it has acknowledged.
CONTENDERS = [("tarn, fsync", "tarn", "fsync"), ("tarn, none", "tarn", "none"),
              ("nginx PUT", "nginx", "")]


def upload(bench: Bench, server: Server) -> Sample:
    if server.name == "tarn":
        return measure(server, wrk, "/upload", CONNECTIONS, bench.seconds,
                       task=["upload", str(BYTES)])
    (server.folder / "put").mkdir()
    (server.folder / "put").chmod(0o777)
    return measure(server, wrk, "/put/", CONNECTIONS, bench.seconds, task=["put", str(BYTES)])


def run(bench: Bench) -> Result:
    """Each round has fresh servers and folders, so that all of them find the same."""
    result = Result("JSON uploads of 2 KB",
                    "32 connections. fsync: on the disk before the answer; none: soon after, as "
                    "with nginx. tarn checks each document, nginx does not. All write to the same "
                    "file system, into a fresh folder in each round.", COLUMNS, "cpu_us")
    for number in range(1, bench.rounds + 1):
        for name, peer, durability in CONTENDERS:
            if peer not in bench.peers:
                continue
            with bench.server(peer, durability=durability or "fsync") as server:
                sample = upload(bench, server)
            result.add(name, sample)
            bench.say(f"  round {number}: {name}: {sample['rate']:.0f} documents/s, "
                      f"{sample['cpu_us']:.1f} us CPU / document")
    return result


CASES = [Case("uploads", run)]
