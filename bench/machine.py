"""What a reader needs to know of the machine; nothing that names it."""

from __future__ import annotations

import os
import platform
import subprocess
from pathlib import Path


def field_of(path: str, name: str) -> str:
    """The value of the first line `name : value` of a file in /proc."""
    for line in Path(path).read_text().splitlines():
        key, _, value = line.partition(":")
        if key.strip() == name:
            return value.strip()
    return "unknown"


def file_system(folder: Path) -> str:
    answer = subprocess.run(["stat", "-f", "-c", "%T", str(folder)], capture_output=True, text=True,
                            check=False)
    return answer.stdout.strip() or "unknown"


def system() -> str:
    release = platform.freedesktop_os_release()
    return release.get("PRETTY_NAME", "Linux")


def describe(folder: Path) -> dict[str, str | int]:
    memory_kb = int(field_of("/proc/meminfo", "MemTotal").split()[0])
    return {
        "cpu": field_of("/proc/cpuinfo", "model name"),
        "cpus": len(os.sched_getaffinity(0)),
        "memory_gb": round(memory_kb / 1e6),
        "kernel": platform.release(),
        "system": system(),
        "file_system": file_system(folder),
        "congestion_control":
            Path("/proc/sys/net/ipv4/tcp_congestion_control").read_text().strip(),
    }
