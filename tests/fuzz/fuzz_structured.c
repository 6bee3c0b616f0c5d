/* Structured field values, and the digests that are read from them. */
#include "http/octet.h"
#include "http/structured.h"
#include "server/digest/digest.h"
#include "tests/fuzz/harness.h"

#include <stdlib.h>
#include <string.h>

static bool is_within(struct slice part, struct slice whole)
{
    return part.len == 0 ||
           (part.data >= whole.data && part.data + part.len <= whole.data + whole.len);
}

static void read_dictionary(struct slice value)
{
    struct slice list = value;
    struct structured_member member;
    struct slice base64;
    while (structured_next_member(&list, &member) == PARSE_MORE) {
        HARNESS_EXPECT(member.key.len > 0 && is_within(member.key, value));
        HARNESS_EXPECT(is_within(member.item, value));
        if (structured_byte_sequence(member.item, &base64))
            HARNESS_EXPECT(is_within(base64, member.item) && base64.len + 2 == member.item.len);
    }
}

/* A string that is written again, escaped, is read as the same. */
static void read_string(struct slice value)
{
    char text[40];
    char again[40];
    char written[2 * sizeof(text) + 2];
    size_t len;
    size_t again_len;
    if (!structured_string(value, text, sizeof(text), &len))
        return;
    HARNESS_EXPECT(len <= sizeof(text));
    struct text out = text_over(written, sizeof(written));
    text_append_char(&out, '"');
    for (size_t i = 0; i < len; i++) {
        HARNESS_EXPECT(text[i] == ' ' || octet_is(text[i], OCTET_VISIBLE));
        if (text[i] == '"' || text[i] == '\\')
            text_append_char(&out, '\\');
        text_append_char(&out, text[i]);
    }
    text_append_char(&out, '"');
    HARNESS_EXPECT(structured_string(text_slice(&out), again, sizeof(again), &again_len));
    HARNESS_EXPECT(again_len == len && memcmp(text, again, len) == 0);
}

static void read_digests(const struct head *head)
{
    struct digest digest;
    unsigned asked_for = digest_asked_for(head);
    HARNESS_EXPECT(asked_for == 0 || asked_for == DIGEST_SHA_256 || asked_for == DIGEST_SHA_512);
    digest_begin(&digest, asked_for);
    enum http_status status = digest_expect(&digest, head);
    HARNESS_EXPECT(status == HTTP_GO_ON || status == HTTP_BAD_REQUEST);
    digest_update(&digest, "x", 1);
    bool fits = digest_finish(&digest);
    HARNESS_EXPECT(digest.announced != 0 || fits);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct head head;
    char *bytes = harness_head("POST", data, size, &head);
    if (!bytes)
        return 0;
    for (unsigned i = 0; i < head.field_count; i++) {
        struct slice value = head_slice(&head, head.fields[i].value);
        read_dictionary(value);
        read_string(value);
    }
    read_digests(&head);
    free(bytes);
    return 0;
}
