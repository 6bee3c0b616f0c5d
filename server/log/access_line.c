#include "server/log/access_line.h"

#include <stdio.h>
#include <stdlib.h>

#define FIELD_BYTES_MAX 8192 /* longer fields are cut */

static const char month_names[12][4] = {
    "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
};

/* " - - [10/Oct/2000:13:55:36 +0000] \"": all that stands between the client and the request. */
static void renew_stamp(struct access_stamp *stamp, time_t when)
{
    struct tm local;
    if (localtime_r(&when, &local) == NULL)
        local = (struct tm){.tm_year = 70, .tm_mday = 1};
    long offset_minutes = local.tm_gmtoff / 60;
    int len = snprintf(stamp->text, sizeof stamp->text,
                       " - - [%02d/%s/%04d:%02d:%02d:%02d %c%02ld%02ld] \"", local.tm_mday,
                       month_names[local.tm_mon], local.tm_year + 1900, local.tm_hour, local.tm_min,
                       local.tm_sec, offset_minutes < 0 ? '-' : '+', labs(offset_minutes) / 60,
                       labs(offset_minutes) % 60);
    stamp->len = len > 0 ? (size_t)len : 0;
    stamp->time = when;
}

static void append_field(struct text *out, struct slice field)
{
    if (field.len == 0)
        field = SLICE("-");
    if (field.len > FIELD_BYTES_MAX)
        field.len = FIELD_BYTES_MAX;
    text_append_log(out, field);
}

void access_line_append(struct text *out, struct access_stamp *stamp,
                        const struct access_entry *entry)
{
    if (stamp->len == 0 || stamp->time != entry->time)
        renew_stamp(stamp, entry->time);
    append_field(out, entry->client);
    text_append(out, (struct slice){stamp->text, stamp->len});
    append_field(out, entry->request_line);
    text_append(out, SLICE("\" "));
    text_append_u64(out, entry->status);
    text_append_char(out, ' ');
    if (entry->body_bytes > 0)
        text_append_u64(out, entry->body_bytes);
    else
        text_append_char(out, '-');
    text_append(out, SLICE(" \""));
    append_field(out, entry->referer);
    text_append(out, SLICE("\" \""));
    append_field(out, entry->user_agent);
    text_append(out, SLICE("\"\n"));
}
