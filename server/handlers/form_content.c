#include "server/handlers/form_content.h"

#include <stdlib.h>

struct form_content *form_content_create(const struct form_content_options *options)
{
    struct form_content *content = calloc(1, sizeof(*content));
    if (!content)
        return NULL;
    content->records = options->records;
    content->entries.spool.store = options->records;
    content->entries.bytes_max = options->text_bytes;
    content->files.store = options->files;
    content->files.bytes_max = options->file_bytes;
    content->is_multipart = options->boundary.len > 0;
    if (content->is_multipart)
        multipart_init(&content->decoder.multipart, options->boundary);
    return content;
}

void form_content_destroy(struct form_content *content)
{
    if (!content)
        return;
    form_entries_discard(&content->entries);
    form_files_discard(&content->files);
    free(content);
}

/* --- multipart ----------------------------------------------------------------------------- */

static struct form_fault begin_file(struct form_content *content)
{
    struct form_fault fault = FORM_FINE;
    if (content->has_begun)
        return fault;
    content->has_begun = true;
    fault = form_files_begin(&content->files);
    return fault.status != HTTP_GO_ON ? fault
                                      : form_entries_add_file(&content->entries, &content->part);
}

static struct form_fault take_data(struct form_content *content, struct slice data)
{
    if (!content->part.is_file)
        return form_entries_add_value(&content->entries, data);
    struct form_fault fault = begin_file(content);
    return fault.status != HTTP_GO_ON ? fault : form_files_append(&content->files, data);
}

/* A file without a name and without a byte is what a browser sends for none chosen. */
static struct form_fault end_part(struct form_content *content)
{
    struct form_fault fault = FORM_FINE;
    if (!content->part.is_file)
        return form_entries_end_field(&content->entries);
    if (content->part.filename.len > 0)
        fault = begin_file(content);
    if (fault.status == HTTP_GO_ON && content->has_begun)
        fault = form_files_end(&content->files);
    return fault;
}

static struct form_fault take_event(struct form_content *content,
                                    const struct multipart_event *event)
{
    switch (event->kind) {
    case MULTIPART_PART:
        content->part = event->part;
        content->has_begun = false;
        return event->part.is_file ? FORM_FINE
                                   : form_entries_add_name(&content->entries, event->part.name);
    case MULTIPART_DATA:
        return take_data(content, event->data);
    case MULTIPART_END:
        return end_part(content);
    default:
        return FORM_FINE;
    }
}

static struct form_fault take_multipart(struct form_content *content, struct slice piece)
{
    struct multipart *multipart = &content->decoder.multipart;
    struct form_fault fault = FORM_FINE;
    while (piece.len > 0 && fault.status == HTTP_GO_ON) {
        struct multipart_event event;
        size_t used;
        if (multipart_decode(multipart, piece.data, piece.len, &used, &event) == PARSE_BAD)
            return FORM_REFUSED(HTTP_BAD_REQUEST, multipart_fault(multipart));
        fault = take_event(content, &event);
        piece.data += used;
        piece.len -= used;
    }
    return fault;
}

/* --- urlencoded ---------------------------------------------------------------------------- */

#define BAD_ESCAPE                                                                                 \
    FORM_REFUSED(HTTP_BAD_REQUEST, "A '%' is not followed by two hexadecimal digits.")

static struct form_fault take_pair(struct form_content *content,
                                   const struct urlencoded_event *event)
{
    switch (event->kind) {
    case URLENCODED_NAME:
        return form_entries_add_name(&content->entries, event->data);
    case URLENCODED_VALUE:
        return form_entries_add_value(&content->entries, event->data);
    case URLENCODED_END:
        return form_entries_end_field(&content->entries);
    default:
        return FORM_FINE;
    }
}

static struct form_fault take_urlencoded(struct form_content *content, struct slice piece)
{
    struct form_fault fault = FORM_FINE;
    while (piece.len > 0 && fault.status == HTTP_GO_ON) {
        struct urlencoded_event event;
        size_t used;
        if (urlencoded_decode(&content->decoder.urlencoded, piece.data, piece.len, &used, &event) ==
            PARSE_BAD)
            return BAD_ESCAPE;
        fault = take_pair(content, &event);
        piece.data += used;
        piece.len -= used;
    }
    return fault;
}

/* --- both ---------------------------------------------------------------------------------- */

struct form_fault form_content_take(struct form_content *content, struct slice piece)
{
    return content->is_multipart ? take_multipart(content, piece) : take_urlencoded(content, piece);
}

static struct form_fault finish_decoder(struct form_content *content)
{
    struct urlencoded_event event;
    if (content->is_multipart) {
        if (multipart_finish(&content->decoder.multipart) == PARSE_DONE)
            return FORM_FINE;
        return FORM_REFUSED(HTTP_BAD_REQUEST, multipart_fault(&content->decoder.multipart));
    }
    if (urlencoded_finish(&content->decoder.urlencoded, &event) == PARSE_BAD)
        return BAD_ESCAPE;
    return take_pair(content, &event);
}

struct form_fault form_content_finish(struct form_content *content)
{
    struct form_fault fault = finish_decoder(content);
    return fault.status != HTTP_GO_ON ? fault : form_entries_finish(&content->entries);
}
