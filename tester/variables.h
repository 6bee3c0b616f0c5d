/* What an answer has given, for later requests: {location} in an URL, in a header field or in
 * what is expected of one stands for the value that was saved under that name. For one thread at a
 * time.
 */
#ifndef TARN_TESTER_VARIABLES_H
#define TARN_TESTER_VARIABLES_H

#include "http/slice.h"

struct variable;

struct variables {
    struct variable *list;
    size_t count;
};

void variables_deinit(struct variables *variables);

/* Whether it is a name: letters, digits and '_', and not empty. */
bool variables_is_name(struct slice name);

/* Saves a copy of a value, in place of an older one of that name. `name` is borrowed and must
 * outlive *variables. Returns 0, or -1 when there is no memory.
 */
int variables_set(struct variables *variables, const char *name, struct slice value);

/* Replaces each {name}; braces around anything else stay. Returns 0 with the text, which the
 * caller frees, in *out; -1 when nothing has been saved under a name (in *out_missing, a part of
 * `text`) or when there is no memory (*out_missing is empty). `out_missing` is set in each case.
 */
int variables_expand(const struct variables *variables, const char *text, char **out,
                     struct slice *out_missing);

/* Whether the text has a {name} to be replaced. */
bool variables_are_in(const char *text);

#endif
