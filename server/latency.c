#include "server/latency.h"

#include <linux/sched.h>
#include <linux/sched/types.h>
#include <sys/syscall.h>
#include <unistd.h>

/* The shortest slice there is. */
#define SLICE_NS 100000

void latency_prefer_short(bool shortly)
{
    struct sched_attr attributes = {.size = sizeof(attributes)};
    if (syscall(SYS_sched_getattr, 0, &attributes, sizeof(attributes), 0) != 0 ||
        attributes.sched_policy != SCHED_NORMAL)
        return; /* whoever starts the server has decided otherwise */
    attributes.sched_runtime = shortly ? SLICE_NS : 0;   /* 0: the usual */
    (void)syscall(SYS_sched_setattr, 0, &attributes, 0); /* if not, then not */
}
