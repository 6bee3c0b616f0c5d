/* The result of a load, in words and figures. */
#ifndef TARN_TESTER_LOAD_REPORT_H
#define TARN_TESTER_LOAD_REPORT_H

#include "tester/tally.h"

#include <stdio.h>

struct load_report {
    const char *file;
    const char *base;
    size_t request_count; /* of the file */
    uint64_t count;       /* how often each was to be sent */
    unsigned connections;
    unsigned threads;
    uint64_t elapsed_us;
    uint64_t cpu_us; /* that the tester itself has used */
    const struct tally *tally;
};

void load_report_print(const struct load_report *report, FILE *out);

/* A line that shows how much is done, in place of the one before it. */
void load_report_progress(uint64_t done, uint64_t total, FILE *out);
void load_report_clear_progress(FILE *out);

#endif
