/* What the main thread does while the threads of the server work: it takes signals, answers the
 * control socket, and watches over the end.
 */
#ifndef TARN_SERVER_LOOP_H
#define TARN_SERVER_LOOP_H

#include "server/control/control.h"
#include "server/listener.h"
#include "server/snapshot.h"

enum loop_phase {
    LOOP_SERVING,
    LOOP_RETIRING, /* another process serves; what is open here may have one more request */
    LOOP_DRAINING, /* what is under way is finished */
    LOOP_OVER,
};

struct loop {
    /* Constant. Borrowed; `server` and `listener` run. */
    struct server *server;
    struct listener *listener;
    const struct config_input *input; /* for a reload */
    const char *output;               /* file of the standard output, see output_file(); or NULL */
    uint16_t port;
    int signals;             /* of loop_open_signals() */
    struct control *control; /* NULL: the server is not controlled over a socket */
    bool has_terminal;       /* that it can lose: terminal_can_hang_up(), before the signals */

    int predecessor; /* connection to the process that this one has replaced; owned; -1: none */

    /* Zero at the start. */
    enum loop_phase phase;
    int64_t deadline_ms;    /* of the drain */
    bool predecessor_waits; /* for the end of this process */
    struct snapshot_timer snapshots;
};

/* Blocks the signals that the server answers, in this thread and those that it starts from now on.
 * Returns a descriptor from which they are read, or -1 with errno.
 */
int loop_open_signals(void);

/* Runs until the server is to be ended: its connections have closed, the time for that is over, or
 * somebody has said that it shall be now.
 */
void loop_run(struct loop *loop);

#endif
