#include "server/loop.h"

#include "pool/clock.h"
#include "server/control/message.h"
#include "server/control/notify.h"
#include "server/control/output.h"
#include "server/control/terminal.h"
#include "server/log/error_log.h"
#include "server/reload.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <unistd.h>

/* How often a drain looks whether the last connection has closed. */
#define DRAIN_LOOK_MS 10

/* How long a process that has retired gives its last connections, once its time is over. */
#define FAREWELL_MS 1000

/* The longest sleep, so that nothing has to be computed exactly. */
#define SLEEP_MS 60000

int loop_open_signals(void)
{
    static const int handled[] = {SIGTERM, SIGINT, SIGQUIT, SIGHUP, SIGUSR1, SIGUSR2};
    sigset_t signals;
    (void)sigemptyset(&signals);
    for (size_t i = 0; i < sizeof(handled) / sizeof(handled[0]); i++)
        (void)sigaddset(&signals, handled[i]);
    errno = pthread_sigmask(SIG_BLOCK, &signals, NULL);
    if (errno != 0)
        return -1;
    (void)signal(SIGPIPE, SIG_IGN); /* a log may be a pipe whose reader has gone */
    (void)signal(SIGXFSZ, SIG_IGN); /* a file that grows too large is an error, not the end */
    return signalfd(-1, &signals, SFD_CLOEXEC | SFD_NONBLOCK);
}

/* --- phases -------------------------------------------------------------------------------- */

static int64_t drain_deadline_ms(struct server *server)
{
    struct site *site = server_site(server);
    int64_t deadline_ms = clock_now_ms() + site->config->limits.drain_timeout * 1000;
    site_release(site);
    return deadline_ms;
}

static void say(int connection, const char *word)
{
    if (connection >= 0)
        (void)message_send(connection, word, strlen(word), NULL, 0); /* or the other has ended */
}

/* A successor that has not taken over yet shall not do so, and a predecessor that still finishes
 * what it has shall not wait for its idle connections either.
 */
static void begin_draining(struct loop *loop)
{
    if (loop->phase == LOOP_SERVING) {
        loop->deadline_ms = drain_deadline_ms(loop->server);
        if (loop->control)
            control_stop_successor(loop->control);
    }
    loop->phase = LOOP_DRAINING;
    notify_manager("STOPPING=1");
    listener_stop(loop->listener);
    server_drain(loop->server);
    say(loop->predecessor, MESSAGE_STOP);
}

/* A request to stop: the first finishes what is under way, the second ends it. */
static void stop(struct loop *loop)
{
    if (loop->phase == LOOP_DRAINING) {
        error_log(LOG_WARN, NULL, "stopped with %zu connections open",
                  atomic_load(&loop->server->connections));
        loop->phase = LOOP_OVER;
        return;
    }
    begin_draining(loop);
}

static void retire(struct loop *loop)
{
    if (loop->phase != LOOP_SERVING)
        return;
    error_log(LOG_INFO, NULL, "another process has taken over: finishing what is under way");
    loop->phase = LOOP_RETIRING;
    loop->deadline_ms = drain_deadline_ms(loop->server);
    /* In this order: a connection that is accepted is served as one that parts. */
    server_retire(loop->server);
    listener_stop(loop->listener);
    control_retire(loop->control);
    say(loop->predecessor, MESSAGE_FAREWELL);
}

/* Whether another process has to end before this one: who waits for the end of this one wants to
 * know of all. One that has taken over is not waited for.
 */
static bool waits_for_others(const struct loop *loop)
{
    if (server_is_retiring(loop->server))
        return false;
    return (loop->predecessor >= 0 && !loop->predecessor_waits) ||
           (loop->control && control_has_successor(loop->control));
}

/* Looks whether the end has come. */
static void check_end(struct loop *loop)
{
    if (loop->phase != LOOP_RETIRING && loop->phase != LOOP_DRAINING)
        return;
    size_t connections = atomic_load(&loop->server->connections);
    bool is_late = clock_now_ms() >= loop->deadline_ms;
    if (!is_late && (connections > 0 || waits_for_others(loop)))
        return;
    if (connections > 0 && loop->phase == LOOP_RETIRING) {
        begin_draining(loop); /* idle ones are closed as ever, without a reset */
        loop->deadline_ms += FAREWELL_MS;
        return;
    }
    if (connections > 0)
        error_log(LOG_WARN, NULL, "the time for draining is over, %zu connections are open",
                  connections);
    loop->phase = LOOP_OVER;
}

/* --- what comes in ------------------------------------------------------------------------- */

static void reload(struct loop *loop)
{
    char *text;
    if (loop->phase != LOOP_SERVING)
        return;
    (void)reload_and_log(loop->server, loop->input, loop->port, &text); /* which is all there is */
    free(text);
}

static void reopen_logs(const struct loop *loop)
{
    if (loop->output && output_reopen(loop->output) != 0)
        error_log_errno(LOG_ERROR, errno, NULL, "the old output stays in use, cannot open %s",
                        loop->output);
    error_log_reopen();
    access_log_reopen(loop->server->access_log);
}

static void stop_for_signal(struct loop *loop, const char *what, unsigned number)
{
    if (loop->phase != LOOP_DRAINING)
        error_log(LOG_INFO, NULL, "%s %u: finishing what is under way", what, number);
    stop(loop);
}

/* HUP means a reload, but it also comes when somebody closes the window that the server runs in.
 */
static void hang_up(struct loop *loop)
{
    if (!loop->has_terminal || terminal_is_there())
        reload(loop);
    else if (loop->phase == LOOP_SERVING || loop->phase == LOOP_RETIRING)
        stop_for_signal(loop, "the terminal has gone, signal", SIGHUP);
}

static void take_signal(struct loop *loop)
{
    struct signalfd_siginfo info;
    if (read(loop->signals, &info, sizeof(info)) != (ssize_t)sizeof(info))
        return;
    switch (info.ssi_signo) {
    case SIGHUP:
        hang_up(loop);
        break;
    case SIGUSR1:
        reopen_logs(loop);
        break;
    case SIGUSR2:
        snapshot_log(loop->server);
        break;
    default:
        stop_for_signal(loop, "signal", info.ssi_signo);
        break;
    }
}

static void obey(struct loop *loop, enum control_order order)
{
    if (order == CONTROL_RETIRE) {
        retire(loop);
    } else if (order == CONTROL_STOP && loop->phase != LOOP_DRAINING) {
        error_log(LOG_INFO, NULL, "told to stop: finishing what is under way");
        stop(loop);
    }
}

/* The process that this one has replaced has said something, or has ended. */
static void hear_predecessor(struct loop *loop)
{
    struct message *message = malloc(sizeof(*message));
    int result = message ? message_receive(loop->predecessor, message, 0) : -1;
    if (result > 0 && strcmp(message->bytes, MESSAGE_STOP) == 0) {
        loop->predecessor_waits = true;
        obey(loop, CONTROL_STOP);
    } else if (result <= 0) {
        (void)close(loop->predecessor); /* nobody is there any more */
        loop->predecessor = -1;
    }
    free(message);
}

/* Waits for the first of all that can happen, and does it. */
static void step(struct loop *loop)
{
    struct control *control = loop->control;
    struct pollfd ready[] = {
        {.fd = loop->signals, .events = POLLIN},
        {.fd = control ? control->socket : -1, .events = POLLIN},
        {.fd = control ? control->successor : -1, .events = POLLIN},
        {.fd = loop->predecessor, .events = POLLIN},
    };
    int64_t now_ms = clock_now_ms();
    int64_t next_ms = snapshot_timer_run(&loop->snapshots, loop->server);
    int64_t sleep_ms = next_ms > now_ms + SLEEP_MS ? SLEEP_MS : next_ms - now_ms;
    if (loop->phase != LOOP_SERVING && sleep_ms > DRAIN_LOOK_MS)
        sleep_ms = DRAIN_LOOK_MS;
    if (poll(ready, 4, sleep_ms > 0 ? (int)sleep_ms : 0) <= 0)
        return;
    /* A signal may be meant for a process that has been replaced, which it has to know first. */
    if (ready[2].revents)
        obey(loop, control_hear_successor(control));
    if (ready[3].revents)
        hear_predecessor(loop);
    if (ready[0].revents)
        take_signal(loop);
    if (ready[1].revents && control->socket >= 0)
        obey(loop, control_answer(control));
}

void loop_run(struct loop *loop)
{
    while (loop->phase != LOOP_OVER) {
        step(loop);
        check_end(loop);
    }
    if (loop->predecessor >= 0)
        (void)close(loop->predecessor); /* it sees that this process has ended */
}
