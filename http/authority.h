/* Host and port: the Host field and the authority of an absolute-form target
 * (RFC 9110 sections 4.2 and 7.2, RFC 3986 section 3.2), and which of them are served.
 *
 * Only names that the server is known by are served. That is the defence against DNS rebinding:
 * a page of a foreign site cannot reach a server on localhost or in the LAN under its own name.
 */
#ifndef TARN_HTTP_AUTHORITY_H
#define TARN_HTTP_AUTHORITY_H

#include "http/slice.h"

struct authority {
    struct slice host; /* never empty; an IPv6 address with its brackets */
    bool has_port;     /* false also for an empty port, "localhost:" */
    uint16_t port;
};

/* Parses `host [":" port]`. Returns 0, or -1 (a 400) on wrong syntax, an empty host, user
 * information, or a port above 65535, *out untouched. The host's slice points into `text`.
 */
int authority_parse(struct slice text, struct authority *out);

/* What is served. All slices are borrowed. */
struct authority_rules {
    struct slice configured_host;  /* as configured; an IPv6 address without brackets */
    uint16_t port;                 /* the listening port */
    const struct authority *extra; /* the `hosts` entries, parsed */
    size_t extra_count;
};

/* Whether the authority is one of: localhost, 127.0.0.1, [::1], the configured host, the local
 * address of this connection, each with the listening port (or none if that is 80); or an entry
 * of `extra`: with its port, or with any port if it has none. Names are compared without case.
 * `local_address` is the connection's local address as text (no brackets, an IPv4-mapped address
 * as IPv4), empty if unknown.
 */
bool authority_is_served(const struct authority *authority, const struct authority_rules *rules,
                         struct slice local_address);

#endif
