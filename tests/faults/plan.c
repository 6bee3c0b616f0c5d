#include "tests/faults/plan.h"

#include <dlfcn.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define KILL (-1)

static struct plan_board own_board;
static struct plan_board *board = &own_board;

/* -- Reading -- */

/* Reads the number before the next blank, or the end. */
static unsigned long next_number(char **rest)
{
    char *word = strtok_r(NULL, " ", rest);
    return word ? strtoul(word, NULL, 10) : 0;
}

static void read_fault(char *text, struct plan_fault *fault)
{
    char *rest = NULL;
    const char *function = strtok_r(text, " ", &rest);
    if (!function)
        return;
    (void)snprintf(fault->function, sizeof(fault->function), "%s", function);
    fault->error = (int)next_number(&rest);
    fault->first = next_number(&rest);
    fault->count = next_number(&rest);
}

static void read_faults(const char *value)
{
    char text[512];
    char *rest = NULL;
    size_t count = 0;
    (void)snprintf(text, sizeof(text), "%s", value);
    for (char *one = strtok_r(text, ";", &rest); one && count < PLAN_FAULTS_MAX;
         one = strtok_r(NULL, ";", &rest))
        read_fault(one, &own_board.faults[count++]);
}

static void share_board(const char *path)
{
    int fd = open(path, O_RDWR | O_CLOEXEC);
    void *shared =
        fd < 0 ? MAP_FAILED : mmap(NULL, sizeof(*board), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    if (shared == MAP_FAILED)
        abort();
    (void)close(fd); /* the mapping stays */
    board = shared;
}

__attribute__((constructor)) static void begin(void)
{
    const char *faults = getenv("TARN_FAULTS");
    const char *path = getenv("TARN_FAULTS_BOARD");
    if (faults)
        read_faults(faults);
    if (path)
        share_board(path);
}

/* -- Asking -- */

static bool stands_for(const struct plan_fault *fault, const char *function, bool is_memory)
{
    return strcmp(fault->function, function) == 0 || (fault->function[0] == '*' && !is_memory);
}

static bool is_memory(const char *function)
{
    return strstr(function, "alloc") != NULL;
}

bool plan_hits(const char *function, int *out_error)
{
    for (size_t i = 0; i < PLAN_FAULTS_MAX; i++) {
        struct plan_fault *fault = &board->faults[i];
        if (fault->count == 0 || !stands_for(fault, function, is_memory(function)))
            continue;
        unsigned long long call = ++fault->calls;
        if (call < fault->first || call - fault->first >= fault->count)
            continue;
        fault->hits++;
        if (fault->error == KILL)
            (void)kill(getpid(), SIGKILL);
        *out_error = (int)fault->error;
        return true;
    }
    return false;
}

bool plan_fails(const char *function, int *out_error)
{
    return plan_hits(function, out_error) && *out_error != 0;
}

int64_t plan_frozen_s(void)
{
    return board->frozen_s;
}

void plan_find_real(const char *function, void *out)
{
    void *symbol = dlsym(RTLD_NEXT, function);
    if (!symbol)
        abort();
    memcpy(out, &symbol, sizeof(symbol)); /* ISO C does not convert it to a function's address */
}
