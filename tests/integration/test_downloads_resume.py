"""Goal: a download that broke off goes on where it ended, with the programs that people use, and
the file is the same in the end. What is not installed is left out."""

from __future__ import annotations

import hashlib
import json
import random
import subprocess
import unittest
import urllib.error
import urllib.request
from pathlib import Path

from tarn import PATIENCE, Server, eventually, needs, run

LARGE_SIZE = 200 * 1024 * 1024 + 13
SMALL_SIZE = 10 * 1024 * 1024 + 13
BREAK = 5_000_000  # bytes that have come when it breaks off
RATE = "40M"

NODE_SCRIPT = """
const [url, from] = process.argv.slice(1);
(async () => {
    const whole = await fetch(url, {method: 'HEAD'});
    const rest = await fetch(url, {headers: {
        Range: `bytes=${from}-`, 'If-Range': whole.headers.get('etag')}});
    const bytes = new Uint8Array(await rest.arrayBuffer());
    const digest = await crypto.subtle.digest('SHA-256', bytes);
    console.log(JSON.stringify([whole.status, rest.status, rest.headers.get('content-range'),
                                Buffer.from(digest).toString('hex')]));
})();
"""


def write_sparse(path: Path, size: int) -> None:
    """A file with random blocks here and there, so that no two places are alike."""
    generator = random.Random(1)
    with open(path, "wb") as file:
        file.truncate(size)
        for place in [*range(0, size - 5000, 1_000_003), size - 5000]:
            file.seek(place)
            file.write(generator.randbytes(5000))


def digest_of(path: Path, start: int = 0) -> str:
    with open(path, "rb") as file:
        file.seek(start)
        return hashlib.file_digest(file, "sha256").hexdigest()


class DownloadTestCase(unittest.TestCase):
    """Each test has a server of its own, since some kill it."""

    size: int

    def setUp(self) -> None:
        self.server = Server()
        self.addCleanup(self.server.destroy)
        self.source = self.server.root / "large.bin"
        write_sparse(self.source, self.size)
        self.server.start()
        self.addCleanup(self.server.finish)
        self.url = self.server.url("/large.bin")
        self.target = self.server.folder / "large.bin"

    def assert_whole(self) -> None:
        self.assertEqual(digest_of(self.target), digest_of(self.source))


class ResumeTest(DownloadTestCase):
    """Downloads that break off."""

    size = LARGE_SIZE

    def begin(self, *command: str) -> subprocess.Popen[bytes]:
        """Starts a slow download, and returns when a part of the file is there."""
        process = subprocess.Popen(command, cwd=self.server.folder, stdin=subprocess.DEVNULL,
                                   stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        self.addCleanup(process.wait)
        self.addCleanup(process.kill)
        eventually(lambda: self.target.exists() and self.target.stat().st_size > BREAK,
                   "a part of the file has come")
        self.assertIsNone(process.poll(), "the download ended too early")
        return process

    def begin_and_kill(self, *command: str) -> None:
        """Breaks a download off."""
        process = self.begin(*command)
        process.kill()
        process.wait()
        self.assert_part()

    def assert_part(self) -> None:
        self.assertTrue(BREAK < self.target.stat().st_size < self.size)

    def resume(self, *command: str) -> None:
        """Runs the rest; checks that no more than the rest was sent, and that all is right."""
        part = self.target.stat().st_size
        done = run(*command, cwd=self.server.folder)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.server.wait_for_access(rb'"GET /large.bin HTTP/1.1" 206 %d ' % (self.size - part))
        self.assert_whole()

    @needs("curl")
    def test_curl_that_was_killed(self) -> None:
        self.begin_and_kill("curl", "-sO", "--limit-rate", RATE, self.url)
        self.resume("curl", "-fsSO", "-C", "-", self.url)

    @needs("curl")
    def test_curl_whose_server_was_killed(self) -> None:
        process = self.begin("curl", "-sO", "--limit-rate", RATE, self.url)
        self.server.kill()
        self.assertNotEqual(process.wait(PATIENCE), 0)
        self.assert_part()
        self.server.start()
        self.resume("curl", "-fsSO", "-C", "-", self.url)

    @needs("wget")
    def test_wget_that_was_killed(self) -> None:
        self.begin_and_kill("wget", "-q", "--limit-rate", RATE, self.url)
        self.resume("wget", "-q", "-c", self.url)

    @needs("wget")
    def test_wget_goes_on_by_itself(self) -> None:
        process = self.begin("wget", "-q", "--retry-connrefused", "--waitretry", "1",
                             "--limit-rate", RATE, self.url)
        self.server.kill()
        self.server.start()
        self.assertEqual(process.wait(PATIENCE), 0)
        self.server.wait_for_access(rb'"GET /large.bin HTTP/1.1" 206 ')
        self.assert_whole()


class ClientTest(DownloadTestCase):
    """Downloads of a part, or of what is there already."""

    size = SMALL_SIZE

    @needs("curl")
    def test_curl_that_has_it_all(self) -> None:
        self.target.write_bytes(b"")
        run("curl", "-fsSO", self.url, cwd=self.server.folder)
        done = run("curl", "-sSO", "-C", "-", "-w", "%{http_code}", self.url,
                   cwd=self.server.folder)
        self.assertEqual(done.stdout, b"416")
        self.assert_whole()

    @needs("curl")
    def test_curl_takes_several_ranges(self) -> None:
        done = run("curl", "-fsS", "-r", "0-9,1000003-1000012", self.url)
        self.assertEqual(done.stdout.count(b"Content-Range: bytes "), 2, done.stderr)

    @needs("curl")
    def test_curl_does_not_load_what_it_has(self) -> None:
        command = ("curl", "-fsSO", "--etag-save", "tag", "--etag-compare", "tag",
                   "-w", "%{http_code}", self.url)
        for status in (b"200", b"304"):
            self.assertEqual(run(*command, cwd=self.server.folder).stdout, status)
        done = run("curl", "-fsS", "-z", str(self.target), "-w", "%{http_code}", self.url)
        self.assertEqual(done.stdout, b"304")

    @needs("curl")
    def test_curl_that_would_take_it_compressed(self) -> None:
        run("curl", "-fsSO", "--compressed", self.url, cwd=self.server.folder)
        self.assert_whole()
        done = run("curl", "-fsSI", "--compressed", self.url)
        self.assertIn(b"\r\nContent-Length: %d\r\n" % self.size, done.stdout)
        self.assertNotIn(b"Content-Encoding", done.stdout)

    @needs("wget")
    def test_wget_that_has_it_all(self) -> None:
        for _ in range(2):
            done = run("wget", "-q", "-c", self.url, cwd=self.server.folder)
            self.assertEqual(done.returncode, 0, done.stderr)
        self.assert_whole()

    def test_urllib(self) -> None:
        request = urllib.request.Request(self.url, headers={"Range": "bytes=1000003-1000102"})
        with urllib.request.urlopen(request) as response:
            self.assertEqual(response.status, 206)
            self.assertEqual(response.read(), self.source.read_bytes()[1000003:1000103])
        request = urllib.request.Request(self.url, headers={"Range": f"bytes={self.size}-"})
        with self.assertRaises(urllib.error.HTTPError) as raised:
            urllib.request.urlopen(request)
        self.assertEqual(raised.exception.headers["Content-Range"], f"bytes */{self.size}")
        raised.exception.close()

    @needs("node")
    def test_fetch_of_node(self) -> None:
        start = self.size - 1_000_000
        done = run("node", "-e", NODE_SCRIPT, self.url, str(start))
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertEqual(json.loads(done.stdout), [
            200, 206, f"bytes {start}-{self.size - 1}/{self.size}", digest_of(self.source, start)])


if __name__ == "__main__":
    unittest.main()
