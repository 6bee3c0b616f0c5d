#include "tester/loopback.h"

#include "http/slice.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <string.h>

static bool is_loopback_4(struct in_addr address)
{
    return ntohl(address.s_addr) >> 24 == 127;
}

static bool is_loopback_6(const struct in6_addr *address)
{
    struct in_addr mapped;
    memcpy(&mapped, &address->s6_addr[12], sizeof mapped);
    return IN6_IS_ADDR_LOOPBACK(address) ||
           (IN6_IS_ADDR_V4MAPPED(address) && is_loopback_4(mapped));
}

bool loopback_is_address(const struct sockaddr *address)
{
    struct sockaddr_in ipv4;
    struct sockaddr_in6 ipv6;
    switch (address->sa_family) {
    case AF_INET:
        memcpy(&ipv4, address, sizeof ipv4);
        return is_loopback_4(ipv4.sin_addr);
    case AF_INET6:
        memcpy(&ipv6, address, sizeof ipv6);
        return is_loopback_6(&ipv6.sin6_addr);
    default:
        return false;
    }
}

static bool is_bracketed_loopback(struct slice host)
{
    char text[INET6_ADDRSTRLEN];
    struct in6_addr address;
    if (host.len < 2 || host.len - 2 >= sizeof text || host.data[host.len - 1] != ']')
        return false;
    memcpy(text, host.data + 1, host.len - 2);
    text[host.len - 2] = '\0';
    return inet_pton(AF_INET6, text, &address) == 1 && is_loopback_6(&address);
}

bool loopback_is_host(const char *host)
{
    struct in_addr address;
    struct slice name = slice_from_string(host);
    if (host[0] == '[')
        return is_bracketed_loopback(name);
    if (inet_pton(AF_INET, host, &address) == 1)
        return is_loopback_4(address);
    return slice_equal_nocase(name, SLICE("localhost"));
}
