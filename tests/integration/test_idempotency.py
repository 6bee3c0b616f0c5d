"""Goal: an upload that is repeated with its Idempotency-Key is answered as before, and never stored
again, whatever happened in between; a key never stands for two contents, nor for something that is
not on the disk."""

from __future__ import annotations

import json
import os
import threading
import unittest
import uuid
from pathlib import Path

from tarn import PATIENCE, Connection, Response, Server, ServerTestCase, eventually, request_bytes

JSON = {"Content-Type": "application/json"}
NDJSON = {"Content-Type": "application/x-ndjson"}
HOUR = 3600


def fields_of(key: str, **more: str) -> dict[str, str]:
    return {**JSON, "Idempotency-Key": key, **more}


def records(server: Server) -> list[Path]:
    """What the server remembers."""
    return sorted((server.uploads / ".tarn" / "keys").iterdir())


def is_locked(record: Path) -> bool:
    """Whether somebody holds the record's lock; to try it would disturb who takes it."""
    inode = f":{record.stat().st_ino} "
    return any(" FLOCK " in line and inode in line
               for line in Path("/proc/locks").read_text().splitlines())


class KeyTestCase(ServerTestCase):

    def post(self, key: str, body: bytes, **more: str) -> Response:
        return self.server.request("POST", "/upload", fields_of(key, **more), body)

    def assert_problem(self, response: Response, status: int) -> None:
        self.assertEqual(response.status, status, response.body)
        self.assertEqual(response.value("Content-Type"), "application/problem+json")
        self.assertEqual(json.loads(response.body)["status"], status)

    def assert_same(self, one: Response, other: Response) -> None:
        self.assertEqual((one.status, other.status), (201, 201), (one.body, other.body))
        self.assertEqual(one.value("Location"), other.value("Location"))
        self.assertEqual(one.body, other.body)


class IdempotencyTest(KeyTestCase):

    def test_repetition_is_answered_as_before(self) -> None:
        before = len(self.server.stored())
        key = str(uuid.uuid4())
        first = self.post(key, b'{"n":1}')
        for _ in range(3):
            self.assert_same(first, self.post(key, b'{"n":1}'))
        self.assertEqual(len(self.server.stored()), before + 1)
        self.assertEqual(self.server.get(first.value("Location")).body, b'{"n":1}')

    def test_other_content_is_422(self) -> None:
        key = str(uuid.uuid4())
        first = self.post(key, b"1")
        self.assert_problem(self.post(key, b"2"), 422)
        self.assert_same(first, self.post(key, b"1"))

    def test_other_media_type_is_422(self) -> None:
        key = str(uuid.uuid4())
        self.assertEqual(self.post(key, b"1").status, 201)
        self.assert_problem(self.server.request("POST", "/upload",
                                                {**NDJSON, "Idempotency-Key": key}, b"1"), 422)

    def test_other_key_stores_again(self) -> None:
        self.assertNotEqual(self.post("key-1", b"1").value("Location"),
                            self.post("key-2", b"1").value("Location"))

    def test_large_content_is_remembered(self) -> None:
        body = json.dumps(["x" * 300_000]).encode()
        self.assert_same(self.post("large", body), self.post("large", body))
        self.assert_problem(self.post("large", body[:-3] + b'y"]'), 422)

    def test_quoted_and_bare_are_the_same_key(self) -> None:
        first = self.post("8e03978e-40d5-43dd-bc93-6894a57f9324", b"1")
        self.assert_same(first, self.post('"8e03978e-40d5-43dd-bc93-6894a57f9324"', b"1"))
        self.assert_same(first, self.post('"8e03978e-40d5-43dd-bc93-6894a57f9324";v=1', b"1"))

    def test_length_of_a_key_is_limited(self) -> None:
        for key, status in (("k" * 254, 201), ("k" * 255, 201), ("k" * 256, 400),
                            ('"' + "k" * 255 + '"', 201), ('"' + "k" * 256 + '"', 400),
                            ('"' + '\\"' * 255 + '"', 201), ('"' + '\\"' * 256 + '"', 400)):
            with self.subTest(key=key[:20], length=len(key)):
                self.assertEqual(self.post(key, b"1").status, status)

    def test_malformed_keys_are_400(self) -> None:
        for key in ("", '""', '"a', 'a"', '"a"b"', '"a\\b"', "a,b", "a;b", "a b", '"\t"', "a\\b",
                    "\u00e9", '"\u00e9"', '"a", "b"'):
            with self.subTest(key=key):
                self.assert_problem(self.post(key, b"1"), 400)

    def test_two_keys_are_400(self) -> None:
        with self.server.connect() as connection:
            connection.send(b"POST /upload HTTP/1.1\r\n<H>\r\nContent-Type: application/json\r\n"
                            b"Content-Length: 1\r\nIdempotency-Key: a\r\nIdempotency-Key: a\r\n\r\n1")
            self.assert_problem(connection.read_response(), 400)

    def test_credentials_keep_keys_apart(self) -> None:
        one = self.post("shared", b"1", Authorization="Bearer one")
        self.assertEqual(self.post("shared", b"2", Authorization="Bearer two").status, 201)
        self.assert_same(one, self.post("shared", b"1", Authorization="Bearer one"))

    def begin(self, key: str) -> Connection:
        """Sends half of an upload of `[1]`, and waits until the key is claimed."""
        before = set(records(self.server))
        connection = self.server.connect()
        connection.send(request_bytes("POST", "/upload", fields_of(key, **{"Content-Length": "3"})))
        connection.send(b"[1")
        eventually(lambda: any(map(is_locked, set(records(self.server)) - before)),
                   "the key is claimed")
        return connection

    def test_while_in_flight_it_is_409(self) -> None:
        with self.begin("flight") as connection:
            refused = self.post("flight", b"[1]")
            self.assert_problem(refused, 409)
            self.assertTrue(refused.value("Retry-After"))
            self.assertEqual(self.post("another", b"[1]").status, 201)
            connection.send(b"]")
            first = connection.read_response()
        self.assert_same(first, self.post("flight", b"[1]"))

    def test_client_that_vanishes_frees_its_key(self) -> None:
        before = len(records(self.server))
        self.begin("vanish").reset()
        eventually(lambda: len(records(self.server)) == before, "the key is free")
        self.assertEqual(self.post("vanish", b"[2]").status, 201)

    def test_failure_is_not_remembered(self) -> None:
        before = len(records(self.server))
        self.assert_problem(self.post("fails", b"[1"), 400)
        self.assertEqual(len(records(self.server)), before)
        self.assertEqual(self.post("fails", b"[1]").status, 201)
        self.assert_problem(self.post("fails", b"[1"), 400)
        self.assertEqual(self.post("fails", b"[1]").status, 201)

    def test_many_at_once_store_one(self) -> None:
        answers: list[Response] = []

        def post() -> None:
            answers.append(self.post("storm", b'{"storm":true}'))

        before = len(self.server.stored())
        threads = [threading.Thread(target=post) for _ in range(16)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        self.assertLessEqual({answer.status for answer in answers}, {201, 409})
        locations = {a.value("Location") for a in answers if a.status == 201}
        self.assertEqual(len(locations), 1)
        self.assertEqual(len(self.server.stored()), before + 1)

    def test_expired_key_is_new(self) -> None:
        before = set(records(self.server))
        first = self.post("old", b"1")
        (record,) = set(records(self.server)) - before
        age = record.stat().st_mtime - 24 * HOUR
        os.utime(record, (age + 60, age + 60))
        self.assert_same(first, self.post("old", b"1"))
        os.utime(record, (age - 60, age - 60))
        second = self.post("old", b"2")
        self.assertEqual(second.status, 201)
        self.assertNotEqual(first.value("Location"), second.value("Location"))
        self.assert_same(second, self.post("old", b"2"))

    def test_document_that_is_gone_is_stored_anew(self) -> None:
        first = self.post("gone", b'{"gone":1}')
        (self.server.uploads / json.loads(first.body)["name"]).unlink()
        second = self.post("gone", b'{"gone":1}')
        self.assertEqual(second.status, 201)
        self.assertEqual(self.server.get(second.value("Location")).body, b'{"gone":1}')

    def test_record_cut_short_is_none(self) -> None:
        """As a loss of power may leave it; the document cannot have been acknowledged then."""
        before = set(records(self.server))
        self.assertEqual(self.post("torn", b"[3]").status, 201)
        (record,) = set(records(self.server)) - before
        whole = record.read_bytes()
        for content in (whole[:-1], whole[:-10], whole[:30], b"\0" * len(whole), whole + b"x"):
            record.write_bytes(content)
            response = self.post("torn", b"[3]")
            self.assertEqual(response.status, 201)
            self.assertEqual(self.server.get(response.value("Location")).body, b"[3]")

    def test_batch_is_remembered(self) -> None:
        body = b"1\n2\n3\n"
        fields = {**NDJSON, "Idempotency-Key": "batch"}
        before = len(self.server.stored())
        first = self.server.request("POST", "/upload", fields, body)
        self.assert_same(first, self.server.request("POST", "/upload", fields, body))
        self.assertEqual(len(json.loads(first.body)), 3)
        self.assertEqual(len(self.server.stored()), before + 3)
        self.assert_problem(self.server.request("POST", "/upload", fields, b"1\n2\n4\n"), 422)

    def test_key_is_held_for_uploads_that_are_stored_only(self) -> None:
        before = len(records(self.server))
        for fields, body in ((fields_of("early", **{"Content-Type": "text/plain"}), b"1"),
                             (fields_of("early", **{"Content-Length": str(1 << 30)}), None)):
            with self.server.connect() as connection:
                connection.send(request_bytes("POST", "/upload", fields, body))
                self.assertIn(connection.read_response().status, (413, 415))
        self.assertEqual(len(records(self.server)), before)


class UnsyncedIdempotencyTest(IdempotencyTest):

    settings = {"uploads.durability": "none"}


class FewKeysTest(KeyTestCase):
    """When there are too many the oldest go."""

    settings = {"uploads.keys": 3}

    def test_oldest_is_forgotten(self) -> None:
        locations = [self.post(f"few-{n}", b"1").value("Location") for n in range(4)]
        self.assertEqual(len(records(self.server)), 3)
        for n in (3, 2, 1):
            self.assertEqual(self.post(f"few-{n}", b"1").value("Location"), locations[n])
        self.assertEqual(self.post("few-0", b"2").status, 201)
        self.assertEqual(len(records(self.server)), 3)

    def test_number_is_bounded(self) -> None:
        for n in range(30):
            self.assertEqual(self.post(f"bounded-{n}", b"1").status, 201)
            self.assertLessEqual(len(records(self.server)), 3)


class NoKeysTest(KeyTestCase):
    """Switched off, the field means nothing."""

    settings = {"uploads.keys": 0}

    def test_field_is_not_heeded(self) -> None:
        for key in ("a", "a", ""):
            self.assertEqual(self.post(key, b"1").status, 201)
        self.assertEqual(len(self.server.stored()), 3)


class RestartTest(unittest.TestCase):

    def restart(self, server: Server) -> None:
        server.port = 0
        server.start()

    def test_key_outlives_the_process(self) -> None:
        server = Server()
        self.addCleanup(server.destroy)
        server.start()
        first = server.request("POST", "/upload", fields_of("stays"), b'{"a":1}')
        for end in (server.finish, server.kill):
            end()
            self.restart(server)
            again = server.request("POST", "/upload", fields_of("stays"), b'{"a":1}')
            self.assertEqual((again.status, again.body), (201, first.body))
            self.assertEqual(
                server.request("POST", "/upload", fields_of("stays"), b"2").status, 422)
        self.assertEqual(len(server.stored()), 1)
        server.finish()

    def test_oldest_of_a_former_process_go_first(self) -> None:
        server = Server({"uploads.keys": 3})
        self.addCleanup(server.destroy)
        server.start()
        for n in range(3):
            server.request("POST", "/upload", fields_of(f"old-{n}"), b"1")
        server.finish()
        self.restart(server)
        server.request("POST", "/upload", fields_of("new"), b"1")
        eventually(lambda: len(records(server)) == 3, "the oldest is forgotten")
        self.assertEqual(server.request("POST", "/upload", fields_of("old-1"), b"2").status, 422)
        self.assertEqual(server.request("POST", "/upload", fields_of("old-0"), b"2").status, 201)
        server.finish()

    def test_key_of_a_killed_process_is_free(self) -> None:
        server = Server()
        self.addCleanup(server.destroy)
        server.start()
        connection = server.connect()
        self.addCleanup(connection.close)
        connection.send(request_bytes("POST", "/upload", fields_of("half", **{"Content-Length": "3"})))
        connection.send(b"[1")
        eventually(lambda: records(server), "the key is claimed")
        server.kill()
        self.restart(server)
        self.assertEqual(server.request("POST", "/upload", fields_of("half"), b"[1]").status, 201)
        server.finish()


class KilledServerTest(unittest.TestCase):
    """A client that repeats what was not answered, against a server that is killed again and again:
    each upload is there once, and all answers to it were the same."""

    ROUNDS = 6
    CLIENTS = 6
    MORE: dict[str, object] = {}

    def body_of(self, key: str) -> bytes:
        return json.dumps({"key": key, "pad": "x" * 2000}).encode()

    def upload(self, server: Server, connection: Connection, key: str) -> Response:
        return connection.exchange(request_bytes("POST", "/upload", fields_of(key),
                                                 self.body_of(key)))

    def upload_until_the_end(self, server: Server, client: int, pending: list[str],
                             answers: dict[str, set[str]], counter: list[int]) -> None:
        try:
            with server.connect() as connection:
                while True:
                    if not pending:
                        counter[0] += 1
                        pending.append(f"{client}-{counter[0]}")
                    response = self.upload(server, connection, pending[0])
                    if response.status == 409:
                        continue
                    assert response.status == 201, response.body
                    answers.setdefault(pending.pop(), set()).add(response.value("Location"))
        except (OSError, EOFError):
            pass  # killed

    def test_sigkill_neither_loses_nor_doubles(self) -> None:
        server = Server({"limits.max_requests": 1000000, **self.MORE})
        self.addCleanup(server.destroy)
        answers: dict[str, set[str]] = {}
        pending: list[list[str]] = [[] for _ in range(self.CLIENTS)]
        counters: list[list[int]] = [[0] for _ in range(self.CLIENTS)]
        for round_number in range(self.ROUNDS):
            server.port = 0
            server.start()
            threads = [threading.Thread(target=self.upload_until_the_end,
                                        args=(server, client, pending[client], answers,
                                              counters[client]))
                       for client in range(self.CLIENTS)]
            for thread in threads:
                thread.start()
            enough = len(answers) + 20 + 13 * round_number
            while len(answers) < enough and any(thread.is_alive() for thread in threads):
                threads[0].join(0.003)
            server.kill()
            for thread in threads:
                thread.join(PATIENCE)
            self.assertGreaterEqual(len(answers), enough)
        server.port = 0
        server.start()
        with server.connect() as connection:
            for key in [key for keys in pending for key in keys]:
                response = self.upload(server, connection, key)
                self.assertEqual(response.status, 201)
                answers.setdefault(key, set()).add(response.value("Location"))
            for key in list(answers)[::7]:  # and what was answered long ago
                answers[key].add(self.upload(server, connection, key).value("Location"))
        self.assertEqual([key for key in answers if len(answers[key]) != 1], [])
        stored = {path.name: path.read_bytes() for path in server.stored()}
        for key, locations in answers.items():
            self.assertEqual(stored.pop(Path(locations.pop()).name), self.body_of(key))
        self.assertEqual(stored, {})  # none is there twice
        server.finish()


class KilledUnsyncedServerTest(KilledServerTest):

    MORE = {"uploads.durability": "none"}


if __name__ == "__main__":
    unittest.main()
