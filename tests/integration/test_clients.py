"""Goal: the programs that people use get along with the server. What is not installed is left out."""

from __future__ import annotations

import json
import re
import threading
import unittest
import urllib.error
import urllib.request
from http.client import HTTPConnection

from tarn import ServerTestCase, needs, run

PICTURE = bytes(range(256)) * 5000

NODE_SCRIPT = """
const url = process.argv[1];
(async () => {
    const page = await fetch(url);
    const file = Buffer.from(await (await fetch(url + 'logo.png')).arrayBuffer());
    const sent = await fetch(url + 'upload', {
        method: 'POST', headers: {'Content-Type': 'application/json'}, body: '{"ok":true}'});
    const stored = await (await fetch(url + sent.headers.get('location').slice(1))).json();
    console.log(JSON.stringify([page.status, file.length, sent.status, stored.ok]));
})();
"""


class ClientTest(ServerTestCase):

    @classmethod
    def prepare(cls) -> None:
        cls.server.write("logo.png", PICTURE)
        cls.server.write("kilobyte.html", b"x" * 1024)

    @needs("curl")
    def test_curl_shows_the_page_with_its_fields(self) -> None:
        done = run("curl", "-sSi", self.server.url("/"))
        self.assertEqual(done.returncode, 0, done.stderr)
        for field in (b"Content-Type: text/html; charset=utf-8", b"Connection: keep-alive",
                      b"Keep-Alive: timeout=30, max=100"):
            self.assertIn(b"\r\n" + field + b"\r\n", done.stdout)

    @needs("curl")
    def test_curl_reuses_the_connection(self) -> None:
        done = run("curl", "-sSi", self.server.url("/"), self.server.url("/"))
        self.assertRegex(done.stdout, rb"(?s)max=100\r\n.*max=99\r\n")

    @needs("curl")
    def test_curl_refuses_dot_segments_no_less_than_others(self) -> None:
        for target in ("/../etc/passwd", "/%2e%2e/etc/passwd"):
            done = run("curl", "-sS", "--path-as-is", "-o", "/dev/null", "-w", "%{http_code}",
                       self.server.url(target))
            self.assertEqual(done.stdout, b"403")

    @needs("wget")
    def test_wget_stores_the_file(self) -> None:
        folder = self.server.folder / "wget"
        folder.mkdir()
        done = run("wget", "-q", "--content-disposition", self.server.url("/logo.png"), cwd=folder)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertEqual((folder / "logo.png").read_bytes(), PICTURE)

    @needs("wget")
    def test_wget_continues_a_broken_download(self) -> None:
        folder = self.server.folder / "wget-continued"
        folder.mkdir()
        (folder / "logo.png").write_bytes(PICTURE[:len(PICTURE) // 3])
        done = run("wget", "-c", self.server.url("/logo.png"), cwd=folder)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIn(b"206 Partial Content", done.stderr)
        self.assertEqual((folder / "logo.png").read_bytes(), PICTURE)
        done = run("wget", "-c", self.server.url("/logo.png"), cwd=folder)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIn(b"416 Range Not Satisfiable", done.stderr)

    @needs("curl")
    def test_curl_continues_a_broken_download(self) -> None:
        path = self.server.folder / "continued.png"
        path.write_bytes(PICTURE[:1000])
        done = run("curl", "-sS", "-C", "-", "-o", str(path), self.server.url("/logo.png"))
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertEqual(path.read_bytes(), PICTURE)

    @needs("curl")
    def test_curl_takes_what_comes_when_it_asks_for_a_coding(self) -> None:
        done = run("curl", "-sS", "--compressed", self.server.url("/kilobyte.html"))
        self.assertEqual(done.stdout, b"x" * 1024, done.stderr)

    @needs("curl")
    def test_curl_uploads_in_chunks(self) -> None:
        done = run("curl", "-sS", "-H", "Transfer-Encoding: chunked", "-H",
                   "Content-Type: application/json", "-d", '{"ok":true}',
                   self.server.url("/upload"))
        self.assertEqual(json.loads(done.stdout)["bytes"], 11, done.stderr)

    def test_urllib(self) -> None:
        with urllib.request.urlopen(self.server.url("/logo.png")) as response:
            self.assertEqual(response.read(), PICTURE)
        request = urllib.request.Request(self.server.url("/upload"), b'{"ok":true}',
                                         {"Content-Type": "application/json"})
        with urllib.request.urlopen(request) as response:
            self.assertEqual(response.status, 201)
            self.assertEqual(json.load(response)["bytes"], 11)
        with self.assertRaises(urllib.error.HTTPError) as raised:
            urllib.request.urlopen(self.server.url("/missing"))
        self.assertEqual(raised.exception.code, 404)
        raised.exception.close()

    def test_http_client_keeps_its_connection(self) -> None:
        connection = HTTPConnection(self.server.address, self.server.port)
        self.addCleanup(connection.close)
        for method in ("GET", "HEAD", "GET"):
            connection.request(method, "/logo.png")
            response = connection.getresponse()
            self.assertEqual(len(response.read()), 0 if method == "HEAD" else len(PICTURE))
            self.assertFalse(response.will_close)

    @needs("ab")
    def test_ab_fails_no_request(self) -> None:
        for options in ([], ["-k"]):
            done = run("ab", "-q", "-n", "2000", "-c", "20", *options,
                       self.server.url("/kilobyte.html"))
            self.assertEqual(done.returncode, 0, done.stderr)
            self.assertRegex(done.stdout, rb"Complete requests: +2000\n")
            self.assertRegex(done.stdout, rb"Failed requests: +0\n")
            self.assertNotIn(b"Non-2xx", done.stdout)

    @needs("wrk")
    def test_wrk_sees_no_error(self) -> None:
        done = run("wrk", "-t", "2", "-c", "32", "-d", "1s", self.server.url("/kilobyte.html"))
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertNotIn(b"Non-2xx", done.stdout)
        errors = re.search(rb"Socket errors: connect (\d+), read \d+, write \d+, timeout (\d+)",
                           done.stdout)
        if errors:  # wrk counts each announced close as a read error
            self.assertEqual(errors.groups(), (b"0", b"0"), done.stdout)

    @needs("h2load")
    def test_h2load_fails_no_request(self) -> None:
        done = run("h2load", "--h1", "-n", "2000", "-c", "20", "-m", "10",
                   self.server.url("/kilobyte.html"))
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIn(b"2000 succeeded, 0 failed, 0 errored, 0 timeout", done.stdout)
        self.assertIn(b"status codes: 2000 2xx, 0 3xx, 0 4xx, 0 5xx", done.stdout)

    @needs("node")
    def test_fetch_of_node(self) -> None:
        done = run("node", "-e", NODE_SCRIPT, self.server.url("/"))
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertEqual(json.loads(done.stdout), [200, len(PICTURE), 201, True])

    def test_browser_like_page_load(self) -> None:
        """Six connections that fetch a page's parts at once, as browsers do."""
        names = ["/", "/logo.png", "/kilobyte.html"] * 4
        results: list[int] = []

        def fetch(part: list[str]) -> None:
            connection = HTTPConnection(self.server.address, self.server.port)
            for name in part:
                connection.request("GET", name, headers={"Accept": "text/html,*/*;q=0.8"})
                response = connection.getresponse()
                response.read()
                results.append(response.status)
            connection.close()

        threads = [threading.Thread(target=fetch, args=(names[i::6],)) for i in range(6)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        self.assertEqual(results, [200] * len(names))


if __name__ == "__main__":
    unittest.main()
