/* server/peer_counts: connections of one peer. */
#include "server/peer_counts.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>

#include <cmocka.h>

static struct peer peer(const char *text)
{
    struct sockaddr_storage address = {0};
    struct sockaddr_in *four = (struct sockaddr_in *)&address;
    struct sockaddr_in6 *six = (struct sockaddr_in6 *)&address;
    if (inet_pton(AF_INET, text, &four->sin_addr) == 1) {
        address.ss_family = AF_INET;
    } else {
        assert_int_equal(inet_pton(AF_INET6, text, &six->sin6_addr), 1);
        address.ss_family = AF_INET6;
    }
    return peer_of(&address);
}

static bool is_one_peer(const char *a, const char *b)
{
    struct peer first = peer(a);
    struct peer second = peer(b);
    return first.network == second.network && first.host == second.host;
}

static void peer_of_addresses_is_address_or_network(void **state)
{
    (void)state;
    assert_true(is_one_peer("192.0.2.1", "192.0.2.1"));
    assert_false(is_one_peer("192.0.2.1", "192.0.2.2"));
    assert_true(is_one_peer("192.0.2.1", "::ffff:192.0.2.1"));
    assert_true(is_one_peer("2001:db8:1:2::1", "2001:db8:1:2:ffff:ffff:ffff:ffff"));
    assert_false(is_one_peer("2001:db8:1:2::1", "2001:db8:1:3::1"));
    assert_false(is_one_peer("2001:db8:1:2::1", "192.0.2.1"));
}

static void add_counts_up_to_the_limit(void **state)
{
    (void)state;
    struct peer_counts *counts = peer_counts_create(2);
    assert_non_null(counts);
    assert_true(peer_counts_add(counts, peer("192.0.2.1")));
    assert_true(peer_counts_add(counts, peer("192.0.2.1")));
    assert_false(peer_counts_add(counts, peer("192.0.2.1")));
    assert_true(peer_counts_add(counts, peer("192.0.2.2")));

    peer_counts_remove(counts, peer("192.0.2.1"));
    assert_true(peer_counts_add(counts, peer("192.0.2.1")));
    assert_false(peer_counts_add(counts, peer("192.0.2.1")));

    peer_counts_remove(counts, peer("192.0.2.1"));
    peer_counts_remove(counts, peer("192.0.2.1"));
    peer_counts_remove(counts, peer("192.0.2.2"));
    peer_counts_destroy(counts); /* asserts that nothing is left */
}

static void many_peers_share_buckets_and_are_told_apart(void **state)
{
    (void)state;
    enum { PEERS = 20000 };
    struct peer_counts *counts = peer_counts_create(1);
    for (uint64_t i = 1; i <= PEERS; i++)
        assert_true(peer_counts_add(counts, (struct peer){.host = i}));
    for (uint64_t i = 1; i <= PEERS; i++)
        assert_false(peer_counts_add(counts, (struct peer){.host = i}));
    for (uint64_t i = PEERS; i >= 1; i--)
        peer_counts_remove(counts, (struct peer){.host = i});
    peer_counts_destroy(counts);
}

static void destroy_takes_null(void **state)
{
    (void)state;
    peer_counts_destroy(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(peer_of_addresses_is_address_or_network),
        cmocka_unit_test(add_counts_up_to_the_limit),
        cmocka_unit_test(many_peers_share_buckets_and_are_told_apart),
        cmocka_unit_test(destroy_takes_null),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
