"""Goal: a wrong command line or configuration is named, with its place, and nothing is started."""

from __future__ import annotations

import re
import shutil
import socket
import subprocess
import tempfile
import unittest
from pathlib import Path

from tarn import EXECUTABLE, PATIENCE, Server

USAGE = 2
CONFIG = 78

# What stands in the file, the line that is wrong, and words of the message.
WRONG_FILES = [
    ('root = "www"\nindx = "index.html"\n', 2, ["indx", "index"]),
    ('limits = {\n  idle_timout = 3;\n};\n', 2, ["idle_timout", "idle_timeout"]),
    ('nonsense = { a = 1; };\n', 1, ["nonsense"]),
    ('listen = { port = "8080"; };\n', 1, ["port"]),
    ('root = 5;\n', 1, ["root"]),
    ('\n\nlisten = { port = 65536; };\n', 3, ["port", "65535"]),
    ('pool = { workers = 0; };\n', 1, ["workers"]),
    ('pool = { workers = -1; };\n', 1, ["workers"]),
    ('limits = { idle_timeout = 1.5; };\n', 1, ["idle_timeout"]),
    ('stream = { sendfile = 1; };\n', 1, ["sendfile"]),
    ('hosts = "a";\n', 1, ["hosts"]),
    ('hosts = ( "a", 5 );\n', 1, ["hosts"]),
    ('hosts = ( "a b" );\n', 1, ["hosts"]),
    ('uploads = { durability = "maybe"; };\n', 1, ["durability"]),
    ('log = { level = "loud"; };\n', 1, ["level"]),
    ('log = { format = "odd"; };\n', 1, ["format"]),
    ('root = "www";\nlisten = {\n', 2, []),
    ('root = = "www";\n', 1, []),
]


class CommandTestCase(unittest.TestCase):

    def setUp(self) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="tarn-test-"))
        self.addCleanup(shutil.rmtree, self.folder)
        (self.folder / "www").mkdir()
        self.write_config("")  # or the project's own would be found

    def run_server(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Runs the server where it is expected to end by itself."""
        return subprocess.run([EXECUTABLE, *arguments], cwd=self.folder, stdin=subprocess.DEVNULL,
                              capture_output=True, text=True, timeout=PATIENCE, check=False)

    def write_config(self, text: str) -> str:
        (self.folder / "server.conf").write_text(text)
        return "server.conf"


class OptionTest(CommandTestCase):

    def test_help(self) -> None:
        for option in ("-h", "--help"):
            done = self.run_server(option)
            self.assertEqual((done.returncode, done.stderr), (0, ""))
            for word in ("PORT", "WORKERS", "--config", "--set", "--dump"):
                self.assertIn(word, done.stdout)

    def test_version_names_the_libraries(self) -> None:
        for option in ("-V", "--version"):
            done = self.run_server(option)
            self.assertEqual((done.returncode, done.stderr), (0, ""))
            self.assertRegex(done.stdout, r"(?i)tarn.* \d+\.\d+\.\d+")
            self.assertRegex(done.stdout, r"(?i)libconfig \d")
            self.assertRegex(done.stdout, r"(?i)cjson \d")

    def test_wrong_usage_exits_with_2(self) -> None:
        for arguments in (["--nonsense"], ["-c"], ["notaport"], ["65536"], ["-1"], ["8080x"],
                          ["8080", "127.0.0.1", "0"], ["8080", "127.0.0.1", "many"],
                          ["8080", "127.0.0.1", "4", "more"], [""]):
            with self.subTest(arguments=arguments):
                done = self.run_server(*arguments)
                self.assertEqual(done.returncode, USAGE, done.stderr)
                self.assertNotEqual(done.stderr, "")
                self.assertEqual(done.stdout, "")


class FileTest(CommandTestCase):

    def test_wrong_file_is_named_with_its_line(self) -> None:
        for text, line, words in WRONG_FILES:
            with self.subTest(text=text):
                done = self.run_server("-t", "-c", self.write_config(text))
                self.assertEqual(done.returncode, CONFIG, done.stderr)
                self.assertRegex(done.stderr, rf"(?m)^\S*server\.conf:{line}: .")
                for word in words:
                    self.assertIn(word, done.stderr)

    def test_wrong_file_starts_nothing(self) -> None:
        done = self.run_server("-c", self.write_config("indx = 1;\n"), "0")
        self.assertEqual(done.returncode, CONFIG)
        self.assertNotIn("http://", done.stderr)
        self.assertEqual(sorted(path.name for path in self.folder.iterdir()), ["server.conf", "www"])

    def test_missing_file_is_an_error_when_it_was_asked_for(self) -> None:
        done = self.run_server("-t", "-c", "nothing.conf")
        self.assertEqual(done.returncode, CONFIG)
        self.assertIn("nothing.conf", done.stderr)

    def test_wrong_settings_exit_with_78(self) -> None:
        for setting in ("nonsense=1", "limits.idle_timeout=x", "listen.port=65536", "=1",
                        "limits.idle_timeout=", "stream.sendfile=maybe", "limits.idle_timeout"):
            with self.subTest(setting=setting):
                done = self.run_server("-t", "-o", setting)
                self.assertIn(done.returncode, (USAGE, CONFIG), done.stderr)
                self.assertNotEqual(done.stderr, "")

    def test_right_file_passes_the_test(self) -> None:
        done = self.run_server("-t", "-c", self.write_config('root = "www";\n'))
        self.assertEqual(done.returncode, 0, done.stderr)

    def test_shipped_file_passes_the_test(self) -> None:
        shipped = Path(__file__).resolve().parents[2] / "server.conf"
        done = self.run_server("-t", "-c", str(shipped))
        self.assertEqual(done.returncode, 0, done.stderr)

    def dump(self, *arguments: str) -> str:
        done = self.run_server("-T", *arguments)
        self.assertEqual(done.returncode, 0, done.stderr)
        return done.stdout

    def line_of(self, key: str, text: str) -> str:
        lines = [line for line in text.splitlines() if re.match(rf"\s*{re.escape(key)}\b", line)]
        self.assertEqual(len(lines), 1, text)
        return lines[0]

    def test_dump_tells_each_value_and_its_origin(self) -> None:
        config = self.write_config('root = "www";\nlimits = { idle_timeout = 7; '
                                   'header_timeout = 7; max_requests = 7; };\n')
        text = self.dump("-c", config, "-o", "limits.header_timeout=8", "-o", "pool.workers=9",
                         "8081", "127.0.0.1", "10")
        for key, value, origin in (("limits.idle_timeout", "7", "server.conf"),
                                   ("limits.header_timeout", "8", "set"),
                                   ("pool.workers", "10", "command"),
                                   ("listen.port", "8081", "command"),
                                   ("limits.body_bytes", "1048576", "default")):
            with self.subTest(key=key):
                line = self.line_of(key, text)
                self.assertRegex(line, rf"\b{value}\b")
                self.assertIn(origin, line.lower())

    def test_large_numbers_need_no_suffix(self) -> None:
        config = self.write_config("limits = { file_bytes = 5000000000; body_bytes = 2048; };\n")
        text = self.dump("-c", config)
        self.assertIn("5000000000", self.line_of("limits.file_bytes", text))

    def test_file_of_the_current_folder_is_found(self) -> None:
        self.write_config("limits = { idle_timeout = 7; };\n")
        self.assertRegex(self.line_of("limits.idle_timeout", self.dump()), r"\b7\b")

    def test_directory_option_names_the_root(self) -> None:
        self.assertIn("elsewhere", self.line_of("root", self.dump("-d", "elsewhere")))


class StartTest(CommandTestCase):

    def test_port_in_use_is_one_line(self) -> None:
        with socket.socket() as taken:
            taken.bind(("127.0.0.1", 0))
            taken.listen()
            port = taken.getsockname()[1]
            # So few that the limit of descriptors, wherever this runs, is worth no warning.
            done = self.run_server("-d", "www", "-o", "uploads.directory=www/uploads",
                                   "-o", "limits.connections=100", str(port))
        self.assertEqual(done.returncode, 1)
        lines = done.stderr.splitlines()
        self.assertEqual(len(lines), 1, done.stderr)
        self.assertIn(str(port), lines[0])
        self.assertNotIn("http://", done.stdout)

    def test_missing_root_is_an_error(self) -> None:
        done = self.run_server("-d", "nowhere", "-o", "uploads.directory=www/uploads", "0")
        self.assertIn(done.returncode, (1, CONFIG))
        self.assertIn("nowhere", done.stderr)

    def test_unknown_host_is_an_error(self) -> None:
        done = self.run_server("-d", "www", "-o", "uploads.directory=www/uploads", "0",
                               "no-such-host.invalid")
        self.assertNotEqual(done.returncode, 0)
        self.assertIn("no-such-host.invalid", done.stderr)

    def test_banner_tells_url_file_and_workers(self) -> None:
        server = Server(workers=7)
        self.addCleanup(server.destroy)
        server.start()
        server.wait_for_error(r"server\.conf")
        server.wait_for_error(r"\b7\b.*worker|worker\D*7\b")
        server.finish()

    def test_uploads_folder_is_made(self) -> None:
        server = Server({"uploads.directory": "a/b/uploads"})
        self.addCleanup(server.destroy)
        server.start()
        self.assertTrue((server.folder / "a/b/uploads").is_dir())
        self.assertEqual(server.post_json(b"{}").status, 201)
        server.finish()


if __name__ == "__main__":
    unittest.main()
