"""What the tests of representations share: files whose validators are known, the ways in which
bytes can arrive, and a reader of multipart/byteranges.

In the requests <TAG> stands for the file's entity tag, <DATE> for its Last-Modified, <BEFORE> and
<AFTER> for the seconds beside it, each in the three formats: <DATE850>, <DATEASC>.
"""

from __future__ import annotations

import os
import re
import time
from pathlib import Path
from typing import Iterator

from tarn import Response, Server

MODIFIED = 784111777  # RFC 9110's own example: Sun, 06 Nov 1994 08:49:37 GMT

FORMATS = {"": "%a, %d %b %Y %H:%M:%S GMT", "850": "%A, %d-%b-%y %H:%M:%S GMT",
           "ASC": "%a %b %e %H:%M:%S %Y"}

# Fields that differ from answer to answer, although nothing else does.
MOVING = ("date", "keep-alive", "connection")

REQUESTS_MAX = 100  # on one connection
PIECE_PAUSE = 0.0003  # seconds for the server to read a piece by itself


def http_date(seconds: float, style: str = "") -> str:
    """A date in one of the three formats. The names of C's locale are those of the RFC."""
    return time.strftime(FORMATS[style], time.gmtime(seconds))


def write_old(server: Server, name: str, content: bytes = b"", size: int = 0,
              modified: float = MODIFIED) -> Path:
    """Makes a file that was modified at that time."""
    path = server.write(name, content, size)
    os.utime(path, (modified, modified))
    return path


def fill_in(server: Server, data: bytes, target: str, modified: int = MODIFIED) -> bytes:
    """Replaces what stands for the validators of the target, and for Host."""
    values = {"TAG": server.request("HEAD", target).value("ETag")}
    for name, seconds in (("BEFORE", -1), ("DATE", 0), ("AFTER", 1)):
        for style in FORMATS:
            values[name + style] = http_date(modified + seconds, style)
    for name, value in values.items():
        data = data.replace(f"<{name}>".encode(), value.encode())
    return server.expand(data)


# --- The ways to send a request ------------------------------------------------------------------


def ways(data: bytes, everywhere: bool) -> Iterator[list[bytes]]:
    """The pieces in which a request can come: one, single bytes, two."""
    yield [data]
    yield [data[i:i + 1] for i in range(len(data))]
    if everywhere:
        for place in range(1, len(data)):
            yield [data[:place], data[place:]]


def answers(server: Server, data: bytes, method: str, everywhere: bool = False
            ) -> Iterator[Response]:
    """Sends a request in all ways, over persistent connections, and yields each answer."""
    connection = server.connect()
    try:
        for number, pieces in enumerate(ways(data, everywhere), 1):
            connection.send_pieces(pieces, PIECE_PAUSE if len(pieces) == 2 else 0)
            yield connection.read_response(method)
            if number % REQUESTS_MAX == 0:
                connection.close()
                connection = server.connect()
    finally:
        connection.close()


def lasting(response: Response) -> list[tuple[str, str]]:
    """The fields that must be the same in each answer to the same request."""
    boundary = re.compile(r"boundary=\w+")
    return [(name, boundary.sub("", value)) for name, value in response.fields
            if name.lower() not in MOVING]


# --- Parts ---------------------------------------------------------------------------------------


def read_content_range(value: str) -> tuple[int, int, int]:
    """First and last byte, and the length of the whole."""
    match = re.fullmatch(r"bytes (\d+)-(\d+)/(\d+)", value)
    if not match:
        raise AssertionError(f"not a range: {value!r}")
    first, last, length = map(int, match.groups())
    return first, last, length


def read_part(part: bytes, media_type: str) -> tuple[tuple[int, int, int], bytes]:
    """Its place and its bytes."""
    head, _, content = part.partition(b"\r\n\r\n")
    lines = dict(line.split(": ", 1) for line in head.decode().split("\r\n"))
    if lines.keys() != {"Content-Type", "Content-Range"} or lines["Content-Type"] != media_type:
        raise AssertionError(f"fields of a part: {lines}")
    return read_content_range(lines["Content-Range"]), content


def read_multipart(response: Response, media_type: str
                   ) -> list[tuple[tuple[int, int, int], bytes]]:
    """The parts of a multipart/byteranges (RFC 9110 section 14.6), which must be well-formed."""
    match = re.fullmatch(r"multipart/byteranges; boundary=(\w{1,70})",
                         response.value("Content-Type"))
    if not match or response.values("Content-Range"):
        raise AssertionError(f"not several parts: {response.head!r}")
    line = b"--" + match[1].encode()
    start, *parts = (b"\r\n" + response.body).split(b"\r\n" + line)
    if start or parts.pop() != b"--\r\n":
        raise AssertionError(f"the body begins or ends wrong: {response.body[-100:]!r}")
    for part in parts:
        if not part.startswith(b"\r\n"):
            raise AssertionError(f"bytes behind the boundary: {part[:40]!r}")
    return [read_part(part[2:], media_type) for part in parts]


def read_parts(response: Response, media_type: str) -> list[tuple[tuple[int, int, int], bytes]]:
    """The parts of a 206, one or several."""
    if response.values("Content-Range"):
        if response.value("Content-Type") != media_type:
            raise AssertionError(f"another type: {response.head!r}")
        return [(read_content_range(response.value("Content-Range")), response.body)]
    return read_multipart(response, media_type)
