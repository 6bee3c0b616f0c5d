#include "http/authority.h"
#include "tests/unit/assert_slice.h"
#include "tests/unit/guard.h"

#include <stdio.h>

#define ROWS(table) (sizeof(table) / sizeof((table)[0]))
#define TEXT(literal)                                                                              \
    {                                                                                              \
        "" literal, sizeof(literal) - 1                                                            \
    }

static void authority_parse_splits_host_and_port(void **state)
{
    static const struct {
        const char *text;
        const char *host;
        bool has_port;
        uint16_t port;
    } rows[] = {
        {"localhost", "localhost", false, 0},
        {"localhost:", "localhost", false, 0},
        {"localhost:0", "localhost", true, 0},
        {"localhost:8080", "localhost", true, 8080},
        {"localhost:65534", "localhost", true, 65534},
        {"localhost:65535", "localhost", true, 65535},
        {"localhost:00080", "localhost", true, 80},
        {"127.0.0.1:8080", "127.0.0.1", true, 8080},
        {"[::1]", "[::1]", false, 0},
        {"[::1]:", "[::1]", false, 0},
        {"[::1]:8080", "[::1]", true, 8080},
        {"[2001:DB8::a]:1", "[2001:DB8::a]", true, 1},
        {"[::ffff:192.0.2.1]", "[::ffff:192.0.2.1]", false, 0},
        {"[0123:4567:89ab:cdef:0123:4567:89ab:cdef]", "[0123:4567:89ab:cdef:0123:4567:89ab:cdef]",
         false, 0},
        {"a-b_c.example.", "a-b_c.example.", false, 0},
        {"..", "..", false, 0},
        {"a!$&'()*+,;=~", "a!$&'()*+,;=~", false, 0},
        {"%41b%c3%A9:1", "%41b%c3%A9", true, 1},
    };
    (void)state;
    struct guard guard = guard_create(64);
    for (size_t i = 0; i < ROWS(rows); i++) {
        struct authority authority;
        struct slice text = slice_from_string(rows[i].text);
        text.data = guard_place(&guard, text.data, text.len);
        if (authority_parse(text, &authority) != 0)
            fail_msg("%s is refused", rows[i].text);
        assert_slice_is(authority.host, rows[i].host);
        assert_ptr_equal(authority.host.data, text.data);
        assert_int_equal(authority.has_port, rows[i].has_port);
        assert_int_equal(authority.port, rows[i].port);
    }
    guard_destroy(&guard);
}

static void authority_parse_refuses_wrong_syntax(void **state)
{
    static const struct slice rows[] = {
        TEXT(""),
        TEXT(":"),
        TEXT(":8080"),
        TEXT(" "),
        TEXT("a, b"),
        TEXT("a b"),
        TEXT(" a"),
        TEXT("a "),
        TEXT("a\tb"),
        TEXT("u@localhost:8080"),
        TEXT("u:p@localhost"),
        TEXT("localhost:8080/x"),
        TEXT("localhost/"),
        TEXT("../.."),
        TEXT("a\\b"),
        TEXT("a?b"),
        TEXT("a#b"),
        TEXT("a\"b"),
        TEXT("<a>"),
        TEXT("a{b}"),
        TEXT("x\x00.localhost:8080"),
        TEXT("localhost\x00"),
        TEXT("a\x7f"),
        TEXT("caf\xc3\xa9"),
        TEXT("localhost:65536"),
        TEXT("localhost:99999"),
        TEXT("localhost:18446744073709551617"),
        TEXT("localhost:80x"),
        TEXT("localhost:-1"),
        TEXT("localhost: 80"),
        TEXT("localhost:80 "),
        TEXT("localhost:8080:80"),
        TEXT("localhost::80"),
        TEXT("::1"),
        TEXT("[::1"),
        TEXT("::1]"),
        TEXT("[]"),
        TEXT("["),
        TEXT("[]:80"),
        TEXT("[::1]x"),
        TEXT("[::1]80"),
        TEXT("[[::1]]"),
        TEXT("[::1]]"),
        TEXT("[::1%25lo]"),
        TEXT("[::1%lo]"),
        TEXT("[fe80::1\x00]"),
        TEXT("[1::2::3]"),
        TEXT("[12345::]"),
        TEXT("[:::]"),
        TEXT("[127.0.0.1]"),
        TEXT("[localhost]"),
        TEXT("[v1.x]"),
        TEXT("[0123:4567:89ab:cdef:0123:4567:89ab:cdef:0123:4567:89ab:cdef]"),
        TEXT("x[::1]"),
        TEXT("a%"),
        TEXT("a%4"),
        TEXT("a%4g"),
        TEXT("a%g4"),
        TEXT("%"),
        TEXT("%zz"),
    };
    (void)state;
    struct guard guard = guard_create(128);
    for (size_t i = 0; i < ROWS(rows); i++) {
        struct authority authority = {.port = 42};
        struct slice text = {guard_place(&guard, rows[i].data, rows[i].len), rows[i].len};
        if (authority_parse(text, &authority) != -1)
            fail_msg("%s is accepted", rows[i].data);
        assert_int_equal(authority.port, 42);
        assert_ptr_equal(authority.host.data, NULL);
    }
    guard_destroy(&guard);
}

static struct authority parse(const char *text)
{
    struct authority authority;
    if (authority_parse(slice_from_string(text), &authority) != 0)
        fail_msg("%s is refused", text);
    return authority;
}

static bool is_served(const char *text, const struct authority_rules *rules, const char *local)
{
    struct authority authority = parse(text);
    return authority_is_served(&authority, rules, slice_from_string(local));
}

struct served_row {
    const char *text;
    bool served;
};

static void assert_served(const struct served_row *rows, size_t count,
                          const struct authority_rules *rules, const char *local)
{
    for (size_t i = 0; i < count; i++)
        if (is_served(rows[i].text, rules, local) != rows[i].served)
            fail_msg("%s: expected %s", rows[i].text, rows[i].served ? "served" : "not");
}

static void authority_own_names_are_served_with_the_port(void **state)
{
    const struct authority_rules rules = {.configured_host = SLICE("0.0.0.0"), .port = 8080};
    static const struct served_row rows[] = {
        {"localhost:8080", true},
        {"LOCALHOST:8080", true},
        {"127.0.0.1:8080", true},
        {"[::1]:8080", true},
        {"[0:0:0:0:0:0:0:1]:8080", true},
        {"[::0001]:8080", true},
        {"0.0.0.0:8080", true},
        {"192.0.2.7:8080", true},
        {"evil:8080", false},
        {"localhost", false},
        {"localhost:", false},
        {"localhost:80", false},
        {"localhost:81", false},
        {"[::1]", false},
        {"192.0.2.7", false},
        {"127.1:8080", false},
        {"127.0.0.2:8080", false},
        {"127.0.0.01:8080", false},
        {"2130706433:8080", false},
        {"0x7f000001:8080", false},
        {"localhost.:8080", false},
        {"localhos:8080", false},
        {"localhost.evil:8080", false},
        {"%6cocalhost:8080", false},
        {"[::2]:8080", false},
        {"[::ffff:127.0.0.1]:8080", false},
        {"192.0.2.70:8080", false},
    };
    (void)state;
    assert_served(rows, ROWS(rows), &rules, "192.0.2.7");
}

static void authority_without_port_means_port_80(void **state)
{
    const struct authority_rules rules = {.configured_host = SLICE("www.example"), .port = 80};
    static const struct served_row rows[] = {
        {"localhost", true},    {"localhost:", true},      {"localhost:80", true},
        {"[::1]", true},        {"www.EXAMPLE", true},     {"www.example:80", true},
        {"localhost:0", false}, {"localhost:8080", false}, {"www.example:8080", false},
        {"example", false},
    };
    (void)state;
    assert_served(rows, ROWS(rows), &rules, "");
}

static void authority_local_address_of_ipv6_is_compared_as_a_number(void **state)
{
    const struct authority_rules rules = {.configured_host = SLICE("2001:db8::1"), .port = 8080};
    static const struct served_row rows[] = {
        {"[2001:db8::1]:8080", true},  {"[2001:DB8:0:0::1]:8080", true}, {"[fd00::a]:8080", true},
        {"[FD00:0::000A]:8080", true}, {"[2001:db8::2]:8080", false},    {"[fd00::b]:8080", false},
        {"[fd00::a]", false},
    };
    (void)state;
    assert_served(rows, ROWS(rows), &rules, "fd00::a");
}

static void authority_unknown_local_address_serves_nothing_more(void **state)
{
    const struct authority_rules rules = {.port = 8080};
    static const struct served_row rows[] = {
        {"localhost:8080", true},
        {"192.0.2.7:8080", false},
        {"[fd00::a]:8080", false},
    };
    (void)state;
    assert_served(rows, ROWS(rows), &rules, "");
}

static void authority_extra_hosts_are_matched_as_written(void **state)
{
    const struct authority extra[] = {parse("files.example"), parse("api.example:9000"),
                                      parse("[fd00::1]"), parse("web.example:80")};
    const struct authority_rules rules = {.configured_host = SLICE("127.0.0.1"),
                                          .port = 8080,
                                          .extra = extra,
                                          .extra_count = ROWS(extra)};
    static const struct served_row rows[] = {
        {"files.example", true},    {"FILES.example:1", true},   {"files.example:8080", true},
        {"api.example:9000", true}, {"web.example:80", true},    {"web.example", true},
        {"[fd00::1]", true},        {"[fd00:0::1]:443", true},   {"localhost:8080", true},
        {"api.example", false},     {"api.example:8080", false}, {"web.example:8080", false},
        {"x.files.example", false}, {"files.example.", false},   {"[fd00::2]", false},
    };
    (void)state;
    assert_served(rows, ROWS(rows), &rules, "192.0.2.7");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(authority_parse_splits_host_and_port),
        cmocka_unit_test(authority_parse_refuses_wrong_syntax),
        cmocka_unit_test(authority_own_names_are_served_with_the_port),
        cmocka_unit_test(authority_without_port_means_port_80),
        cmocka_unit_test(authority_local_address_of_ipv6_is_compared_as_a_number),
        cmocka_unit_test(authority_unknown_local_address_serves_nothing_more),
        cmocka_unit_test(authority_extra_hosts_are_matched_as_written),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
