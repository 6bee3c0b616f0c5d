/* Format strings of both logs: any is compiled or refused with a place within it; what was compiled
 * gives one line.
 */
#include "server/log/access_line.h"
#include "server/log/error_format.h"
#include "tests/fuzz/harness.h"
#include "tests/support/crafted_head.h"

#include <stdlib.h>
#include <string.h>

#define LINE_SIZE 65536

static void expect_one_line(struct text line)
{
    HARNESS_EXPECT(!line.truncated);
    for (size_t i = 0; i < line.len; i++)
        HARNESS_EXPECT((unsigned char)line.data[i] >= 0x20 || line.data[i] == '\t');
}

static void run_access_format(const struct log_format *format)
{
    static char buffer[LINE_SIZE];
    static struct crafted_head crafted;
    struct access_stamps stamps = {0};
    crafted_head_begin(&crafted, SLICE("GET"), SLICE("/a?b\x1b"), SLICE("HTTP/1.1"));
    crafted_head_add(&crafted, SLICE("Host"), SLICE("h:80"));
    crafted_head_add(&crafted, SLICE("Cookie"), SLICE("a=\n"));
    struct access_entry entry = {.head = &crafted.head, .client = SLICE("::1"), .ending = 'X'};
    for (entry.time = 0; entry.time < 2; entry.time++) {
        struct text line = text_over(buffer, sizeof(buffer));
        access_line_append(&line, format, &stamps, &entry);
        HARNESS_EXPECT(line.len > 0 && line.data[line.len - 1] == '\n');
        line.len--;
        expect_one_line(line);
    }
}

static void run_error_format(const struct log_format *format)
{
    static char buffer[LINE_SIZE];
    struct text line = text_over(buffer, sizeof(buffer));
    struct error_entry entry = {.level = "info", .message = SLICE("a\nb"), .reason = SLICE(": c")};
    error_format_append(&line, format, &entry);
    expect_one_line(line);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct log_format format;
    struct log_fault fault = {0};
    char *text = malloc(size + 1);
    HARNESS_EXPECT(text);
    if (size > 0)
        memcpy(text, data, size);
    text[size] = '\0';

    if (access_format_compile(text, &format, &fault) == 0)
        run_access_format(&format);
    else
        HARNESS_EXPECT(fault.what && fault.offset <= strlen(text));
    if (error_format_compile(text, &format, &fault) == 0)
        run_error_format(&format);
    else
        HARNESS_EXPECT(fault.what && fault.offset <= strlen(text));
    free(text);
    return 0;
}
