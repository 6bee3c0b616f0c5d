/* Many and long wrong requests, that would take too long over sockets. */
#include "tests/unit/talk.h"

#include "tests/unit/fill.h"

#include <ctype.h>

/* --- how else Transfer-Encoding can be written ------------------------------------------------ */

#define POST "POST /a HTTP/1.1\r\nHost: x\r\n"

/* Whoever takes the coding for another framing hears of /smuggled. */
#define SMUGGLED "0\r\n\r\nGET /smuggled HTTP/1.1\r\n\r\n"
#define LENGTH   "Content-Length: 31\r\n"

/* What must come of a field line. */
enum reading {
    READING_CODING, /* just another spelling of the coding */
    READING_OTHER,  /* a well-formed field of another name */
    READING_WRONG,
};

static bool is_token_octet(unsigned char octet)
{
    return octet < 128 && octet != '\0' && (isalnum(octet) || strchr("!#$%&'*+-.^_`|~", octet));
}

static bool is_field_octet(unsigned char octet)
{
    return octet == '\t' || (octet >= ' ' && octet != 127);
}

/* By RFC 9110 section 5.5 and RFC 9112 section 5, written once more and as plainly as possible. */
static enum reading reading_of(struct slice line)
{
    size_t name_len = 0;
    while (name_len < line.len && is_token_octet((unsigned char)line.data[name_len]))
        name_len++;
    if (name_len == 0 || name_len == line.len || line.data[name_len] != ':')
        return READING_WRONG;
    for (size_t i = name_len + 1; i < line.len; i++)
        if (!is_field_octet((unsigned char)line.data[i]))
            return READING_WRONG;
    if (!slice_equal_nocase((struct slice){line.data, name_len}, SLICE("Transfer-Encoding")))
        return READING_OTHER;
    struct slice value =
        slice_trim((struct slice){line.data + name_len + 1, line.len - name_len - 1});
    return slice_equal_nocase(value, SLICE("chunked")) ? READING_CODING : READING_WRONG;
}

static void send_coding(struct slice line, const char *length)
{
    conversation_restart(&talk);
    memory_transport_feed(&talk.peer, slice_from_string(POST));
    memory_transport_feed(&talk.peer, slice_from_string(length));
    memory_transport_feed(&talk.peer, line);
    conversation_say(&talk, "\r\n\r\n" SMUGGLED);
}

static bool is_refused(void)
{
    return (talk.calls.refused == HTTP_BAD_REQUEST || talk.calls.refused == HTTP_NOT_IMPLEMENTED) &&
           talk.calls.begin == 0 && count_heard("HTTP/1.1 ") == 1 && talk.peer.finished;
}

static bool is_smuggled(void)
{
    return strstr(conversation_heard(&talk), "GET /smuggled") != NULL;
}

/* Without a length: refused at once, or read as chunks, or the content is no request. */
static bool is_right_alone(struct slice line)
{
    send_coding(line, "");
    switch (reading_of(line)) {
    case READING_CODING: /* then what follows the last chunk is the next request, rightly */
        return count_heard("HTTP/1.1 200 ") == 2 && is_smuggled();
    case READING_OTHER:
        return count_heard("HTTP/1.1 200 ") == 1 && count_heard("HTTP/1.1 400 ") == 1 &&
               !is_smuggled() && talk.peer.finished;
    case READING_WRONG:
        break;
    }
    return is_refused();
}

/* With a length: refused at once, unless the field is another one. */
static bool is_right_with_length(struct slice line)
{
    send_coding(line, LENGTH);
    if (reading_of(line) != READING_OTHER)
        return is_refused();
    return count_heard("HTTP/1.1 ") == 1 && talk.calls.content_bytes == sizeof(SMUGGLED) - 1;
}

static void assert_right(struct slice line)
{
    if (!is_right_alone(line))
        fail_msg("%.*s\n%s", (int)line.len, line.data, conversation_heard(&talk));
    if (!is_right_with_length(line))
        fail_msg("with a length: %.*s\n%s", (int)line.len, line.data, conversation_heard(&talk));
}

static void connection_each_byte_anywhere_in_the_coding_is_no_way_around(void **state)
{
    static const char coding[] = "Transfer-Encoding: chunked";
    const size_t len = sizeof(coding) - 1;
    (void)state;
    for (size_t place = 0; place <= len; place++) {
        for (int octet = 0; octet < 256; octet++) {
            char line[sizeof(coding) + 1];
            memcpy(line, coding, place);
            line[place] = (char)octet;
            memcpy(line + place + 1, coding + place, len - place);
            assert_right((struct slice){line, len + 1}); /* inserted */
            memcpy(line + place + 1, coding + place + 1, len - place);
            if (place < len)
                assert_right((struct slice){line, len}); /* instead of what was there */
        }
    }
}

static void connection_spellings_of_the_coding_are_no_way_around(void **state)
{
    static const char *const lines[] = {
        "transfer-encoding: chunked",
        "TRANSFER-ENCODING:CHUNKED",
        "Transfer-Encoding:\t chunked \t",
        "Transfer-Encoding:",
        "Transfer-Encoding: ",
        "Transfer-Encoding",
        "Transfer-Encoding: xchunked",
        "Transfer-Encoding: chunkedx",
        "Transfer-Encoding: chunk",
        "Transfer-Encoding: chunked, chunked",
        "Transfer-Encoding: chunked,",
        "Transfer-Encoding: ,chunked",
        "Transfer-Encoding: , chunked ,",
        "Transfer-Encoding: chunked, identity",
        "Transfer-Encoding: identity, chunked",
        "Transfer-Encoding: gzip, chunked",
        "Transfer-Encoding: identity",
        "Transfer-Encoding: cow, chunked, bar",
        "Transfer-Encoding: chunked;q=1",
        "Transfer-Encoding: chunked; ",
        "Transfer-Encoding: chunked=chunked",
        "Transfer-Encoding: \"chunked\"",
        "Transfer-Encoding: 'chunked'",
        "Transfer-Encoding: (chunked)",
        "Transfer-Encoding: chunked chunked",
        "Transfer-Encoding: chunked (comment)",
        "Transfer-Encoding: %63hunked",
        "Transfer-Encoding: =?utf-8?q?chunked?=",
        "Transfer-Encoding: \xef\xbb\xbf"
        "chunked",
        "Transfer-Encoding: c\xc5\xbf"
        "hunked",
        "Transfer-Encoding: chun\xe2\x84\xaa"
        "ed",
        "Transfer Encoding: chunked",
        "Transfer_Encoding: chunked",
        "Transfer-Encoding : chunked",
        "Transfer-Encoding\t: chunked",
        "Transfer-Encoding:: chunked",
        "Transfer-Encoding;: chunked",
        "Transfer-Encoding=chunked",
        " Transfer-Encoding: chunked",
        "\tTransfer-Encoding: chunked",
        ":Transfer-Encoding: chunked",
        "X-Transfer-Encoding: chunked",
        "Content-Encoding: chunked",
        "TE: chunked",
        "X: y\rTransfer-Encoding: chunked",
        "X: y\nTransfer-Encoding: chunked",
        "X: y\r\rTransfer-Encoding: chunked",
        "X: y\n\nTransfer-Encoding: chunked",
        "Transfer-Encoding: chunked\r",
        "Transfer-Encoding: chunked\n",
        "Transfer-Encoding:\nchunked",
        "Transfer-Encoding:\rchunked",
        "Transfer-Encoding\n: chunked",
        "Transfer-\nEncoding: chunked",
        "Transfer-Encoding: ch\nunked",
    };
    (void)state;
    for (size_t i = 0; i < ROWS(lines); i++)
        assert_right(slice_from_string(lines[i]));
}

/* More lines than one: wrong, all of them. */
static void connection_lines_of_the_coding_are_no_way_around(void **state)
{
    static const char *const lines[] = {
        "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked",
        "Transfer-Encoding: chunked\r\nTransfer-Encoding: identity",
        "Transfer-Encoding: identity\r\nTransfer-Encoding: chunked",
        "Transfer-Encoding: chunked\r\ntransfer-encoding:",
        "Transfer-Encoding:\r\nTransfer-Encoding: chunked",
        "Transfer-Encoding: chunked\r\nTransfer-Encoding : x",
        "Transfer-Encoding:\r\n chunked",
        "Transfer-Encoding:\r\n\tchunked",
        "Transfer-Encoding: chunked\r\n ",
        "Transfer-Encoding: chunked\r\n x",
        "Transfer-Encoding\r\n: chunked",
        "X: y\r\n Transfer-Encoding: chunked",
        "X\r\nTransfer-Encoding: chunked",
        "Content-Length: 31\r\nTransfer-Encoding: chunked",
        "Transfer-Encoding: chunked\r\nContent-Length: 31",
    };
    (void)state;
    for (size_t i = 0; i < ROWS(lines); i++) {
        send_coding(slice_from_string(lines[i]), "");
        if (!is_refused())
            fail_msg("%s\n%s", lines[i], conversation_heard(&talk));
    }
}

/* --- what is long ---------------------------------------------------------------------------- */

#define CHUNKED "POST /a HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n"

/* Each flood is split at so many places; so many bytes of it are enough to be refused. */
#define SPLITS       1100
#define ENOUGH_BYTES 200000

static const struct {
    const char *label;
    const char *begin;
    const char *repeated;
    size_t count;
    enum http_status status;
} floods[] = {
    {"method", "", "A", 102400, HTTP_NOT_IMPLEMENTED},
    {"target", "GET /", "a", 65536, HTTP_URI_TOO_LONG},
    {"request line of blanks", "GET ", " ", 65536, HTTP_URI_TOO_LONG},
    {"empty lines", "", "\r\n", 1000000, HTTP_BAD_REQUEST},
    {"name", "GET / HTTP/1.1\r\n", "a", 102400, HTTP_HEADER_FIELDS_TOO_LARGE},
    {"value", "GET / HTTP/1.1\r\nA: ", "a", 102400, HTTP_HEADER_FIELDS_TOO_LARGE},
    {"fields", "GET / HTTP/1.1\r\n", "A:\r\n", 10000, HTTP_HEADER_FIELDS_TOO_LARGE},
    {"chunk size", CHUNKED, "0", 1000, HTTP_BAD_REQUEST},
    {"chunk extension", CHUNKED "5;", "a", 65536, HTTP_BAD_REQUEST},
    {"chunk extensions", CHUNKED "5", ";a", 65536, HTTP_BAD_REQUEST},
    {"quoted chunk extension", CHUNKED "5;a=\"", "a", 65536, HTTP_BAD_REQUEST},
    {"trailer", CHUNKED "0\r\nA: ", "a", 1048576, HTTP_HEADER_FIELDS_TOO_LARGE},
    {"trailers", CHUNKED "0\r\n", "A: b\r\n", 175000, HTTP_HEADER_FIELDS_TOO_LARGE},
    {"chunks of a byte", CHUNKED, "1\r\nx\r\n", 1000000, HTTP_BAD_REQUEST},
};

static void feed_flood(size_t row)
{
    memory_transport_feed(&talk.peer, slice_from_string(floods[row].begin));
    for (size_t i = 0; i < floods[row].count; i++)
        memory_transport_feed(&talk.peer, slice_from_string(floods[row].repeated));
}

static void assert_flood_is_refused(size_t row, const char *how, size_t number)
{
    if (talk.calls.refused != floods[row].status || talk.calls.end != 1 ||
        count_heard("HTTP/1.1 ") != 1 || !talk.peer.finished)
        fail_msg("%s, %s %zu: %s", floods[row].label, how, number, conversation_heard(&talk));
}

static void connection_floods_are_refused_however_they_come(void **state)
{
    static const size_t pieces[] = {MEMORY_TRANSPORT_UNLIMITED, 1, 7, 4096};
    (void)state;
    for (size_t row = 0; row < ROWS(floods); row++) {
        for (size_t i = 0; i < ROWS(pieces); i++) {
            conversation_restart(&talk);
            talk.peer.piece = pieces[i];
            feed_flood(row);
            conversation_go(&talk);
            assert_flood_is_refused(row, "pieces of", pieces[i]);
        }
    }
}

/* The first piece is received by itself, all else behind it. The bytes are fed in only once: they
 * stay in the transport's memory.
 */
static void connection_floods_are_refused_wherever_they_are_split(void **state)
{
    (void)state;
    for (size_t row = 0; row < ROWS(floods); row++) {
        conversation_restart(&talk);
        feed_flood(row);
        size_t len = talk.peer.input.len < ENOUGH_BYTES ? talk.peer.input.len : ENOUGH_BYTES;
        for (size_t place = 1; place < len && place < SPLITS; place++) {
            conversation_restart(&talk);
            talk.peer.input.len = place;
            conversation_go(&talk);
            talk.peer.input.len = len;
            conversation_go(&talk);
            assert_flood_is_refused(row, "split at", place);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TALK_TEST(connection_each_byte_anywhere_in_the_coding_is_no_way_around),
        TALK_TEST(connection_spellings_of_the_coding_are_no_way_around),
        TALK_TEST(connection_lines_of_the_coding_are_no_way_around),
        TALK_TEST(connection_floods_are_refused_however_they_come),
        TALK_TEST(connection_floods_are_refused_wherever_they_are_split),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
