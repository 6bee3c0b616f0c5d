#include "tester/load.h"

#include "tester/load_report.h"
#include "tester/load_thread.h"

#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#define THREADS_MAX       64
#define DESCRIPTORS_SPARE 64
#define PROGRESS_MS       100

/* Set by the handler of SIGINT; threads may read it. */
static atomic_bool interrupted;

static void interrupt(int number)
{
    (void)number;
    atomic_store(&interrupted, true);
}

/* The first interrupt ends the load in order, a second one at once. */
static void catch_interrupt(void)
{
    struct sigaction action = {.sa_handler = interrupt, .sa_flags = (int)SA_RESETHAND};
    (void)sigaction(SIGINT, &action, NULL); /* can only fail for wrong arguments */
}

static int fail(const char *what, int error)
{
    (void)fprintf(stderr, "tester: %s: %s\n", what, strerrordesc_np(error));
    return EXIT_FAILURE;
}

/* --- what is needed ---------------------------------------------------------------------- */

/* A connection needs its socket and a pair that libcurl makes for each multi handle. */
static int raise_descriptor_limit(unsigned connections)
{
    rlim_t needed = (rlim_t)connections * 3 + DESCRIPTORS_SPARE;
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) != 0)
        return -1;
    if (limit.rlim_cur >= needed)
        return 0;
    if (limit.rlim_max < needed) {
        errno = EMFILE;
        return -1;
    }
    limit.rlim_cur = needed;
    return setrlimit(RLIMIT_NOFILE, &limit);
}

static unsigned thread_count(unsigned connections)
{
    cpu_set_t cpus;
    unsigned count = 1;
    if (sched_getaffinity(0, sizeof cpus, &cpus) == 0)
        count = (unsigned)CPU_COUNT(&cpus);
    if (count > THREADS_MAX)
        count = THREADS_MAX;
    return count < connections ? count : connections;
}

/* User and system time of the tester itself so far. */
static uint64_t cpu_us(void)
{
    struct rusage usage;
    (void)getrusage(RUSAGE_SELF, &usage); /* can only fail for wrong arguments */
    int64_t s = usage.ru_utime.tv_sec + usage.ru_stime.tv_sec;
    int64_t us = usage.ru_utime.tv_usec + usage.ru_stime.tv_usec;
    return (uint64_t)(s * 1000000 + us);
}

/* --- the threads ------------------------------------------------------------------------- */

/* Starts the threads, each with its share of the connections. Returns how many have started. */
static unsigned start_threads(struct load *load, struct load_thread *threads, unsigned count,
                              unsigned connections)
{
    for (unsigned i = 0; i < count; i++) {
        threads[i].load = load;
        threads[i].connection_count = (connections + i) / count;
        int error = pthread_create(&threads[i].id, NULL, load_thread_main, &threads[i]);
        if (error != 0) {
            (void)fail("a thread could not be started", error);
            atomic_store(&interrupted, true);
            return i;
        }
    }
    return count;
}

static bool have_ended(struct load_thread *threads, unsigned count, uint64_t *out_done)
{
    bool all = true;
    *out_done = 0;
    for (unsigned i = 0; i < count; i++) {
        all &= atomic_load(&threads[i].has_ended);
        *out_done += atomic_load(&threads[i].done);
    }
    return all;
}

static void show_progress(struct load_thread *threads, unsigned count, uint64_t total)
{
    static const struct timespec pause = {.tv_nsec = PROGRESS_MS * 1000000L};
    uint64_t done = 0;
    while (!have_ended(threads, count, &done)) {
        load_report_progress(done, total, stderr);
        (void)nanosleep(&pause, NULL); /* an interruption does no harm */
    }
    load_report_clear_progress(stderr);
}

/* Waits for the threads, and adds up what they counted. Returns the first thread's error. */
static int join_threads(struct load_thread *threads, unsigned count, struct tally *tally)
{
    int error = 0;
    for (unsigned i = 0; i < count; i++) {
        (void)pthread_join(threads[i].id, NULL); /* it has been started, and nobody else joins */
        tally_merge(tally, &threads[i].tally);
        if (error == 0)
            error = threads[i].error;
    }
    return error;
}

/* Runs the load, and fills in what has been measured. Returns 0, or -1: told why. */
static int run(struct load *load, struct load_thread *threads, bool with_progress,
               struct load_report *report, struct tally *tally)
{
    uint64_t started_us = load_thread_now_us();
    unsigned started = start_threads(load, threads, report->threads, report->connections);
    if (with_progress)
        show_progress(threads, started, load->total);
    int error = join_threads(threads, started, tally);
    report->elapsed_us = load_thread_now_us() - started_us;
    report->cpu_us = cpu_us();
    report->tally = tally;
    if (error != 0)
        (void)fail("the load has ended early", error);
    return error == 0 && started == report->threads ? 0 : -1;
}

static int run_outgoing(const struct plan *plan, const struct arguments *arguments,
                        const struct outgoing *outgoing)
{
    struct load load = {.outgoing = outgoing,
                        .outgoing_count = plan->count,
                        .total = plan->count * arguments->count,
                        .rules = {arguments->allow_remote, arguments->timeout_ms},
                        .debug = arguments->debug,
                        .interrupted = &interrupted};
    struct load_report report = {.file = arguments->file,
                                 .base = arguments->base,
                                 .request_count = plan->count,
                                 .count = arguments->count,
                                 .connections = arguments->connections,
                                 .threads = thread_count(arguments->connections)};
    struct load_thread *threads = calloc(report.threads, sizeof *threads);
    struct tally *tally = calloc(1, sizeof *tally);
    int status = EXIT_FAILURE;
    if (threads == NULL || tally == NULL) {
        (void)fail("load", ENOMEM);
    } else if (run(&load, threads, isatty(STDERR_FILENO) && !load.debug, &report, tally) == 0) {
        load_report_print(&report, stdout);
        status = tally->failed + tally->unexpected == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
    }
    free(threads);
    free(tally);
    return status;
}

int load_run(const struct plan *plan, const struct arguments *arguments)
{
    struct outgoing_rules rules = {arguments->base, arguments->allow_remote};
    if (raise_descriptor_limit(arguments->connections) != 0)
        return fail("so many connections", errno);
    struct outgoing *outgoing = outgoing_make_all(plan, &rules, stderr);
    if (outgoing == NULL)
        return ARGUMENTS_EXIT_FILE;
    catch_interrupt();
    int status = run_outgoing(plan, arguments, outgoing);
    outgoing_free_all(outgoing, plan->count);
    return status;
}
