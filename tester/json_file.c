#include "tester/json_file.h"

#include "server/json/json_check.h"
#include "tester/nearest.h"
#include "tester/whole_file.h"

#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#define FILE_BYTES_MAX ((size_t)64 << 20)
#define DEPTH_MAX      100 /* levels */

static int complain_of_line(struct json_file *file, uint64_t line, const char *message)
{
    (void)fprintf(file->errors, "%s:%ju: %s\n", file->path, (uintmax_t)line, message);
    return -1;
}

static int check_syntax(struct json_file *file)
{
    struct json_check check;
    json_check_init(&check, DEPTH_MAX, UINT64_MAX);
    if (json_check_feed(&check, file->text, file->len) != PARSE_BAD &&
        json_check_finish(&check) == PARSE_DONE)
        return 0;
    char message[JSON_CHECK_EXPECTED_SIZE + 64];
    (void)snprintf(message, sizeof message, "not JSON: expected %s at column %ju", check.expected,
                   (uintmax_t)check.column);
    return complain_of_line(file, check.line, message);
}

/* cJSON ends a string at a NUL, so that the rest would be lost without a word. */
static int check_no_nul(struct json_file *file)
{
    unsigned line = 1;
    for (const char *at = file->text; *at != '\0'; at++) {
        if (*at == '\n')
            line++;
        if (*at != '\\')
            continue;
        if (strncmp(at, "\\u0000", 6) == 0)
            return complain_of_line(file, line,
                                    "a text cannot hold \\u0000; such bytes can come from a file");
        at++;
    }
    return 0;
}

int json_file_load(struct json_file *file, const char *path, FILE *errors)
{
    *file = (struct json_file){.path = path, .errors = errors};
    if (whole_file_read(path, FILE_BYTES_MAX, &file->text, &file->len) != 0) {
        (void)fprintf(errors, "%s: %s\n", path, strerrordesc_np(errno));
        return -1;
    }
    if (check_syntax(file) != 0 || check_no_nul(file) != 0)
        return -1;
    file->root = cJSON_ParseWithLength(file->text, file->len);
    struct slice text = {file->text, file->len};
    if (file->root != NULL && json_places_init(&file->places, text, file->root) == 0)
        return 0;
    (void)fprintf(errors, "%s: out of memory\n", path);
    return -1;
}

void json_file_deinit(struct json_file *file)
{
    json_places_deinit(&file->places);
    cJSON_Delete(file->root);
    free(file->text);
    *file = (struct json_file){0};
}

unsigned json_file_line(const struct json_file *file, const cJSON *node)
{
    return json_places_line(&file->places, node);
}

struct slice json_file_source(const struct json_file *file, const cJSON *node)
{
    return json_places_source(&file->places, node);
}

void json_file_complain(struct json_file *file, const cJSON *node, const char *format, ...)
{
    va_list arguments;
    file->fault_count++;
    (void)fprintf(file->errors, "%s:%u: ", file->path, json_file_line(file, node));
    va_start(arguments, format);
    (void)vfprintf(file->errors, format, arguments);
    va_end(arguments);
    (void)fputc('\n', file->errors);
}

static bool is_one_of(const char *name, const char *const *keys)
{
    while (*keys != NULL && strcmp(*keys, name) != 0)
        keys++;
    return *keys != NULL;
}

static void complain_of_unknown(struct json_file *file, const cJSON *member,
                                const char *const *keys)
{
    const char *meant = nearest_name(member->string, keys);
    if (meant != NULL)
        json_file_complain(file, member, "unknown key \"%s\"; did you mean \"%s\"?", member->string,
                           meant);
    else
        json_file_complain(file, member, "unknown key \"%s\"", member->string);
}

void json_file_check_keys(struct json_file *file, const cJSON *object, const char *const *keys)
{
    const cJSON *member;
    cJSON_ArrayForEach(member, object)
    {
        if (!is_one_of(member->string, keys))
            complain_of_unknown(file, member, keys);
        else if (cJSON_GetObjectItemCaseSensitive(object, member->string) != member)
            json_file_complain(file, member, "\"%s\" is there twice", member->string);
    }
}
