#include "server/peer_counts.h"

#include "pool/sync.h"

#include <arpa/inet.h>
#include <assert.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#define BUCKETS 4096 /* a power of two */

struct entry {
    struct peer peer;
    size_t connections;
    struct entry *next;
};

struct peer_counts {
    /* Constant after create. */
    size_t limit;
    uint64_t secret; /* so that nobody outside knows which peers share a bucket */

    pthread_mutex_t lock;
    struct entry *buckets[BUCKETS]; /* guarded by lock; each entry has a connection at least */
};

struct peer peer_of(const struct sockaddr_storage *address)
{
    struct peer peer = {0};
    if (address->ss_family == AF_INET) {
        peer.host = ((const struct sockaddr_in *)address)->sin_addr.s_addr;
    } else if (address->ss_family == AF_INET6) {
        const struct in6_addr *six = &((const struct sockaddr_in6 *)address)->sin6_addr;
        uint32_t four;
        memcpy(&four, &six->s6_addr[12], sizeof(four));
        if (IN6_IS_ADDR_V4MAPPED(six))
            peer.host = four;
        else
            memcpy(&peer.network, six->s6_addr, sizeof(peer.network));
    }
    return peer;
}

struct peer_counts *peer_counts_create(size_t limit)
{
    struct peer_counts *counts = calloc(1, sizeof(*counts));
    if (!counts)
        return NULL;
    counts->limit = limit;
    (void)!getrandom(&counts->secret, sizeof(counts->secret), 0); /* so short a read cannot fail */
    errno = pthread_mutex_init(&counts->lock, NULL);
    if (errno != 0) {
        free(counts);
        return NULL;
    }
    return counts;
}

void peer_counts_destroy(struct peer_counts *counts)
{
    if (!counts)
        return;
    for (size_t i = 0; i < BUCKETS; i++)
        assert(!counts->buckets[i]);
    sync_destroy(&counts->lock);
    free(counts);
}

/* Mixes as splitmix64 does: every bit of the peer reaches every bit of the result. */
static uint64_t mix(uint64_t bits)
{
    bits = (bits ^ (bits >> 30)) * 0xbf58476d1ce4e5b9;
    bits = (bits ^ (bits >> 27)) * 0x94d049bb133111eb;
    return bits ^ (bits >> 31);
}

/* Where the peer's entry is linked, or would be. */
static struct entry **find_locked(struct peer_counts *counts, struct peer peer)
{
    uint64_t hash = mix(mix(peer.network ^ counts->secret) ^ peer.host);
    struct entry **link = &counts->buckets[hash % BUCKETS];
    while (*link && ((*link)->peer.network != peer.network || (*link)->peer.host != peer.host))
        link = &(*link)->next;
    return link;
}

bool peer_counts_add(struct peer_counts *counts, struct peer peer)
{
    bool added = false;
    sync_lock(&counts->lock);
    struct entry **link = find_locked(counts, peer);
    if (!*link) {
        *link = calloc(1, sizeof(**link));
        if (*link)
            (*link)->peer = peer;
    }
    if (*link && (*link)->connections < counts->limit) {
        (*link)->connections++;
        added = true;
    }
    sync_unlock(&counts->lock);
    return added;
}

void peer_counts_remove(struct peer_counts *counts, struct peer peer)
{
    sync_lock(&counts->lock);
    struct entry **link = find_locked(counts, peer);
    struct entry *entry = *link;
    assert(entry && entry->connections > 0);
    if (--entry->connections == 0) {
        *link = entry->next;
        free(entry);
    }
    sync_unlock(&counts->lock);
}
