"""The tables of test_wire.py: exact bytes, and the answers that the wire contract gives to them.

<H> stands for the right Host field, <PORT> for the port.
"""

from __future__ import annotations

from dataclasses import dataclass

GET = b"GET / HTTP/1.1\r\n<H>\r\n"
POST = b"POST /upload HTTP/1.1\r\n<H>\r\nContent-Type: application/json\r\n"
CHUNKED = POST + b"Transfer-Encoding: chunked\r\n\r\n"
GOOD_CHUNKS = b"5\r\n[1,2]\r\n0\r\n\r\n"

Expected = int | tuple[int, ...]


@dataclass
class Row:
    """Bytes, the status of each answer to them (several where the choice is free), and whether
    the connection closes after the last: None where both is right. `head` where the first request
    is HEAD."""

    label: str
    data: bytes
    statuses: tuple[Expected, ...]
    close: bool | None = True
    head: bool = False


def bad(label: str, data: bytes, status: Expected = 400, head: bool = False) -> Row:
    """One answer, then the end of the connection."""
    return Row(label, data, (status,), head=head)


def good(label: str, data: bytes, status: Expected = 200, head: bool = False) -> Row:
    """One answer, and the connection stays."""
    return Row(label, data, (status,), False, head)


def answer(label: str, data: bytes, status: Expected) -> Row:
    """One answer; the connection may close or not."""
    return Row(label, data, (status,), None)


def with_length(value: bytes) -> bytes:
    return POST + b"Content-Length:" + value + b"\r\n\r\n[1,2]"


def with_coding(value: bytes) -> bytes:
    return POST + b"Transfer-Encoding:" + value + b"\r\n\r\n" + GOOD_CHUNKS


def with_field(line: bytes) -> bytes:
    return GET + line + b"\r\n\r\n"


def with_line(line: bytes) -> bytes:
    return line + b"\r\n<H>\r\n\r\n"


def with_target(target: bytes) -> bytes:
    return with_line(b"GET " + target + b" HTTP/1.1")


def with_host(value: bytes) -> bytes:
    return b"GET / HTTP/1.1\r\nHost: " + value + b"\r\n\r\n"


LENGTH_ROWS = [
    bad("length and coding", POST + b"Content-Length: 6\r\nTransfer-Encoding: chunked\r\n\r\n"
        b"0\r\n\r\nX"),
    bad("coding and length", POST + b"Transfer-Encoding: chunked\r\nContent-Length: 4\r\n\r\n"
        b"22\r\nGET /smuggled HTTP/1.1\r\n<H>\r\n\r\n\r\n0\r\n\r\n"),
    bad("two lengths", POST + b"Content-Length: 1\r\nContent-Length: 0\r\n\r\n1"),
    bad("two equal lengths", POST + b"Content-Length: 5\r\nContent-Length: 5\r\n\r\n[1,2]"),
    bad("list of lengths", with_length(b" 5, 5")),
    good("white space around the length", with_length(b" \t5\t "), 201),
    bad("length with plus", with_length(b" +5")),
    bad("length with minus", with_length(b" -5")),
    bad("negative zero", with_length(b" -0")),
    bad("large negative length", with_length(b" -268435455700")),
    bad("hexadecimal length", with_length(b" 0x5")),
    bad("length with underscore", with_length(b" 5_0")),
    bad("length with a space within", with_length(b" 1 0")),
    bad("length with letters", with_length(b" 5abc")),
    bad("length with parameter", with_length(b" 5;")),
    bad("empty length", with_length(b"")),
    bad("length after a vertical tab", with_length(b" \x0b5")),
    bad("leading zero", with_length(b" 05")),
    bad("leading zero, octal for 128", with_length(b" 0200")),
    bad("only zeros", with_length(b" 00")),
    bad("octal look", with_length(b" 010")),
    bad("length 2^64", with_length(b" 18446744073709551616")),
    bad("length 2^63", with_length(b" 9223372036854775808"), (400, 413)),
    bad("length of 40 nines", with_length(b" " + b"9" * 40)),
    bad("length 2^63 - 1", with_length(b" 9223372036854775807"), 413),
    bad("length limit + 1", with_length(b" 1048577"), 413),
    bad("neither length nor chunks", POST + b"\r\n", 411),
]

CODING_ROWS = [
    bad("unknown coding", with_coding(b" xchunked"), 501),
    bad("coding list", with_coding(b" chunked, identity"), 501),
    bad("identity", with_coding(b" identity"), 501),
    bad("gzip", with_coding(b" gzip"), 501),
    bad("gzip, chunked", with_coding(b" gzip, chunked"), 501),
    bad("coding with parameter", with_coding(b" chunked;q=1")),
    bad("quoted coding", with_coding(b' "chunked"')),
    bad("coding after a vertical tab", with_coding(b" \x0bchunked")),
    bad("coding with NUL", with_coding(b" chunked\x00")),
    bad("coding with CR", with_coding(b" chunked\r")),
    bad("empty element first", with_coding(b" ,chunked")),
    bad("empty element last", with_coding(b" chunked,")),
    bad("chunked twice", with_coding(b" chunked, chunked")),
    bad("two coding fields", POST + b"Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked"
        b"\r\n\r\n" + GOOD_CHUNKS),
    bad("coding in no-break spaces", with_coding(b" \xa0chunked\xa0")),
    bad("empty coding", with_coding(b"")),
    good("coding in another case", POST + b"TRANSFER-ENCODING: cHuNkEd\r\n\r\n" + GOOD_CHUNKS,
         201),
    bad("coding in HTTP/1.0", CHUNKED.replace(b"HTTP/1.1", b"HTTP/1.0") + GOOD_CHUNKS),
    good("underscore is not a hyphen", with_field(b"Content_Length: 5")),
    good("underscore in the coding", with_field(b"Transfer_Encoding: chunked")),
]

CHUNK_ROWS = [
    good("chunks", CHUNKED + b"2\r\n[1\r\n3\r\n,2]\r\n0\r\n\r\n", 201),
    good("upper and lower case hex", CHUNKED + b"A\r\n[1,2,3,4] \r\nb\r\n           \r\n0\r\n\r\n",
         201),
    good("short extension", CHUNKED + b"5;a=b;c=\"d\"\r\n[1,2]\r\n0;e\r\n\r\n", 201),
    good("trailer is discarded", CHUNKED + b"5\r\n[1,2]\r\n0\r\nContent-Length: 5\r\n"
         b"Host: evil\r\n\r\n", 201),
    Row("request after the chunks", CHUNKED + GOOD_CHUNKS + GET + b"\r\n", (201, 200), False),
    Row("byte after the chunks", CHUNKED + GOOD_CHUNKS + b"\x00", (201, 400)),
    bad("space before the size", CHUNKED + b" 5\r\n[1,2]\r\n0\r\n\r\n"),
    bad("space after the size", CHUNKED + b"5 \r\n[1,2]\r\n0\r\n\r\n"),
    bad("size with plus", CHUNKED + b"+5\r\n[1,2]\r\n0\r\n\r\n"),
    bad("size with minus", CHUNKED + b"-5\r\n[1,2]\r\n0\r\n\r\n"),
    bad("size with prefix", CHUNKED + b"0x5\r\n[1,2]\r\n0\r\n\r\n"),
    bad("size with underscore", CHUNKED + b"5_\r\n[1,2]\r\n0\r\n\r\n"),
    bad("empty size", CHUNKED + b"\r\n[1,2]\r\n0\r\n\r\n"),
    bad("size ends in CR and a letter", CHUNKED + b"5\rX[1,2]\r\n0\r\n\r\n"),
    bad("size ends in LF", CHUNKED + b"5\n[1,2]\r\n0\r\n\r\n"),
    bad("size of 68 bits", CHUNKED + b"FFFFFFFFFFFFFFFFF\r\n[1,2]\r\n0\r\n\r\n"),
    bad("size 2^63", CHUNKED + b"8000000000000000\r\n[1,2]\r\n0\r\n\r\n", (400, 413)),
    bad("size 2^64 - 1", CHUNKED + b"FFFFFFFFFFFFFFFF\r\n[1,2]\r\n0\r\n\r\n", (400, 413)),
    bad("size with 1,000 zeros", CHUNKED + b"0" * 1000 + b"5\r\n[1,2]\r\n0\r\n\r\n"),
    good("size with 15 zeros", CHUNKED + b"0" * 15 + b"5\r\n[1,2]\r\n0\r\n\r\n", 201),
    bad("size with 16 zeros", CHUNKED + b"0" * 16 + b"5\r\n[1,2]\r\n0\r\n\r\n"),
    bad("content limit + 1 in chunks", CHUNKED + b"100000\r\n" + b" " * 0x100000 + b"\r\n1\r\n ",
        413),
    bad("data without its line end", CHUNKED + b"5\r\n[1,2]XX0\r\n\r\n"),
    bad("data longer than its size", CHUNKED + b"5\r\n[1,2,3]\r\n0\r\n\r\n"),
    bad("data ends in LF", CHUNKED + b"5\r\n[1,2]\n0\r\n\r\n"),
    bad("extension ends in LF", CHUNKED + b"5;a\n[1,2]\r\n0\r\n\r\n"),
    bad("extension with CR", CHUNKED + b"5;a\rX\r\n[1,2]\r\n0\r\n\r\n"),
    bad("extension with NUL", CHUNKED + b"5;\x00\r\n[1,2]\r\n0\r\n\r\n"),
    bad("extension without a name", CHUNKED + b"5;\r\n[1,2]\r\n0\r\n\r\n"),
    bad("extension with a quoted line end", CHUNKED + b"5;a=\"\r\n\"\r\n[1,2]\r\n0\r\n\r\n"),
    bad("extension of 64 KB", CHUNKED + b"5;" + b"a" * 65536 + b"\r\n[1,2]\r\n0\r\n\r\n"),
    bad("many extensions", CHUNKED + (b"1;" + b"a" * 500 + b"\r\n \r\n") * 12 + GOOD_CHUNKS),
    bad("flood of one-byte chunks", CHUNKED + b"1\r\n \r\n" * 60000),
    bad("trailers without end", CHUNKED + b"5\r\n[1,2]\r\n0\r\n" + b"A: b\r\n" * 175000, 431),
]

FIELD_ROWS = [
    good("plain", GET + b"\r\n"),
    bad("bare LF", b"GET / HTTP/1.1\n<H>\n\n"),
    bad("bare LF after a field", GET + b"A: b\n\r\n"),
    bad("bare LF at the end", GET + b"\n"),
    bad("bare CR in a value", with_field(b"A: x\rB: y")),
    bad("bare CR in the request line", with_line(b"GET /\rHTTP/1.1")),
    bad("NUL in a value", with_field(b"A: a\x00b")),
    bad("BEL in a value", with_field(b"A: a\x07b")),
    bad("DEL in a value", with_field(b"A: a\x7fb")),
    good("obs-text in a value", with_field(b"A: \xe9\xff")),
    good("tab in a value", with_field(b"A: a\tb")),
    good("empty value", with_field(b"A:")),
    bad("space before the colon", with_field(b"Content-Length : 5")),
    bad("tab before the colon", b"GET / HTTP/1.1\r\nHost\t: localhost:<PORT>\r\n\r\n"),
    bad("no name", with_field(b": x")),
    bad("space in a name", with_field(b"Na me: x")),
    bad("brackets in a name", with_field(b"X[]: y")),
    bad("8-bit name", with_field(b"\xefoo: y")),
    bad("no colon", with_field(b"Content-Length 10")),
    bad("folded line", with_field(b"X: a\r\n b")),
    bad("folded coding", POST + b"Transfer-Encoding:\r\n chunked\r\n\r\n" + GOOD_CHUNKS),
    bad("space before the first field", b"GET / HTTP/1.1\r\n <H>\r\n\r\n"),
]

LINE_ROWS = [
    bad("two spaces after the method", with_line(b"GET  / HTTP/1.1")),
    bad("two spaces before the version", with_line(b"GET /  HTTP/1.1")),
    bad("tabs", with_line(b"GET\t/\tHTTP/1.1")),
    bad("space before the method", with_line(b" GET / HTTP/1.1")),
    bad("space after the version", with_line(b"GET / HTTP/1.1 ")),
    bad("words after the version", with_line(b"GET / HTTP/1.1 x")),
    bad("no version", with_line(b"GET /")),
    bad("only a method", with_line(b"GET")),
    bad("LF within", with_line(b"GET /\nHTTP/1.1")),
    bad("garbage", b"Invalid\r\n\r\n"),
    bad("a TLS greeting", b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n"),
    bad("minor of two digits", with_line(b"GET / HTTP/1.10")),
    bad("major of two digits", with_line(b"GET / HTTP/01.1")),
    bad("lower-case version", with_line(b"GET / http/1.1")),
    bad("huge version", with_line(b"GET / HTTP/4294967295.255")),
    bad("space in the version", with_line(b"GET / HTTP/ 1.1")),
    bad("version 0.9", with_line(b"GET / HTTP/0.9")),
    good("version 1.2", with_line(b"GET / HTTP/1.2")),
    bad("version 2.0", with_line(b"GET / HTTP/2.0"), 505),
    bad("version 3.0", with_line(b"GET / HTTP/3.0"), 505),
    bad("preface of HTTP/2", b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 505),
    bad("method that is no token", with_line(b'G=":<> / HTTP/1.1')),
    answer("lower-case method", with_line(b"get / HTTP/1.1"), 501),
    answer("unknown method", with_line(b"BREW / HTTP/1.1"), 501),
    bad("method of 100 KB", with_line(b"A" * 100000 + b" / HTTP/1.1"), (501, 414)),
    answer("DELETE on a file", with_line(b"DELETE /index.html HTTP/1.1"), 405),
    answer("DELETE on the root", with_line(b"DELETE / HTTP/1.1"), 405),
    answer("DELETE on the uploads", with_line(b"DELETE /uploads/ HTTP/1.1"), 405),
    answer("PUT outside of the root", with_line(b"PUT /../x HTTP/1.1"), 403),
    answer("PUT to a name of 4 KB", with_line(b"PUT /" + b"a" * 4096 + b" HTTP/1.1"), 405),
    answer("PUT over a file", with_line(b"PUT /index.html HTTP/1.1"), 405),
    answer("PATCH on a file", with_line(b"PATCH / HTTP/1.1"), 405),
    answer("TRACE", with_line(b"TRACE / HTTP/1.1"), 405),
    answer("GET on a route that stores", with_line(b"GET /upload HTTP/1.1"), 405),
    bad("CONNECT", with_line(b"CONNECT evil:443 HTTP/1.1"), (405, 501)),
    good("OPTIONS on a file", with_line(b"OPTIONS / HTTP/1.1"), 204),
    good("OPTIONS on the server", with_line(b"OPTIONS * HTTP/1.1"), 204),
    good("one empty line first", b"\r\n" + GET + b"\r\n"),
    good("four empty lines first", b"\r\n" * 4 + GET + b"\r\n"),
    bad("five empty lines first", b"\r\n" * 5 + GET + b"\r\n"),
    bad("10,000 empty lines first", b"\r\n" * 10000 + GET + b"\r\n"),
]

MESSAGE_ROWS = [
    Row("body on GET", GET + b"Content-Length: 10\r\n\r\n0123456789" + GET + b"\r\n", (200, 200),
        False),
    Row("chunked body on GET", GET + b"Transfer-Encoding: chunked\r\n\r\n" + GOOD_CHUNKS + GET +
        b"\r\n", (200, 200), False),
    Row("body on OPTIONS", with_line(b"OPTIONS / HTTP/1.1")[:-2] + b"Content-Length: 3\r\n\r\nabc" +
        GET + b"\r\n", (204, 200), False),
    Row("body on HEAD", with_line(b"HEAD / HTTP/1.1")[:-2] + b"Content-Length: 3\r\n\r\nabc" +
        GET + b"\r\n", (200, 200), False, head=True),
    Row("body on DELETE", with_line(b"DELETE / HTTP/1.1")[:-2] + b"Content-Length: 3\r\n\r\nabc",
        (405,)),
    good("HEAD on a file", with_line(b"HEAD / HTTP/1.1"), head=True),
    good("HEAD on nothing", with_line(b"HEAD /nothing HTTP/1.1"), 404, head=True),
    good("HEAD on a route that stores", with_line(b"HEAD /upload HTTP/1.1"), 405, head=True),
    bad("HEAD without Host", b"HEAD / HTTP/1.1\r\n\r\n", head=True),
    bad("HEAD with a bad field", with_line(b"HEAD / HTTP/1.1")[:-2] + b"A : b\r\n\r\n",
        head=True),
    Row("errors in a pipeline", with_target(b"/nothing") + with_target(b"/../x") +
        with_line(b"BREW / HTTP/1.1") + with_target(b"/upload") + GET + b"\r\n",
        (404, 403, 501, 405, 200), False),
    Row("garbage after a good request", GET + b"\r\nInvalid\r\n\r\n", (200, 400)),
    Row("foreign Host on the second request", GET + b"\r\n" + with_host(b"evil:<PORT>"),
        (200, 403), None),
    Row("bad Host on the second request", GET + b"\r\n" + with_host(b""), (200, 400)),
    bad("length over the limit with Expect", POST + b"Expect: 100-continue\r\n"
        b"Content-Length: 1048577\r\n\r\n", 413),
    good("unknown expectation", with_field(b"Expect: foo"), 417),
    bad("unknown expectation and content", POST + b"Expect: foo\r\nContent-Length: 5\r\n\r\n[1,2]",
        417),
    good("unknown expectation of OPTIONS", with_line(b"OPTIONS * HTTP/1.1")[:-2] +
         b"Expect: foo\r\n\r\n", 417),
    bad("unknown expectation, no Host", b"GET / HTTP/1.1\r\nExpect: foo\r\n\r\n"),
    answer("unknown expectation, foreign Host",
           b"GET / HTTP/1.1\r\nHost: evil\r\nExpect: foo\r\n\r\n", 403),
    bad("unknown expectation, wrong length", with_field(b"Expect: foo\r\nContent-Length: x")),
    answer("unknown expectation, wrong method",
           b"GET /upload HTTP/1.1\r\n<H>\r\nExpect: foo\r\n\r\n", 405),
    bad("unknown expectation in HTTP/1.0", b"GET / HTTP/1.0\r\n<H>\r\nExpect: foo\r\n\r\n", 200),
    bad("Expect in HTTP/1.0", POST.replace(b"HTTP/1.1", b"HTTP/1.0") +
        b"Expect: 100-continue\r\nContent-Length: 5\r\n\r\n[1,2]", 201),
    bad("close", with_field(b"Connection: close"), 200),
    bad("CLOSE", with_field(b"Connection: CLOSE"), 200),
    bad("close, keep-alive", with_field(b"Connection: close, keep-alive"), 200),
    bad("keep-alive, then close", with_field(b"Connection: keep-alive\r\nConnection: close"), 200),
    good("empty list elements", with_field(b"Connection: TE,,Keep-Alive")),
    good("long list", with_field(b"Connection: " + b"a," * 2000)),
    bad("HTTP/1.0", with_line(b"GET / HTTP/1.0"), 200),
    good("HTTP/1.0 with keep-alive", b"GET / HTTP/1.0\r\n<H>\r\nConnection: keep-alive\r\n\r\n"),
    good("HTTP/1.0 with keep-alive in a list",
         b"GET / HTTP/1.0\r\n<H>\r\nConnection: TE,,Keep-Alive\r\n\r\n"),
    good("upgrade is ignored", with_field(
        b"Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABk")),
    good("7 KB of commas to accept", with_field(b"Accept: " + b"," * 7000)),
    good("7 KB of commas in Connection", with_field(b"Connection: " + b"," * 7000)),
    good("7 KB of commas in Range", with_field(b"Range: bytes=" + b"," * 7000)),
    good("7 KB of commas in If-None-Match", with_field(b"If-None-Match: " + b"," * 7000)),
    good("7 KB of quotes in If-None-Match", with_field(b"If-None-Match: " + b'"' * 7001)),
    good("7 KB of semicolons in Cookie", with_field(b"Cookie: " + b";" * 7000)),
    good("missing file", with_target(b"/nothing"), 404),
]

SIZE_ROWS = [
    bad("value of 100 KB", with_field(b"A: " + b"a" * 100000), 431),
    bad("name of 100 KB", with_field(b"a" * 100000 + b": b"), 431),
    bad("10,000 fields", GET + b"A: b\r\n" * 10000 + b"\r\n", 431),
    good("99 fields", GET + b"A: b\r\n" * 98 + b"\r\n"),
    good("100 fields", GET + b"A: b\r\n" * 99 + b"\r\n"),
    bad("101 fields", GET + b"A: b\r\n" * 100 + b"\r\n", 431),
    bad("target of 64 KB", with_target(b"/" + b"a" * 65536), 414),
    bad("request line without end", b"GET /" + b"a" * 20000, 414),
    bad("field line without end", GET + b"A: " + b"a" * 20000, 431),
    good("target of 8,000 bytes", with_target(b"/" + b"a" * 7999), 404),
]

TARGET_ROWS = [
    answer("dot segments", with_target(b"/../etc/passwd"), 403),
    answer("dot segments within", with_target(b"/a/../../x"), 403),
    answer("one dot", with_target(b"/./"), 403),
    answer("encoded dots alone", with_target(b"/%2e%2e/"), 403),
    answer("dots at the end", with_target(b"/a/.."), 403),
    answer("encoded dots", with_target(b"/%2e%2e/etc/passwd"), 403),
    answer("half encoded dots", with_target(b"/.%2e/"), 403),
    answer("encoded dot, upper case", with_target(b"/%2E./"), 403),
    answer("7 KB of dot segments", with_target(b"/" + b"../" * 2400), 403),
    good("doubly encoded dots", with_target(b"/%252e%252e/"), 404),
    answer("broken double encoding", with_target(b"/%%32%65%%32%65/"), 400),
    answer("encoded slashes", with_target(b"/..%2f..%2f"), 403),
    answer("encoded backslash", with_target(b"/%5c..%5c"), 403),
    answer("backslash", with_target(b"/a\\b"), 403),
    answer("encoded NUL", with_target(b"/index.html%00.txt"), 400),
    bad("NUL", with_target(b"/index.html\x00.txt")),
    answer("overlong dots", with_target(b"/%c0%ae%c0%ae"), 400),
    answer("overlong slash", with_target(b"/%c0%af"), 400),
    answer("invalid UTF-8", with_target(b"/%ff"), 400),
    answer("surrogate", with_target(b"/%ed%a0%80"), 400),
    answer("encoded CR", with_target(b"/.%0d./.%0d./bin/sh"), 400),
    answer("encoded LF", with_target(b"/a%0ab"), 400),
    answer("encoded ESC", with_target(b"/a%1bb"), 400),
    answer("encoded DEL", with_target(b"/a%7fb"), 400),
    answer("lone percent", with_target(b"/%"), 400),
    answer("percent and a digit", with_target(b"/%4"), 400),
    answer("percent and letters", with_target(b"/%zz"), 400),
    answer("percent and u", with_target(b"/%u002e"), 400),
    answer("fragment", with_target(b"/#x"), 400),
    bad("space", with_target(b"/a b")),
    answer("8-bit bytes", with_target(b"/\xc3\xa9"), 400),
    answer("no slash", with_target(b"a/etc/passwd"), 400),
    answer("asterisk", with_target(b"*"), 400),
    good("dotted name of a program", with_target(b"/.git/config"), 404),
    good("slash behind a file", with_target(b"/index.html/"), 404),
    good("space behind a file", with_target(b"/index.html%20"), 404),
    good("dot behind a file", with_target(b"/index.html."), 404),
    good("component of 256 bytes", with_target(b"/" + b"a" * 256), 404),
    good("depth of 2,000", with_target(b"/a" * 2000), 404),
    good("empty segments", with_target(b"//index.html")),
    good("query", with_target(b"/?a=b&c={d}")),
    answer("foreign authority", with_target(b"http://evil/"), 403),
    good("own authority, foreign Host",
         b"GET http://localhost:<PORT>/ HTTP/1.1\r\nHost: evil\r\n\r\n"),
    good("authority without a path", with_target(b"http://localhost:<PORT>")),
    bad("own authority, no Host", b"GET http://localhost:<PORT>/ HTTP/1.1\r\n\r\n"),
    answer("user in the authority", with_target(b"http://u@localhost:<PORT>/"), 400),
    answer("empty authority", with_target(b"http:///x"), 400),
    answer("another scheme", with_target(b"ftp://localhost:<PORT>/"), 400),
    answer("two ports", with_target(b"http://localhost:<PORT>:80/"), 400),
    answer("dots behind an authority", with_target(b"//evil.com/%2e%2e"), 403),
    good("authority in any case", with_target(b"HTTP://LOCALHOST:<PORT>/")),
    good("authority without a path, with a query", with_target(b"http://localhost:<PORT>?x")),
    answer("authority with a fragment", with_target(b"http://localhost:<PORT>#x"), 400),
    answer("no authority", with_target(b"http:/index.html"), 400),
    answer("own authority in the user's place", with_target(b"http://localhost:<PORT>@evil/"), 400),
]

HOST_ROWS = [
    good("localhost", with_host(b"localhost:<PORT>")),
    good("upper case", with_host(b"LOCALHOST:<PORT>")),
    good("the loopback address", with_host(b"127.0.0.1:<PORT>")),
    good("the loopback address, version 6", with_host(b"[::1]:<PORT>")),
    bad("no Host", b"GET / HTTP/1.1\r\n\r\n"),
    bad("no Host in HTTP/1.0", b"GET / HTTP/1.0\r\n\r\n"),
    bad("empty Host", with_host(b"")),
    bad("two equal Hosts", GET + b"<H>\r\n\r\n"),
    bad("two Hosts", GET + b"Host: evil\r\n\r\n"),
    bad("list", with_host(b"a, b")),
    bad("user", with_host(b"u@localhost:<PORT>")),
    bad("path", with_host(b"localhost:<PORT>/x")),
    bad("port 99999", with_host(b"localhost:99999")),
    bad("port with a letter", with_host(b"localhost:80x")),
    bad("open bracket", with_host(b"[::1")),
    bad("space", with_host(b"a b")),
    bad("NUL", with_host(b"x\x00.localhost:<PORT>")),
    bad("dots and a slash", with_host(b"../..")),
    answer("dots in a name", with_host(b"a..b"), 403),
    bad("percent", with_host(b"localhost%zz")),
    bad("scheme", with_host(b"http://localhost:<PORT>")),
    bad("port with a sign", with_host(b"localhost:+80")),
    bad("two ports", with_host(b"localhost:<PORT>:")),
    bad("8-bit bytes", with_host(b"\xc3\xbc")),
    answer("foreign", with_host(b"evil:<PORT>"), 403),
    answer("no port", with_host(b"localhost"), 403),
    answer("another port", with_host(b"localhost:1"), 403),
    answer("short address", with_host(b"127.1:<PORT>"), 403),
    answer("address as a number", with_host(b"2130706433:<PORT>"), 403),
    answer("dot at the end", with_host(b"localhost.:<PORT>"), 403),
]
