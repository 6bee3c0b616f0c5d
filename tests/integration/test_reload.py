"""Goal: a reload gives new requests the new configuration, whole or not at all, and loses nothing."""

from __future__ import annotations

import os
import signal
import threading
import time
import unittest

from background import Background
from tarn import Connection, Server, eventually, request_bytes


class ReloadTest(unittest.TestCase):

    def setUp(self) -> None:
        self.server = Background()
        self.addCleanup(self.server.destroy)
        (self.server.folder / "other").mkdir()
        (self.server.folder / "other" / "index.html").write_text("other")
        self.server.launch()

    def reload(self, code: int = 0, *words: str) -> None:
        done = self.server.run("reload")
        self.assertEqual(done.returncode, code, done)
        for word in words:
            self.assertIn(word, done.stderr)

    def test_new_configuration_holds_from_the_next_request_on(self) -> None:
        with self.server.connect() as connection:
            self.assertNotEqual(connection.exchange(request_bytes("GET", "/")).body, b"other")
            self.server.configure(root="other", static__cache_control="max-age=7",
                                  limits__max_requests=50)
            self.reload()
            response = connection.exchange(request_bytes("GET", "/"))
        self.assertEqual(response.body, b"other")
        self.assertEqual(response.value("Cache-Control"), "max-age=7")
        self.assertEqual(response.value("Keep-Alive"), "timeout=30, max=49")

    def test_request_under_way_ends_with_the_old_one(self) -> None:
        with self.server.connect() as connection:
            connection.send(request_bytes("POST", "/upload",
                                          {"Content-Type": "application/json",
                                           "Content-Length": "4"}) + b"tr")
            eventually(lambda: "busy" in self.server.status()["connections"], "it is there")
            self.server.configure(uploads__directory="elsewhere")
            self.reload()
            connection.send(b"ue")
            self.assertEqual(connection.read_response().status, 201)
        self.assertEqual(len(self.server.stored()), 1)
        self.assertEqual(self.server.post_json(b"{}").status, 201)
        self.assertEqual(len(self.server.stored()), 1)
        elsewhere = os.listdir(self.server.folder / "elsewhere")
        self.assertEqual(len([name for name in elsewhere if not name.startswith(".")]), 1)

    def test_bad_file_changes_nothing(self) -> None:
        bad = {
            "a syntax error": ("root = ;", "server.conf:1:", 78),
            "an unknown key": ('roof = "other";', "roof", 78),
            "a wrong type": ("limits = { connections = true; };", "limits.connections", 78),
            "a missing root": ('root = "nowhere"; log = { access = "access.log"; };',
                               "document root", 1),
            "itself": ('@include "server.conf"', "server.conf:", 78),
            "a line of a megabyte": ('root = "' + "x" * 1_000_000 + '";', "server.conf: cannot be read", 78),
            "another backlog": ("listen = { backlog = 7; };", "listen.backlog cannot be changed",
                                78),
        }
        for label, (text, word, code) in bad.items():
            with self.subTest(label):
                (self.server.folder / "server.conf").write_text(text)
                self.reload(code, word)
                self.assertEqual(self.server.get("/").status, 200)

    def test_key_that_cannot_change_is_refused(self) -> None:
        self.server.configure(stream__chunk_bytes=4096)
        self.reload(78, "stream.chunk_bytes cannot be changed by a reload, only by a restart")
        self.assertEqual(self.server.get("/").status, 200)

    def test_unreadable_file_changes_nothing(self) -> None:
        (self.server.folder / "server.conf").unlink()
        (self.server.folder / "server.conf").mkdir()
        self.reload(78, "server.conf")
        self.assertEqual(self.server.get("/").status, 200)

    def test_vanished_file_changes_nothing(self) -> None:
        self.server.leave_the_project()
        (self.server.folder / "server.conf").unlink()
        self.reload(78, "server.conf: cannot be read: No such file or directory")
        os.kill(self.server.pid(), signal.SIGHUP)
        eventually(lambda: self.server.log().count("the reload failed") == 2, "HUP fails too")
        self.assertEqual(self.server.get("/").status, 200)
        self.assertEqual(self.server.status()["file"], "server.conf")

    def test_each_fixed_key_is_told_with_its_place(self) -> None:
        (self.server.folder / "server.conf").write_text(
            'root = "www";\nlisten = {\n  backlog = 7;\n};\npool = { queue = 7; };\n')
        self.reload(78, "server.conf:3: listen.backlog cannot be changed by a reload",
                    "server.conf:5: pool.queue cannot be changed by a reload")

    def test_hosts_and_limits_take_effect(self) -> None:
        named = {"Host": "files.test"}
        self.assertEqual(self.server.get("/", named).status, 403)
        self.server.configure(hosts=["files.test"], limits__connections=5,
                              limits__body_bytes=1024)
        self.reload()
        self.assertEqual(self.server.get("/", named).status, 200)
        self.assertEqual(self.server.post_json(b'"' + b"x" * 1024 + b'"').status, 413)
        self.assertIn(" of 5: ", self.server.status()["connections"])

    def test_level_and_snapshots_take_effect(self) -> None:
        self.server.configure(log__level="error", log__snapshot_interval=1)
        self.reload()
        eventually(lambda: "snapshot: worker 3" in self.server.log(), "a snapshot")
        self.server.configure(log__level="info", log__snapshot_interval=0)
        self.assertNotIn("the configuration has been reloaded", self.server.log())
        self.reload()
        self.assertIn("the configuration has been reloaded", self.server.log())

    def test_file_from_memory_is_not_that_of_the_old_root(self) -> None:
        time.sleep(2.1)  # files that have just changed are not kept in memory
        with self.server.connect() as connection:
            for _ in range(3):
                self.assertNotEqual(connection.exchange(request_bytes("GET", "/")).body, b"other")
            self.server.configure(root="other")
            self.reload()
            self.assertEqual(connection.exchange(request_bytes("GET", "/")).body, b"other")

    def test_quota_counts_on(self) -> None:
        self.server.configure(uploads__max_files=2)
        self.reload()
        self.assertEqual(self.server.post_json(b"1").status, 201)
        self.server.configure(limits__max_requests=7)  # the store stays
        self.reload()
        self.assertEqual(self.server.post_json(b"2").status, 201)
        self.assertEqual(self.server.post_json(b"3").status, 507)
        self.server.configure(uploads__max_files=3)  # another one, of the same folder
        self.reload()
        self.assertEqual(self.server.post_json(b"3").status, 201)
        self.assertEqual(self.server.post_json(b"4").status, 507)

    def test_tokens_are_read_again(self) -> None:
        path = self.server.folder / "tokens"

        def token(*arguments: str) -> str:
            done = self.server.run("token", *arguments, "-f", str(path))
            self.assertEqual(done.returncode, 0, done)
            return done.stdout.strip()

        def upload(secret: str) -> int:
            return self.server.post_json(b"{}", {"Authorization": f"Bearer {secret}"}).status

        first = token("add", "first")
        self.assertEqual(upload(""), 201)
        self.server.configure(auth__tokens_file="tokens")
        self.reload()
        self.assertEqual(upload(first), 201)
        second = token("add", "second")
        self.assertEqual(upload(second), 401)
        self.reload()
        self.assertEqual((upload(first), upload(second)), (201, 201))
        token("remove", "first")
        self.reload()
        self.assertEqual((upload(first), upload(second)), (401, 201))
        path.write_text("not a token\n")
        self.reload(1, "tokens:1: ")
        self.assertEqual(upload(second), 201)


class SignalTest(unittest.TestCase):

    def setUp(self) -> None:
        self.server = Server()
        self.addCleanup(self.server.destroy)
        self.server.start()

    def write(self, text: str) -> None:
        (self.server.folder / "server.conf").write_text(text)

    def test_hup_reloads_in_the_foreground(self) -> None:
        self.write('root = "www"; static = { cache_control = "max-age=9"; };')
        self.server.signal(signal.SIGHUP)
        self.server.wait_for_error("the configuration has been reloaded")
        self.assertEqual(self.server.get("/").value("Cache-Control"), "max-age=9")
        self.server.finish()

    def test_hup_with_a_bad_file_is_told_with_its_line(self) -> None:
        self.write("root = 5;")
        self.server.signal(signal.SIGHUP)
        self.server.wait_for_error(r"server\.conf:1: root")
        self.server.wait_for_error("the configuration stays as it was")
        self.assertEqual(self.server.get("/").status, 200)
        self.server.finish()

    def test_storm_of_reloads_loses_no_request_and_leaks_nothing(self) -> None:
        over = threading.Event()

        def storm() -> None:
            while not over.wait(0.01):
                self.server.signal(signal.SIGHUP)

        thread = threading.Thread(target=storm)
        thread.start()
        try:
            for _ in range(20):
                with self.server.connect() as connection:
                    for _ in range(50):
                        self.assertEqual(self.ask(connection), 200)
        finally:
            over.set()
            thread.join()
        self.server.wait_for_error("the configuration has been reloaded")
        self.server.finish()  # which counts descriptors

    def ask(self, connection: Connection) -> int:
        return connection.exchange(request_bytes("GET", "/")).status

    def test_stop_during_reloads_ends_it(self) -> None:
        for _ in range(50):
            self.server.signal(signal.SIGHUP)
        self.server.signal(signal.SIGTERM)
        self.server.signal(signal.SIGHUP)
        self.assertEqual(self.server.wait(), 0)
        self.server.check_sanitizers()


if __name__ == "__main__":
    unittest.main()
