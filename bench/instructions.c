/* Replays requests through the server without sockets, so that instructions can be counted.
 *
 *     instructions FOLDER COUNT [CASE]
 *
 * What a worker does with a connection is all here, from the received bytes to the line of the
 * access log; the socket is memory, and the pool's threads do not run. Makes its files in FOLDER.
 * For each case it calls replay() with COUNT requests and with twice as many, and prints a line
 * `NAME REQUESTS` for each call. script/instructions runs it under callgrind.
 */
#include "bench/client.h"
#include "pool/clock.h"
#include "server/server.h"
#include "server/session.h"
#include "server/stores.h"
#include "server/worker.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* The first requests fill the cache and allocate what stays. */
#define WARM_UP_COUNT 10

/* The cache takes in a file that has been unchanged for some seconds. */
#define SETTLING_S     4

#define COUNT_MAX      1000000
#define DOCUMENT_BYTES 2048

#define CONFIG                                                                                     \
    "root = \".\"; uploads = { directory = \"uploads\"; durability = \"none\"; };\n"               \
    "files = { directory = \"files\"; };\n"                                                        \
    "limits = { max_requests = 1000000000; };\n"                                                   \
    "pool = { workers = 1; };\n"

/* As wrk sends it. */
#define SMALL_HEAD "Host: 127.0.0.1:8080\r\n"

/* As a browser sends it. */
#define BROWSER_HEAD                                                                               \
    "Host: 127.0.0.1:8080\r\n"                                                                     \
    "User-Agent: Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0\r\n"       \
    "Accept: text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8\r\n"                  \
    "Accept-Language: en-US,en;q=0.5\r\n"                                                          \
    "Accept-Encoding: gzip, deflate\r\n"                                                           \
    "Referer: http://127.0.0.1:8080/\r\n"                                                          \
    "DNT: 1\r\n"                                                                                   \
    "Connection: keep-alive\r\n"                                                                   \
    "Upgrade-Insecure-Requests: 1\r\n"                                                             \
    "Sec-Fetch-Dest: document\r\n"                                                                 \
    "Sec-Fetch-Mode: navigate\r\n"                                                                 \
    "Sec-Fetch-Site: same-origin\r\n"

struct replayed {
    const char *name;
    const char *head; /* up to the empty line, which is added */
    size_t content_bytes;
    const char *status;
};

static const struct replayed cases[] = {
    {"1kib", "GET /1kib.html HTTP/1.1\r\n" SMALL_HEAD, 0, "200"},
    {"1kib-browser", "GET /1kib.html HTTP/1.1\r\n" BROWSER_HEAD, 0, "200"},
    {"10kib", "GET /10kib.html HTTP/1.1\r\n" SMALL_HEAD, 0, "200"},
    {"head", "HEAD /1kib.html HTTP/1.1\r\n" SMALL_HEAD, 0, "200"},
    {"304",
     "GET /1kib.html HTTP/1.1\r\n" BROWSER_HEAD
     "If-Modified-Since: Fri, 01 Jan 2100 00:00:00 GMT\r\n",
     0, "304"},
    {"404", "GET /nothing.html HTTP/1.1\r\n" SMALL_HEAD, 0, "404"},
    {"upload", "POST /upload HTTP/1.1\r\n" SMALL_HEAD "Content-Type: application/json\r\n",
     DOCUMENT_BYTES, "201"},
};

#define CASE_COUNT (sizeof(cases) / sizeof(cases[0]))

static struct server *server;
static struct session *session;

/* The client: says the same again and again, takes all, and keeps the beginning of an answer. */
static struct slice request;
static size_t received; /* of the request */
static char answer[16];
static size_t answer_len;

/* --- the client ---------------------------------------------------------------------------- */

static ssize_t receive(void *context, void *buffer, size_t size)
{
    size_t len = request.len - received < size ? request.len - received : size;
    (void)context;
    if (len == 0) {
        errno = EAGAIN;
        return -1;
    }
    memcpy(buffer, request.data + received, len);
    received += len;
    return (ssize_t)len;
}

static ssize_t take(void *context, const struct iovec *parts, int count, bool more)
{
    size_t len = 0;
    (void)context;
    (void)more;
    for (int i = 0; i < count; i++)
        len += parts[i].iov_len;
    if (answer_len == 0 && len >= sizeof(answer)) {
        memcpy(answer, parts[0].iov_base, sizeof(answer));
        answer_len = sizeof(answer);
    }
    return (ssize_t)len;
}

static ssize_t take_file(void *context, int file, off_t offset, size_t len)
{
    (void)context;
    (void)file;
    (void)offset;
    return (ssize_t)len;
}

static uint64_t unacknowledged(void *context)
{
    (void)context;
    return 0;
}

static void hold_more(void *context, bool more)
{
    (void)context;
    (void)more;
}

static void finish(void *context)
{
    (void)context;
}

static const struct transport client = {
    .receive = receive,
    .send = take,
    .send_file = take_file,
    .unacknowledged = unacknowledged,
    .hold_more = hold_more,
    .finish = finish,
};

/* --- the server ---------------------------------------------------------------------------- */

/* For contained_open(), by the linker's --wrap: valgrind 3.19 does not know openat2(2). What the
 * kernel does is not counted anyway.
 */
int __wrap_contained_open(int directory, const char *path);

int __wrap_contained_open(int directory, const char *path)
{
    return openat(directory, path, O_RDONLY | O_NONBLOCK | O_CLOEXEC | O_NOCTTY);
}

static void check(bool good, const char *what)
{
    if (!good)
        client_fail(what);
}

static void write_file(const char *name, size_t bytes)
{
    FILE *file = fopen(name, "w");
    check(file != NULL, name);
    for (size_t i = 0; i < bytes; i++)
        check(fputc('.', file) != EOF, name);
    check(fclose(file) == 0, name);
}

static void write_config(const char *name)
{
    FILE *file = fopen(name, "w");
    check(file != NULL, name);
    check(fputs(CONFIG, file) != EOF && fclose(file) == 0, name);
}

static struct site *open_site(void)
{
    struct config *config = NULL;
    const struct config_input input = {.file = "replay.conf"};
    check(config_load(&input, &config, stderr) == 0, "the configuration");
    struct stores *stores = stores_open(config, stderr);
    check(stores != NULL, "the stores");
    struct site *site = site_open(config, 8080, stores, stderr);
    check(site != NULL, "the site");
    stores_release(stores);
    return site;
}

static void open_server(struct access_log *log)
{
    struct site *site = open_site();
    const struct sockaddr_storage peer = {.ss_family = AF_INET};
    server = server_create(site, log);
    check(server != NULL, "the server");
    site_release(site);
    server_worker(server, 0)->socket_transport = client;
    session = session_create(-1, &peer, 30000);
    check(session != NULL && server_connection_opened(server, session->peer), "the session");
}

static void close_server(void)
{
    session_discard(&session->item, server);
    server_destroy(server);
}

/* --- requests ------------------------------------------------------------------------------ */

/* Lets the client say its request, and the worker run the connection until it waits for the next.
 */
static void exchange(void)
{
    received = 0;
    answer_len = 0;
    session->item.came_us = session->item.ready_us = clock_now_us();
    enum pool_next next = session_run(&session->item, POOL_READY, 0, server);
    if (next == POOL_BLOCK)
        next = session_run(&session->item, POOL_MAY_BLOCK, 0, server);
    check(next == POOL_PARK, "a connection that ended");
}

/* Callgrind notes what has been counted after each call: so it has to stay one. */
void replay(unsigned long count);

__attribute__((noinline)) void replay(unsigned long count)
{
    for (unsigned long i = 0; i < count; i++)
        exchange();
}

static void append_document(struct text *text, size_t bytes)
{
    text_append(text, SLICE("Content-Length: "));
    text_append_u64(text, bytes);
    text_append(text, SLICE("\r\n\r\n[\""));
    for (size_t i = 4; i < bytes; i++)
        text_append_char(text, (char)('a' + i % 26));
    text_append(text, SLICE("\"]"));
}

static void run_case(const struct replayed *replayed, unsigned long count)
{
    char buffer[DOCUMENT_BYTES + 2048];
    struct text text = text_over(buffer, sizeof(buffer));
    text_append(&text, slice_from_string(replayed->head));
    if (replayed->content_bytes > 0)
        append_document(&text, replayed->content_bytes);
    else
        text_append(&text, SLICE("\r\n"));
    check(!text.truncated, replayed->name);
    request = text_slice(&text);

    for (unsigned i = 0; i < WARM_UP_COUNT; i++)
        exchange();
    check(memcmp(answer + strlen("HTTP/1.1 "), replayed->status, 3) == 0, replayed->name);
    for (unsigned times = 1; times <= 2; times++) {
        replay(count * times);
        (void)printf("%s %lu\n", replayed->name, count * times);
    }
}

int main(int argc, char **argv)
{
    if ((argc != 3 && argc != 4) || chdir(argv[1]) != 0) {
        fputs("usage: instructions FOLDER COUNT [CASE]\n", stderr);
        return 2;
    }
    unsigned long count = client_number(argv[2], COUNT_MAX);
    write_file("1kib.html", 1024);
    write_file("10kib.html", (size_t)10 * 1024);
    write_config("replay.conf");
    (void)sleep(SETTLING_S);

    struct access_log *log = access_log_open("access.log", "combined", 1);
    check(log != NULL, "the access log");
    open_server(log);
    for (size_t i = 0; i < CASE_COUNT; i++)
        if (argc == 3 || strcmp(argv[3], cases[i].name) == 0)
            run_case(&cases[i], count);
    close_server();
    access_log_close(log);
    return 0;
}
