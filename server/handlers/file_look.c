#include "server/handlers/file_look.h"

#include "http/date.h"
#include "http/response.h"

void file_look_append_validators(struct text *text, const struct representation *file,
                                 const struct file_look *look)
{
    char date[DATE_LEN + 1];
    date_format(file->validators.last_modified, date);
    response_append_field(text, SLICE("Last-Modified"), (struct slice){date, DATE_LEN});
    response_append_field(text, SLICE("ETag"), file->validators.etag);
    if (look->cache_control.len > 0)
        response_append_field(text, SLICE("Cache-Control"), look->cache_control);
}

void file_look_append(struct text *text, const struct file_look *look)
{
    response_append_field(text, SLICE("Accept-Ranges"), SLICE("bytes"));
    if (look->download_name.len > 0) {
        text_append(text, SLICE("Content-Disposition: "));
        text_append_attachment(text, look->download_name);
        text_append(text, SLICE("\r\n"));
    }
    if (look->policy.len > 0)
        response_append_field(text, SLICE("Content-Security-Policy"), look->policy);
}
