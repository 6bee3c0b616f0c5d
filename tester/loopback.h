/* Whether a target is this very machine: the tester sends to no other one without being told to.
 * Pure; any thread.
 */
#ifndef TARN_TESTER_LOOPBACK_H
#define TARN_TESTER_LOOPBACK_H

#include <stdbool.h>
#include <sys/socket.h>

/* Whether the address is in 127.0.0.0/8 (also mapped to IPv6) or ::1. */
bool loopback_is_address(const struct sockaddr *address);

/* Whether a URL's host, as libcurl's parser gives it (numbers in their usual form, an IPv6 address
 * in brackets), is such an address or "localhost". No other name is, whatever it resolves to.
 */
bool loopback_is_host(const char *host);

#endif
