#include "server/log/log_format.h"

#include "http/octet.h"

#include <string.h>

#define TOO_MANY "too many directives"

/* A format string being read. */
struct reader {
    struct slice text;
    size_t at;
    struct log_fault *fault;
};

static int fail(struct reader *reader, const char *what, size_t offset)
{
    *reader->fault = (struct log_fault){what, offset};
    return -1;
}

/* --- building ------------------------------------------------------------------------------ */

static int add_text(struct log_format *format, struct slice bytes)
{
    if (bytes.len > sizeof(format->text) - format->text_len)
        return -1;
    if (bytes.len > 0)
        memcpy(format->text + format->text_len, bytes.data, bytes.len);
    format->text_len += bytes.len;
    return 0;
}

static struct log_step *last_step(struct log_format *format)
{
    return format->step_count > 0 ? &format->steps[format->step_count - 1] : NULL;
}

static int begin_step(struct log_format *format, uint8_t token)
{
    if (format->step_count == LOG_FORMAT_STEPS_MAX)
        return -1;
    format->steps[format->step_count++] =
        (struct log_step){.token = token, .offset = (uint16_t)format->text_len};
    return 0;
}

int log_format_add_literal(struct log_format *format, struct slice literal)
{
    struct log_step *last = last_step(format);
    bool goes_on = last && last->token == LOG_FORMAT_LITERAL;
    if ((!goes_on && begin_step(format, LOG_FORMAT_LITERAL) != 0) || add_text(format, literal) != 0)
        return -1;
    last = last_step(format);
    last->len = (uint16_t)(last->len + literal.len);
    return 0;
}

int log_format_add_step(struct log_format *format, uint8_t token, struct slice argument)
{
    if (begin_step(format, token) != 0 || add_text(format, argument) != 0 ||
        add_text(format, (struct slice){"", 1}) != 0)
        return -1;
    last_step(format)->len = (uint16_t)argument.len;
    return 0;
}

/* --- reading ------------------------------------------------------------------------------- */

/* `argument`: what stood in braces, NULL if there were none. */
static bool fits(const struct log_directive *row, char letter, const struct slice *argument)
{
    if (row->letter != letter)
        return false;
    if (row->accepts)
        return argument && row->accepts(*argument);
    if (row->argument)
        return argument && slice_equal(*argument, slice_from_string(row->argument));
    return !argument;
}

/* Takes what stands in braces, if any. Returns false if they are not closed. */
static bool take_argument(struct reader *reader, struct slice *out, bool *out_found)
{
    struct slice rest = {reader->text.data + reader->at, reader->text.len - reader->at};
    *out_found = rest.len > 0 && rest.data[0] == '{';
    if (!*out_found)
        return true;
    const char *end = memchr(rest.data, '}', rest.len);
    if (!end)
        return false;
    *out = (struct slice){rest.data + 1, (size_t)(end - rest.data) - 1};
    reader->at += out->len + 2;
    return true;
}

static void pass_markers(struct reader *reader)
{
    while (reader->at < reader->text.len &&
           (reader->text.data[reader->at] == '<' || reader->text.data[reader->at] == '>'))
        reader->at++;
}

static int add_value(struct log_format *format, const struct log_directive *row,
                     struct slice argument)
{
    format->needs |= row->needs;
    if (row->token == LOG_FORMAT_LITERAL)
        return log_format_add_literal(format, SLICE("-"));
    return log_format_add_step(format, row->token, argument);
}

/* Reads what follows a '%'. */
static int read_directive(struct reader *reader, const struct log_directive *table,
                          size_t table_len, struct log_format *out)
{
    size_t start = reader->at - 1;
    struct slice argument = SLICE("");
    bool has_argument;
    pass_markers(reader);
    if (!take_argument(reader, &argument, &has_argument))
        return fail(reader, "'{' without '}'", start);
    pass_markers(reader);
    if (reader->at == reader->text.len)
        return fail(reader, "'%' without a letter", start);
    char letter = reader->text.data[reader->at++];
    const struct log_directive *row = table;
    while (row < table + table_len && !fits(row, letter, has_argument ? &argument : NULL))
        row++;
    if (row == table + table_len)
        return fail(reader, "unknown directive", start);
    return add_value(out, row, argument) == 0 ? 0 : fail(reader, TOO_MANY, start);
}

/* Reads a directive, or an octet of literal text. */
static int read_part(struct reader *reader, const struct log_directive *table, size_t table_len,
                     struct log_format *out)
{
    struct slice octet = {reader->text.data + reader->at, 1};
    size_t start = reader->at++;
    if (*octet.data == '%' && reader->at < reader->text.len && octet.data[1] == '%')
        reader->at++; /* "%%" */
    else if (*octet.data == '%')
        return read_directive(reader, table, table_len, out);
    else if (octet_is(*octet.data, OCTET_CONTROL) && *octet.data != '\t')
        return fail(reader, "control character", start);
    return log_format_add_literal(out, octet) == 0 ? 0 : fail(reader, TOO_MANY, start);
}

int log_format_compile(struct slice text, const struct log_directive *table, size_t table_len,
                       struct log_format *out, struct log_fault *fault)
{
    struct reader reader = {.text = text, .fault = fault};
    *out = (struct log_format){0};
    if (text.len > LOG_FORMAT_LEN_MAX)
        return fail(&reader, "too long", LOG_FORMAT_LEN_MAX);
    while (reader.at < text.len)
        if (read_part(&reader, table, table_len, out) != 0)
            return -1;
    return 0;
}
