/* How many connections each peer has open, so that no single one can take them all.
 *
 * A peer is an IPv4 address, or the /64 network of an IPv6 address: a host can choose the other
 * half of that at will. Any thread may call; no call waits for more than a short lock.
 */
#ifndef TARN_SERVER_PEER_COUNTS_H
#define TARN_SERVER_PEER_COUNTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

struct peer_counts;

/* Who is counted as one. */
struct peer {
    uint64_t network; /* the upper half of the IPv6 address, or 0 */
    uint64_t host;    /* the IPv4 address, or 0 */
};

struct peer peer_of(const struct sockaddr_storage *address);

/* `limit` is how many connections a peer may have; at least 1. Returns NULL with errno. */
struct peer_counts *peer_counts_create(size_t limit);

/* NULL is allowed. */
void peer_counts_destroy(struct peer_counts *counts);

/* Counts one more connection. Returns false, nothing counted, if the peer has as many as it may,
 * or without memory.
 */
bool peer_counts_add(struct peer_counts *counts, struct peer peer);

/* Counts one less, that peer_counts_add() has counted. */
void peer_counts_remove(struct peer_counts *counts, struct peer peer);

#endif
