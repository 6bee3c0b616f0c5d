"""Goal (row E14): a client that goes, with a word or without, at whatever byte of its upload, has
stored nothing, and costs neither a temporary file nor a descriptor."""

from __future__ import annotations

import unittest
from typing import Callable

from shim import Server, at, count
from uploads import ACKNOWLEDGED, KINDS, Judge, left_over, make_upload, remove_all, send_alone

from tarn import Connection, eventually

KINDS_HERE = ("json", "keyed", "batch", "file", "form", "chunks")


def finish(connection: Connection) -> None:
    """Says that nothing more comes, and waits for what the server says to it."""
    connection.half_close()
    answer = connection.read_rest()
    if answer.startswith(b"HTTP/1.1 2"):
        raise AssertionError(f"half an upload was acknowledged: {answer!r}")


ENDS: dict[str, Callable[[Connection], None]] = {
    "half close": finish,
    "close": Connection.close,
    "reset": Connection.reset,
}


class VanishingTest(unittest.TestCase):

    def make_request(self, kind: str) -> bytes:
        if kind != "chunks":
            return make_upload(kind, "gone").request()
        upload = make_upload("json", "gone")
        head = (b"POST /upload HTTP/1.1\r\n<H>\r\nContent-Type: application/json\r\n"
                b"Transfer-Encoding: chunked\r\n\r\n")
        chunks = b"".join(b"7\r\n" + upload.body[at:at + 7] + b"\r\n"
                          for at in range(0, len(upload.body) // 7 * 7, 7))
        return head + chunks + b"0\r\n\r\n"

    def test_each_byte(self) -> None:
        server = Server({"files.writable": True, "files.directory": "www/files",
                         "log.access": "off"})
        self.addCleanup(server.destroy)
        server.start()
        step = count("BYTES_STEP", 5)
        gone = 0
        for kind in KINDS_HERE:
            data = server.expand(self.make_request(kind))
            for name, end in ENDS.items():
                with at(kind=kind, end=name):
                    for length in range(gone % step, len(data), step):
                        with server.connect() as connection:
                            connection.socket.sendall(data[:length])
                            end(connection)
                        gone += 1
                    eventually(lambda: server.descriptor_count() <= server.idle_descriptors,
                               "no descriptor is left open")
                    self.assertEqual(left_over(server), [])
                    Judge(server, []).check()
        for kind in KINDS:
            upload = make_upload(kind, "stays")
            send_alone(server, upload)
            self.assertEqual(upload.state, ACKNOWLEDGED)
            Judge(server, [upload]).check()
            remove_all(server)
        server.finish()
        print(f"{gone} clients have gone", flush=True)


if __name__ == "__main__":
    unittest.main()
