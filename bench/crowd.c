/* A crowd of clients that are idle or slow, beside which others are measured.
 *
 *     crowd PORT idle COUNT PATH           each asks for PATH once and stays
 *     crowd PORT readers COUNT PATH RATE   each asks for PATH and reads RATE bytes a second
 *     crowd PORT senders COUNT PATH RATE   each posts a JSON document, RATE bytes a second
 *
 * Prints `ready` when all of them are connected (and the idle ones answered), stays until its
 * standard input ends, and then prints how many the server has refused, closed or answered early.
 * The slow ones take their turns one after the other, not all at once, so that the crowd is a
 * steady murmur and no drum.
 */
#include <errno.h>
#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "bench/client.h"

#define TURN_NS            200000000U /* each slow client moves five times a second */
#define SLICES_A_TURN      20U
#define WINDOW_BYTES       16384 /* of a slow reader; more would hide it from the server */
#define RESPONSE_BYTES_MAX 65536
#define DOCUMENT_BYTES     1000000 /* long enough that no slow sender comes to its end */

enum kind { IDLE, READERS, SENDERS };

struct crowd {
    enum kind kind;
    uint16_t port;
    const char *path;
    size_t count;
    size_t bytes_a_turn;
    int *fds; /* of `count` connections */
    bool *lost;
};

static void ask(const struct crowd *crowd, int fd)
{
    char request[512];
    const int len =
        crowd->kind == SENDERS
            ? snprintf(request, sizeof request,
                       "POST %s HTTP/1.1\r\nHost: 127.0.0.1:%u\r\nContent-Length: %d\r\n"
                       "Content-Type: application/json\r\n\r\n\"",
                       crowd->path, (unsigned)crowd->port, DOCUMENT_BYTES)
            : snprintf(request, sizeof request, "GET %s HTTP/1.1\r\nHost: 127.0.0.1:%u\r\n\r\n",
                       crowd->path, (unsigned)crowd->port);
    if (send(fd, request, (size_t)len, MSG_NOSIGNAL) != len)
        client_fail("send");
}

/* Length of the whole answer that begins in `bytes`, 0 if its head is not complete. */
static size_t response_len(const char *bytes)
{
    const char *end = strstr(bytes, "\r\n\r\n");
    const char *field = strcasestr(bytes, "\r\nContent-Length: ");
    if (!end || !field || field > end)
        return 0;
    return (size_t)(end + 4 - bytes) + strtoul(field + 18, NULL, 10);
}

/* Reads one answer whole; true if it is a 200. */
static bool is_answered(int fd)
{
    char bytes[RESPONSE_BYTES_MAX];
    size_t len = 0;
    size_t wanted = 0;
    do {
        const ssize_t received = recv(fd, bytes + len, sizeof bytes - 1 - len, 0);
        if (received <= 0)
            return false;
        len += (size_t)received;
        bytes[len] = '\0';
        wanted = response_len(bytes);
    } while (!wanted || len < wanted);
    return strncmp(bytes, "HTTP/1.1 200 ", 13) == 0;
}

static void gather(struct crowd *crowd)
{
    for (size_t i = 0; i < crowd->count; i++) {
        crowd->fds[i] = client_connect(crowd->port, 0, crowd->kind == READERS ? WINDOW_BYTES : 0);
        ask(crowd, crowd->fds[i]);
        crowd->lost[i] = crowd->kind == IDLE && !is_answered(crowd->fds[i]);
    }
}

/* True while the connection is as it should be: readers get bytes, nobody else is answered. */
static bool is_well(const struct crowd *crowd, int fd)
{
    char bytes[RESPONSE_BYTES_MAX];
    const size_t most = crowd->kind == READERS ? crowd->bytes_a_turn : 1;
    const ssize_t received = recv(fd, bytes, most, MSG_DONTWAIT);
    if (received < 0)
        return errno == EAGAIN;
    return received > 0 && crowd->kind == READERS;
}

static void take_turn(struct crowd *crowd, size_t i)
{
    static char document[RESPONSE_BYTES_MAX];
    if (crowd->lost[i])
        return;
    if (!document[0])
        memset(document, 'x', sizeof document);
    crowd->lost[i] = !is_well(crowd, crowd->fds[i]);
    if (crowd->kind == SENDERS && !crowd->lost[i])
        crowd->lost[i] =
            send(crowd->fds[i], document, crowd->bytes_a_turn, MSG_DONTWAIT | MSG_NOSIGNAL) < 0 &&
            errno != EAGAIN;
}

/* Waits for that time; true if standard input has ended. */
static bool is_over(uint64_t wait_ns)
{
    struct pollfd input = {.fd = 0, .events = POLLIN};
    return poll(&input, 1, (int)(wait_ns / 1000000)) != 0;
}

static void stay(struct crowd *crowd)
{
    const size_t slice = crowd->count / SLICES_A_TURN + 1;
    size_t next = 0;
    while (!is_over(TURN_NS / SLICES_A_TURN)) {
        for (size_t i = 0; i < slice && crowd->kind != IDLE; i++) {
            take_turn(crowd, next);
            next = (next + 1) % crowd->count;
        }
    }
}

static size_t count_lost(const struct crowd *crowd)
{
    size_t lost = 0;
    for (size_t i = 0; i < crowd->count; i++)
        lost += crowd->lost[i] || !is_well(crowd, crowd->fds[i]);
    return lost;
}

static enum kind read_kind(const char *word)
{
    static const char *const words[] = {"idle", "readers", "senders"};
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
        if (strcmp(word, words[i]) == 0)
            return (enum kind)i;
    }
    fprintf(stderr, "crowd: not idle, readers or senders: %s\n", word);
    exit(2);
}

int main(int argc, char **argv)
{
    if (argc != 5 && argc != 6) {
        fputs("usage: crowd PORT idle|readers|senders COUNT PATH [RATE]\n", stderr);
        return 2;
    }
    struct crowd crowd = {.kind = read_kind(argv[2]),
                          .port = (uint16_t)client_number(argv[1], UINT16_MAX),
                          .path = argv[4],
                          .count = client_number(argv[3], 1000000)};
    if (argc == 6)
        crowd.bytes_a_turn = client_number(argv[5], RESPONSE_BYTES_MAX * 5) / 5;
    crowd.fds = calloc(crowd.count + 1, sizeof *crowd.fds);
    crowd.lost = calloc(crowd.count + 1, sizeof *crowd.lost);
    if (!crowd.fds || !crowd.lost || !crowd.count)
        client_fail("crowd");
    client_raise_descriptors();
    gather(&crowd);
    puts("ready");
    (void)fflush(stdout); /* who reads it waits for it, and would see its end */
    stay(&crowd);
    printf("%zu\n", count_lost(&crowd));
    free(crowd.fds);
    free(crowd.lost);
    return 0;
}
