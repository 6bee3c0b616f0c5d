/* A format of log lines, compiled into a small program: a row of steps, each a piece of literal
 * text or a value.
 *
 * The notation is Apache's: text stands for itself, `%x` or `%{argument}x` for a value, `%%` for a
 * percent sign; '<' and '>' before the letter are passed over. Which letters there are a table of
 * directives says: there is one for the access log and one for the error log.
 *
 * A compiled format is plain data and holds no pointer: it may be moved, and read by any thread.
 */
#ifndef TARN_SERVER_LOG_LOG_FORMAT_H
#define TARN_SERVER_LOG_LOG_FORMAT_H

#include "http/slice.h"

#define LOG_FORMAT_LEN_MAX   1024 /* bytes of a format string */
#define LOG_FORMAT_STEPS_MAX 64

/* The token of a step of literal text. A directive with this token stands for something that this
 * server never knows: a "-".
 */
#define LOG_FORMAT_LITERAL 0

struct log_directive {
    const char *argument; /* what must stand in braces; NULL: no braces, unless `accepts` is set */
    bool (*accepts)(struct slice argument); /* there must be an argument that it likes */
    char letter;
    uint8_t token;
    uint8_t needs; /* bits for those who fill in the values */
};

struct log_step {
    uint8_t token;
    uint16_t offset; /* of the literal or the argument, in the format's text */
    uint16_t len;
};

struct log_format {
    char text[2 * LOG_FORMAT_LEN_MAX]; /* literals and arguments; these with a NUL */
    size_t text_len;
    struct log_step steps[LOG_FORMAT_STEPS_MAX];
    unsigned step_count;
    unsigned needs; /* of all the directives */
    bool is_json;   /* strings are written as JSON writes them */
};

/* What is wrong with a format string. */
struct log_fault {
    const char *what; /* a static string */
    size_t offset;    /* in bytes, of where it is wrong */
};

/* Compiles a format string. Returns 0; or -1 with the fault (*out is of no use then).
 * Refused are unknown directives, control characters other than a tab (a line has to stay one
 * line), and what is beyond the limits.
 */
int log_format_compile(struct slice text, const struct log_directive *table, size_t table_len,
                       struct log_format *out, struct log_fault *fault);

/* Adds to a format (zeroed: empty) what does not come from a string. Returns 0; -1 if it is full.
 */
int log_format_add_literal(struct log_format *format, struct slice literal);
int log_format_add_step(struct log_format *format, uint8_t token, struct slice argument);

/* The literal, or the argument, which is followed by a NUL. */
static inline struct slice log_format_text(const struct log_format *format,
                                           const struct log_step *step)
{
    return (struct slice){format->text + step->offset, step->len};
}

#endif
