#include "server/config/source.h"

#include "server/config/path.h"
#include "server/config/regular_file.h"
#include "server/config/value.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define INCLUDE    "@include"
#define WORD_BYTES "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ_*+-."

/* The source under way. */
struct writer {
    struct source source;
    FILE *text; /* becomes source.text */
    size_t text_len;
    size_t bytes_left;
    unsigned depth; /* of includes */
    struct problems *problems;
};

/* A file under way. */
struct cursor {
    const char *at; /* followed by a NUL at `end` */
    const char *end;
    struct origin origin;
    bool only_blanks; /* so far in this line */
};

static int copy_file(struct writer *writer, const char *path, const struct origin *include);

/* --- writing ----------------------------------------------------------------------------- */

/* The line of text that begins now is from here. */
static int begin_line(struct writer *writer, const struct origin *origin)
{
    struct source *source = &writer->source;
    struct origin *lines = reallocarray(source->lines, source->line_count + 1, sizeof *lines);

    if (lines == NULL) {
        problems_no_memory(writer->problems);
        return -1;
    }
    lines[source->line_count] = *origin;
    source->lines = lines;
    source->line_count++;
    return 0;
}

/* Copies `len` bytes, of which there must be as many. */
static int copy_bytes(struct writer *writer, struct cursor *cursor, size_t len)
{
    for (; len > 0; len--) {
        char byte = *cursor->at++;
        (void)fputc(byte, writer->text); /* failures stick to the stream */
        cursor->only_blanks =
            byte == '\n' || (cursor->only_blanks && (byte == ' ' || byte == '\t'));
        if (byte == '\n') {
            cursor->origin.line++;
            if (begin_line(writer, &cursor->origin) != 0)
                return -1;
        }
    }
    return 0;
}

/* --- the parts of the text --------------------------------------------------------------- */

static int copy_line_comment(struct writer *writer, struct cursor *cursor)
{
    return copy_bytes(writer, cursor, strcspn(cursor->at, "\n"));
}

static int copy_block_comment(struct writer *writer, struct cursor *cursor)
{
    const char *close = strstr(cursor->at + 2, "*/");

    if (close == NULL) {
        problems_add(writer->problems, &cursor->origin, "the comment is not closed");
        return -1;
    }
    return copy_bytes(writer, cursor, (size_t)(close - cursor->at) + 2);
}

static int copy_string(struct writer *writer, struct cursor *cursor)
{
    const char *end = cursor->at + 1;

    while (*end != '"' && *end != '\0') {
        if (strncasecmp(end, "\\x00", 4) == 0) {
            problems_add(writer->problems, &cursor->origin, "a string cannot hold a NUL byte");
            return -1;
        }
        end += end[0] == '\\' && end[1] != '\0' ? 2 : 1;
    }
    if (*end == '\0') {
        problems_add(writer->problems, &cursor->origin, "the string is not closed");
        return -1;
    }
    return copy_bytes(writer, cursor, (size_t)(end - cursor->at) + 1);
}

/* A decimal integer, or a hexadecimal one, which libconfig reads right with the suffix (one that
 * does not fit becomes -1, which no key takes).
 */
static bool is_integer(struct slice word, bool *out_fits)
{
    uint64_t number;

    while (word.len > 0 && word.data[word.len - 1] == 'L')
        word.len--;
    if (slice_starts_with(word, SLICE("0x")) || slice_starts_with(word, SLICE("0X"))) {
        *out_fits = true;
        return word.len > 2 && strspn(word.data + 2, "0123456789abcdefABCDEF") >= word.len - 2;
    }
    if (word.len > 0 && (word.data[0] == '+' || word.data[0] == '-'))
        word = (struct slice){word.data + 1, word.len - 1};
    if (word.len == 0 || strspn(word.data, "0123456789") < word.len)
        return false;
    *out_fits = slice_to_u64(word, &number) == 0 && number <= INT64_MAX;
    return true;
}

static int copy_word(struct writer *writer, struct cursor *cursor)
{
    struct slice word = {cursor->at, strspn(cursor->at, WORD_BYTES)};
    bool fits;

    if (!is_integer(word, &fits))
        return copy_bytes(writer, cursor, word.len);
    if (!fits) {
        problems_add(writer->problems, &cursor->origin, "the number does not fit into 64 bits");
        return -1;
    }
    int result = copy_bytes(writer, cursor, word.len);
    if (word.data[word.len - 1] != 'L')
        (void)fputc('L', writer->text);
    return result;
}

/* The name in `@include "NAME"`, which begins at `at`; its data is NULL if it is not there. */
static struct slice include_name(const char *at)
{
    at += strlen(INCLUDE);
    at += strspn(at, " \t");
    size_t len = *at == '"' ? strcspn(at + 1, "\"\n") : 0;
    if (len == 0 || at[1 + len] != '"')
        return (struct slice){0};
    return (struct slice){at + 1, len};
}

/* Puts the file between two newlines of its own: what stands before and behind the @include
 * remains a line of the including file.
 */
static int insert_file(struct writer *writer, struct slice name, const struct origin *include)
{
    char *file = strndup(name.data, name.len);
    char *path = file == NULL ? NULL : path_beside(include->file, file);
    int result = -1;

    (void)fputc('\n', writer->text);
    if (path == NULL)
        problems_no_memory(writer->problems);
    else
        result = copy_file(writer, path, include);
    (void)fputc('\n', writer->text);
    free(path);
    free(file);
    return result == 0 ? begin_line(writer, include) : -1;
}

static int copy_include(struct writer *writer, struct cursor *cursor)
{
    struct slice name = include_name(cursor->at);

    if (name.data == NULL) {
        problems_add(writer->problems, &cursor->origin, "must be " INCLUDE " \"FILE\"");
        return -1;
    }
    cursor->at = name.data + name.len + 1;
    cursor->only_blanks = false;
    return insert_file(writer, name, &cursor->origin);
}

static int copy_next(struct writer *writer, struct cursor *cursor)
{
    const char *at = cursor->at;

    if (cursor->only_blanks && strncmp(at, INCLUDE, strlen(INCLUDE)) == 0)
        return copy_include(writer, cursor);
    if (*at == '"')
        return copy_string(writer, cursor);
    if (*at == '#' || strncmp(at, "//", 2) == 0)
        return copy_line_comment(writer, cursor);
    if (strncmp(at, "/*", 2) == 0)
        return copy_block_comment(writer, cursor);
    if (strchr(WORD_BYTES, *at) != NULL)
        return copy_word(writer, cursor);
    return copy_bytes(writer, cursor, 1);
}

/* --- files ------------------------------------------------------------------------------- */

static unsigned line_of(const char *data, const char *byte)
{
    unsigned line = 1;
    for (; data < byte; data++)
        line += *data == '\n';
    return line;
}

static int copy_data(struct writer *writer, const char *file, const char *data, size_t len)
{
    struct cursor cursor = {.at = data,
                            .end = data + len,
                            .origin = {.name = file, .line = 1, .file = file},
                            .only_blanks = true};
    const char *nul = memchr(data, '\0', len);

    if (nul != NULL) {
        cursor.origin.line = line_of(data, nul);
        problems_add(writer->problems, &cursor.origin, "there is a NUL byte in the file");
        return -1;
    }
    if (begin_line(writer, &cursor.origin) != 0)
        return -1;
    while (cursor.at < cursor.end) {
        if (copy_next(writer, &cursor) != 0)
            return -1;
    }
    return 0;
}

/* Tells why a file cannot be read. `include`: where it is included, NULL for the first one. */
static void refuse_file(struct writer *writer, const char *path, const struct origin *include,
                        int error)
{
    const char *reason = strerrordesc_np(error);

    if (error == ENOMEM) {
        problems_no_memory(writer->problems);
        return;
    }
    if (error == ENOTSUP)
        reason = "Not a regular file";
    else if (error == EFBIG)
        reason = "Larger than 256 KiB, with all that is included";
    else if (error == ELOOP && writer->depth > SOURCE_INCLUDE_DEPTH_MAX)
        reason = "Nested too deep (does a file include itself?)";

    if (include == NULL)
        problems_add(writer->problems, &(struct origin){.name = path}, "cannot be read: %s",
                     reason);
    else
        problems_add(writer->problems, include, "cannot include \"%s\": %s", path, reason);
}

/* Copies a file to the text. `include`: where it is included, NULL for the first one. */
static int copy_file(struct writer *writer, const char *path, const struct origin *include)
{
    struct string_list *files = &writer->source.files;
    char *data;
    size_t len;

    if (writer->depth > SOURCE_INCLUDE_DEPTH_MAX) {
        refuse_file(writer, path, include, ELOOP);
        return -1;
    }
    if (regular_file_read(path, writer->bytes_left, &data, &len) != 0) {
        refuse_file(writer, path, include, errno);
        return -1;
    }

    int result = value_list_append(files, slice_from_string(path));
    if (result != 0) {
        problems_no_memory(writer->problems);
    } else {
        writer->depth++;
        writer->bytes_left -= len;
        result = copy_data(writer, files->items[files->count - 1], data, len);
        writer->depth--;
    }
    free(data);
    return result;
}

/* A fault at the end of the text, behind the last newline, is told of the last line. */
static void drop_empty_line(struct writer *writer)
{
    if (writer->text_len > 0 && writer->source.text[writer->text_len - 1] == '\n')
        writer->source.line_count--;
}

int source_read(const char *path, struct source *out, struct problems *problems)
{
    struct writer writer = {.bytes_left = SOURCE_BYTES_MAX, .problems = problems};

    writer.text = open_memstream(&writer.source.text, &writer.text_len);
    if (writer.text == NULL) {
        problems_no_memory(problems);
        return -1;
    }
    int result = copy_file(&writer, path, NULL);
    bool failed = ferror(writer.text) != 0;
    if (fclose(writer.text) != 0 || failed) {
        problems_no_memory(problems);
        result = -1;
    }
    if (result != 0) {
        source_deinit(&writer.source);
        return -1;
    }
    drop_empty_line(&writer);
    *out = writer.source;
    return 0;
}

void source_deinit(struct source *source)
{
    free(source->text);
    free(source->lines);
    value_list_deinit(&source->files);
    *source = (struct source){0};
}

const struct origin *source_origin(const struct source *source, unsigned line)
{
    size_t index = line > 0 ? line - 1 : 0;

    if (index >= source->line_count)
        index = source->line_count - 1;
    return &source->lines[index];
}
