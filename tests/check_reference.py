"""Goal: the README's table of the configuration is what the program says of itself.

Compares what stands between the markers <!-- reference --> and <!-- /reference --> in README.md
with the output of `server --reference`. With --write it mends the README instead.
"""

from __future__ import annotations

import difflib
import os
import re
import subprocess
import sys
from pathlib import Path

README = Path(__file__).resolve().parents[1] / "README.md"
MARKED = re.compile(r"(<!-- reference -->\n)(.*?)(\n<!-- /reference -->)", re.DOTALL)


def main() -> int:
    reference = subprocess.run([os.environ["TARN_SERVER"], "--reference"], capture_output=True,
                               text=True, check=True).stdout.strip()
    text = README.read_text()
    marked = MARKED.search(text)
    if not marked:
        print("README.md has no part between <!-- reference --> and <!-- /reference -->")
        return 1
    if sys.argv[1:] == ["--write"]:
        README.write_text(MARKED.sub(lambda m: f"{m[1]}\n{reference}\n{m[3]}", text))
        return 0
    written = marked[2].strip()
    for line in difflib.unified_diff(written.splitlines(), reference.splitlines(),
                                     "README.md", "server --reference", lineterm=""):
        print(line)
    return int(written != reference)


if __name__ == "__main__":
    sys.exit(main())
