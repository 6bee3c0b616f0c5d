#include "server/run.h"

#include "pool/clock.h"
#include "server/banner.h"
#include "server/handlers/contained.h"
#include "server/listen_socket.h"
#include "server/listener.h"
#include "server/log/error_log.h"
#include "server/snapshot.h"
#include "server/store/store.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

/* Descriptors beside those of connections and workers: logs, root, store, epoll, refused ones. */
#define DESCRIPTORS_MORE 32

/* How often a drain looks whether the last connection has closed. */
#define DRAIN_LOOK_MS 10

struct parts {
    const struct config *config;
    int root;
    int socket; /* -1 once the listener owns it */
    struct store *store;
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

/* Raises the limit of descriptors to what the configuration needs: a socket and a file for each
 * connection. Returns how many connections there may be if that is not allowed: some descriptors
 * are kept for the files that they ask for.
 */
static size_t raise_descriptor_limit(const struct config *config)
{
    size_t connections = (size_t)config->limits.connections;
    rlim_t others = (rlim_t)config->pool.workers * 2 + DESCRIPTORS_MORE;
    rlim_t wanted = (rlim_t)connections * 2 + others;
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur >= wanted)
        return connections;
    limit.rlim_cur = limit.rlim_max < wanted ? limit.rlim_max : wanted;
    if (setrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_cur >= wanted)
        return connections;
    rlim_t most = limit.rlim_cur > 2 * others ? limit.rlim_cur - others : limit.rlim_cur / 2;
    error_log(LOG_WARN, NULL,
              "only %llu descriptors are allowed, %lld connections may need %llu (ulimit -n)",
              (unsigned long long)limit.rlim_cur, (long long)connections,
              (unsigned long long)wanted);
    return most < connections ? (size_t)most : connections;
}

static int open_root(struct parts *parts)
{
    parts->root = open(parts->config->root, O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (parts->root < 0)
        return fail("open the document root", parts->config->root);
    int probe = contained_open(parts->root, "."); /* some sandboxes do not let openat2(2) through */
    if (probe < 0)
        return fail("open files below (openat2) the document root", parts->config->root);
    (void)close(probe); /* only opened to see that it can be */
    return 0;
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

static int open_store(struct parts *parts)
{
    const struct config *config = parts->config;
    parts->store = store_open(&(struct store_options){
        .directory = config->uploads.directory,
        .durability =
            strcmp(config->uploads.durability, "none") == 0 ? STORE_UNSYNCED : STORE_DURABLE,
        .min_free_bytes = (uint64_t)config->uploads.min_free_bytes,
    });
    return parts->store ? 0 : fail("open the folder for uploads", config->uploads.directory);
}

static int open_access_log(struct parts *parts)
{
    const struct config *config = parts->config;
    parts->access_log = access_log_open(config->log.access, (unsigned)config->pool.workers);
    return parts->access_log ? 0 : fail("open the access log", config->log.access);
}

static int start_threads(struct parts *parts)
{
    size_t connections_max = raise_descriptor_limit(parts->config);
    uint16_t port = listen_socket_port(parts->socket);
    parts->server =
        server_create(parts->config, port, parts->root, parts->store, parts->access_log);
    if (!parts->server)
        return fail("make", "the server");
    parts->server->connections_max = connections_max;
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
    store_close(parts->store);
    if (parts->socket >= 0)
        (void)close(parts->socket); /* neither has anything to be lost */
    if (parts->root >= 0)
        (void)close(parts->root);
}

int run_server(const struct config *config)
{
    struct parts parts = {.config = config, .root = -1, .socket = -1};
    enum log_level level = LOG_INFO;
    (void)error_log_level_parse(config->log.level, &level); /* has been checked */
    if (error_log_open(config->log.error, level) != 0) {
        (void)fail("open the error log", config->log.error);
        return EXIT_FAILURE;
    }
    sigset_t signals = block_signals();

    bool started = open_root(&parts) == 0 && open_socket(&parts) == 0 && open_store(&parts) == 0 &&
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
