/* Compares two JSON values. Pure; any thread.
 *
 * Members of objects have no order; numbers are equal if they are so as doubles.
 */
#ifndef TARN_TESTER_JSON_MATCH_H
#define TARN_TESTER_JSON_MATCH_H

#include <cjson/cJSON.h>
#include <stdbool.h>
#include <stdio.h>

/* Whether `actual` is equal to `expected`; with `may_have_more`, objects may have members that are
 * not expected. If not, writes one line about the first difference, like
 * `LEAD: at .files[0].size: 12, expected 13`. The depth of both is bounded by whoever read them.
 */
bool json_match(const cJSON *expected, const cJSON *actual, bool may_have_more, const char *lead,
                FILE *difference);

#endif
