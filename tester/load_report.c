#include "tester/load_report.h"

#include <inttypes.h>
#include <stddef.h>

#define BAR_WIDTH 40

static double seconds(uint64_t us)
{
    return (double)us / 1e6;
}

/* A duration in a unit that suits it, in at least `width` columns. */
static void put_duration(uint64_t us, int width, FILE *out)
{
    char text[32];
    if (us < 1000)
        (void)snprintf(text, sizeof text, "%" PRIu64 " us", us);
    else if (us < 1000000)
        (void)snprintf(text, sizeof text, "%.2f ms", (double)us / 1e3);
    else
        (void)snprintf(text, sizeof text, "%.2f s", seconds(us));
    (void)fprintf(out, "%*s", width, text);
}

static void put_bytes(double bytes, FILE *out)
{
    static const char *const units[] = {"B", "kB", "MB", "GB", "TB"};
    size_t unit = 0;
    while (bytes >= 1000 && unit + 1 < sizeof units / sizeof units[0]) {
        bytes /= 1000;
        unit++;
    }
    (void)fprintf(out, unit == 0 ? "%.0f %s" : "%.1f %s", bytes, units[unit]);
}

static void put_bar(uint64_t part, uint64_t whole, FILE *out)
{
    uint64_t len = whole == 0 ? 0 : (part * BAR_WIDTH + whole - 1) / whole;
    for (uint64_t i = 0; i < BAR_WIDTH; i++)
        (void)fputc(i < len ? '#' : ' ', out);
}

static void put_requests(const struct load_report *report, FILE *out)
{
    uint64_t requests = report->tally->answered + report->tally->failed;
    double elapsed = seconds(report->elapsed_us > 0 ? report->elapsed_us : 1);
    (void)fprintf(out, "requests     %" PRIu64 " in %.2f s: %.0f requests/s\n", requests, elapsed,
                  (double)requests / elapsed);
    (void)fputs("received     ", out);
    put_bytes((double)report->tally->content_bytes, out);
    (void)fputs(" of content, ", out);
    put_bytes((double)report->tally->head_bytes, out);
    (void)fputs(" of heads; ", out);
    put_bytes((double)(report->tally->content_bytes + report->tally->head_bytes) / elapsed, out);
    (void)fputs("/s\n", out);
}

static void put_latency(const struct histogram *latency, FILE *out)
{
    static const double percents[] = {50, 90, 99};
    (void)fputs("latency      ", out);
    for (size_t i = 0; i < sizeof percents / sizeof percents[0]; i++) {
        (void)fprintf(out, "p%.0f ", percents[i]);
        put_duration(histogram_percentile_us(latency, percents[i]), 0, out);
        (void)fputs(", ", out);
    }
    (void)fputs("max ", out);
    put_duration(latency->max_us, 0, out);
    (void)fputc('\n', out);
}

static void put_codes(const struct tally *tally, FILE *out)
{
    const char *gap = "";
    (void)fputs("codes        ", out);
    for (int code = 0; code < PLAN_STATUS_END; code++) {
        if (tally->codes[code] == 0)
            continue;
        (void)fprintf(out, "%s%d: %" PRIu64, gap, code, tally->codes[code]);
        gap = ", ";
    }
    (void)fputs(tally->answered == 0 ? "none\n" : "\n", out);
}

static void put_errors(const struct tally *tally, FILE *out)
{
    (void)fprintf(out,
                  "failed       %" PRIu64 " without an answer, %" PRIu64
                  " with a code that is not expected\n",
                  tally->failed, tally->unexpected);
    for (int code = 0; code < CURL_LAST; code++) {
        if (tally->errors[code] > 0)
            (void)fprintf(out, "             %" PRIu64 ": %s\n", tally->errors[code],
                          code == CURLE_OK ? "another error" : curl_easy_strerror((CURLcode)code));
    }
}

static void put_own_cost(const struct load_report *report, FILE *out)
{
    uint64_t requests = report->tally->answered + report->tally->failed;
    (void)fprintf(out, "connections  %" PRIu64 " opened\n", report->tally->connections);
    (void)fprintf(out, "tester       %u threads, %.1f us of CPU a request\n", report->threads,
                  (double)report->cpu_us / (double)(requests > 0 ? requests : 1));
}

static void put_row(const struct histogram *latency, uint64_t from_us, uint64_t end_us,
                    uint64_t most, FILE *out)
{
    uint64_t count = histogram_count_between(latency, from_us, end_us);
    (void)fputs("  < ", out);
    put_duration(end_us, 9, out);
    (void)fputs("  ", out);
    put_bar(count, most, out);
    (void)fprintf(out, "  %6.2f %%  %" PRIu64 "\n", 100.0 * (double)count / (double)latency->count,
                  count);
}

/* A row for each doubling of the duration, from the first that has any to the last. */
static void put_histogram(const struct histogram *latency, FILE *out)
{
    uint64_t most = 0;
    for (uint64_t end_us = 1; end_us / 2 <= latency->max_us; end_us *= 2) {
        uint64_t count = histogram_count_between(latency, end_us / 2, end_us);
        most = count > most ? count : most;
    }
    (void)fputc('\n', out);
    for (uint64_t end_us = 1; end_us / 2 <= latency->max_us; end_us *= 2) {
        if (histogram_count_between(latency, 0, end_us) > 0)
            put_row(latency, end_us / 2, end_us, most, out);
    }
}

void load_report_print(const struct load_report *report, FILE *out)
{
    (void)fprintf(out, "%s: %zu requests, each %" PRIu64 " times, over %u connections, to %s\n\n",
                  report->file, report->request_count, report->count, report->connections,
                  report->base);
    put_requests(report, out);
    put_latency(&report->tally->latency, out);
    put_codes(report->tally, out);
    put_errors(report->tally, out);
    put_own_cost(report, out);
    if (report->tally->latency.count > 0)
        put_histogram(&report->tally->latency, out);
}

void load_report_progress(uint64_t done, uint64_t total, FILE *out)
{
    (void)fputs("\r[", out);
    put_bar(done, total, out);
    (void)fprintf(out, "] %3.0f %%  %" PRIu64 " of %" PRIu64, 100.0 * (double)done / (double)total,
                  done, total);
    (void)fflush(out);
}

void load_report_clear_progress(FILE *out)
{
    (void)fputs("\r\033[K", out); /* to the start of the line; clear it */
    (void)fflush(out);
}
