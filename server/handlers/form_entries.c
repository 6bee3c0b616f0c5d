#include "server/handlers/form_entries.h"

#include "http/utf8.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* An entry is a tag and strings, each with its NUL: a name and a value, or of a file a name, a file
 * name and a type.
 */
#define TAG_FIELD SLICE("=")
#define TAG_FILE  SLICE("@")
#define NUL       SLICE("\0")

static struct form_fault append(struct form_entries *entries, struct slice bytes)
{
    if (upload_spool_append(&entries->spool, bytes) != 0)
        return form_fault_of_errno(errno);
    entries->len += bytes.len;
    return FORM_FINE;
}

/* Adds text that the client sent. */
static struct form_fault add_text(struct form_entries *entries, struct slice text)
{
    if (text.len > entries->bytes_max - entries->bytes)
        return FORM_REFUSED(HTTP_CONTENT_TOO_LARGE,
                            "The fields of the form are larger than this server takes.");
    if (text.len > 0 && memchr(text.data, '\0', text.len))
        return FORM_REFUSED(HTTP_BAD_REQUEST, "There is a NUL in a field of the form.");
    entries->bytes += text.len;
    return append(entries, text);
}

static struct form_fault add_string(struct form_entries *entries, struct slice text)
{
    struct form_fault fault = add_text(entries, text);
    return fault.status != HTTP_GO_ON ? fault : append(entries, NUL);
}

static struct form_fault begin_entry(struct form_entries *entries, struct slice tag)
{
    if (entries->count == FORM_ENTRIES_MAX)
        return FORM_REFUSED(HTTP_BAD_REQUEST, "The form has more fields than this server takes.");
    entries->count++;
    return append(entries, tag);
}

struct form_fault form_entries_add_file(struct form_entries *entries,
                                        const struct multipart_part *part)
{
    struct form_fault fault = begin_entry(entries, TAG_FILE);
    if (fault.status == HTTP_GO_ON)
        fault = add_string(entries, part->name);
    if (fault.status == HTTP_GO_ON)
        fault = add_string(entries, part->filename);
    if (fault.status == HTTP_GO_ON)
        fault = add_string(entries, part->media_type);
    return fault;
}

struct form_fault form_entries_add_name(struct form_entries *entries, struct slice piece)
{
    struct form_fault fault = FORM_FINE;
    if (!entries->in_entry) {
        fault = begin_entry(entries, TAG_FIELD);
        entries->in_entry = true;
        entries->name_len = 0;
    }
    entries->name_len += piece.len;
    if (entries->name_len > FORM_NAME_BYTES_MAX)
        return FORM_REFUSED(HTTP_BAD_REQUEST,
                            "The name of a field is longer than this server takes.");
    return fault.status != HTTP_GO_ON ? fault : add_text(entries, piece);
}

/* Ends the name, if that has not been done yet. */
static struct form_fault begin_value(struct form_entries *entries)
{
    if (!entries->in_entry)
        return FORM_REFUSED(HTTP_BAD_REQUEST, "A field of the form has no name.");
    if (entries->in_value)
        return FORM_FINE;
    entries->in_value = true;
    return append(entries, NUL);
}

struct form_fault form_entries_add_value(struct form_entries *entries, struct slice piece)
{
    struct form_fault fault = begin_value(entries);
    return fault.status != HTTP_GO_ON ? fault : add_text(entries, piece);
}

struct form_fault form_entries_end_field(struct form_entries *entries)
{
    struct form_fault fault = begin_value(entries);
    entries->in_entry = false;
    entries->in_value = false;
    return fault.status != HTTP_GO_ON ? fault : append(entries, NUL);
}

/* --- reading ------------------------------------------------------------------------------- */

/* Gets the text back from the spool. Returns 0, or -1 with errno. */
static int load(struct form_entries *entries)
{
    struct upload_spool_reader reader;
    entries->text = malloc(entries->len + 1); /* never nothing */
    if (!entries->text || upload_spool_read_begin(&entries->spool, &reader) != 0)
        return -1;
    errno = EIO; /* for a file that somebody has cut */
    ssize_t count = upload_spool_read(&reader, 0, entries->text, entries->len);
    upload_spool_read_end(&reader);
    return count == (ssize_t)entries->len ? 0 : -1;
}

struct form_fault form_entries_finish(struct form_entries *entries)
{
    if (load(entries) != 0)
        return form_fault_of_errno(errno);
    upload_spool_drop(&entries->spool);
    /* What stands between the strings is UTF-8 too, and keeps each from borrowing of the next. */
    if (!utf8_is_valid((struct slice){entries->text, entries->len}))
        return FORM_REFUSED(HTTP_BAD_REQUEST, "A field of the form is not UTF-8.");
    return FORM_FINE;
}

static const char *next_string(const struct form_entries *entries, size_t *cursor)
{
    const char *string = entries->text + *cursor;
    *cursor += strlen(string) + 1;
    return string;
}

bool form_entries_next(const struct form_entries *entries, size_t *cursor, struct form_entry *out)
{
    if (*cursor >= entries->len)
        return false;
    struct form_entry entry = {
        .is_file = entries->text[(*cursor)++] == TAG_FILE.data[0],
        .name = next_string(entries, cursor),
    };
    entry.value = next_string(entries, cursor);
    if (entry.is_file)
        entry.media_type = next_string(entries, cursor);
    *out = entry;
    return true;
}

void form_entries_discard(struct form_entries *entries)
{
    upload_spool_drop(&entries->spool);
    free(entries->text);
    entries->text = NULL;
}
