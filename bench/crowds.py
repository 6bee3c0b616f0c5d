"""The cases in which some clients are measured beside others that are many, slow or greedy."""

from __future__ import annotations

import time
from contextlib import ExitStack, contextmanager
from typing import Callable, ContextManager, Iterator

import documents
from case import Bench, Case, Column, Result
from load import Sample, background, crowd, flood, get, measure, warm, wrk, wrk_command
from processes import Failure, Server

PAGE = "/1kib.html"
LATENCY_COLUMNS = [
    Column("alone_p99_us", "p99 us alone"), Column("p99_us", "p99 us beside them"),
    Column("p99_ratio", "ratio", 2), Column("lost", "lost or refused"), Column("errors", "errors"),
]
SETTLING_S = 2  # in which servers fill the buffers of slow readers, or downloads get up to speed
SERVERS = ["tarn", "nginx", "lighttpd", "h2o", "apache", "caddy"]


def beside(bench: Bench, server: Server, connections: int,
           others: Callable[[Server], ContextManager[Callable[[], int]]]) -> Sample:
    """p99 of ordinary clients alone and beside the others, who tell how many of them were lost."""
    alone = wrk(server.port, PAGE, connections, bench.seconds)
    before = server.memory()
    with others(server) as lost:
        time.sleep(SETTLING_S)
        after = server.memory()
        sample = wrk(server.port, PAGE, connections, bench.seconds)
    sample["lost"] = lost()
    sample["errors"] += alone["errors"]
    sample["alone_p99_us"] = alone["p99_us"]
    sample["p99_ratio"] = sample["p99_us"] / alone["p99_us"]
    sample["resident_growth"] = after.resident - before.resident
    sample["private_growth"] = after.private - before.private
    return sample


def compare(bench: Bench, result: Result, connections: int,
            others: Callable[[Server], ContextManager[Callable[[], int]]],
            names: list[str], workers: int | None = None) -> Result:
    """Measures beside() for each server; one that cannot do it is noted and left out."""
    chosen = bench.chosen(names)
    for number in range(1, bench.rounds + 1):
        for name in list(chosen):
            try:
                with bench.server(name, workers=workers) as server:
                    warm(server, wrk, PAGE, connections)
                    sample = beside(bench, server, connections, others)
            except Failure as failure:
                result.leave_out(name, failure)
                bench.say(f"  left out: {name}: {failure}")
                chosen.remove(name)
                continue
            result.add(name, sample)
            bench.say(f"  round {number}: {name}: p99 {sample['alone_p99_us']:.0f} us alone, "
                      f"{sample['p99_us']:.0f} us beside, {sample['lost']:.0f} lost")
    return result


def run_idle(bench: Bench) -> Result:
    count = 1000 if bench.quick else 10_000
    result = Result(
        f"{count:,} idle connections", "64 clients ask for 1 KiB, alone and beside keep-alive "
        "connections that have asked once and stay. Bytes are what the server's memory grew by, "
        "for each of them.",
        [Column("private_each", "private bytes each"),
         Column("resident_each", "resident bytes each"), *LATENCY_COLUMNS])

    @contextmanager
    def idle(server: Server) -> Iterator[Callable[[], int]]:
        with crowd(bench.programs, server.port, "idle", count, PAGE) as one:
            yield lambda: one.lost

    compare(bench, result, 64, idle, SERVERS)
    for samples in result.samples.values():
        for sample in samples:
            sample["private_each"] = sample.pop("private_growth") / count
            sample["resident_each"] = sample.pop("resident_growth") / count
    return result


def run_slow(bench: Bench) -> Result:
    count = 100 if bench.quick else 1000
    result = Result(
        f"{count:,} slow readers and {count:,} slow senders, 4 workers",
        "16 clients ask for 1 KiB, alone and beside clients that read 100 MB at 10 KB/s and others "
        "that post a document at 1 KB/s. tarn has 4 workers, civetweb 4 threads.", LATENCY_COLUMNS)

    @contextmanager
    def slow(server: Server) -> Iterator[Callable[[], int]]:
        with ExitStack() as stack:
            crowds = [stack.enter_context(crowd(bench.programs, server.port, "readers", count,
                                                "/" + documents.LARGE, 10_000))]
            if server.name == "tarn":  # the others have nothing that takes a POST
                crowds.append(stack.enter_context(crowd(bench.programs, server.port, "senders",
                                                        count, "/upload", 1000)))
            yield lambda: sum(one.lost for one in crowds)

    return compare(bench, result, 16, slow, [*SERVERS, "civetweb"], workers=4)


def run_fairness(bench: Bench) -> Result:
    result = Result("Small requests beside 8 fast downloads",
                    "8 clients ask for 1 KiB, alone and beside 8 that load 100 MB again and again "
                    "as fast as they can.", LATENCY_COLUMNS)

    @contextmanager
    def downloads(server: Server) -> Iterator[Callable[[], int]]:
        command = wrk_command(server.port, "/" + documents.LARGE, 8, 600)
        with background(command):
            yield lambda: 0

    return compare(bench, result, 8, downloads, SERVERS)


def run_overload(bench: Bench) -> Result:
    """Listings of a large folder: work that costs the server far more than the client."""
    result = Result(
        "Overload", f"A listing of {documents.LISTED_COUNT:,} files on a connection of its own. "
        "Peak is what 64 clients get that wait for their answers; then ten times as many are "
        "asked for, by clients that do not wait; answers/s are those of the second half.",
        [Column("peak", "peak answers/s"), Column("offered_rate", "offered/s"),
         Column("goodput", "answers/s"), Column("goodput_ratio", "of the peak", 2),
         Column("cpu_ratio", "CPU / answer beside the peak's", 2), Column("refused", "refused"),
         Column("refused_p99_ms", "p99 ms until 503", 1),
         Column("refused_most_ms", "most ms until 503", 1), Column("reset", "reset"),
         Column("silent", "silent"), Column("peak_resident_mb", "most resident MB", 1)])
    path = documents.make_listed(bench.root)
    seconds = max(12, bench.seconds)
    for number in range(1, bench.rounds + 1):
        with bench.server("tarn", listing=True) as server:
            if get(server.port, path)[0] != 200:
                raise Failure("tarn does not list the folder")
            calm = measure(server, wrk, path, 64, seconds, ["Connection: close"])
            peak = calm["rate"]
            before = server.cpu_seconds()
            sample = flood(bench.programs, server.port, path, round(10 * peak), seconds)
            used = (server.cpu_seconds() - before) * 1e6 / max(sample["answered"], 1)
            sample["cpu_ratio"] = used / calm["cpu_us"]
            sample["peak_resident_mb"] = server.peak_memory() / 1e6
        sample["lost"] = sample["reset"] + sample["silent"]
        sample["peak"] = peak
        sample["offered_rate"] = sample["offered"] / seconds
        sample["goodput"] = sample["answered_half"] / (seconds / 2)
        sample["goodput_ratio"] = sample["goodput"] / peak
        sample["refused_p99_ms"] = sample["refused_p99_us"] / 1e3
        sample["refused_most_ms"] = sample["refused_most_us"] / 1e3
        result.add("tarn", sample)
        bench.say(f"  round {number}: peak {peak:.0f}/s, {sample['goodput']:.0f}/s at ten times "
                  f"that, {sample['refused']:.0f} refused, {sample['lost']:.0f} lost")
    return result


CASES = [Case("idle", run_idle), Case("slow", run_slow, quick=False),
         Case("fairness", run_fairness, quick=False), Case("overload", run_overload, quick=False)]
