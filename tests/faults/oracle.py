"""Reads what strace has written of a server, and judges the order of its calls.

Goal: each 201 and 204 is sent after the file has been synced whole, then got its name, and then its
folder has been synced, by whichever thread, in a call that began after the name was there. What
failed to be synced is not synced again, and never gets a name.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Iterator

CALLS = ("openat,fsync,fdatasync,linkat,renameat,renameat2,write,pwrite64,ftruncate,sendto,sendmsg,"
         "writev,close")

BEGIN = re.compile(r"(\d+) +(\w+)\((.*) <unfinished \.\.\.>$")
END = re.compile(r"(\d+) +<\.\.\. (\w+) resumed>(.*)\) += (.*)$")
WHOLE = re.compile(r"(\d+) +(\w+)\((.*)\) += (.*)$")
DESCRIPTOR = re.compile(r"(\d+)<([^>]*)>")
STRING = re.compile(r'"((?:[^"\\]|\\.)*)"')
SELF = re.compile(r'"/proc/self/fd/(\d+)"')
LOCATION = re.compile(r"Location: /(uploads|files)/([^\\]+)\\r")
NAME = re.compile(r'\\"name\\":\\"([^\\]+)\\"')


@dataclass
class Call:
    """A call of the system; its begin and its end are line numbers."""

    thread: str
    name: str
    arguments: str
    result: str
    begin: int
    end: int

    def failed(self) -> bool:
        return self.result.startswith("-1")

    def strings(self) -> list[str]:
        return STRING.findall(self.arguments)

    def descriptors(self) -> list[tuple[str, str]]:
        """(number, path) of each descriptor that is an argument."""
        return DESCRIPTOR.findall(self.arguments)


def read_calls(path: Path) -> Iterator[Call]:
    """The calls, in the order in which they ended."""
    pending: dict[str, tuple[int, str]] = {}
    with open(path, encoding="latin-1") as lines:
        for number, line in enumerate(lines):
            line = line.rstrip("\n")
            if match := BEGIN.match(line):
                pending[match[1]] = (number, match[3])
            elif match := END.match(line):
                begin, arguments = pending.pop(match[1])
                yield Call(match[1], match[2], arguments + match[3], match[4], begin, number)
            elif match := WHOLE.match(line):
                yield Call(match[1], match[2], match[3], match[4], number, number)


@dataclass
class File:
    """A file that is being written."""

    path: str
    opened: int         # the line
    synced: int = -1    # the line at which a sync ended, and nothing was written since
    failed: bool = False
    linked: int = -1    # the line at which it got its name; before the first: -1


@dataclass
class Folder:
    """A folder of the store, with its syncs."""

    syncs: list[tuple[int, int]] = field(default_factory=list)  # (begin, end)
    failed: int = -1      # the line at which a sync failed ...
    opened: int = -1      # ... and the one at which the folder was opened anew since


class Oracle:
    """Follows the calls; `faults` says what was out of order."""

    def __init__(self, uploads: Path, files: Path, has_past: bool = False) -> None:
        """`has_past`: a server before may have stored something and been killed."""
        self.has_past = has_past
        self.stores = {str(uploads): Folder(), str(files): Folder()}
        self.open: dict[str, File] = {}         # by descriptor
        self.named: dict[str, File] = {}        # by path
        self.by_thread: dict[str, list[tuple[str, File]]] = {}  # given since the last answer
        self.faults: list[str] = []
        self.answers = 0
        self.records = 0   # of keys, before the document
        self.failures = 0

    def expect(self, holds: bool, call: Call, what: str) -> None:
        if not holds:
            self.faults.append(f"line {call.end + 1}: {what}: {call.name}({call.arguments[:200]})")

    def follow(self, calls: Iterator[Call]) -> None:
        for call in calls:
            if call.name == "openat" and not call.failed():
                self.note_open(call)
            elif call.name in ("write", "pwrite64", "ftruncate"):
                self.note_write(call)
            elif call.name in ("fsync", "fdatasync"):
                self.note_sync(call)
            elif call.name in ("linkat", "renameat", "renameat2") and not call.failed():
                self.note_name(call)
            elif call.name in ("sendto", "sendmsg", "writev"):
                self.note_answer(call)
            elif call.name == "close":
                self.note_close(call)

    @staticmethod
    def key(folder: str, name: str) -> str:
        """The path; the folder of a batch is renamed once, which changes nothing here."""
        return f"{folder}/{name}".replace("/.tarn/batch_", "/.tarn/commit_")

    def note_open(self, call: Call) -> None:
        number, path = DESCRIPTOR.findall(call.result)[0]
        if path in self.stores and "O_DIRECTORY" in call.arguments:
            self.stores[path].opened = call.end
        if "O_TMPFILE" in call.arguments or "O_CREAT" in call.arguments:
            folder, name = path.rsplit("/", 1)
            self.open[number] = self.named[self.key(folder, name)] = File(path, call.end)

    def note_close(self, call: Call) -> None:
        """Another thread may have been given the number before this call has returned."""
        for number, _ in call.descriptors():
            file = self.open.get(number)
            if file and file.opened < call.begin:
                del self.open[number]

    def note_write(self, call: Call) -> None:
        file = self.open.get(call.descriptors()[0][0]) if call.descriptors() else None
        if file:
            file.synced = -1

    def note_sync(self, call: Call) -> None:
        number, path = call.descriptors()[0]
        store = self.stores.get(path)
        file = self.open.get(number)
        self.failures += call.failed()
        if store and call.failed():
            store.failed = call.end
            store.opened = -1
        elif store:
            suspect = store.failed >= 0
            self.expect(not suspect or store.opened >= 0, call, "a failed sync was repeated")
            store.failed = -1
            store.syncs.append((call.begin, call.end))
        elif file:
            self.expect(not file.failed, call, "a failed sync was repeated")
            file.failed |= call.failed()
            if not call.failed():
                file.synced = call.end
                self.records += "/keys/" in file.path

    def note_name(self, call: Call) -> None:
        folders = [path for _, path in call.descriptors()]
        old, new = call.strings()[:2]
        if self_match := SELF.search(call.arguments):
            file = self.open.get(self_match[1])
            target = folders[-1]
        else:
            file = self.named.pop(self.key(folders[0], old), None)
            target = folders[1]
        if file is None and self.has_past:
            file = File(f"{target}/{new}", -1, linked=call.end)
        other = self.named.pop(self.key(target, new), None)
        if file:
            self.named[self.key(target, new)] = file
        if other and "RENAME_EXCHANGE" in call.arguments:
            self.named[self.key(folders[0], old)] = other
        if target in self.stores:
            self.judge_name(call, target, file)

    def judge_name(self, call: Call, target: str, file: File | None) -> None:
        self.expect(file is not None, call, "nobody knows what got a name")
        if file is None or file.linked >= 0:
            return  # what had been replaced is back, or what a server before had promised is there
        self.expect(0 <= file.synced < call.begin, call, "it got a name before it was synced")
        self.expect(self.stores[target].failed < 0, call, "it got a name in a suspect folder")
        file.linked = call.end
        self.by_thread.setdefault(call.thread, []).append((target, file))

    def lasts(self, folder: str, file: File, call: Call) -> bool:
        return any(file.linked < begin and end < call.begin
                   for begin, end in self.stores[folder].syncs[-1000:])

    def note_answer(self, call: Call) -> None:
        text = "".join(call.strings())
        if not text.startswith(("HTTP/1.1 201", "HTTP/1.1 204")):
            if text.startswith("HTTP/1.1 5"):
                self.by_thread.pop(call.thread, None)
            return
        self.answers += 1
        for folder, file in self.by_thread.pop(call.thread, []):
            self.expect(self.lasts(folder, file, call), call, f"{file.path} need not last")
        told = {f"/{name}" for name in NAME.findall(text)}
        told |= {f"/{name}" for _, name in LOCATION.findall(text)}
        for name in told:
            self.judge_told(call, name)

    def judge_told(self, call: Call, name: str) -> None:
        files = [(folder, self.named[folder + name]) for folder in self.stores
                 if folder + name in self.named]
        if not files and self.has_past:
            files = [(folder, File(folder + name, -1)) for folder in self.stores
                     if Path(folder + name).exists()]
        self.expect(len(files) == 1, call, f"{name} is not there")
        for folder, file in files:
            self.expect(self.lasts(folder, file, call), call, f"{name} need not last")
