"""Goal: preconditions on writing hold at the moment of the change: of many clients that expect the
same state of a file one wins, and no update is lost."""

from __future__ import annotations

import threading
import unittest
from typing import Callable

from tarn import Connection, Response, ServerTestCase, request_bytes

CLIENTS = 32
PAST = "Sat, 01 Jan 2000 00:00:00 GMT"
FUTURE = "Sat, 01 Jan 2050 00:00:00 GMT"

# Field, its value, and the statuses of PUT for a file that is there and for one that is not. <TAG>
# is the tag of the file that is there.
ROWS = [
    ("If-Match", "*", 204, 412), ("If-Match", "<TAG>", 204, 412), ("If-Match", '"x"', 412, 412),
    ("If-Match", 'W/<TAG>', 412, 412), ("If-Match", '"x", <TAG>', 204, 412),
    ("If-Match", "x", 412, 412), ("If-None-Match", "*", 412, 201),
    ("If-None-Match", "<TAG>", 412, 201), ("If-None-Match", "W/<TAG>", 412, 201),
    ("If-None-Match", '"x"', 204, 201), ("If-Unmodified-Since", PAST, 412, 201),
    ("If-Unmodified-Since", FUTURE, 204, 201), ("If-Unmodified-Since", "yesterday", 204, 201),
    ("If-Modified-Since", FUTURE, 204, 201),
]


class ConditionsTest(ServerTestCase):

    settings = {"files.directory": "files", "files.writable": True}

    def put(self, name: str, fields: dict[str, str], body: bytes = b"x") -> Response:
        return self.server.request("PUT", f"/files/{name}", fields, body)

    def tag(self, name: str) -> str:
        return self.server.get(f"/files/{name}").value("ETag")

    def remove(self, name: str) -> None:
        self.assertIn(self.server.request("DELETE", f"/files/{name}").status, (204, 404))

    def test_conditions_of_put(self) -> None:
        for field, value, there, missing in ROWS:
            with self.subTest(field=field, value=value):
                self.put("a", {}, b"old")
                self.remove("b")
                fields = {field: value.replace("<TAG>", self.tag("a"))}
                self.assertEqual(self.put("a", fields, b"new").status, there)
                self.assertEqual(self.server.get("/files/a").body, b"old" if there == 412 else b"new")
                self.assertEqual(self.put("b", fields).status, missing)
                self.assertEqual(self.server.get("/files/b").status, 404 if missing == 412 else 200)

    def test_conditions_of_post(self) -> None:
        for fields, status in (({"If-None-Match": "*"}, 201), ({"If-Match": "*"}, 412),
                               ({"If-Match": '"x"'}, 412), ({"If-Unmodified-Since": PAST}, 201)):
            with self.subTest(fields=fields):
                self.remove("p")
                self.assertEqual(self.server.request("POST", "/files/p", fields, b"x").status, status)
        self.put("p", {})
        self.assertEqual(
            self.server.request("POST", "/files/p", {"If-None-Match": "*"}, b"x").status, 409)

    def test_conditions_of_delete(self) -> None:
        self.put("d", {})
        for fields, status in (({"If-Match": '"x"'}, 412), ({"If-None-Match": "*"}, 412),
                               ({"If-Unmodified-Since": PAST}, 412), ({"If-Match": "*"}, 204),
                               ({"If-Match": "*"}, 404)):
            with self.subTest(fields=fields):
                self.assertEqual(self.server.request("DELETE", "/files/d", fields).status, status)

    def test_failed_condition_is_answered_before_the_content(self) -> None:
        self.put("a", {})
        for fields in ({}, {"Expect": "100-continue"}):
            with self.server.connect() as connection:
                connection.send(request_bytes("PUT", "/files/a", {
                    **fields, "If-None-Match": "*", "Content-Length": "1000000"}))
                response = connection.read_response()
                self.assertEqual(response.status, 412)
                self.assertTrue(response.closes())

    def test_condition_that_fails_while_the_content_comes(self) -> None:
        self.remove("a")
        with self.server.connect() as connection:
            connection.send(request_bytes("PUT", "/files/a", {
                "If-None-Match": "*", "Expect": "100-continue", "Content-Length": "4"}))
            self.assertEqual(connection.read_response().status, 100)
            connection.send(b"ab")
            self.assertEqual(self.put("a", {}, b"quick").status, 201)
            connection.send(b"cd")
            response = connection.read_response()
            self.assertEqual(response.status, 412)
            self.assertFalse(response.closes())
        self.assertEqual(self.server.get("/files/a").body, b"quick")

    def run_together(self, act: Callable[[Connection, int], None]) -> None:
        """Runs one thread a client, each with a connection that is open already."""
        barrier = threading.Barrier(CLIENTS)
        failures: list[BaseException] = []

        def run_one(number: int) -> None:
            try:
                with self.server.connect() as connection:
                    barrier.wait()
                    act(connection, number)
            except BaseException as failure:  # told by the test's own thread
                failures.append(failure)

        threads = [threading.Thread(target=run_one, args=(number,)) for number in range(CLIENTS)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        if failures:
            raise failures[0]

    def race(self, request: Callable[[int], bytes]) -> list[tuple[int, int]]:
        """The statuses of requests that all come at once, and the numbers of their clients."""
        answers: list[tuple[int, int]] = []

        def act(connection: Connection, number: int) -> None:
            answers.append((connection.exchange(request(number)).status, number))

        self.run_together(act)
        return sorted(answers)

    def test_one_of_many_makes_a_file(self) -> None:
        for method, fields, loss in (("PUT", {"If-None-Match": "*"}, 412), ("POST", {}, 409)):
            for round_number in range(5):
                name = f"race-{method}-{round_number}"
                answers = self.race(lambda number: request_bytes(
                    method, f"/files/{name}", fields, b"%d" % number))
                self.assertEqual([status for status, _ in answers], [201] + [loss] * (CLIENTS - 1))
                winner = str(answers[0][1]).encode()
                self.assertEqual(self.server.get(f"/files/{name}").body, winner)

    def test_one_of_many_replaces_a_file(self) -> None:
        self.put("race", {}, b"start")
        for _ in range(5):
            tag = self.tag("race")
            answers = self.race(lambda number: request_bytes(
                "PUT", "/files/race", {"If-Match": tag}, b"%d" % number))
            self.assertEqual([status for status, _ in answers], [204] + [412] * (CLIENTS - 1))
            winner = str(answers[0][1]).encode()
            self.assertEqual(self.server.get("/files/race").body, winner)

    def test_one_of_many_removes_a_file(self) -> None:
        self.put("race", {}, b"x")
        answers = self.race(lambda _: request_bytes("DELETE", "/files/race"))
        self.assertEqual([status for status, _ in answers], [204] + [404] * (CLIENTS - 1))

    def count_up(self, times: int) -> None:
        """Adds one to the number in a file, so many times, as others do at the same time."""
        while times > 0:
            read = self.server.get("/files/count")
            number = b"%08d" % (int(read.body) + 1)
            status = self.put("count", {"If-Match": read.value("ETag")}, number).status
            self.assertIn(status, (204, 412))
            times -= status == 204

    def test_no_update_is_lost(self) -> None:
        self.put("count", {}, b"%08d" % 0)
        self.run_together(lambda *_: self.count_up(5))
        self.assertEqual(int(self.server.get("/files/count").body), 5 * CLIENTS)


class UnsyncedConditionsTest(ConditionsTest):
    """The same where changes come so fast that the kernel's clock for files stands still."""

    settings = {"files.directory": "files", "files.writable": True, "uploads.durability": "none",
                "limits.max_requests": 1_000_000}

    def test_every_change_has_a_tag_of_its_own(self) -> None:
        with self.server.connect() as connection:
            tags = [connection.exchange(request_bytes("PUT", "/files/t", None, b"same"))
                    .value("ETag") for _ in range(1000)]
        self.assertEqual(len(set(tags)), len(tags))


if __name__ == "__main__":
    unittest.main()
