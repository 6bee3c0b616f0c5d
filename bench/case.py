"""What a case of the benchmark is, what it works with, and what comes of it."""

from __future__ import annotations

import itertools
from dataclasses import dataclass, field
from pathlib import Path
from typing import Callable

import peers
from load import Sample
from processes import Server


@dataclass(frozen=True)
class Column:
    """A number that a report shows."""

    key: str
    label: str
    digits: int = 0


@dataclass
class Result:
    """The samples of each contender: one of each round, or of each round and x of a curve."""

    title: str
    what: str
    columns: list[Column]
    judge: str = ""  # key of the number by which contenders are compared with tarn; less is better
    x: str = ""  # key of what grows, if this is a curve
    samples: dict[str, list[Sample]] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)

    def add(self, name: str, sample: Sample) -> None:
        self.samples.setdefault(name, []).append(sample)

    def leave_out(self, name: str, why: Exception) -> None:
        """Says why a contender has no samples, or fewer: then it is not compared."""
        self.samples.pop(name, None)
        self.notes.append(f"{name}: {why}")


@dataclass
class Bench:
    """One run of the benchmark."""

    folder: Path
    programs: Path
    peers: list[str]
    rounds: int
    seconds: int
    workers: int
    quick: bool
    million: bool
    say: Callable[[str], None]
    _numbers: itertools.count[int] = field(default_factory=itertools.count)

    @property
    def root(self) -> Path:
        return self.folder / "root"

    def chosen(self, names: list[str]) -> list[str]:
        """Those of the names that take part in this run."""
        return [name for name in names if name in self.peers]

    def server(self, name: str, accounted: bool = True, root: Path | None = None,
               workers: int | None = None, **options: object) -> Server:
        """A server with a fresh folder, not yet started; options as of peers.Setup."""
        setup = peers.Setup(self.folder / f"{next(self._numbers)}-{name}", root or self.root,
                            self.programs, workers=workers or self.workers)
        for key, value in options.items():
            setattr(setup, key, value)
        return peers.prepare(peers.PEERS[name], setup, accounted)


@dataclass(frozen=True)
class Case:
    """A case by its name; `run` measures it."""

    name: str
    run: Callable[[Bench], Result]
    quick: bool = True  # part of --quick
