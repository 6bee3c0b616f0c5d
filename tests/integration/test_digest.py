"""Goal: content that does not have the digest that its sender names is refused and leaves nothing;
digests are told when they are asked for (RFC 9530)."""

from __future__ import annotations

import base64
import hashlib
import json
import unittest

from tarn import Response, ServerTestCase, request_bytes

JSON = {"Content-Type": "application/json"}
BODY = b'{"digest":true}'


def digest(algorithm: str, content: bytes) -> str:
    name = algorithm.replace("-", "")
    return f"{algorithm}=:{base64.b64encode(hashlib.new(name, content).digest()).decode()}:"


class ContentDigestTest(ServerTestCase):

    def post(self, value: str, body: bytes = BODY) -> Response:
        return self.server.post_json(body, {"Content-Digest": value})

    def assert_refused(self, response: Response, word: str) -> None:
        self.assertEqual(response.status, 400, response.body)
        self.assertEqual(response.value("Content-Type"), "application/problem+json")
        self.assertIn(word, json.loads(response.body)["detail"])

    def test_right_digest_is_stored(self) -> None:
        for value in (digest("sha-256", BODY), digest("sha-512", BODY),
                      digest("sha-256", BODY) + ", " + digest("sha-512", BODY),
                      "md5=:AAAA:, " + digest("sha-256", BODY)):
            with self.subTest(value=value):
                response = self.post(value)
                self.assertEqual(response.status, 201, response.body)
                self.assertEqual(self.server.get(response.value("Location")).body, BODY)

    def test_wrong_digest_is_400_and_leaves_nothing(self) -> None:
        before = self.server.stored()
        for value in (digest("sha-256", BODY + b" "), digest("sha-512", BODY + b" "),
                      digest("sha-256", BODY) + ", " + digest("sha-512", b"")):
            with self.subTest(value=value):
                self.assert_refused(self.post(value), "does not have the digest")
        self.assertEqual(self.server.stored(), before)

    def test_malformed_digest_is_400_before_the_content(self) -> None:
        before = self.server.stored()
        for value in ("sha-256=abc", "sha-256=:abc:", "sha-256", "=", "sha-256=:" + "A" * 44 + ":",
                      "SHA-256=:47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=:"):
            with self.subTest(value=value), self.server.connect() as connection:
                fields = {**JSON, "Content-Length": "100", "Content-Digest": value}
                connection.send(request_bytes("POST", "/upload", fields))
                response = connection.read_response()
                self.assert_refused(response, "Content-Digest")
                self.assertTrue(response.closes())
        self.assertEqual(self.server.stored(), before)

    def test_connection_goes_on_after_a_mismatch(self) -> None:
        with self.server.connect() as connection:
            for value, status in ((digest("sha-256", b"x"), 400), (digest("sha-256", BODY), 201)):
                response = connection.exchange(
                    request_bytes("POST", "/upload", {**JSON, "Content-Digest": value}, BODY))
                self.assertEqual(response.status, status)

    def test_unknown_algorithms_are_left_out_of_account(self) -> None:
        for value in ("md5=:AAAA:", "sha=:x:", "unixsum=1", "crc32c=:AA==:"):
            with self.subTest(value=value):
                self.assertEqual(self.post(value).status, 201)

    def test_large_and_chunked_content_is_verified(self) -> None:
        body = json.dumps(["x" * 500_000]).encode()
        self.assertEqual(self.post(digest("sha-256", body), body).status, 201)
        self.assert_refused(self.post(digest("sha-256", body[:-1]), body), "digest")
        chunks = b"".join(b"%x\r\n%s\r\n" % (len(body[at:at + 9999]), body[at:at + 9999])
                          for at in range(0, len(body), 9999)) + b"0\r\n\r\n"
        with self.server.connect() as connection:
            connection.send(request_bytes("POST", "/upload",
                                          {**JSON, "Transfer-Encoding": "chunked",
                                           "Content-Digest": digest("sha-512", body)}))
            connection.send(chunks)
            self.assertEqual(connection.read_response().status, 201)

    def test_trailer_is_not_heeded(self) -> None:
        with self.server.connect() as connection:
            connection.send(request_bytes("POST", "/upload",
                                          {**JSON, "Transfer-Encoding": "chunked"}))
            connection.send(b"1\r\n1\r\n0\r\nContent-Digest: " + digest("sha-256", b"2").encode() +
                            b"\r\n\r\n")
            self.assertEqual(connection.read_response().status, 201)

    def test_batch_is_verified_as_a_whole(self) -> None:
        body = b"1\n2\n"
        for content, status in ((body, 201), (b"1\n2", 400)):
            fields = {"Content-Type": "application/x-ndjson",
                      "Content-Digest": digest("sha-256", content)}
            self.assertEqual(self.server.request("POST", "/upload", fields, body).status, status)


class ReprDigestTest(ServerTestCase):

    def setUp(self) -> None:
        self.location = self.server.post_json(BODY).value("Location")

    def ask(self, wish: str, **more: str) -> Response:
        return self.server.get(self.location, {"Want-Repr-Digest": wish, **more})

    def test_digest_is_told_on_request(self) -> None:
        for wish, algorithm in (("sha-256=10", "sha-256"), ("sha-512=1", "sha-512"),
                                ("sha-256=1, sha-512=9", "sha-512"), ("md5=9,sha-256=1", "sha-256")):
            with self.subTest(wish=wish):
                response = self.ask(wish)
                self.assertEqual(response.status, 200)
                self.assertEqual(response.value("Repr-Digest"), digest(algorithm, BODY))

    def test_without_a_wish_there_is_none(self) -> None:
        for wish in ("", "sha-256=0", "md5=10", "sha-256", "!"):
            with self.subTest(wish=wish):
                response = self.ask(wish)
                self.assertEqual((response.status, response.values("Repr-Digest")), (200, []))
        self.assertEqual(self.server.get(self.location).values("Repr-Digest"), [])

    def test_head_tells_the_same(self) -> None:
        response = self.server.request("HEAD", self.location, {"Want-Repr-Digest": "sha-256=1"})
        self.assertEqual(response.value("Repr-Digest"), digest("sha-256", BODY))

    def test_part_has_the_digest_of_the_whole(self) -> None:
        response = self.ask("sha-256=1", Range="bytes=2-4")
        self.assertEqual((response.status, response.body), (206, BODY[2:5]))
        self.assertEqual(response.value("Repr-Digest"), digest("sha-256", BODY))

    def test_304_has_none(self) -> None:
        etag = self.server.get(self.location).value("ETag")
        response = self.ask("sha-256=1", **{"If-None-Match": etag})
        self.assertEqual((response.status, response.values("Repr-Digest")), (304, []))

    def test_receipt_names_the_digest_of_the_document(self) -> None:
        """In its content: a Repr-Digest field would have to be that of the receipt itself
        (RFC 9530 section 3.2)."""
        response = self.server.post_json(BODY, {"Want-Repr-Digest": "sha-256=1"})
        self.assertEqual(json.loads(response.body)["digest"], digest("sha-256", BODY))
        self.assertNotIn("digest", json.loads(self.server.post_json(BODY).body))


if __name__ == "__main__":
    unittest.main()
