"""Goal: the tables of the configuration, in README.md and in the manual page, are what the program
says of itself.

Compares what stands between the marks "reference" and "/reference" with the output of
`server --reference`. With --write it mends the files instead.
"""

from __future__ import annotations

import difflib
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Callable

PROJECT = Path(__file__).resolve().parents[1]


def read_rows(markdown: str) -> list[list[str]]:
    """The cells of a table's rows, without its head."""
    return [[cell.strip() for cell in line.strip("|").split("|")]
            for line in markdown.splitlines()[2:]]


def as_markdown(reference: str) -> str:
    return f"\n{reference}\n"


def as_manual(reference: str) -> str:
    """A list in mdoc(7)."""
    lines = [".Bl -tag -width Ds"]
    for name, kind, default, allowed, unit, meaning in read_rows(reference):
        shown = default.strip("`").replace("\\", "\\e").replace('"', "\\(dq")
        lines += [f".It Cm {name.strip('`')}", meaning,
                  f"{kind.capitalize()}: {allowed}{', ' + unit if unit else ''}.",
                  f"Default: {shown}"]
    return "\n".join([*lines, ".El", ""])


def check(path: Path, pattern: str, expected: str, write: bool) -> int:
    """Returns how many lines differ, told on stdout."""
    text = path.read_text()
    marked = re.search(pattern, text, re.DOTALL)
    if not marked:
        print(f"{path.name} has no part between the marks reference and /reference")
        return 1
    if write:
        path.write_text(text[:marked.start(1)] + expected + text[marked.end(1):])
        return 0
    lines = list(difflib.unified_diff(marked[1].splitlines(), expected.splitlines(), path.name,
                                      "server --reference", lineterm=""))
    print("\n".join(lines), end="\n" if lines else "")
    return len(lines)


PLACES: list[tuple[str, str, Callable[[str], str]]] = [
    ("README.md", r"<!-- reference -->\n(.*?)\n?<!-- /reference -->", as_markdown),
    ("docs/tarn.conf.5", r'\.\\" reference\n(.*?)\.\\" /reference', as_manual),
]


def main() -> int:
    reference = subprocess.run([os.environ["TARN_SERVER"], "--reference"], capture_output=True,
                               text=True, check=True).stdout.strip()
    write = sys.argv[1:] == ["--write"]
    return int(sum(check(PROJECT / name, pattern, form(reference), write)
                   for name, pattern, form in PLACES) > 0)


if __name__ == "__main__":
    sys.exit(main())
