"""Goal: each line of newline-delimited JSON becomes a document of its own, all of them or none; what
is wrong is told line by line."""

from __future__ import annotations

import json
import threading
import unittest

from tarn import PATIENCE, Response, Server, ServerTestCase, request_bytes

NDJSON = {"Content-Type": "application/x-ndjson"}
ERRORS = 20  # that are listed


class NdjsonTestCase(ServerTestCase):

    def post(self, body: bytes, media_type: str = "application/x-ndjson") -> Response:
        return self.server.request("POST", "/upload", {"Content-Type": media_type}, body)

    def assert_stored(self, response: Response, documents: list[bytes]) -> None:
        self.assertEqual(response.status, 201, response.body[:200])
        self.assertEqual(response.value("Content-Type"), "application/json")
        answer = json.loads(response.body)
        self.assertEqual(response.value("Location"), "/uploads/" + answer[0]["name"])
        self.assertEqual(len(answer), len(documents))
        self.assertEqual(len({row["name"] for row in answer}), len(documents))
        for row, document in zip(answer, documents):
            self.assertEqual(row["path"], "www/uploads/" + row["name"])
            self.assertEqual((row["bytes"], row["durability"]), (len(document), "fsync"))
            self.assertEqual((self.server.uploads / row["name"]).read_bytes(), document)

    def assert_refused(self, response: Response, status: int = 400) -> dict[str, object]:
        self.assertEqual(response.status, status, response.body[:200])
        self.assertEqual(response.value("Content-Type"), "application/problem+json")
        problem: dict[str, object] = json.loads(response.body)
        self.assertEqual(problem["status"], status)
        return problem


class NdjsonTest(NdjsonTestCase):

    settings = {"limits.batch_lines": 50}

    def test_lines_are_stored_byte_for_byte(self) -> None:
        for body, documents in (
                (b"1", [b"1"]),
                (b"1\n", [b"1"]),
                (b'{"a":1}\n[2]\n"x"\n', [b'{"a":1}', b"[2]", b'"x"']),
                (b"1\r\n2\r\n", [b"1", b"2"]),
                (b"1\r\n2\n3", [b"1", b"2", b"3"]),
                (b"\n\n1\n \t\r\n\r\n2\n\n", [b"1", b"2"]),
                (b" [ 1 , 2 ]\t\r\n", [b" [ 1 , 2 ]\t"]),
                ('"\u00e9\u20ac"\n"\U0001f600"'.encode(), ['"\u00e9\u20ac"'.encode(),
                                                          '"\U0001f600"'.encode()]),
                (b'{"a":1,"a":2}\n1e400\n' + b"9" * 5000, [b'{"a":1,"a":2}', b"1e400", b"9" * 5000])):
            with self.subTest(body=body[:40]):
                self.assert_stored(self.post(body), documents)

    def test_media_types(self) -> None:
        for media_type, status in (("application/x-ndjson; charset=utf-8", 201),
                                   ("Application/X-NDJSON", 201), ("application/ndjson", 201),
                                   ("application/x-ndjson; charset=latin1", 415),
                                   ("application/x-ndjsonx", 415), ("text/x-ndjson", 415)):
            with self.subTest(media_type=media_type):
                self.assertEqual(self.post(b"1\n", media_type).status, status)

    def test_wrong_line_leaves_nothing(self) -> None:
        before = self.server.stored()
        for body in (b"1\n2\n{x}\n3\n", b"x", b"1\n2\n[", b"[1,\n2]\n", b'"a\nb"\n', b"1 2\n",
                     b"\xef\xbb\xbf1\n", b"1\n\xff\n", b"1\n\0\n", b"1\x0b\n", b"[\r1\n"):
            with self.subTest(body=body):
                self.assert_refused(self.post(body))
        self.assertEqual(self.server.stored(), before)

    def test_errors_name_their_places(self) -> None:
        problem = self.assert_refused(self.post(b'1\r\n\n{"a":}\n2\n["\xc3\xa9" x]\n[1'))
        self.assertEqual(problem["total"], 3)
        self.assertEqual(problem["errors"], [
            {"line": 3, "column": 6, "offset": 9, "expected": "a value", "excerpt": '{"a":}'},
            {"line": 5, "column": 6, "offset": 19, "expected": "',' or ']'",
             "excerpt": '["\u00e9" x]'},
            {"line": 6, "column": 3, "offset": 24, "expected": "',' or ']'", "excerpt": "[1"},
        ])

    def test_number_of_errors_is_bounded(self) -> None:
        for count in (ERRORS - 1, ERRORS, ERRORS + 1, 50):
            problem = self.assert_refused(self.post(b"x\n" * count))
            self.assertEqual(problem["total"], count)
            errors = problem["errors"]
            assert isinstance(errors, list)
            self.assertEqual([error["line"] for error in errors],
                             list(range(1, min(count, ERRORS) + 1)))

    def test_nothing_but_blank_lines_is_400(self) -> None:
        for body in (b"", b"\n", b"\r\n \n\t\n"):
            with self.subTest(body=body):
                problem = self.assert_refused(self.post(body))
                self.assertEqual(problem["total"], 1)

    def test_number_of_lines_is_limited(self) -> None:
        before = len(self.server.stored())
        for count, status in ((49, 201), (50, 201), (51, 413)):
            with self.subTest(count=count):
                self.assertEqual(self.post(b"\n1\n" * count).status, status)
        self.assertEqual(len(self.server.stored()), before + 99)

    def test_connection_goes_on(self) -> None:
        with self.server.connect() as connection:
            for body, status in ((b"1\n2\n", 201), (b"x\n", 400), (b"1\n" * 51, 413), (b"3", 201)):
                response = connection.exchange(request_bytes("POST", "/upload", NDJSON, body))
                self.assertEqual(response.status, status)

    def test_large_lines_in_any_pieces(self) -> None:
        documents = [json.dumps(["x" * size]).encode() for size in (10, 65530, 200_000, 1, 100_000)]
        body = b"\r\n".join(documents) + b"\n"
        self.assert_stored(self.post(body), documents)
        with self.server.connect() as connection:
            connection.send(request_bytes("POST", "/upload",
                                          {**NDJSON, "Transfer-Encoding": "chunked"}))
            for at in range(0, len(body), 7777):
                piece = body[at:at + 7777]
                connection.send(b"%x\r\n%s\r\n" % (len(piece), piece))
            connection.send(b"0\r\n\r\n")
            self.assert_stored(connection.read_response(), documents)

    def test_limits_of_documents_hold_for_each_line(self) -> None:
        self.assertEqual(self.post((b"[" * 128 + b"]" * 128 + b"\n") * 2).status, 201)
        self.assert_refused(self.post(b"1\n" + b"[" * 129 + b"]" * 129))


class ValuesTest(NdjsonTestCase):

    settings = {"limits.json_values": 4}

    def test_values_are_limited(self) -> None:
        for body, status in ((b"[1,2,3]", 201), (b'{"a":1,"b":[0]}', 201), (b"[1,2,3,4]", 413),
                             (b"[[[[]]]]", 201), (b"[[[[[]]]]]", 413), (b"[1,2,3,", 400),
                             (b"[1,2,3,x", 400)):
            with self.subTest(body=body):
                self.assertEqual(self.server.post_json(body).status, status)
                if status != 400:
                    self.assertEqual(self.post(b"1\n" + body + b"\n[1,2,3]").status, status)


class ExcerptTest(NdjsonTestCase):

    def test_refusal_shows_the_place(self) -> None:
        for body, excerpt in ((b'{"a":}', '{"a":}'), (b"", ""), (b"[1,\n 2,\n x]", "[1,  2,  x]"),
                              (b'"\x00<script>\xff"', '"\ufffd<script>\ufffd"'),
                              (b"[" + b"1," * 50 + b"x" + b"," * 50, "1," * 10 + "x" + "," * 19)):
            with self.subTest(body=body):
                problem = self.assert_refused(self.server.post_json(body))
                self.assertEqual(problem["excerpt"], excerpt)


class KilledServerTest(unittest.TestCase):
    """All or nothing, also for a server that is killed at any moment."""

    ROUNDS = 5
    LINES = 20

    def upload_until_the_end(self, server: Server, client: int, stored: list[str]) -> None:
        number = 0
        try:
            with server.connect() as connection:
                while True:
                    number += 1
                    body = b"".join(json.dumps({"batch": f"{client}-{number}", "line": line}).encode()
                                    + b"\n" for line in range(self.LINES))
                    response = connection.exchange(request_bytes("POST", "/upload", NDJSON, body))
                    assert response.status == 201, response.body
                    stored.extend(row["name"] for row in json.loads(response.body))
        except (OSError, EOFError):
            pass  # killed

    def test_sigkill_leaves_whole_batches(self) -> None:
        server = Server({"limits.max_requests": 1000000})
        self.addCleanup(server.destroy)
        stored: list[str] = []
        for round_number in range(self.ROUNDS):
            server.port = 0
            server.start()
            threads = [threading.Thread(target=self.upload_until_the_end,
                                        args=(server, 10 * round_number + client, stored))
                       for client in range(4)]
            for thread in threads:
                thread.start()
            enough = len(stored) + self.LINES * (3 + 2 * round_number)
            while len(stored) < enough and any(thread.is_alive() for thread in threads):
                threads[0].join(0.003)
            server.kill()
            for thread in threads:
                thread.join(PATIENCE)
            self.assertGreaterEqual(len(stored), enough)
        server.port = 0
        server.start()
        batches: dict[str, int] = {}
        names = {path.name for path in server.stored()}
        for path in server.stored():
            batch = json.loads(path.read_bytes())["batch"]
            batches[batch] = batches.get(batch, 0) + 1
        self.assertEqual({batch: n for batch, n in batches.items() if n != self.LINES}, {})
        self.assertEqual(set(stored) - names, set())
        server.finish()


if __name__ == "__main__":
    unittest.main()
