#include "server/descriptors.h"

#include "server/handlers/form_files.h"
#include "server/log/error_log.h"

#include <sys/resource.h>

/* Descriptors beside those of connections and workers: logs, root, store, epoll, refused ones. */
#define DESCRIPTORS_MORE 32

size_t descriptors_reserve(const struct config *config)
{
    size_t connections = (size_t)config->limits.connections;
    rlim_t others = (rlim_t)config->pool.workers * 2 + DESCRIPTORS_MORE;
    rlim_t form_files = config->files.writable ? FORM_FILES_MORE_MAX : 0;
    rlim_t wanted = (rlim_t)connections * 2 + others + form_files;
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
