/* Dates on the wire (RFC 9110 section 5.6.7). Times are seconds since 1970 in UTC. */
#ifndef TARN_HTTP_DATE_H
#define TARN_HTTP_DATE_H

#include "http/slice.h"

#include <time.h>

#define DATE_LEN 29 /* "Sun, 06 Nov 1994 08:49:37 GMT" */

/* Writes an IMF-fixdate and a NUL. Times outside the years 1970 to 9999 are clamped. */
void date_format(time_t when, char out[DATE_LEN + 1]);

/* Parses IMF-fixdate, RFC 850 and asctime dates; `now` decides the century of RFC 850's two
 * digits. Returns 0, or -1 (*out untouched) for anything else.
 */
int date_parse(struct slice text, time_t now, time_t *out);

#endif
