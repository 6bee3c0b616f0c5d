/* The values of single fields: entity tags, Accept, cookies, and lists in general. */
#include "http/accept.h"
#include "http/cookie.h"
#include "http/entity_tag.h"
#include "http/octet.h"
#include "tests/fuzz/harness.h"

#include <stdlib.h>
#include <string.h>

static bool is_within(struct slice part, const struct head *head)
{
    return part.data >= head->bytes && part.data + part.len <= head->bytes + head->len;
}

/* --- entity tags --------------------------------------------------------------------------- */

static void expect_tag(const struct entity_tag *tag, const struct entity_tag *before)
{
    struct slice opaque = tag->opaque;
    struct entity_tag again;
    HARNESS_EXPECT(opaque.len >= 2 && !memchr(opaque.data + 1, '"', opaque.len - 2));
    HARNESS_EXPECT(entity_tag_parse(opaque, &again) == 0 && !again.weak);
    HARNESS_EXPECT(entity_tag_equal_weak(*tag, again));
    HARNESS_EXPECT(entity_tag_equal_strong(*tag, again) == !tag->weak);
    HARNESS_EXPECT(!entity_tag_equal_strong(*tag, *before) || entity_tag_equal_weak(*before, *tag));
}

static void read_tags(struct slice list)
{
    struct entity_tag before = {.opaque = SLICE("\"a\"")};
    for (size_t last_len = list.len;; last_len = list.len) {
        struct entity_tag tag = before;
        enum entity_tag_member member = entity_tag_next(&list, &tag);
        if (member == ENTITY_TAG_END)
            break;
        HARNESS_EXPECT(list.len < last_len);
        if (member == ENTITY_TAG_ONE)
            expect_tag(&tag, &before);
        else
            HARNESS_EXPECT(tag.opaque.data == before.opaque.data);
        before = tag;
    }
    HARNESS_EXPECT(list.len == 0);
}

/* --- lists --------------------------------------------------------------------------------- */

static void read_list(const struct head *head, struct slice list)
{
    struct slice element;
    while (slice_next_element(&list, &element)) {
        HARNESS_EXPECT(element.len > 0 && slice_trim(element).len == element.len);
        HARNESS_EXPECT(is_within(element, head));
    }
    HARNESS_EXPECT(list.len == 0);
}

static void read_fields(const struct head *head)
{
    for (unsigned i = 0; i < head->field_count; i++) {
        struct slice name = head_slice(head, head->fields[i].name);
        struct slice value = head_slice(head, head->fields[i].value);
        HARNESS_EXPECT(head_find(head, name, NULL) > 0);
        read_list(head, value);
        read_tags(value);
    }
}

/* --- Accept -------------------------------------------------------------------------------- */

static void negotiate(const struct head *head)
{
    static const struct slice types[] = {{"text/html;charset=utf-8", 23},
                                         {"application/json", 16},
                                         {"text/plain", 10},
                                         {"text/plain;format=\"flowed\";charset=utf-8", 39},
                                         {"application/problem+json", 24}};
    for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
        bool by_name = true;
        unsigned quality = accept_quality(head, types[i], &by_name);
        HARNESS_EXPECT(quality <= ACCEPT_QUALITY_MAX);
        HARNESS_EXPECT(quality == accept_quality(head, types[i], NULL));
        HARNESS_EXPECT(!by_name || head_find(head, SLICE("Accept"), NULL) > 0);
    }
}

/* --- cookies ------------------------------------------------------------------------------- */

static void expect_first(const struct head *head, const struct cookie *cookie)
{
    struct cookie_cursor cursor = {0};
    struct cookie first;
    struct slice found;
    do
        HARNESS_EXPECT(cookie_next(head, &cursor, &first));
    while (!slice_equal(first.name, cookie->name));
    HARNESS_EXPECT(cookie_find(head, cookie->name, &found));
    HARNESS_EXPECT(found.data == first.value.data && found.len == first.value.len);
}

static void read_cookies(const struct head *head)
{
    struct cookie_cursor cursor = {0};
    struct cookie cookie;
    for (unsigned count = 0; cookie_next(head, &cursor, &cookie); count++) {
        HARNESS_EXPECT(is_within(cookie.name, head) && is_within(cookie.value, head));
        HARNESS_EXPECT(cookie.name.len > 0);
        HARNESS_EXPECT(octet_span(cookie.name.data, cookie.name.len, OCTET_TOKEN) ==
                       cookie.name.len);
        HARNESS_EXPECT(!memchr(cookie.value.data, ';', cookie.value.len));
        if (count < 8)
            expect_first(head, &cookie); /* it begins from the front each time */
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct head head;
    char *bytes = harness_head("GET", data, size, &head);
    if (!bytes)
        return 0;
    read_fields(&head);
    negotiate(&head);
    read_cookies(&head);
    free(bytes);
    return 0;
}
