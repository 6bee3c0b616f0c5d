"""Goal: nothing outside the root is ever served, nothing in it that is not a plain file, and no
file in it can hold a worker."""

from __future__ import annotations

import ctypes
import os
import socket
import threading
import time
import unittest

from tarn import ServerTestCase, request_bytes

RENAME_EXCHANGE = 2
AT_FDCWD = -100
SECRET = b"this stands outside of the root"


class ContainmentTest(ServerTestCase):

    @classmethod
    def prepare(cls) -> None:
        root, outside = cls.server.root, cls.server.folder / "outside"
        outside.mkdir()
        (outside / "secret.txt").write_bytes(SECRET)
        cls.server.write("file.txt", b"inside")
        cls.server.write("folder/file.txt", b"inside")
        cls.server.write("folder.txt/file.txt", b"inside")
        cls.server.write(".hidden", SECRET)
        cls.server.write(".git/config", SECRET)
        cls.server.write("folder/.secret", SECRET)
        cls.server.write(".well-known/security.txt", b"Contact: x")
        cls.server.write("evil.com/x.html", b"x")
        (root / "out.txt").symlink_to("../outside/secret.txt")
        (root / "out").symlink_to("../outside")
        (root / "absolute.txt").symlink_to("/etc/passwd")
        (root / "absolute-in.txt").symlink_to(root.resolve() / "file.txt")
        (root / "loop.txt").symlink_to("loop.txt")
        (root / "dangling.txt").symlink_to("nothing.txt")
        (root / "self").symlink_to("/proc/self/fd")
        (root / "cwd").symlink_to("/proc/self/cwd")
        (root / "in.txt").symlink_to("file.txt")
        (root / "in").symlink_to("folder")
        os.mkfifo(root / "fifo.txt")
        with socket.socket(socket.AF_UNIX) as listener:
            listener.bind(str(root / "socket.txt"))

    def assert_status(self, target: str, *statuses: int) -> None:
        with self.subTest(target=target):
            response = self.server.get(target)
            self.assertIn(response.status, statuses)
            self.assertNotIn(SECRET, response.body)
            self.assertNotIn(b"root:", response.body)

    def test_dot_segments_are_refused(self) -> None:
        for target in ("/../outside/secret.txt", "/folder/../../outside/secret.txt", "/..", "/.",
                       "/folder/../file.txt", "/%2e%2e/outside/secret.txt", "/..%2foutside"):
            self.assert_status(target, 403)

    def test_links_out_of_the_root_are_refused(self) -> None:
        for target in ("/out.txt", "/out/secret.txt", "/absolute.txt", "/absolute-in.txt",
                       "/self/0", "/cwd/server.conf"):
            self.assert_status(target, 403)

    def test_links_that_lead_nowhere_are_refused(self) -> None:
        self.assert_status("/loop.txt", 403, 404)
        self.assert_status("/dangling.txt", 404)

    def test_links_within_the_root_are_followed(self) -> None:
        for target in ("/in.txt", "/in/file.txt"):
            self.assertEqual(self.server.get(target).body, b"inside")

    def test_special_files_answer_at_once(self) -> None:
        for target in ("/fifo.txt", "/socket.txt"):
            for _ in range(3 * self.workers):  # more than could be held
                self.assert_status(target, 403)

    @unittest.skipUnless(os.geteuid() == 0, "only root makes devices")
    def test_devices_are_refused(self) -> None:
        path = self.server.root / "zero.txt"
        try:
            os.mknod(path, 0o020644, os.makedev(1, 5))
        except OSError as error:
            self.skipTest(f"no devices here: {error}")
        self.assert_status("/zero.txt", 403)

    @unittest.skipIf(os.geteuid() == 0, "root reads everything")
    def test_unreadable_files_are_refused(self) -> None:
        path = self.server.write("private.txt", SECRET)
        path.chmod(0)
        self.assert_status("/private.txt", 403)

    def test_hidden_names_are_404(self) -> None:
        for target in ("/.hidden", "/.git/config", "/folder/.secret", "/.nothing", "/.git/",
                       "/folder/.well-known/x"):
            self.assert_status(target, 404)

    def test_well_known_is_served(self) -> None:
        self.assertEqual(self.server.get("/.well-known/security.txt").body, b"Contact: x")

    def test_names_with_something_behind_are_404(self) -> None:
        for target in ("/file.txt/", "/file.txt%20", "/file.txt.", "/file.txt/x", "/file.txt%2e"):
            self.assert_status(target, 404)

    def test_folder_is_redirected_within_this_server(self) -> None:
        for target, location in (("/folder", "/folder/"), ("/folder.txt", "/folder.txt/"),
                                 ("//evil.com", "/evil.com/"), ("///evil.com", "/evil.com/"),
                                 ("/in", "/in/")):
            with self.subTest(target=target):
                response = self.server.get(target)
                self.assertEqual((response.status, response.value("Location")), (301, location))

    def test_redirect_keeps_the_query(self) -> None:
        response = self.server.get("/folder?a=b")
        self.assertEqual((response.status, response.value("Location")), (301, "/folder/?a=b"))

    def test_long_names_are_404(self) -> None:
        for target in ("/" + "a" * 255, "/" + "a" * 256, "/" + "a" * 5000, "/a" * 2000, "/" * 4000 + "a"):
            self.assert_status(target, 404)

    def test_redirect_from_the_longest_target(self) -> None:
        path = "/" + "/".join(["d" * 200] * 13)
        self.server.root.joinpath(path[1:]).mkdir(parents=True)
        target = path.replace("d", "%64")
        self.assertGreater(len(target), 7800)
        response = self.server.get(target)
        self.assertEqual((response.status, response.value("Location")), (301, path + "/"))


class ExchangeRaceTest(ServerTestCase):
    """A folder changes places with a link to the outside, over and over."""

    SECONDS = 3

    def exchange(self, stop: threading.Event) -> None:
        libc = ctypes.CDLL(None, use_errno=True)
        folder, link = (os.fsencode(self.server.root / name) for name in ("folder", "link"))
        while not stop.is_set():
            libc.renameat2(AT_FDCWD, folder, AT_FDCWD, link, RENAME_EXCHANGE)

    def test_no_byte_from_the_outside(self) -> None:
        outside = self.server.folder / "outside"
        outside.mkdir()
        (outside / "file.html").write_bytes(SECRET)
        self.server.write("folder/file.html", b"inside")
        (self.server.root / "link").symlink_to("../outside")
        stop = threading.Event()
        exchanger = threading.Thread(target=self.exchange, args=(stop,))
        exchanger.start()
        try:
            statuses = self.read_for_a_while()
        finally:
            stop.set()
            exchanger.join()
        self.assertIn(200, statuses)
        self.assertLessEqual(statuses, {200, 403, 404})

    def read_for_a_while(self) -> set[int]:
        statuses = set()
        end = time.monotonic() + self.SECONDS
        batch = request_bytes("GET", "/folder/file.html") * 50
        while time.monotonic() < end:
            with self.server.connect() as connection:
                connection.send(batch)
                for _ in range(50):
                    response = connection.read_response()
                    statuses.add(response.status)
                    self.assertNotIn(SECRET, response.body)
        return statuses


if __name__ == "__main__":
    unittest.main()
