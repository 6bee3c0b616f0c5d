"""Numbers of many rounds as one, with their spread."""

from __future__ import annotations

import statistics
from typing import Any, NamedTuple

BASE = "tarn"
Case = dict[str, Any]  # a case as in results.json


class Spread(NamedTuple):
    median: float
    lowest: float
    highest: float

    def text(self, digits: int) -> str:
        if self.lowest == self.highest:
            return f"{self.median:,.{digits}f}"
        median, lowest, highest = (f"{value:,.{digits}f}" for value in self)
        return f"{median} ({lowest} .. {highest})"


def spread(values: list[float]) -> Spread:
    return Spread(statistics.median(values), min(values), max(values))


def values(case: Case, name: str, key: str) -> list[float]:
    return [sample[key] for sample in case["samples"].get(name, []) if key in sample]


def ratio(case: Case, name: str, key: str, base: str = BASE) -> Spread | None:
    """`base` divided by `name`, within each round; None if one of them was not measured."""
    pairs = list(zip(values(case, base, key), values(case, name, key)))
    return spread([one / other for one, other in pairs]) if pairs else None


def at(case: Case, name: str, key: str, x: float) -> list[float]:
    """The rounds of a curve at one point."""
    return [sample[key] for sample in case["samples"].get(name, []) if sample[case["x"]] == x]


def points(case: Case, name: str) -> list[float]:
    """What a curve was measured at."""
    return sorted({sample[case["x"]] for sample in case["samples"].get(name, [])})
