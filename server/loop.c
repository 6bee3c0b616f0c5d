#include "server/loop.h"

#include "pool/clock.h"
#include "server/control/message.h"
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

static void begin_draining(struct loop *loop)
{
    loop->phase = LOOP_DRAINING;
    loop->deadline_ms = drain_deadline_ms(loop->server);
    listener_stop(loop->listener);
    server_drain(loop->server);
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
    loop->has_successor = true;
    loop->deadline_ms = drain_deadline_ms(loop->server);
    /* In this order: a connection that is accepted is served as one that parts. */
    server_retire(loop->server);
    listener_stop(loop->listener);
    control_retire(loop->control);
    if (loop->predecessor >= 0)
        (void)message_send(loop->predecessor, MESSAGE_FAREWELL, strlen(MESSAGE_FAREWELL), NULL, 0);
}

/* Looks whether the end has come. */
static void check_end(struct loop *loop)
{
    if (loop->phase != LOOP_RETIRING && loop->phase != LOOP_DRAINING)
        return;
    size_t connections = atomic_load(&loop->server->connections);
    if (connections > 0 && clock_now_ms() < loop->deadline_ms)
        return;
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

static void take_signal(struct loop *loop)
{
    struct signalfd_siginfo info;
    if (read(loop->signals, &info, sizeof(info)) != (ssize_t)sizeof(info))
        return;
    switch (info.ssi_signo) {
    case SIGHUP:
        reload(loop);
        break;
    case SIGUSR1:
        error_log_reopen();
        access_log_reopen(loop->server->access_log);
        break;
    case SIGUSR2:
        snapshot_log(loop->server);
        break;
    default:
        if (loop->phase != LOOP_DRAINING)
            error_log(LOG_INFO, NULL, "signal %u: finishing what is under way", info.ssi_signo);
        stop(loop);
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

/* Waits for the first of all that can happen, and does it. */
static void step(struct loop *loop)
{
    struct control *control = loop->control;
    struct pollfd ready[] = {
        {.fd = loop->signals, .events = POLLIN},
        {.fd = control ? control->socket : -1, .events = POLLIN},
        {.fd = control ? control->successor : -1, .events = POLLIN},
    };
    int64_t now_ms = clock_now_ms();
    int64_t next_ms = snapshot_timer_run(&loop->snapshots, loop->server);
    int64_t sleep_ms = next_ms > now_ms + SLEEP_MS ? SLEEP_MS : next_ms - now_ms;
    if (loop->phase != LOOP_SERVING && sleep_ms > DRAIN_LOOK_MS)
        sleep_ms = DRAIN_LOOK_MS;
    if (poll(ready, 3, sleep_ms > 0 ? (int)sleep_ms : 0) <= 0)
        return;
    if (ready[0].revents)
        take_signal(loop);
    if (ready[1].revents)
        obey(loop, control_answer(control));
    if (ready[2].revents && control->successor >= 0)
        obey(loop, control_hear_successor(control));
}

void loop_run(struct loop *loop)
{
    while (loop->phase != LOOP_OVER) {
        step(loop);
        check_end(loop);
    }
}
