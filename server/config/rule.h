/* What a key takes, as a test and in words. Any thread. */
#ifndef TARN_SERVER_CONFIG_RULE_H
#define TARN_SERVER_CONFIG_RULE_H

#include "server/config/value.h"

/* Whether the value has the key's type, range and form. */
bool rule_allows(const struct key *key, const struct value *value);

/* For a value that is not allowed: `must be WHAT, not VALUE`, without a newline. Of a list only
 * the first wrong string is shown.
 */
void rule_print_mismatch(const struct key *key, const struct value *value, FILE *out);

/* "1 to 3600", "0 or more", "error, warn, info or debug", ...; nothing for a boolean. */
void rule_print_range(const struct key *key, FILE *out);

#endif
