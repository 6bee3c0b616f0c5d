"""The files that are served, and the folders of one run of the benchmark."""

from __future__ import annotations

import os
import time
from pathlib import Path

PAGES = {"1kib.html": 1024, "10kib.html": 10 * 1024, "100kib.html": 100 * 1024}
LARGE = "large.bin"
LARGE_BYTES = 100_000_000
LISTED = "listed"
LISTED_COUNT = 6000
YESTERDAY_S = 86400


def write_page(path: Path, size: int) -> None:
    """A page of that many bytes, last changed yesterday as most pages were long ago."""
    path.write_bytes((b"<p>" + path.name.encode() + b"</p>\n").ljust(size, b"."))
    then = time.time() - YESTERDAY_S
    os.utime(path, (then, then))


def make_root(root: Path) -> None:
    root.mkdir()
    for name, size in PAGES.items():
        write_page(root / name, size)
    with open(root / LARGE, "wb") as large:
        for _ in range(LARGE_BYTES // 1_000_000):
            large.write(os.urandom(1_000_000))


def make_pages(root: Path, count: int) -> str:
    """A folder with that many pages of 1 KiB, unless it is there; returns its path in a URL."""
    folder = root / f"pages{count}"
    if not folder.exists():
        folder.mkdir()
        for number in range(count):
            write_page(folder / f"{number:06}.html", 1024)
    return f"/{folder.name}/"


def make_listed(root: Path) -> str:
    """A folder without an index file whose listing is much work."""
    folder = root / LISTED
    if not folder.exists():
        folder.mkdir()
        for number in range(LISTED_COUNT):
            (folder / f"document-{number}.html").touch()
    return f"/{LISTED}/"


def make_uploads(folder: Path, count: int) -> None:
    """A folder with that many documents, as uploads of other days; they share a few inodes."""
    folder.mkdir(parents=True)
    source = folder / "source"
    for number in range(count):
        if number % 50_000 == 0:  # ext4 allows 65,000 names of an inode
            source = folder / f"upload_20200101_000000_{number:08x}.json"
            source.write_text("[]")
        else:
            os.link(source, folder / f"upload_20200101_000000_{number:08x}.json")
