/* What the operator reads. The program defines getifaddrs() itself, so that the addresses of the
 * machine are known: the linker takes it before the C library's.
 */
#include "server/banner.h"

#include <arpa/inet.h>
#include <errno.h>
#include <ifaddrs.h>
#include <net/if.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define ROWS(table) (sizeof(table) / sizeof((table)[0]))

/* --- the machine ---------------------------------------------------------------------------- */

static const struct {
    const char *address; /* NULL: an interface without one */
    bool up;
} interfaces[] = {
    {NULL, true},           {"127.0.0.1", true},   {"192.0.2.7", true}, {"192.0.2.8", false},
    {"::1", true},          {"2001:db8::7", true}, {"fe80::1", true}, /* link-local */
    {"2001:db8::8", false},
};

static bool getifaddrs_fails;

static struct sockaddr *make_address(const char *text)
{
    struct sockaddr_in6 *six = calloc(1, sizeof(*six));
    struct sockaddr_in *four = calloc(1, sizeof(*four));
    assert_non_null(six);
    assert_non_null(four);
    six->sin6_family = AF_INET6;
    four->sin_family = AF_INET;
    if (inet_pton(AF_INET, text, &four->sin_addr) == 1) {
        free(six);
        return (struct sockaddr *)four;
    }
    assert_int_equal(inet_pton(AF_INET6, text, &six->sin6_addr), 1);
    free(four);
    return (struct sockaddr *)six;
}

int getifaddrs(struct ifaddrs **out)
{
    if (getifaddrs_fails) {
        errno = ENOMEM;
        return -1;
    }
    struct ifaddrs *list = NULL;
    for (size_t i = ROWS(interfaces); i-- > 0;) {
        struct ifaddrs *entry = calloc(1, sizeof(*entry));
        assert_non_null(entry);
        entry->ifa_next = list;
        entry->ifa_flags = interfaces[i].up ? IFF_UP : 0;
        if (interfaces[i].address)
            entry->ifa_addr = make_address(interfaces[i].address);
        list = entry;
    }
    *out = list;
    return 0;
}

void freeifaddrs(struct ifaddrs *list)
{
    while (list) {
        struct ifaddrs *next = list->ifa_next;
        free(list->ifa_addr);
        free(list);
        list = next;
    }
}

/* --- the tests ------------------------------------------------------------------------------ */

static void assert_banner(const char *host, const char *file, const char *expected)
{
    struct config config = {.root = (char *)"resources", .file = (char *)file};
    char *said = NULL;
    size_t len;
    config.listen.host = (char *)host;
    config.listen.port = 0; /* any; the real one is told */
    config.pool.workers = 20;
    FILE *out = open_memstream(&said, &len);
    assert_non_null(out);
    banner_print(&config, 8080, out);
    assert_non_null(said); /* it has been flushed */
    assert_string_equal(said, expected);
    assert_int_equal(fclose(out), 0);
    free(said);
}

#define TITLE  "tarn " TARN_VERSION " serves resources with 20 workers at\n"
#define ENDING "configuration: built-in defaults\n"

static void banner_names_the_address_that_is_listened_to(void **state)
{
    static const struct {
        const char *host;
        const char *expected;
    } rows[] = {
        {"127.0.0.1", TITLE "  http://127.0.0.1:8080/\n" ENDING},
        {"localhost", TITLE "  http://127.0.0.1:8080/\n" ENDING},
        {"192.0.2.7", TITLE "  http://192.0.2.7:8080/\n" ENDING},
        {"::1", TITLE "  http://[::1]:8080/\n" ENDING},
    };
    (void)state;
    for (size_t i = 0; i < ROWS(rows); i++)
        assert_banner(rows[i].host, NULL, rows[i].expected);
}

#define FOUR "  http://127.0.0.1:8080/\n  http://192.0.2.7:8080/\n"
#define SIX  "  http://[::1]:8080/\n  http://[2001:db8::7]:8080/\n"

static void banner_names_each_address_of_the_machine(void **state)
{
    static const struct {
        const char *host;
        const char *expected;
    } rows[] = {
        {"0.0.0.0", TITLE FOUR ENDING},
        {"::", TITLE SIX ENDING}, /* that socket takes IPv6 only */
        {"*", TITLE FOUR SIX ENDING},
    };
    (void)state;
    for (size_t i = 0; i < ROWS(rows); i++)
        assert_banner(rows[i].host, NULL, rows[i].expected);
}

static void banner_without_the_machine_s_addresses_names_loopback(void **state)
{
    (void)state;
    getifaddrs_fails = true;
    assert_banner("0.0.0.0", NULL, TITLE "  http://127.0.0.1:8080/\n" ENDING);
    getifaddrs_fails = false;
}

static void banner_names_the_configuration_file(void **state)
{
    (void)state;
    assert_banner("127.0.0.1", "/etc/tarn/server.conf",
                  TITLE "  http://127.0.0.1:8080/\n"
                        "configuration: /etc/tarn/server.conf\n");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(banner_names_the_address_that_is_listened_to),
        cmocka_unit_test(banner_names_each_address_of_the_machine),
        cmocka_unit_test(banner_without_the_machine_s_addresses_names_loopback),
        cmocka_unit_test(banner_names_the_configuration_file),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
