"""Goal: with a file of tokens nobody writes without one, whatever the route; tokens are made, listed
and removed by the command; and who guesses gets nowhere, nor slows the others down."""

from __future__ import annotations

import json
import os
import re
import stat
import tempfile
import threading
import unittest
from pathlib import Path
from subprocess import CompletedProcess

from tarn import EXECUTABLE, Response, Server, ServerTestCase, needs, request_bytes, run

JSON = {"Content-Type": "application/json"}
TOKEN = re.compile(r"\A([A-Za-z0-9_-]+)\.([A-Za-z0-9_-]{32})\n\Z")
LINE = re.compile(r"\A[A-Za-z0-9_-]+:\$y\$[!-~]+\Z")

# As other programs make it, slower than the command does: the secret "secret".
FOREIGN = ("slow:$6$rounds=5000$saltsalt$TVLlQcbpFVof5W3Yz4DTP6gRstiNuHwwTt6GLc1E5n0U0a"
           "Dehy0S5knV8wiOQSpT0Y77vwPZN.Pq.H91p5hVO1")

# Requests that write, and the status with a valid token.
WRITES = [
    ("POST", "/upload", JSON, b"{}", (201,)),
    ("PUT", "/files/a", {}, b"x", (201, 204)),
    ("POST", "/files/b", {}, b"x", (201, 409)),
    ("DELETE", "/files/a", {}, None, (204, 404)),
]


def token_command(*arguments: str, cwd: Path | None = None) -> CompletedProcess[bytes]:
    return run(EXECUTABLE, "token", *arguments, cwd=cwd)


def make_token(path: Path, name: str) -> str:
    done = token_command("add", name, "-f", str(path))
    assert done.returncode == 0, done
    return done.stdout.decode().strip()


class TokensTestCase(ServerTestCase):

    settings = {"auth.tokens_file": "tokens", "files.directory": "files", "files.writable": True,
                "uploads.durability": "none"}
    tokens: dict[str, str]

    @classmethod
    def prepare(cls) -> None:
        path = cls.server.folder / "tokens"
        path.write_text(f"# made by hand\n\n{FOREIGN}\n")
        path.chmod(0o600)
        cls.tokens = {name: make_token(path, name) for name in ("ci", "backup", "unused")}

    def write(self, authorization: str | None, fields: dict[str, str] | None = None) -> Response:
        fields = {**JSON, **(fields or {})}
        if authorization is not None:
            fields["Authorization"] = authorization
        return self.server.request("POST", "/upload", fields, b"{}")

    def assert_unauthorized(self, response: Response, challenge: str) -> None:
        self.assertEqual(response.status, 401)
        self.assertEqual(response.value("WWW-Authenticate"), challenge)
        self.assertEqual(response.value("Content-Type"), "application/problem+json")
        self.assertEqual(json.loads(response.body)["status"], 401)


PLAIN = 'Bearer realm="tarn"'
INVALID = 'Bearer realm="tarn", error="invalid_token"'


class TokensTest(TokensTestCase):

    def test_writing_needs_a_token(self) -> None:
        for method, target, fields, body, statuses in WRITES:
            with self.subTest(method=method, target=target):
                response = self.server.request(method, target, fields, body)
                self.assert_unauthorized(response, PLAIN)
                for token in (self.tokens["ci"], self.tokens["backup"]):
                    response = self.server.request(
                        method, target, {**fields, "Authorization": f"Bearer {token}"}, body)
                    self.assertIn(response.status, statuses)

    def test_reading_and_preflights_need_none(self) -> None:
        for method, target, status in (("GET", "/", 200), ("HEAD", "/", 200),
                                       ("GET", "/files/x", 404), ("OPTIONS", "/upload", 204),
                                       ("OPTIONS", "/files/x", 204), ("OPTIONS", "*", 204)):
            response = self.server.request(method, target, {"Authorization": "Bearer nonsense"})
            self.assertEqual(response.status, status, target)

    def test_scheme_has_no_case_and_spaces_are_trimmed(self) -> None:
        token = self.tokens["ci"]
        for value in (f"bearer {token}", f"BEARER  {token}", f"Bearer {token} "):
            self.assertEqual(self.write(value).status, 201, value)

    def test_hash_of_another_program_is_taken(self) -> None:
        self.assertEqual(self.write("Bearer slow.secret").status, 201)

    def test_wrong_ones_are_refused(self) -> None:
        token = self.tokens["backup"]
        name, secret = token.split(".")
        for value, challenge in (
                (f"Bearer {token[:-1]}", INVALID), (f"Bearer {token}x", INVALID),
                (f"Bearer ci.{secret}", INVALID), (f"Bearer nobody.{secret}", INVALID),
                (f"Bearer {name}.", INVALID), (f"Bearer {name}", INVALID),
                (f"Bearer .{secret}", INVALID), (f"Bearer {secret}", INVALID),
                (f"Bearer {token} {token}", INVALID), (f"Bearer {'x' * 4000}.y", INVALID),
                (f"Bearer a.{'x' * 4000}", INVALID),
                ("Bearer ", PLAIN), ("Bearer", PLAIN), ("", PLAIN), (token, PLAIN),
                (f"Basic {token}", PLAIN), (f"Bearer{token}", PLAIN)):
            with self.subTest(value=value[:60]):
                self.assert_unauthorized(self.write(value), challenge)

    def test_two_fields_are_none(self) -> None:
        field = f"Authorization: Bearer {self.tokens['ci']}\r\n".encode()
        with self.server.connect() as connection:
            connection.send(b"POST /upload HTTP/1.1\r\n<H>\r\nContent-Type: application/json\r\n"
                            b"Content-Length: 2\r\n" + field + field + b"\r\n{}")
            self.assert_unauthorized(connection.read_response(), PLAIN)

    def test_token_comes_after_the_method_and_before_the_rest(self) -> None:
        for method, target, fields, status in (
                ("PUT", "/upload", {}, 405), ("POST", "/../x", {}, 403),
                ("POST", "/upload", {"Sec-Fetch-Site": "cross-site"}, 403),
                ("POST", "/upload", {"Content-Type": "text/plain"}, 401),
                ("POST", "/upload", {"Content-Length": "999999999"}, 401),
                ("PUT", "/files/a", {"If-Match": '"x"'}, 401),
                ("PUT", "/files/.hidden", {}, 401)):
            with self.server.connect() as connection:
                connection.send(request_bytes(method, target, fields))
                self.assertEqual(connection.read_response().status, status, target)

    def test_refusal_comes_instead_of_100(self) -> None:
        with self.server.connect() as connection:
            connection.send(request_bytes("PUT", "/files/a", {"Expect": "100-continue",
                                                              "Content-Length": "100"}))
            response = connection.read_response()
            self.assert_unauthorized(response, PLAIN)
            self.assertTrue(response.closes())

    def test_secrets_are_not_in_the_logs(self) -> None:
        token = self.tokens["ci"]
        self.assertEqual(self.write(f"Bearer {token}").status, 201)
        self.write(f"Bearer {token}x")
        self.server.wait_for_access(rb"POST /upload")
        for text in (self.server.access_log().decode(), self.server.error_text):
            self.assertNotIn(token.split(".")[1], text)

    @needs("curl")
    def test_curl_writes_with_a_token(self) -> None:
        path = self.server.folder / "data"
        path.write_bytes(b"x" * 100_000)
        for token, status in ((self.tokens["ci"], b"201"), ("ci.wrong", b"401")):
            done = run("curl", "-sS", "-o", "/dev/null", "-w", "%{http_code}", "--oauth2-bearer",
                       token, "-T", str(path), self.server.url("/files/curl"))
            self.assertEqual((done.returncode, done.stdout), (0, status), done.stderr)


class GuessingTest(TokensTestCase):

    def test_guesses_are_bounded_and_valid_tokens_go_on(self) -> None:
        valid = f"Bearer {self.tokens['ci']}"
        self.assertEqual(self.write(valid).status, 201)
        for name in ("ci", "nobody"):  # it does not matter whether there is such a name
            statuses = [self.write(f"Bearer {name}.{number}").status for number in range(60)]
            self.assertLessEqual(set(statuses), {401, 503})
            self.assertGreater(statuses.count(503), 20)
        refused = self.write("Bearer ci.guess")
        self.assertEqual(refused.status, 503)
        self.assertRegex(refused.value("Retry-After"), r"\A\d+\Z")
        self.assertEqual(self.write(valid).status, 201)  # known already
        self.assertEqual(self.write(None).status, 401)
        self.assertEqual(self.server.get("/").status, 200)


class ManyAtOnceTest(TokensTestCase):

    def test_first_requests_of_many_clients_are_all_taken(self) -> None:
        statuses: list[int] = []

        def act() -> None:
            statuses.append(self.write(f"Bearer {self.tokens['unused']}").status)

        threads = [threading.Thread(target=act) for _ in range(32)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        self.assertEqual(statuses, [201] * 32)


class EmptyFileTest(ServerTestCase):
    """No token at all: nobody writes."""

    settings = {"auth.tokens_file": "tokens"}

    @classmethod
    def prepare(cls) -> None:
        (cls.server.folder / "tokens").touch(0o644)

    def test_nobody_writes(self) -> None:
        response = self.server.post_json(b"{}", {"Authorization": "Bearer a.b"})
        self.assertEqual(response.status, 401)

    def test_file_that_others_may_read_is_told(self) -> None:
        self.server.wait_for_error(r"\[warn\].*tokens: any user of the machine may read it")


class StartTest(unittest.TestCase):

    def setUp(self) -> None:
        self.server = Server({"auth.tokens_file": "tokens"})
        self.addCleanup(self.server.destroy)

    def check(self, text: str | None) -> CompletedProcess[bytes]:
        path = self.server.folder / "tokens"
        path.unlink(missing_ok=True)
        if text is not None:
            path.write_text(text)
            path.chmod(0o600)
        done = run(*self.server.command(), cwd=self.server.folder)
        tested = run(*self.server.command(), "--test", cwd=self.server.folder)
        self.assertEqual(tested.returncode, done.returncode)
        self.assertEqual(tested.stderr, done.stderr)
        return done

    def test_wrong_lines_are_told_with_their_place(self) -> None:
        good = FOREIGN
        for text, places in ((f"{good}\nnonsense\n", [2]), (f"\n# x\n{good}\n{good}\n", [4]),
                             (f"a b{good}\n", [1]), ("name:\n", [1]), ("name:secret", [1]),
                             (":$y$x\n", [1]), ("name:$1$salt$hash\n", [1]),
                             ("name:$y$j75$salt\n", [1]), (f"{good}\r\n", [1]),
                             (f"x\n{good}\ny\n", [1, 3])):
            with self.subTest(text=text):
                done = self.check(text)
                self.assertEqual(done.returncode, 78)
                found = re.findall(rb"^(.*/tokens):(\d+): ", done.stderr, re.MULTILINE)
                self.assertEqual([int(line) for _, line in found], places, done.stderr)

    def test_missing_file_is_told(self) -> None:
        done = self.check(None)
        self.assertEqual(done.returncode, 78)
        self.assertRegex(done.stderr, rb"tokens: cannot be read: ")


class OpenWritingTest(unittest.TestCase):
    """Whoever opens a server to the network is told what everybody may do then."""

    def start(self, host: str, settings: dict[str, object]) -> str:
        server = Server(settings, host=host)
        self.addCleanup(server.destroy)
        make_token(server.folder / "tokens", "a")
        server.start()
        server.finish()
        return server.error_text

    def test_warning_comes_when_anyone_may_write(self) -> None:
        writable = {"files.directory": "files", "files.writable": True}
        for host, settings, told in (("0.0.0.0", {}, "/upload"), ("0.0.0.0", writable, "/files"),
                                     ("0.0.0.0", {"auth.tokens_file": "tokens"}, None),
                                     ("127.0.0.1", writable, None)):
            with self.subTest(host=host, settings=settings):
                text = self.start(host, settings)
                warnings = re.findall(r"\[warn\].*may write to (.*): auth.tokens_file", text)
                self.assertEqual(len(warnings), 1 if told else 0, text)
                if told:
                    self.assertIn(told, warnings[0])


class CommandTest(unittest.TestCase):

    def setUp(self) -> None:
        temporary = tempfile.TemporaryDirectory(prefix="tarn-test-")
        self.addCleanup(temporary.cleanup)
        self.folder = Path(temporary.name)
        self.path = self.folder / "tokens"

    def add(self, name: str) -> CompletedProcess[bytes]:
        return token_command("add", name, "-f", str(self.path))

    def test_add_prints_the_token_and_keeps_its_hash(self) -> None:
        os.umask(0)
        self.addCleanup(os.umask, 0o022)
        secrets = []
        for name in ("a", "b-2_C"):
            done = self.add(name)
            self.assertEqual((done.returncode, done.stderr), (0, b""))
            match = TOKEN.match(done.stdout.decode())
            assert match, done.stdout
            self.assertEqual(match[1], name)
            secrets.append(match[2])
        self.assertEqual(stat.S_IMODE(self.path.stat().st_mode), 0o600)
        text = self.path.read_text()
        self.assertEqual(len(text.splitlines()), 2)
        for line in text.splitlines():
            self.assertRegex(line, LINE)
        for secret in secrets:
            self.assertNotIn(secret, text)

    def test_name_that_is_there_is_refused(self) -> None:
        self.add("a")
        before = self.path.read_bytes()
        done = self.add("a")
        self.assertEqual((done.returncode, done.stdout), (1, b""))
        self.assertIn(b"already", done.stderr)
        self.assertEqual(self.path.read_bytes(), before)

    def test_last_line_without_an_end_stays_one(self) -> None:
        self.path.write_text("# comment")
        self.add("a")
        self.assertEqual(self.path.read_text().splitlines()[0], "# comment")
        self.assertEqual(token_command("list", "-f", str(self.path)).stdout, b"a\n")

    def test_list_and_remove(self) -> None:
        self.path.write_text("# comment: with a colon\n")
        self.path.chmod(0o640)
        for name in ("a", "b", "c"):
            self.add(name)
        self.assertEqual(token_command("list", "-f", str(self.path)).stdout, b"a\nb\nc\n")
        for name, status in (("b", 0), ("b", 1), ("nobody", 1)):
            self.assertEqual(token_command("remove", name, "-f", str(self.path)).returncode, status)
        self.assertEqual(token_command("list", "-f", str(self.path)).stdout, b"a\nc\n")
        self.assertTrue(self.path.read_text().startswith("# comment: with a colon\na:"))
        self.assertEqual(stat.S_IMODE(self.path.stat().st_mode), 0o640)
        self.assertEqual(os.listdir(self.folder), ["tokens"])

    def test_many_at_once_are_all_added(self) -> None:
        done: list[CompletedProcess[bytes]] = []
        threads = [threading.Thread(target=lambda name=f"n{number}": done.append(self.add(name)))
                   for number in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        self.assertEqual([one.returncode for one in done], [0] * 8)
        names = token_command("list", "-f", str(self.path)).stdout.decode().split()
        self.assertEqual(sorted(names), [f"n{number}" for number in range(8)])

    def test_file_comes_from_the_configuration(self) -> None:
        (self.folder / "server.conf").write_text('auth = { tokens_file = "tokens"; };')
        self.assertEqual(token_command("add", "a", cwd=self.folder).returncode, 0)
        done = token_command("list", "-c", str(self.folder / "server.conf"))
        self.assertEqual((done.returncode, done.stdout), (0, b"a\n"))
        (self.folder / "server.conf").write_text("")
        self.assertEqual(token_command("list", cwd=self.folder).returncode, 2)

    def test_wrong_usage_is_2(self) -> None:
        for arguments in ([], ["make", "a"], ["add"], ["add", "a", "b"], ["add", "a.b"],
                          ["add", ""], ["add", "x" * 65], ["add", "\u00e9"], ["list", "a"],
                          ["remove"], ["add", "a", "-f"], ["add", "a", "-x"]):
            with self.subTest(arguments=arguments):
                done = token_command(*arguments, cwd=self.folder)
                self.assertEqual((done.returncode, done.stdout), (2, b""))
                self.assertEqual(done.stderr.count(b"\n"), 1)
        self.assertEqual(os.listdir(self.folder), [])

    def test_what_cannot_be_written_is_1(self) -> None:
        self.assertEqual(token_command("add", "a", "-f", str(self.folder)).returncode, 1)
        missing = str(self.folder / "none" / "tokens")
        for verb in (["add", "a"], ["list"], ["remove", "a"]):
            done = token_command(*verb, "-f", missing)
            self.assertEqual((done.returncode, done.stdout), (1, b""))

    def test_help(self) -> None:
        done = token_command("--help")
        self.assertEqual(done.returncode, 0)
        self.assertIn(b"token add NAME", done.stdout)
        self.assertIn(b"token add", run(EXECUTABLE, "--help").stdout)


if __name__ == "__main__":
    unittest.main()
