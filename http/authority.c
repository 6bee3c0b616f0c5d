#include "http/authority.h"

#include "http/octet.h"

#include <arpa/inet.h>
#include <string.h>

#define HTTP_DEFAULT_PORT 80

/* Reads an IPv6 address without brackets. Returns whether it is one. */
static bool read_ipv6(struct slice text, struct in6_addr *out)
{
    char string[INET6_ADDRSTRLEN];
    if (text.len == 0 || text.len >= sizeof(string) || memchr(text.data, '\0', text.len))
        return false;
    memcpy(string, text.data, text.len);
    string[text.len] = '\0';
    return inet_pton(AF_INET6, string, out) == 1;
}

static struct slice without_brackets(struct slice host)
{
    return (struct slice){host.data + 1, host.len - 2};
}

/* The length of the IP literal that `text` begins with, brackets included; 0 if it is wrong. */
static size_t literal_len(struct slice text)
{
    struct in6_addr ignored;
    const char *bracket = memchr(text.data, ']', text.len);
    if (!bracket)
        return 0;
    size_t len = (size_t)(bracket - text.data) + 1;
    return read_ipv6(without_brackets((struct slice){text.data, len}), &ignored) ? len : 0;
}

/* The length of the registered name or IPv4 address that `text` begins with (RFC 3986 section
 * 3.2.2; an address is a name by its grammar); 0 if it is empty or has a bad percent escape.
 */
static size_t name_len(struct slice text)
{
    size_t len = octet_span(text.data, text.len, OCTET_REG_NAME);
    while (len < text.len && text.data[len] == '%') {
        if (text.len - len < 3 || octet_hex(text.data[len + 1]) < 0 ||
            octet_hex(text.data[len + 2]) < 0)
            return 0;
        len += 3;
        len += octet_span(text.data + len, text.len - len, OCTET_REG_NAME);
    }
    return len;
}

int authority_parse(struct slice text, struct authority *out)
{
    if (text.len == 0)
        return -1;
    size_t len = text.data[0] == '[' ? literal_len(text) : name_len(text);
    if (len == 0)
        return -1;

    struct authority authority = {.host = {text.data, len}};
    if (len < text.len) {
        struct slice digits = {text.data + len + 1, text.len - len - 1};
        uint64_t port = 0;
        if (text.data[len] != ':')
            return -1;
        authority.has_port = digits.len > 0;
        if (authority.has_port && (slice_to_u64(digits, &port) != 0 || port > UINT16_MAX))
            return -1;
        authority.port = (uint16_t)port;
    }
    *out = authority;
    return 0;
}

/* Whether a host as it stands in an authority is this name or address; `name` has no brackets. */
static bool is_same_host(struct slice host, struct slice name)
{
    struct in6_addr a;
    struct in6_addr b;
    if (host.data[0] != '[')
        return slice_equal_nocase(host, name);
    return read_ipv6(without_brackets(host), &a) && read_ipv6(name, &b) &&
           memcmp(&a, &b, sizeof(a)) == 0;
}

static bool is_extra(const struct authority *authority, unsigned port,
                     const struct authority *extra)
{
    struct slice name = extra->host;
    if (extra->has_port && extra->port != port)
        return false;
    return is_same_host(authority->host, name.data[0] == '[' ? without_brackets(name) : name);
}

bool authority_is_served(const struct authority *authority, const struct authority_rules *rules,
                         struct slice local_address)
{
    unsigned port = authority->has_port ? authority->port : HTTP_DEFAULT_PORT;
    struct slice host = authority->host;
    if (port == rules->port &&
        (is_same_host(host, SLICE("localhost")) || is_same_host(host, SLICE("127.0.0.1")) ||
         is_same_host(host, SLICE("::1")) || is_same_host(host, rules->configured_host) ||
         is_same_host(host, local_address)))
        return true;
    for (size_t i = 0; i < rules->extra_count; i++)
        if (is_extra(authority, port, &rules->extra[i]))
            return true;
    return false;
}
