#include "http/framing.h"

#include "http/octet.h"

/* What the pass over the fields found. */
struct findings {
    unsigned length_count;
    unsigned coding_count;
    struct slice length; /* value of the last Content-Length */
    struct slice coding; /* value of the last Transfer-Encoding */
    bool close;
    bool keep_alive;
    bool expect_continue;
    bool expect_other;
};

/* RFC 9110 section 7.6.1. */
static void read_connection(struct slice list, struct findings *found)
{
    struct slice option;
    while (slice_next_element(&list, &option)) {
        found->close |= slice_equal_nocase(option, SLICE("close"));
        found->keep_alive |= slice_equal_nocase(option, SLICE("keep-alive"));
    }
}

/* RFC 9110 section 10.1.1. */
static void read_expect(struct slice list, struct findings *found)
{
    struct slice expectation;
    while (slice_next_element(&list, &expectation)) {
        if (slice_equal_nocase(expectation, SLICE("100-continue")))
            found->expect_continue = true;
        else
            found->expect_other = true;
    }
}

/* One pass over all fields; the switch keeps it from comparing each name four times. */
static void read_fields(const struct head *head, struct findings *found)
{
    for (unsigned i = 0; i < head->field_count; i++) {
        struct slice name = head_slice(head, head->fields[i].name);
        struct slice value = head_slice(head, head->fields[i].value);
        switch (name.len) {
        case sizeof("Expect") - 1:
            if (slice_equal_nocase(name, SLICE("Expect")))
                read_expect(value, found);
            break;
        case sizeof("Connection") - 1:
            if (slice_equal_nocase(name, SLICE("Connection")))
                read_connection(value, found);
            break;
        case sizeof("Content-Length") - 1:
            if (slice_equal_nocase(name, SLICE("Content-Length"))) {
                found->length = value;
                found->length_count++;
            }
            break;
        case sizeof("Transfer-Encoding") - 1:
            if (slice_equal_nocase(name, SLICE("Transfer-Encoding"))) {
                found->coding = value;
                found->coding_count++;
            }
            break;
        default:
            break;
        }
    }
}

/* RFC 9112 section 6.1: `chunked` and nothing else. Another coding, or a list with one, is not
 * implemented; what is not even a list of names is an error. A request that is guilty of both is
 * an error.
 */
static enum http_status check_coding(struct slice codings)
{
    bool unknown = false;
    unsigned count = 0;
    for (bool more = true; more; count++) {
        size_t len = 0;
        while (len < codings.len && codings.data[len] != ',')
            len++;
        struct slice name = slice_trim((struct slice){codings.data, len});
        if (name.len == 0 || octet_span(name.data, name.len, OCTET_TOKEN) != name.len)
            return HTTP_BAD_REQUEST;
        unknown |= !slice_equal_nocase(name, SLICE("chunked"));
        more = len < codings.len;
        codings.data += more ? len + 1 : len;
        codings.len -= more ? len + 1 : len;
    }
    if (unknown)
        return HTTP_NOT_IMPLEMENTED;
    return count == 1 ? HTTP_GO_ON : HTTP_BAD_REQUEST;
}

/* RFC 9110 section 8.6, and stricter: what another parser could read as octal, or as a negative
 * number of 64 bits, is refused.
 */
static enum http_status read_length(struct slice digits, uint64_t *out_length)
{
    uint64_t length;
    if (slice_to_u64(digits, &length) != 0 || length > INT64_MAX)
        return HTTP_BAD_REQUEST;
    if (digits.len > 1 && digits.data[0] == '0')
        return HTTP_BAD_REQUEST;
    *out_length = length;
    return HTTP_GO_ON;
}

/* RFC 9112 section 6.3, where every doubt is an error. */
static enum http_status read_body_length(const struct findings *found, unsigned minor_version,
                                         struct framing *out)
{
    if (found->coding_count + found->length_count == 0)
        return HTTP_GO_ON;
    if (found->coding_count + found->length_count > 1)
        return HTTP_BAD_REQUEST;
    if (found->length_count == 1) {
        out->kind = FRAMING_LENGTH;
        return read_length(found->length, &out->length);
    }
    out->kind = FRAMING_CHUNKED;
    return minor_version == 0 ? HTTP_BAD_REQUEST : check_coding(found->coding);
}

enum http_status framing_read(const struct head *head, struct framing *out)
{
    struct findings found = {0};
    struct framing framing = {.kind = FRAMING_NONE};
    read_fields(head, &found);

    enum http_status status = read_body_length(&found, head->minor_version, &framing);
    if (status != HTTP_GO_ON)
        return status;
    /* A client of HTTP/1.0 cannot expect anything (RFC 9110 section 10.1.1). */
    framing.expect_continue = found.expect_continue && head->minor_version > 0;
    framing.expect_other = found.expect_other && head->minor_version > 0;
    framing.persistent = !found.close && (head->minor_version > 0 || found.keep_alive);
    *out = framing;
    return HTTP_GO_ON;
}
