"""script/instructions: counts the instructions of a request, and compares them with those of before.

bench/instructions.c replays each case N and 2 N times under callgrind; what the second replay takes
more, divided by N, is a request. So nothing of the start is counted, and the figures depend on the
compiler and the C library, but not on the machine or its load.
"""

from __future__ import annotations

import argparse
import json
import re
import subprocess
import sys
import tempfile
from pathlib import Path

FIGURES = Path(__file__).resolve().parent / "instructions.json"
GROWTH_MAX = 1.15
COUNT = 300


def compiler(build: Path) -> str:
    """The name and the major version of the compiler that made the build."""
    cache = (build / "CMakeCache.txt").read_text()
    path = re.search(r"^CMAKE_C_COMPILER:\w+=(.+)$", cache, re.MULTILINE)
    assert path
    version = subprocess.run([path[1], "-dumpversion"], capture_output=True, text=True, check=True)
    return f"{Path(path[1]).name} {version.stdout.strip().partition('.')[0]}"


def count(program: Path) -> dict[str, int]:
    """Instructions of a request, by case."""
    with tempfile.TemporaryDirectory(dir="/var/tmp") as folder:
        counts = Path(folder) / "callgrind"
        run = subprocess.run(
            ["valgrind", "--tool=callgrind", "--collect-atstart=no",
             "--toggle-collect=session_run", "--dump-after=replay",
             f"--callgrind-out-file={counts}", str(program), folder, str(COUNT)],
            capture_output=True, text=True, check=False)
        if run.returncode:
            sys.exit(f"{program.name} failed:\n{run.stderr}")
        totals = []
        lines = run.stdout.splitlines()
        for number, line in enumerate(lines, 1):
            found = re.search(r"^totals: (\d+)$", Path(f"{counts}.{number}").read_text(),
                              re.MULTILINE)
            assert found
            totals.append((line.split()[0], int(found[1])))
    return {name: round((twice - once) / COUNT)
            for (name, once), (_, twice) in zip(totals[::2], totals[1::2])}


def compare(counted: dict[str, int], before: dict[str, int]) -> int:
    """Prints a table; returns how many cases have grown too much, or are new or gone."""
    faults = 0
    print(f"{'case':<16}{'instructions':>14}{'committed':>14}{'change':>10}")
    for name in sorted(counted.keys() | before.keys()):
        if name not in counted or name not in before:
            print(f"{name:<16}  is not in {'the figures' if name in counted else 'the program'}")
            faults += 1
            continue
        growth = counted[name] / before[name]
        mark = "  TOO MUCH" if growth > GROWTH_MAX else ""
        faults += bool(mark)
        print(f"{name:<16}{counted[name]:>14}{before[name]:>14}{growth - 1:>+10.1%}{mark}")
    return faults


def main() -> int:
    parser = argparse.ArgumentParser(prog="script/instructions",
                                     description="Counts the instructions of a request.")
    parser.add_argument("--write", action="store_true", help="commit to the counted figures")
    parser.add_argument("--build", type=Path, required=True, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    counted = count(arguments.build / "instructions")
    made_by = compiler(arguments.build)
    if arguments.write:
        figures = {"compiler": made_by, "instructions_per_request": counted}
        FIGURES.write_text(json.dumps(figures, indent=2) + "\n")
        print(f"wrote {FIGURES.name}: {counted}")
        return 0
    before = json.loads(FIGURES.read_text())
    faults = compare(counted, before["instructions_per_request"])
    if made_by != before["compiler"]:
        print(f"The figures are of {before['compiler']}, this build is of {made_by}: no verdict.")
        return 0
    if faults:
        print(f"Of {len(counted)} cases {faults} need a look. If a change is meant to cost that: "
              "script/instructions --write")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
