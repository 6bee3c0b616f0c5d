"""What clients send, and what must be on the disk for it.

Goal: one judge for all tests in this folder. Whatever has gone wrong, each file in the folders is,
byte for byte, what somebody sent; what was acknowledged is there; what was refused is not; and what
nobody knows about is there as a whole, once, or not at all.
"""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Iterable

from shim import Server

from tarn import Connection, Response, request_bytes

KINDS = ("json", "large", "keyed", "batch", "keyed batch", "file", "replaced file", "form")

BATCH = 4  # documents of one
LARGE_BYTES = 100_000  # more than the server keeps in memory

JSON = "application/json"
NDJSON = "application/x-ndjson"

ACKNOWLEDGED, REFUSED, UNKNOWN = "acknowledged", "refused", "unknown"


@dataclass
class Upload:
    """One upload. Its token is in everything that it stores."""

    kind: str
    token: str
    method: str = "POST"
    target: str = "/upload"
    fields: dict[str, str] = field(default_factory=dict)
    body: bytes = b""
    documents: list[bytes] = field(default_factory=list)  # in the uploads' folder
    file_name: str = ""  # in the files' folder, chosen by the client ...
    file: bytes = b""    # ... or, in a form, by the server
    state: str = UNKNOWN
    answer: Response | None = None

    def request(self) -> bytes:
        return request_bytes(self.method, self.target, self.fields, self.body)

    def __str__(self) -> str:
        status = self.answer.status if self.answer else None
        return f"{self.kind} {self.token} ({self.state}, {status})"

    def note(self, answer: Response | None) -> Response | None:
        """Takes what the server has said; None: nothing."""
        self.answer = answer
        if answer is None:
            self.state = UNKNOWN
        else:
            self.state = ACKNOWLEDGED if answer.status in (201, 204) else REFUSED
        return answer

    def names(self) -> list[str]:
        """The names of its documents, as far as the answer tells them."""
        assert self.answer is not None
        if not self.answer.values("Location"):
            return []
        told = json.loads(self.answer.body)
        if isinstance(told, list):
            return [row["name"] for row in told]
        return [self.answer.value("Location").rsplit("/", 1)[1]]


def document(token: str, size: int = 0) -> bytes:
    return json.dumps({"token": token, "filling": "x" * size}).encode()


def make_form(token: str) -> tuple[bytes, bytes]:
    """A form with a field and a file. Returns its content and the file's."""
    file = f"file of {token}\n".encode()
    body = (b'--b\r\nContent-Disposition: form-data; name="token"\r\n\r\n' + token.encode()
            + b'\r\n--b\r\nContent-Disposition: form-data; name="f"; filename="f.txt"\r\n\r\n'
            + file + b"\r\n--b--\r\n")
    return body, file


def make_upload(kind: str, token: str, slot: str = "one") -> Upload:
    """An upload of one of the KINDS. Replaced files with the same slot have the same name."""
    upload = Upload(kind, token, fields={"Content-Type": JSON})
    if kind in ("keyed", "keyed batch"):
        upload.fields["Idempotency-Key"] = token
    if kind in ("batch", "keyed batch"):
        upload.fields["Content-Type"] = NDJSON
        upload.documents = [document(f"{token}.{line}") for line in range(BATCH)]
        upload.body = b"\n".join(upload.documents)
    elif kind in ("file", "replaced file"):
        upload.file_name = f"{token}.bin" if kind == "file" else f"{slot}.bin"
        upload.method, upload.target = "PUT", f"/files/{upload.file_name}"
        upload.fields = {}
        upload.body = upload.file = f"file of {token}\n".encode() * 10
    elif kind == "form":
        upload.target = "/form"
        upload.fields["Content-Type"] = "multipart/form-data; boundary=b"
        upload.body, upload.file = make_form(token)
    else:
        upload.body = document(token, LARGE_BYTES if kind == "large" else 100)
        upload.documents = [upload.body]
    return upload


def send(connection: Connection, upload: Upload) -> Response | None:
    """Sends an upload and notes the answer; None if the connection ended without one."""
    try:
        return upload.note(connection.exchange(upload.request(), upload.method))
    except (EOFError, ConnectionError):
        return upload.note(None)


def send_alone(server: Server, upload: Upload) -> Response | None:
    """The same on a connection of its own."""
    try:
        with server.connect() as connection:
            return send(connection, upload)
    except ConnectionError:
        return upload.note(None)


# --- The disk ------------------------------------------------------------------------------------


def visible(folder: Path) -> dict[str, bytes]:
    """The files of a folder, with what they hold."""
    if not folder.exists():
        return {}
    return {path.name: path.read_bytes() for path in folder.iterdir()
            if not path.name.startswith(".")}


def folders(server: Server) -> tuple[Path, Path]:
    return server.uploads, server.uploads.parent / "files"


def left_over(server: Server) -> list[str]:
    """What is in the housekeeping folders and should not be."""
    found = []
    for folder in folders(server):
        housekeeping = folder / ".tarn"
        if housekeeping.exists():
            found += [path.name for path in housekeeping.iterdir()
                      if path.name not in ("keys", "counts")]
    return found


def remove_all(server: Server) -> None:
    """Removes what has been stored, and what is known of keys, behind the server's back."""
    for folder in (*folders(server), server.uploads / ".tarn" / "keys"):
        for name in visible(folder):
            (folder / name).unlink()


# --- The judge -----------------------------------------------------------------------------------


class Judge:
    """Compares what is on the disk with what was sent."""

    def __init__(self, server: Server, sent: Iterable[Upload]) -> None:
        uploads, files = folders(server)
        self.documents = visible(uploads)
        self.files = visible(files)
        self.sent = list(sent)
        self.forms: dict[str, dict[str, object]] = {}  # by token
        self.counts: Counter[bytes] = Counter()
        self.faults: list[str] = []

    def expect(self, holds: bool, what: str) -> None:
        if not holds:
            self.faults.append(what)

    def check(self) -> None:
        """Raises an AssertionError that tells all that is wrong."""
        self.sort_documents()
        for upload in self.sent:
            if upload.kind == "form":
                self.check_form(upload)
            elif upload.documents:
                self.check_documents(upload)
        self.check_files()
        if self.faults:
            raise AssertionError("\n".join(self.faults))

    def sort_documents(self) -> None:
        """Finds out whose each document is; one that is nobody's is torn."""
        known = {content for upload in self.sent for content in upload.documents}
        tokens = {upload.token for upload in self.sent if upload.kind == "form"}
        for name, content in self.documents.items():
            if content in known:
                self.counts[content] += 1
                continue
            try:
                record = json.loads(content)
                token = record["fields"]["token"]
            except (ValueError, KeyError, TypeError):
                token = None
            self.expect(token in tokens, f"{name} holds what nobody sent: {content[:80]!r}")
            if token in tokens:
                self.expect(token not in self.forms, f"form {token} is there twice")
                self.forms[token] = record

    def check_documents(self, upload: Upload) -> None:
        found = [self.counts[content] for content in upload.documents]
        self.expect(max(found) <= 1, f"{upload} is there twice")
        self.expect(len(set(found)) == 1, f"{upload} is there in part: {found}")
        if upload.state == REFUSED:
            self.expect(sum(found) == 0, f"{upload} is there")
        if upload.state == ACKNOWLEDGED:
            self.expect(min(found) == 1, f"{upload} is not there")
            for name, content in zip(upload.names(), upload.documents):
                self.expect(self.documents.get(name) == content,
                            f"{upload} is not there under the name that was told, {name}")

    def check_form(self, upload: Upload) -> None:
        record = self.forms.get(upload.token)
        parts = [name for name, content in self.files.items() if content == upload.file]
        if upload.state == REFUSED:
            self.expect(record is None and not parts, f"{upload} is there: {record}, {parts}")
        if upload.state == ACKNOWLEDGED:
            self.expect(record is not None, f"{upload} is not there")
        if record is not None:
            named = [row["name"] for row in record["files"]]  # type: ignore[attr-defined]
            self.expect(named == parts, f"{upload} names {named}, but there are {parts}")

    def check_files(self) -> None:
        """A name has what was last acknowledged for it, or something newer that was sent."""
        by_name: dict[str, set[bytes | None]] = {}
        for upload in self.sent:
            if not upload.file_name:
                continue
            allowed = by_name.setdefault(upload.file_name, {None})
            if upload.state == ACKNOWLEDGED:
                allowed.clear()
            if upload.state != REFUSED:
                allowed.add(upload.file)
        form_files = {upload.file for upload in self.sent if upload.kind == "form"}
        for name, allowed in by_name.items():
            content = self.files.get(name)
            self.expect(content in allowed, f"{name} holds {content!r}, not one of {allowed}")
        for name, content in self.files.items():
            self.expect(name in by_name or content in form_files,
                        f"{name} holds what nobody sent: {content[:80]!r}")
