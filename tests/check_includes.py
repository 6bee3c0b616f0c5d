"""Goal: includes go one way. The layers http and pool know neither each other nor the server, and a
library is named only where its job is. Prints each line that breaks a rule, and exits with 1."""

from __future__ import annotations

import re
import sys
from pathlib import Path

PROJECT = Path(__file__).resolve().parents[1]
INCLUDE = re.compile(r'^\s*#\s*include\s+([<"])([^>"]+)[>"]')

# What the files of a folder may include of the project; the folder itself or one below it.
ALLOWED_FOLDERS = {
    "http": ("http",),
    "pool": ("pool",),
    "server": ("server", "http", "pool"),
    "tester": ("tester", "http", "server/json"),
}

# Where the headers of a library may be named; the folder itself or one below it.
LIBRARY_HOMES = {
    "libconfig.h": ("server/config",),
    "cjson/cJSON.h": ("server/json", "server/handlers", "tester"),
    "cJSON.h": ("server/json", "server/handlers", "tester"),
    "curl/curl.h": ("tester",),
    "nettle/sha2.h": ("server/digest",),
    "nettle/base64.h": ("server/digest", "server/auth"),
    "nettle/hmac.h": ("server/auth",),
    "nettle/memops.h": ("server/auth",),
    "crypt.h": ("server/auth",),
    "pthread.h": ("pool", "server", "tester"),
    "threads.h": ("pool", "server", "tester"),
}


def is_below(folder: str, homes: tuple[str, ...]) -> bool:
    return any(folder == home or folder.startswith(home + "/") for home in homes)


def complaint(folder: str, quote: str, header: str) -> str | None:
    """What is wrong with an include line in a file of that folder."""
    layer = folder.split("/")[0]
    if quote == "<":
        homes = LIBRARY_HOMES.get(header)
        if homes and not is_below(folder, homes):
            return f"<{header}> belongs to {' and '.join(homes)}"
        return None
    if "/" not in header or header.startswith("."):
        return f'"{header}" is not qualified by its folder'
    if not is_below(header.rpartition("/")[0], ALLOWED_FOLDERS[layer]):
        return f"{layer} must not know {header}"
    if not (PROJECT / header).is_file():
        return f"{header} does not exist"
    return None


def main() -> int:
    wrong = 0
    for layer in ALLOWED_FOLDERS:
        for path in sorted((PROJECT / layer).rglob("*.[ch]")):
            name = path.relative_to(PROJECT)
            for number, line in enumerate(path.read_text().splitlines(), 1):
                match = INCLUDE.match(line)
                problem = match and complaint(name.parent.as_posix(), *match.groups())
                if problem:
                    print(f"{name}:{number}: {problem}")
                    wrong = 1
    return wrong


if __name__ == "__main__":
    sys.exit(main())
