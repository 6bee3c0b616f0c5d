/* The query of a target, as pages and scripts write it: NAME=VALUE&NAME=VALUE. The names and values
 * that the server knows are plain words, so nothing is decoded. Any thread.
 */
#ifndef TARN_SERVER_HANDLERS_QUERY_H
#define TARN_SERVER_HANDLERS_QUERY_H

#include "http/slice.h"

/* Whether the parameter is NAME=VALUE. */
bool query_is_setting(struct slice parameter, struct slice name, struct slice value);

/* The value of the last parameter of this name; empty if there is none. */
struct slice query_find(struct slice query, struct slice name);

#endif
