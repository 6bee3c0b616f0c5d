#include "server/run.h"

#include "server/banner.h"
#include "server/control/control.h"
#include "server/control/inheritance.h"
#include "server/control/launch.h"
#include "server/control/message.h"
#include "server/control/notify.h"
#include "server/control/output.h"
#include "server/control/pid_file.h"
#include "server/control/terminal.h"
#include "server/descriptors.h"
#include "server/listen_socket.h"
#include "server/listener.h"
#include "server/log/error_log.h"
#include "server/loop.h"
#include "server/stores.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct parts {
    const struct run_options *options;
    struct inheritance inheritance;
    struct config *config; /* the site's, once there is one */
    int signals;
    int socket; /* -1 once the listener owns it */
    uint16_t port;
    struct site *site; /* the server's, once there is one */
    struct access_log *access_log;
    struct server *server;
    struct listener *listener;
    struct control control;
    bool is_controlled;
    char *output; /* of output_file(); NULL: not in the background */
    bool has_terminal;
};

/* --- start --------------------------------------------------------------------------------- */

static int fail(const char *what, const char *name)
{
    error_log_errno(LOG_ERROR, errno, NULL, "cannot %s %s", what, name);
    return -1;
}

static bool is_standard(const char *where)
{
    return strcmp(where, "-") == 0 || strcmp(where, "stderr") == 0;
}

/* In the background the standard output is a file, which can be opened again by its path. */
static const char *sink_of(const struct parts *parts, const char *where)
{
    return is_standard(where) && parts->output ? parts->output : where;
}

static int open_error_log(struct parts *parts)
{
    const struct config *config = parts->config;
    const char *where = sink_of(parts, config->log.error);
    enum log_level level = LOG_INFO;
    (void)error_log_level_parse(config->log.level, &level); /* has been checked */
    (void)error_log_set_format(config->log.error_format);   /* likewise */
    if (error_log_open(where, level) == 0)
        return 0;
    return fail("open the error log", where);
}

static int open_signals(struct parts *parts)
{
    parts->signals = loop_open_signals();
    return parts->signals >= 0 ? 0 : fail("take", "signals");
}

/* A socket that is handed over is taken: from a service manager whatever it is, from a predecessor
 * if it listens where the configuration says.
 */
static bool wants_inherited(const struct parts *parts)
{
    const struct config *config = parts->config;
    return parts->inheritance.socket >= 0 &&
           (parts->inheritance.is_from_manager ||
            listen_socket_is_at(parts->inheritance.socket, config->listen.host,
                                (uint16_t)config->listen.port));
}

static const char *explain_failed_listen(const struct parts *parts, int error)
{
    if (error == EACCES)
        return " (ports below 1024 need a privilege)";
    if (error == EADDRINUSE && parts->inheritance.socket >= 0 &&
        listen_socket_port(parts->inheritance.socket) == parts->config->listen.port)
        return " (a restart cannot go to another address of the same port: stop and start it)";
    return "";
}

static int open_socket(struct parts *parts)
{
    const struct config *config = parts->config;
    if (wants_inherited(parts)) {
        parts->socket = parts->inheritance.socket;
        parts->inheritance.socket = -1;
        if (listen_socket_adopt(parts->socket) != 0)
            return fail("listen on", "the socket that was handed over");
    } else {
        parts->socket = listen_socket_open(config->listen.host, (uint16_t)config->listen.port,
                                           (int)config->listen.backlog);
    }
    if (parts->socket >= 0) {
        parts->port = listen_socket_port(parts->socket);
        if (parts->inheritance.socket >= 0)
            (void)close(parts->inheritance.socket); /* nobody would accept from it */
        parts->inheritance.socket = -1;
        return 0;
    }
    error_log_errno(LOG_ERROR, errno, NULL, "cannot listen on %s port %lld%s", config->listen.host,
                    (long long)config->listen.port, explain_failed_listen(parts, errno));
    return -1;
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
    parts->site = open_site(parts->config, parts->port, errors);
    if (fclose(errors) == 0 && !parts->site)
        error_log_lines(LOG_ERROR, lines);
    free(lines);
    return parts->site ? 0 : -1;
}

static int open_access_log(struct parts *parts)
{
    const struct config *config = parts->config;
    const char *where = sink_of(parts, config->log.access);
    parts->access_log = access_log_open(where, config->log.format, (unsigned)config->pool.workers);
    return parts->access_log ? 0 : fail("open the access log", where);
}

static bool is_loopback(const char *host)
{
    return strncmp(host, "127.", 4) == 0 || strcmp(host, "::1") == 0 ||
           strcmp(host, "localhost") == 0;
}

static void warn_of_open_writing(const struct config *config)
{
    if (config->auth.tokens_file[0] == '\0' && !is_loopback(config->listen.host))
        error_log(LOG_WARN, NULL, "whoever reaches %s may write to %s: auth.tokens_file is not set",
                  config->listen.host,
                  config->files.writable ? "/upload, /form and /files" : "/upload and /form");
}

/* The server holds the site, and exchanges it when the configuration is reloaded. */
static int make_server(struct parts *parts)
{
    parts->server = server_create(parts->site, parts->access_log);
    if (!parts->server)
        return fail("make", "the server");
    atomic_store(&parts->server->connections_max, descriptors_reserve(parts->config));
    return 0;
}

static int make_listener(struct parts *parts)
{
    parts->listener = listener_create(parts->server, parts->socket);
    if (!parts->listener)
        return fail("make", "the listener");
    parts->socket = -1;
    return 0;
}

/* Last of all: a process that accepts connections must not fail any more. */
static int start_threads(struct parts *parts)
{
    if (pool_start(parts->server->pool) != 0)
        return fail("start", "the workers");
    if (listener_start(parts->listener) != 0)
        return fail("start", "the listener");
    return 0;
}

/* Takes the pid file and the control socket over. From here on commands reach this process. */
static int open_control(struct parts *parts)
{
    if (parts->inheritance.pid_file < 0)
        return 0; /* in the foreground */
    struct control_target target = {
        .server = parts->server,
        .input = parts->options->input,
        .port = parts->port,
        .socket = listener_socket(parts->listener),
        .pid_file = parts->inheritance.pid_file,
        .arguments = parts->options->arguments,
    };
    const char *pid_file = parts->config->pid_file;
    if (!pid_file_is_at(target.pid_file, pid_file)) {
        error_log(LOG_ERROR, NULL,
                  "the pid file cannot become %s by a restart: stop the server and start it",
                  pid_file);
        return -1;
    }
    parts->is_controlled = true;
    parts->inheritance.pid_file = -1; /* the control's */
    if (control_open(&parts->control, pid_file, &target) != 0)
        return fail("take commands beside the pid file", pid_file);
    return 0;
}

/* How the operator goes on from here. */
static void print_hint(const struct parts *parts, FILE *out)
{
    if (parts->output)
        (void)fprintf(out, "process %d, output in %s\n", (int)getpid(), parts->output);
    else if (parts->is_controlled)
        (void)fputs("status, reload, restart or quit can be typed here\n", out);
    else if (isatty(STDERR_FILENO))
        (void)fputs("Ctrl-C stops it\n", out);
}

/* Tells whoever has started it, or else the terminal. */
static void tell_starter(struct parts *parts)
{
    char *text = NULL;
    size_t size;
    FILE *out = open_memstream(&text, &size);
    if (out) {
        banner_print(parts->config, parts->port, out);
        print_hint(parts, out);
        if (fclose(out) != 0) {
            free(text);
            text = NULL;
        }
    }
    if (parts->inheritance.ready < 0 || parts->output) {
        if (text)
            (void)fputs(text, stderr);
        else
            banner_print(parts->config, parts->port, stderr); /* in pieces, which takes no memory */
    }
    if (parts->inheritance.ready >= 0)
        launch_tell_ready(parts->inheritance.ready, text ? text : "started\n");
    parts->inheritance.ready = -1;
    free(text);
}

/* It serves: the process that it replaces may end, and whoever has started it is told. */
static void tell_ready(struct parts *parts)
{
    error_log_tell(-1, false);
    if (parts->inheritance.predecessor >= 0)
        (void)message_send(parts->inheritance.predecessor, MESSAGE_RETIRE, strlen(MESSAGE_RETIRE),
                           NULL, 0); /* or it has ended by itself */
    notify_manager("READY=1");
    tell_starter(parts);
    warn_of_open_writing(parts->config);
}

static bool start(struct parts *parts)
{
    /* A console prints where the log does. */
    bool only = !parts->output && is_standard(parts->config->log.error);
    error_log_tell(parts->inheritance.ready, only);
    return open_error_log(parts) == 0 && open_signals(parts) == 0 && open_socket(parts) == 0 &&
           make_site(parts) == 0 && open_access_log(parts) == 0 && make_server(parts) == 0 &&
           make_listener(parts) == 0 && open_control(parts) == 0 && start_threads(parts) == 0;
}

/* --- run and stop -------------------------------------------------------------------------- */

static void run(struct parts *parts)
{
    struct loop loop = {
        .server = parts->server,
        .listener = parts->listener,
        .input = parts->options->input,
        .output = parts->output,
        .port = parts->port,
        .signals = parts->signals,
        .control = parts->is_controlled ? &parts->control : NULL,
        .has_terminal = parts->has_terminal,
        .predecessor = parts->inheritance.predecessor,
    };
    tell_ready(parts);
    parts->inheritance.predecessor = -1; /* the loop's */
    site_release(parts->site);           /* the server may exchange it now */
    parts->site = NULL;
    parts->config = NULL;
    loop_run(&loop);
}

/* What a background server leaves behind goes while it still has the lock, unless a successor has
 * it already.
 */
static void remove_traces(const struct control *control, const char *pid_file)
{
    if (!pid_file_names(control->target.pid_file, getpid()))
        return;
    (void)unlink(control->path); /* one that is left behind does no harm */
    pid_file_remove(pid_file);
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
    if (parts->signals >= 0)
        (void)close(parts->signals); /* only read from */
}

int run_server(struct config *config, const struct run_options *options)
{
    struct parts parts = {
        .options = options,
        .inheritance = options->inheritance,
        .config = config,
        .signals = -1,
        .socket = -1,
        .has_terminal = terminal_can_hang_up(), /* until now its loss would end the process */
    };
    char *pid_file = strdup(config->pid_file);
    if (parts.inheritance.ready >= 0)
        parts.output = output_file(config->pid_file);
    if (!pid_file)
        (void)fail("remember", config->pid_file);
    bool started = pid_file && start(&parts);
    if (started)
        run(&parts);
    release(&parts);
    if (parts.is_controlled) {
        if (started)
            remove_traces(&parts.control, pid_file);
        control_close(&parts.control);
    }
    error_log_tell(-1, false);
    inheritance_close(&parts.inheritance);
    error_log_close();
    free(parts.output);
    free(pid_file);
    return started ? EXIT_SUCCESS : EXIT_FAILURE;
}
