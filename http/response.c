#include "http/response.h"

#include <stdlib.h>
#include <unistd.h>

void response_init(struct response *response, char *field_buffer, size_t size)
{
    response->status = HTTP_GO_ON;
    response->media_type = (struct slice){0};
    response->fields = text_over(field_buffer, size);
    response->content = RESPONSE_EMPTY;
    response->bytes = (struct slice){0};
    response->owned = NULL;
    response->bytes_last = false;
    response->file = -1;
    response->part_count = 0; /* the parts themselves are not cleared: most responses have none */
    response->close = false;
}

void response_deinit(struct response *response)
{
    free(response->owned);
    response->owned = NULL;
    if (response->file >= 0)
        (void)close(response->file); /* only read from: nothing can be lost */
    response->file = -1;
}

void response_append_field(struct text *text, struct slice name, struct slice value)
{
    text_append(text, name);
    text_append(text, SLICE(": "));
    text_append(text, value);
    text_append(text, SLICE("\r\n"));
}

void response_add_field(struct response *response, struct slice name, struct slice value)
{
    response_append_field(&response->fields, name, value);
}

void response_set_file(struct response *response, int file, off_t offset, uint64_t len)
{
    response->content = RESPONSE_FILE;
    response->file = file;
    response->parts[0] = (struct response_part){.offset = offset, .len = len};
    response->part_count = 1;
}

void response_set_text(struct response *response, char *text, struct slice media_type)
{
    response->content = RESPONSE_BYTES;
    response->media_type = media_type;
    response->owned = text;
    response->bytes = slice_from_string(text);
}

uint64_t response_content_bytes(const struct response *response)
{
    if (response->content == RESPONSE_EMPTY)
        return 0;
    uint64_t len = response->bytes.len;
    for (unsigned i = 0; i < response->part_count; i++)
        len += response->parts[i].before.len + response->parts[i].len;
    return len;
}

static void append_status_line(struct text *out, enum http_status status)
{
    if (status == HTTP_OK) { /* nearly always */
        text_append(out, SLICE("HTTP/1.1 200 OK\r\n"));
        return;
    }
    text_append(out, SLICE("HTTP/1.1 "));
    text_append_u64(out, (uint64_t)status);
    text_append_char(out, ' ');
    text_append(out, http_status_reason(status));
    text_append(out, SLICE("\r\n"));
}

/* RFC 9112 section 9.3. Keep-Alive is the older form that clients still read. */
static void append_persistence(struct text *out, const struct response_frame *frame)
{
    if (!frame->persistent) {
        text_append(out, SLICE("Connection: close\r\n"));
        return;
    }
    text_append(out, SLICE("Connection: keep-alive\r\nKeep-Alive: timeout="));
    text_append_u64(out, frame->idle_timeout_s);
    text_append(out, SLICE(", max="));
    text_append_u64(out, frame->requests_left);
    text_append(out, SLICE("\r\n"));
}

void response_write_head(const struct response *response, const struct response_frame *frame,
                         struct text *out)
{
    append_status_line(out, response->status);
    response_append_field(out, SLICE("Date"), frame->date);
    text_append(out, SLICE("Server: tarn\r\nX-Content-Type-Options: nosniff\r\n"));
    append_persistence(out, frame);
    if (response->media_type.len > 0)
        response_append_field(out, SLICE("Content-Type"), response->media_type);
    if (response->content != RESPONSE_EMPTY) {
        text_append(out, SLICE("Content-Length: "));
        text_append_u64(out, response_content_bytes(response));
        text_append(out, SLICE("\r\n"));
    }
    text_append(out, text_slice(&response->fields));
    text_append(out, SLICE("\r\n"));
}
