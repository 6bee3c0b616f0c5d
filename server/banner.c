#include "server/banner.h"

#include "server/session.h"

#include <ifaddrs.h>
#include <net/if.h>
#include <string.h>

static void print_url(FILE *out, const char *host, uint16_t port)
{
    bool six = strchr(host, ':') != NULL;
    (void)fprintf(out, "  http://%s%s%s:%u/\n", six ? "[" : "", host, six ? "]" : "", port);
}

static bool is_any(const char *host)
{
    return strcmp(host, "0.0.0.0") == 0 || strcmp(host, "::") == 0 || strcmp(host, "*") == 0;
}

static bool is_link_local(const struct sockaddr *address)
{
    return address->sa_family == AF_INET6 &&
           IN6_IS_ADDR_LINKLOCAL(&((const struct sockaddr_in6 *)address)->sin6_addr);
}

/* One URL for each address of the machine. Link-local ones are left out: no browser takes the
 * zone that they need.
 */
static void print_all_urls(FILE *out, const char *host, uint16_t port)
{
    struct ifaddrs *addresses = NULL;
    if (getifaddrs(&addresses) != 0) {
        print_url(out, "127.0.0.1", port);
        return;
    }
    for (const struct ifaddrs *i = addresses; i; i = i->ifa_next) {
        if (!i->ifa_addr || !(i->ifa_flags & IFF_UP) || is_link_local(i->ifa_addr))
            continue;
        bool four = i->ifa_addr->sa_family == AF_INET && strcmp(host, "::") != 0;
        bool six = i->ifa_addr->sa_family == AF_INET6 && strcmp(host, "0.0.0.0") != 0;
        if (!four && !six)
            continue;
        struct sockaddr_storage address = {0};
        char text[INET6_ADDRSTRLEN];
        memcpy(&address, i->ifa_addr,
               four ? sizeof(struct sockaddr_in) : sizeof(struct sockaddr_in6));
        session_format_address(&address, text);
        print_url(out, text, port);
    }
    freeifaddrs(addresses);
}

void banner_print(const struct config *config, uint16_t port, FILE *out)
{
    (void)fprintf(out, "tarn %s serves %s with %lld workers at\n", TARN_VERSION, config->root,
                  (long long)config->pool.workers);
    if (is_any(config->listen.host))
        print_all_urls(out, config->listen.host, port);
    else
        print_url(out,
                  strcmp(config->listen.host, "localhost") == 0 ? "127.0.0.1" : config->listen.host,
                  port);
    (void)fprintf(out, "configuration: %s\n", config->file ? config->file : "built-in defaults");
    (void)fflush(out);
}
