/* Host and authority: what is let through is a name or an address with a port, and what is served
 * is one of the names that the server is known by.
 */
#include "http/authority.h"
#include "http/octet.h"
#include "http/text.h"
#include "tests/fuzz/harness.h"

#include <stdlib.h>
#include <string.h>

static const struct authority extra[] = {
    {.host = {"files.example.org", 17}},
    {.host = {"[2001:db8::1]", 13}, .has_port = true, .port = 80},
};

static const struct authority_rules rules = {
    .configured_host = {"::", 2},
    .port = 8080,
    .extra = extra,
    .extra_count = sizeof(extra) / sizeof(extra[0]),
};

static void expect_same(const struct authority *a, const struct authority *b)
{
    HARNESS_EXPECT(slice_equal(a->host, b->host));
    HARNESS_EXPECT(a->has_port == b->has_port && a->port == b->port);
}

/* The port is what stands behind the last colon, in decimal. */
static void expect_port(const struct authority *authority, struct slice text)
{
    struct slice rest = {text.data + authority->host.len, text.len - authority->host.len};
    unsigned long port = 0;
    for (size_t i = 1; i < rest.len; i++)
        port = port * 10 + (unsigned long)(rest.data[i] - '0');
    HARNESS_EXPECT(authority->has_port == (rest.len > 1) && authority->port == port);
}

/* Written down again, it means the same. */
static void expect_round_trip(const struct authority *authority)
{
    size_t size = authority->host.len + sizeof(":65535") - 1;
    char *buffer = malloc(size);
    HARNESS_EXPECT(buffer);
    struct text text = text_over(buffer, size);
    text_append(&text, authority->host);
    if (authority->has_port) {
        text_append_char(&text, ':');
        text_append_u64(&text, authority->port);
    }
    struct authority again;
    HARNESS_EXPECT(authority_parse(text_slice(&text), &again) == 0);
    expect_same(authority, &again);
    free(buffer);
}

/* The host is no way into a path, a log or another field. */
static void expect_clean(struct slice host)
{
    HARNESS_EXPECT(host.len > 0);
    HARNESS_EXPECT(octet_span(host.data, host.len, OCTET_VISIBLE) == host.len);
    for (size_t i = 0; i < host.len; i++)
        HARNESS_EXPECT(!strchr("/\\@?#<>\"", host.data[i]));
    HARNESS_EXPECT(host.data[0] == '[' || !memchr(host.data, ':', host.len));
}

static bool is_served(const struct authority *authority)
{
    static const struct slice local_address = {"192.0.2.1", 9};
    return authority_is_served(authority, &rules, local_address);
}

/* With the server's own port, or as one of the further names; upper case makes no difference. */
static void expect_known(const struct authority *authority)
{
    bool served = is_served(authority);
    unsigned port = authority->has_port ? authority->port : 80;
    HARNESS_EXPECT(!served || port == rules.port || port == 80 ||
                   slice_equal_nocase(authority->host, extra[0].host));

    struct authority lower = *authority;
    char *copy = harness_copy(authority->host.data, authority->host.len);
    for (size_t i = 0; i < authority->host.len; i++)
        copy[i] = octet_lower(copy[i]);
    lower.host.data = copy;
    HARNESS_EXPECT(is_served(&lower) == served);
    free(copy);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct authority authority = {.port = 1};
    struct slice text = {(const char *)data, size};
    if (authority_parse(text, &authority) != 0) {
        HARNESS_EXPECT(authority.port == 1 && !authority.host.data);
        return 0;
    }
    HARNESS_EXPECT(authority.host.data == text.data && authority.host.len <= text.len);
    expect_port(&authority, text);
    expect_clean(authority.host);
    expect_round_trip(&authority);
    expect_known(&authority);
    return 0;
}
