#include "server/config/problems.h"

#include "server/config/config.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

char *origin_text(const struct origin *origin)
{
    char *text;

    if (origin->line == 0)
        return strdup(origin->name);
    return asprintf(&text, "%s:%u", origin->name, origin->line) < 0 ? NULL : text;
}

FILE *problems_begin(struct problems *problems, const struct origin *origin)
{
    if (problems->status == 0)
        problems->status = CONFIG_EXIT_INVALID;
    if (origin->line == 0)
        (void)fprintf(problems->stream, "%s: ", origin->name);
    else
        (void)fprintf(problems->stream, "%s:%u: ", origin->name, origin->line);
    return problems->stream;
}

void problems_add(struct problems *problems, const struct origin *origin, const char *format, ...)
{
    FILE *stream = problems_begin(problems, origin);
    va_list arguments;

    va_start(arguments, format);
    (void)vfprintf(stream, format, arguments);
    va_end(arguments);
    (void)fputc('\n', stream);
}

void problems_no_memory(struct problems *problems)
{
    if (problems->status != EXIT_FAILURE)
        (void)fputs("configuration: out of memory\n", problems->stream);
    problems->status = EXIT_FAILURE;
}
