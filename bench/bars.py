"""The bars that tarn is held to: each is measured against the peers of the same run."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Callable

from figures import BASE, Case, Spread, at, points, ratio, spread, values

PEERS = ["nginx", "nginx-buffered", "lighttpd", "h2o", "apache", "caddy", "civetweb"]
Cases = dict[str, Case]


@dataclass(frozen=True)
class Bar:
    case: str
    what: str
    measure: Callable[[Case], Spread | None]
    at_most: float | None = None
    at_least: float | None = None


def against(name: str, key: str, base: str = BASE) -> Callable[[Case], Spread | None]:
    return lambda case: ratio(case, name, key, base)


def against_best(key: str, more_is_better: bool = False) -> Callable[[Case], Spread | None]:
    """tarn divided by the best peer of the case, the limit case not counted."""
    def measure(case: Case) -> Spread | None:
        measured = {name: spread(values(case, name, key)).median for name in PEERS
                    if values(case, name, key)}
        if not measured:
            return None
        choose = max if more_is_better else min
        return ratio(case, choose(measured, key=measured.__getitem__), key)
    return measure


def own(key: str, name: str = BASE) -> Callable[[Case], Spread | None]:
    """A number of tarn's own."""
    def measure(case: Case) -> Spread | None:
        measured = values(case, name, key)
        return spread(measured) if measured else None
    return measure


def growth(key: str, start: float) -> Callable[[Case], Spread | None]:
    """How much dearer the end of a curve is than its cheapest point from `start` on."""
    def measure(case: Case) -> Spread | None:
        grid = [x for x in points(case, BASE) if x >= start]
        if len(grid) < 2:
            return None
        cheapest = min(spread(at(case, BASE, key, x)).median for x in grid)
        return spread([value / cheapest for value in at(case, BASE, key, grid[-1])])
    return measure


def growth_beside(key: str, start: float, name: str) -> Callable[[Case], Spread | None]:
    """The growth of tarn's curve divided by that of another's: what is tarn's own doing."""
    def measure(case: Case) -> Spread | None:
        grid = [x for x in points(case, BASE) if x >= start and at(case, name, key, x)]
        if len(grid) < 2:
            return None
        ends = [spread(at(case, one, key, x)).median for one in (BASE, name)
                for x in (grid[-1], grid[0])]
        other = ends[2] / ends[3]
        return spread([value / ends[1] / other for value in at(case, BASE, key, grid[-1])])
    return measure


BARS = [
    *(Bar("1kib", f"1 KiB: CPU / {name}", against(name, "cpu_us"), 0.75)
      for name in ("nginx", "nginx-buffered")),
    *(Bar("1kib", f"1 KiB: CPU / {name}", against(name, "cpu_us"), 1.0) for name in PEERS[2:]),
    Bar("1kib", "1 KiB: CPU / limit", against("limit", "cpu_us"), 1.25),
    Bar("100mb", "100 MB: CPU per GB / best peer", against_best("cpu_s_per_gb"), 1.05),
    Bar("100mb", "100 MB: throughput / best peer", against_best("mb_per_s", True), at_least=0.95),
    Bar("connection", "New connection: CPU / best peer", against_best("cpu_us"), 1.0),
    Bar("idle", "Idle connection: private bytes", own("private_each"), 512),
    Bar("idle", "Idle connections: p99 beside / alone", own("p99_ratio"), 1.2),
    Bar("idle", "Idle connections: lost", own("lost"), 0),
    Bar("slow", "Slow clients: p99 beside / alone", own("p99_ratio"), 2.0),
    Bar("slow", "Slow clients: lost or refused", own("lost"), 0),
    Bar("uploads", "Uploads, fsync: rate / nginx PUT", against("nginx PUT", "rate", "tarn, fsync"),
        at_least=0.5),
    Bar("uploads", "Uploads, none: rate / nginx PUT", against("nginx PUT", "rate", "tarn, none"),
        at_least=1.2),
    Bar("start", "First answer after exec, ms", own("first_ms"), 20),
    Bar("start", "Idle resident memory, MB", own("resident_mb"), 4),
    Bar("overload", "Overload: goodput / peak", own("goodput_ratio"), at_least=0.9),
    Bar("overload", "Overload: p99 ms until a 503", own("refused_p99_ms"), 1000),
    Bar("overload", "Overload: lost", own("lost"), 0),
    Bar("scale-connections", "More connections: growth of CPU / that of the limit",
        growth_beside("cpu_us", 10, "limit"), 1.25),
    Bar("scale-workers", "4 to 64 workers: CPU at the end / lowest", growth("cpu_us", 4), 1.25),
    Bar("scale-files", "More files: CPU at the end / lowest", growth("cpu_us", 10), 1.25),
    Bar("scale-stored", "More stored documents: CPU at the end / lowest", growth("cpu_us", 10),
        1.25),
    Bar("scale-stored", "First answer with the stored documents, ms", own("first_ms"), 20),
]


def judge(cases: Cases) -> list[dict[str, Any]]:
    """Each bar that was measured: the median decides."""
    verdicts = []
    for bar in BARS:
        measured = bar.measure(cases[bar.case]) if bar.case in cases else None
        if measured is None:
            continue
        if bar.at_most is not None:
            held, text = measured.median <= bar.at_most, f"<= {bar.at_most:g}"
        else:
            assert bar.at_least is not None
            held, text = measured.median >= bar.at_least, f">= {bar.at_least:g}"
        verdicts.append({"case": bar.case, "what": bar.what, "median": round(measured.median, 4),
                         "lowest": round(measured.lowest, 4), "highest": round(measured.highest, 4),
                         "bar": text, "held": held})
    return verdicts
