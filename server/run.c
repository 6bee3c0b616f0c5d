#include "server/run.h"

#include "pool/clock.h"
#include "server/banner.h"
#include "server/descriptors.h"
#include "server/listen_socket.h"
#include "server/listener.h"
#include "server/log/error_log.h"
#include "server/snapshot.h"
#include "server/stores.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* How often a drain looks whether the last connection has closed. */
#define DRAIN_LOOK_MS 10

struct parts {
    struct config *config; /* the site's, once there is one */
    int socket;            /* -1 once the listener owns it */
    struct site *site;
    struct access_log *access_log;
    struct server *server;
    struct listener *listener;
};

/* --- start --------------------------------------------------------------------------------- */

static int fail(const char *what, const char *name)
{
    error_log_errno(LOG_ERROR, errno, NULL, "cannot %s %s", what, name);
    return -1;
}

static int open_socket(struct parts *parts)
{
    const struct config *config = parts->config;
    parts->socket = listen_socket_open(config->listen.host, (uint16_t)config->listen.port,
                                       (int)config->listen.backlog);
    if (parts->socket >= 0)
        return 0;
    error_log_errno(LOG_ERROR, errno, NULL, "cannot listen on %s port %lld%s", config->listen.host,
                    (long long)config->listen.port,
                    errno == EACCES ? " (ports below 1024 need a privilege)" : "");
    return -1;
}

/* Each line that was written about what is wrong, for the operator. */
static void log_lines(char *lines)
{
    char *rest = lines;
    for (char *line; (line = strtok_r(rest, "\n", &rest)) != NULL;)
        error_log(LOG_ERROR, NULL, "%s", line);
}

/* Opens what the configuration names, which the site owns from then on. */
static struct site *open_site(struct config *config, uint16_t port, FILE *errors)
{
    struct stores *stores = stores_open(config, errors);
    if (!stores)
        return NULL;
    struct site *site = site_open(config, port, stores, errors);
    stores_release(stores); /* the site holds them */
    return site;
}

static int make_site(struct parts *parts)
{
    char *lines = NULL;
    size_t size;
    FILE *errors = open_memstream(&lines, &size);
    if (!errors)
        return fail("make", "the site");
    parts->site = open_site(parts->config, listen_socket_port(parts->socket), errors);
    if (fclose(errors) == 0 && !parts->site)
        log_lines(lines);
    free(lines);
    return parts->site ? 0 : -1;
}

static int open_access_log(struct parts *parts)
{
    const struct config *config = parts->config;
    parts->access_log = access_log_open(config->log.access, (unsigned)config->pool.workers);
    return parts->access_log ? 0 : fail("open the access log", config->log.access);
}

static int start_threads(struct parts *parts)
{
    uint16_t port = listen_socket_port(parts->socket);
    parts->server = server_create(parts->site, parts->access_log);
    if (!parts->server)
        return fail("make", "the server");
    atomic_store(&parts->server->connections_max, descriptors_reserve(parts->config));
    parts->listener = listener_create(parts->server, parts->socket);
    if (!parts->listener)
        return fail("make", "the listener");
    parts->socket = -1;
    if (pool_start(parts->server->pool) != 0)
        return fail("start", "the workers");
    if (listener_start(parts->listener) != 0)
        return fail("start", "the listener");
    banner_print(parts->config, port, stderr);
    return 0;
}

/* All signals that the server answers are blocked, in each thread, and taken by wait_for(). */
static sigset_t block_signals(void)
{
    static const int handled[] = {SIGTERM, SIGINT, SIGQUIT, SIGHUP, SIGUSR2};
    sigset_t signals;
    (void)sigemptyset(&signals);
    for (size_t i = 0; i < sizeof(handled) / sizeof(handled[0]); i++)
        (void)sigaddset(&signals, handled[i]);
    int error = pthread_sigmask(SIG_BLOCK, &signals, NULL);
    if (error != 0)
        error_log_errno(LOG_ERROR, error, NULL, "cannot block signals");
    (void)signal(SIGPIPE, SIG_IGN); /* a log may be a pipe whose reader has gone */
    (void)signal(SIGUSR1, SIG_IGN); /* sent by habit, to reopen logs; it must not end the server */
    (void)signal(SIGXFSZ, SIG_IGN); /* a file that grows too large is an error, not the end */
    return signals;
}

/* --- run and stop -------------------------------------------------------------------------- */

/* Waits for a signal that ends the server, for `ms` at most (negative: without end), and makes
 * snapshots meanwhile. Returns the signal, or 0 when the time has passed.
 */
static int wait_for(const sigset_t *signals, struct server *server, int64_t ms)
{
    struct timespec time = {.tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000};
    for (;;) {
        int signal_number =
            ms < 0 ? sigwaitinfo(signals, NULL) : sigtimedwait(signals, NULL, &time);
        if (signal_number == SIGUSR2) {
            snapshot_log(server);
            continue;
        }
        if (signal_number > 0)
            return signal_number;
        if (errno != EINTR)
            return 0;
    }
}

/* Lets the requests under way end. Returns when they have, when the time is up, or when a second
 * signal says that it shall be now.
 */
static void drain(struct parts *parts, const sigset_t *signals)
{
    struct server *server = parts->server;
    int64_t deadline_ms = clock_now_ms() + parts->config->limits.drain_timeout * 1000;
    listener_stop(parts->listener);
    server_drain(server);
    while (atomic_load(&server->connections) > 0) {
        if (clock_now_ms() >= deadline_ms)
            error_log(LOG_WARN, NULL, "the time for draining is over");
        else if (wait_for(signals, server, DRAIN_LOOK_MS) == 0)
            continue;
        error_log(LOG_WARN, NULL, "stopped with %zu connections open",
                  atomic_load(&server->connections));
        return;
    }
}

static void release(struct parts *parts)
{
    if (parts->listener)
        listener_stop(parts->listener);
    if (parts->server)
        pool_stop(parts->server->pool);
    server_destroy(parts->server);
    listener_destroy(parts->listener);
    access_log_close(parts->access_log);
    if (parts->site)
        site_release(parts->site);
    else
        config_free(parts->config);
    if (parts->socket >= 0)
        (void)close(parts->socket); /* nothing has been sent over it */
}

int run_server(struct config *config)
{
    struct parts parts = {.config = config, .socket = -1};
    enum log_level level = LOG_INFO;
    (void)error_log_level_parse(config->log.level, &level); /* has been checked */
    if (error_log_open(config->log.error, level) != 0) {
        (void)fail("open the error log", config->log.error);
        config_free(config);
        return EXIT_FAILURE;
    }
    sigset_t signals = block_signals();

    bool started = open_socket(&parts) == 0 && make_site(&parts) == 0 &&
                   open_access_log(&parts) == 0 && start_threads(&parts) == 0;
    if (started) {
        int signal_number = wait_for(&signals, parts.server, -1);
        error_log(LOG_INFO, NULL, "signal %d: finishing what is under way", signal_number);
        drain(&parts, &signals);
    }
    release(&parts);
    error_log_close();
    return started ? EXIT_SUCCESS : EXIT_FAILURE;
}
