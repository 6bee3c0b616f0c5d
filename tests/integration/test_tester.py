"""Goal: the tester sends what its files say, tells what differs, and goes to no other machine; the
files that are shipped with it pass against a fresh server."""

from __future__ import annotations

import json
import os
import pty
import re
import select
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import unittest
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from tarn import PATIENCE, PROJECT, SANITIZER_WORDS, ServerTestCase, eventually

TESTER = os.environ.get("TARN_TESTER", str(PROJECT / "build" / "tester"))
FILES = PROJECT / "tester"


def tester(*arguments: str, cwd: str | None = None,
           environment: dict[str, str] | None = None) -> subprocess.CompletedProcess[str]:
    """Runs the tester to its end."""
    result = subprocess.run([TESTER, *arguments], cwd=cwd, stdin=subprocess.DEVNULL,
                            capture_output=True, text=True, timeout=4 * PATIENCE, check=False,
                            env={**os.environ, **(environment or {})})
    if SANITIZER_WORDS.search(result.stderr):
        raise AssertionError(result.stderr)
    return result


def interrupt_is_caught(pid: int) -> bool:
    """Whether a process has a handler for SIGINT."""
    status = Path(f"/proc/{pid}/status").read_text()
    caught = int(re.search(r"(?m)^SigCgt:\s*([0-9a-f]+)$", status).group(1), 16)
    return bool(caught >> (signal.SIGINT - 1) & 1)


class Recorder(BaseHTTPRequestHandler):
    """Answers each request with 200 and remembers it, but for a few paths."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    seen: list[tuple[str, str, dict[str, str], bytes]] = []

    def answer(self) -> None:
        content = self.rfile.read(int(self.headers.get("Content-Length", "0")))
        self.seen.append((self.command, self.path, dict(self.headers.items()), content))
        if self.path == "/redirect":
            self.send_response(302)
            self.send_header("Location", "http://192.0.2.1/gone")
        elif self.path == "/drop":
            self.close_connection = True
            return
        else:
            self.send_response(200)
        self.send_header("Content-Length", "0")
        self.end_headers()

    do_GET = do_POST = do_PUT = do_HEAD = answer

    def log_message(self, *_: object) -> None:
        pass


@unittest.skipUnless(os.access(TESTER, os.X_OK), "the tester has not been built")
class TesterCase(ServerTestCase):
    """Has a folder for files, and a server that remembers what it was sent."""

    settings = {"root": str(PROJECT / "resources")}
    recorder: ThreadingHTTPServer

    @classmethod
    def setUpClass(cls) -> None:
        super().setUpClass()
        cls.recorder = ThreadingHTTPServer(("127.0.0.1", 0), Recorder)
        cls.addClassCleanup(cls.recorder.server_close)
        thread = threading.Thread(target=cls.recorder.serve_forever, daemon=True)
        thread.start()
        cls.addClassCleanup(cls.recorder.shutdown)

    def setUp(self) -> None:
        Recorder.seen = []
        self.folder = tempfile.TemporaryDirectory(prefix="tarn-tester-")
        self.addCleanup(self.folder.cleanup)

    def file(self, requests: Any) -> str:
        """Makes a file of requests, a line each, from what is JSON or such text."""
        path = Path(self.folder.name) / "requests.json"
        if not isinstance(requests, str):
            requests = "[\n" + ",\n".join(json.dumps(request) for request in requests) + "\n]\n"
        path.write_text(requests)
        return str(path)

    def run_file(self, command: str, requests: Any, *arguments: str,
                 base: str | None = None) -> subprocess.CompletedProcess[str]:
        return tester(command, *arguments, "-f", self.file(requests), "--base",
                      base or self.server.url("").rstrip("/"))

    def record(self, *requests: Any) -> list[tuple[str, str, dict[str, str], bytes]]:
        """What arrives of the requests."""
        result = self.run_file("confirm", requests, base=self.recorder_url())
        self.assertEqual(result.returncode, 0, result.stdout)
        return Recorder.seen

    def recorder_url(self) -> str:
        return f"http://127.0.0.1:{self.recorder.server_address[1]}"


class ShippedFiles(TesterCase):
    settings = {**TesterCase.settings, "files.directory": "files", "files.writable": True}

    def test_confirm_passes_against_a_fresh_server(self) -> None:
        result = tester("confirm", "all", "-f", str(FILES / "CTest.json"), "--base",
                        self.server.url())
        self.assertEqual(result.returncode, 0, result.stdout + result.stderr)
        count = len(json.loads((FILES / "CTest.json").read_text()))
        self.assertTrue(result.stdout.endswith(f"\n{count} passed, 0 failed\n"), result.stdout)
        self.assertEqual(result.stderr, "")

    def test_default_files_are_in_the_working_directory(self) -> None:
        for command in ("confirm", "load"):
            result = tester(command, *(["1"] if command == "load" else []), "--base",
                            self.server.url(), cwd=str(FILES))
            self.assertEqual(result.returncode, 0, result.stdout + result.stderr)


class ShippedLoad(TesterCase):
    def test_load_passes_and_each_request_arrives(self) -> None:
        result = tester("load", "40", "-f", str(FILES / "LTest.json"), "-c", "24", "--base",
                        self.server.url())
        self.assertEqual(result.returncode, 0, result.stdout + result.stderr)
        count = 40 * len(json.loads((FILES / "LTest.json").read_text()))
        self.assertRegex(result.stdout, rf"\nrequests +{count} in ")
        self.assertRegex(result.stdout, r"\nlatency +p50 .*, p90 .*, p99 .*, max ")
        self.assertIn("0 without an answer, 0 with a code that is not expected", result.stdout)
        self.assertEqual(result.stderr, "")
        eventually(lambda: self.server.access_log().count(b"\n") == count,
                   f"{count} lines in the access log")


class Confirm(TesterCase):
    def test_what_differs_is_told(self) -> None:
        result = self.run_file("confirm", [
            {"name": "right", "url": "/healthz", "expect": {"body": "ok\n"}},
            {"name": "wrong", "url": "/healthz",
             "expect": {"status": 404, "body": "no\n", "headers": {"Server": "other"}}}])
        self.assertEqual(result.returncode, 1)
        self.assertRegex(result.stdout, r"(?m)^passed  200  GET +/healthz +right$")
        self.assertRegex(result.stdout, r"(?m)^FAILED  200  GET +/healthz +wrong$")
        self.assertIn("\n        status: 200, expected 404\n", result.stdout)
        self.assertIn('\n        Server: "tarn", expected "other"\n', result.stdout)
        self.assertIn('\n        body: 3 bytes, expected 3; from byte 0 on "ok\\x0a", '
                      'expected "no\\x0a"\n', result.stdout)
        self.assertTrue(result.stdout.endswith("\n1 passed, 1 failed\n"))

    def test_method_selects_requests_and_what_saves_for_them(self) -> None:
        requests = [
            {"method": "POST", "url": "/upload", "json": 1, "save": {"document": "Location"}},
            {"method": "POST", "url": "/upload", "json": 2},
            {"method": "HEAD", "url": "/"},
            {"url": "{document}", "expect": {"json": 1}}]
        result = self.run_file("confirm", requests, "GET")
        self.assertEqual(result.returncode, 0, result.stdout)
        self.assertTrue(result.stdout.endswith("\n2 passed, 0 failed\n"), result.stdout)

    def test_method_of_no_request_fails(self) -> None:
        result = self.run_file("confirm", [{"url": "/"}], "get")
        self.assertEqual(result.returncode, 1)
        self.assertIn("no request with the method get", result.stderr)

    def test_what_was_not_saved_cannot_be_used(self) -> None:
        result = self.run_file("confirm", [{"url": "/healthz", "save": {"tag": "No-Such"}},
                                           {"url": "/{tag}"}])
        self.assertEqual(result.returncode, 1)
        self.assertIn("save: there is no No-Such\n", result.stdout)
        self.assertIn("nothing has been saved as {tag}\n", result.stdout)
        self.assertTrue(result.stdout.endswith("\n0 passed, 2 failed\n"))

    def test_connection_without_an_answer_fails(self) -> None:
        result = self.run_file("confirm", [{"url": "/drop"}, {"url": "/"}],
                               base=self.recorder_url())
        self.assertEqual(result.returncode, 1)
        self.assertRegex(result.stdout, "FAILED +0 +GET.*\n +no answer: Empty reply from server\n")
        self.assertTrue(result.stdout.endswith("\n1 passed, 1 failed\n"))

    def test_debug_prints_each_code(self) -> None:
        requests = [{"url": "/healthz"}, {"url": "/none", "expect": {"status": 404}}]
        for command in ("confirm", "load"):
            arguments = ["1", "-c", "1"] if command == "load" else []
            result = self.run_file(command, requests, *arguments, "--debug")
            self.assertEqual(result.returncode, 0, result.stdout)
            self.assertEqual(result.stderr, "200 GET /healthz\n404 GET /none\n")


class Requests(TesterCase):
    def test_content_arrives_as_written(self) -> None:
        (Path(self.folder.name) / "a.bin").write_bytes(b"\x00\xff\r\n")
        seen = self.record(
            {"url": "/", "json": {"a": [1, 2]}},
            {"url": "/", "data": {"a": "1 2", "b": "&"}},
            {"method": "PUT", "url": "/", "bodyFile": "a.bin"},
            {"url": "/", "body": "text", "headers": {"Content-Type": "text/plain"}},
            {"method": "POST", "url": "/"})
        self.assertEqual([(one[0], one[2].get("Content-Type"), one[3]) for one in seen], [
            ("POST", "application/json", b'{"a": [1, 2]}'),
            ("POST", "application/x-www-form-urlencoded", b"a=1%202&b=%26"),
            ("PUT", None, b"\x00\xff\r\n"),
            ("POST", "text/plain", b"text"),
            ("POST", None, b"")])
        self.assertEqual(seen[4][2]["Content-Length"], "0")

    def test_file_arrives_as_a_part(self) -> None:
        (Path(self.folder.name) / "a.txt").write_bytes(b"content")
        seen = self.record({"url": "/form", "data": {"field": "value"},
                            "file": {"name": "upload", "path": "a.txt", "fileType": "text/x"}})
        method, _, fields, content = seen[0]
        self.assertEqual(method, "POST")
        self.assertTrue(fields["Content-Type"].startswith("multipart/form-data; boundary="))
        self.assertIn(b'name="field"\r\n\r\nvalue\r\n', content)
        self.assertIn(b'name="upload"; filename="a.txt"\r\nContent-Type: text/x\r\n\r\ncontent\r\n',
                      content)

    def test_header_fields_are_set_and_left_out(self) -> None:
        seen = self.record({"url": "/", "headers": {"X-One": "1", "Accept": None, "X-None": "",
                                                    "Host": "other"}},
                           {"url": "/"})
        self.assertEqual(seen[0][2]["X-One"], "1")
        self.assertEqual(seen[0][2]["X-None"], "")
        self.assertEqual(seen[0][2]["Host"], "other")
        self.assertNotIn("Accept", seen[0][2])
        self.assertIn("Accept", seen[1][2])
        self.assertTrue(seen[1][2]["User-Agent"].startswith("tarn-tester/"))

    def test_form_is_sent_again_and_again_by_a_load(self) -> None:
        (Path(self.folder.name) / "a.txt").write_bytes(b"content")
        result = self.run_file("load", [
            {"url": "/form", "file": {"name": "upload", "path": "a.txt"}},
            {"method": "HEAD", "url": "/"},
            {"url": "/x", "body": "x"}], "7", "-c", "2", base=self.recorder_url())
        self.assertEqual(result.returncode, 0, result.stdout)
        self.assertEqual(len(Recorder.seen), 21)
        self.assertEqual(sum(b"content" in one[3] for one in Recorder.seen), 7)
        self.assertEqual(sum(one[0] == "HEAD" and one[3] == b"" for one in Recorder.seen), 7)
        self.assertEqual(sum(one[3] == b"x" for one in Recorder.seen), 7)


class Load(TesterCase):
    def test_unexpected_code_fails(self) -> None:
        result = self.run_file("load", [{"url": "/healthz"}, {"url": "/none"}], "5")
        self.assertEqual(result.returncode, 1)
        self.assertIn("\ncodes        200: 5, 404: 5\n", result.stdout)
        self.assertIn("0 without an answer, 5 with a code that is not expected", result.stdout)

    def test_closed_port_fails(self) -> None:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            base = f"http://127.0.0.1:{probe.getsockname()[1]}"
            result = self.run_file("load", [{"url": "/"}], "10", base=base)
        self.assertEqual(result.returncode, 1)
        self.assertIn("10 without an answer", result.stdout)
        self.assertRegex(result.stdout, r"\n +10: Couldn't connect to server\n")

    def test_silent_server_is_given_up(self) -> None:
        with socket.socket() as silent:
            silent.bind(("127.0.0.1", 0))
            silent.listen()
            base = f"http://127.0.0.1:{silent.getsockname()[1]}"
            result = self.run_file("load", [{"url": "/"}], "3", "-t", "1", base=base)
        self.assertEqual(result.returncode, 1)
        self.assertRegex(result.stdout, r"\n +3: Timeout was reached\n")

    def test_more_connections_than_requests(self) -> None:
        result = self.run_file("load", [{"url": "/healthz"}], "3", "-c", "200")
        self.assertEqual(result.returncode, 0, result.stdout + result.stderr)
        self.assertRegex(result.stdout, r"\nconnections  3 opened\n")

    def test_connections_are_kept_and_renewed(self) -> None:
        # The server answers 100 requests on a connection, and then closes it.
        result = self.run_file("load", [{"url": "/healthz"}], "1000", "-c", "4")
        self.assertEqual(result.returncode, 0, result.stdout + result.stderr)
        opened = int(re.search(r"\nconnections  (\d+) opened\n", result.stdout).group(1))
        self.assertGreaterEqual(opened, 10)
        self.assertLessEqual(opened, 14)

    def test_localhost_is_reached_by_either_address(self) -> None:
        base = f"http://localhost:{self.server.port}"
        result = self.run_file("load", [{"url": "/healthz"}], "50", "-c", "4", base=base)
        self.assertEqual(result.returncode, 0, result.stdout + result.stderr)

    def test_variables_cannot_be_used(self) -> None:
        result = self.run_file("load", [{"url": "/healthz"}, {"url": "{document}"}])
        self.assertEqual(result.returncode, 65)
        self.assertIn("requests.json:3: nothing has been saved as {document}\n", result.stderr)

    def test_interrupt_ends_it_with_a_result(self) -> None:
        path = self.file([{"url": "/healthz"}])
        process = subprocess.Popen(
            [TESTER, "load", "1000000000", "-f", path, "--base", self.server.url(), "--debug"],
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        assert process.stderr is not None
        process.stderr.readline()  # the load runs
        process.send_signal(signal.SIGINT)
        output, _ = process.communicate(timeout=PATIENCE)
        self.assertEqual(process.returncode, 0)
        self.assertRegex(output, r"\nrequests +\d+ in ")

    def test_second_interrupt_ends_it_at_once(self) -> None:
        with socket.socket() as silent:
            silent.bind(("127.0.0.1", 0))
            silent.listen()
            silent.settimeout(PATIENCE)
            base = f"http://127.0.0.1:{silent.getsockname()[1]}"
            process = subprocess.Popen([TESTER, "load", "-f", self.file([{"url": "/"}]), "-t",
                                        "3600", "--base", base])
            silent.accept()[0].close()  # the load runs
            process.send_signal(signal.SIGINT)
            eventually(lambda: not interrupt_is_caught(process.pid), "the interrupt is caught")
            process.send_signal(signal.SIGINT)
            self.assertEqual(process.wait(PATIENCE), -signal.SIGINT)

    def test_progress_is_shown_on_a_terminal(self) -> None:
        path = self.file([{"url": "/healthz"}])
        ours, theirs = pty.openpty()
        try:
            result = subprocess.run(
                [TESTER, "load", "50", "-f", path, "--base", self.server.url()],
                stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=theirs, check=False,
                timeout=PATIENCE)
            shown = b""
            while not shown.endswith(b"\r\x1b[K") and select.select([ours], [], [], PATIENCE)[0]:
                shown += os.read(ours, 1 << 16)
        finally:
            os.close(ours)
            os.close(theirs)
        self.assertEqual(result.returncode, 0)
        self.assertIn(b"\r[", shown)
        self.assertTrue(shown.endswith(b"\r\x1b[K"))
        self.assertNotIn(b"\r", result.stdout)


class Targets(TesterCase):
    def test_remote_base_is_refused(self) -> None:
        for base in ("http://192.0.2.1", "http://example.org:8080", "http://[2001:db8::1]/",
                     "http://127.0.0.1@192.0.2.1/", "/", "ftp://127.0.0.1"):
            result = self.run_file("confirm", [{"url": "/"}], base=base)
            self.assertEqual(result.returncode, 2, base)
            self.assertIn(f"tester: --base {base}: ", result.stderr)
            self.assertEqual(result.stdout, "")

    def test_remote_url_is_refused_before_anything_is_sent(self) -> None:
        for command in ("confirm", "load"):
            result = self.run_file(command, [{"url": "/"}, {"url": "http://192.0.2.1/"}],
                                   base=self.recorder_url())
            self.assertEqual(result.returncode, 65)
            self.assertIn("requests.json:3: 192.0.2.1 is not this machine; --allow-remote would "
                          "send there\n", result.stderr)
            self.assertEqual(Recorder.seen, [])

    def test_redirect_is_not_followed_nor_is_its_location_fetched(self) -> None:
        result = self.run_file("confirm", [
            {"url": "/redirect", "expect": {"status": 302}, "save": {"to": "Location"}},
            {"url": "{to}"}], base=self.recorder_url())
        self.assertEqual(result.returncode, 1)
        self.assertIn("192.0.2.1 is not this machine", result.stdout)
        self.assertTrue(result.stdout.endswith("\n1 passed, 1 failed\n"))

    def test_proxy_of_the_environment_is_not_used(self) -> None:
        result = tester("confirm", "-f", self.file([{"url": "/healthz"}]), "--base",
                        self.server.url(), environment={"http_proxy": self.recorder_url(),
                                                        "ALL_PROXY": self.recorder_url()})
        self.assertEqual(result.returncode, 0, result.stdout)
        self.assertEqual(Recorder.seen, [])


class Usage(TesterCase):
    def test_wrong_file_is_told_with_its_line(self) -> None:
        rows = (
            ('[\n{"url": "/", "expct": {}}\n]', ':2: unknown key "expct"; did you mean "expect"?'),
            ('[\n{"url": "/"},\n]', ":3: not JSON: expected a value at column 1"),
            ("{}", ":1: the file must be a list of requests: [ {...}, ... ]"))
        for text, message in rows:
            for command in ("confirm", "load"):
                result = self.run_file(command, text)
                self.assertEqual(result.returncode, 65)
                self.assertEqual(result.stderr,
                                 f"{self.folder.name}/requests.json{message}\n")
                self.assertEqual(result.stdout, "")

    def test_missing_file_is_told(self) -> None:
        result = tester("load", "-f", "/no/such.json")
        self.assertEqual((result.returncode, result.stderr),
                         (65, "/no/such.json: No such file or directory\n"))

    def test_wrong_usage_is_told(self) -> None:
        result = tester("lode")
        self.assertEqual((result.returncode, result.stderr),
                         (2, "tester: say load or confirm, not lode (try tester --help)\n"))

    def test_help_and_version(self) -> None:
        self.assertEqual(tester("--help").returncode, 0)
        self.assertIn("libcurl/", tester("--version").stdout)

    def test_full_disk_fails(self) -> None:
        with open("/dev/full", "w") as full:
            result = subprocess.run([TESTER, "--help"], stdout=full, check=False)
        self.assertEqual(result.returncode, 1)


if __name__ == "__main__":
    unittest.main(argv=sys.argv)
