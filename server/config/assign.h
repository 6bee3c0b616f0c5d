/* Putting values into a configuration: the one place where each is checked against its key. */
#ifndef TARN_SERVER_CONFIG_ASSIGN_H
#define TARN_SERVER_CONFIG_ASSIGN_H

#include "server/config/problems.h"
#include "server/config/value.h"

/* Takes the value, and puts it in the place of the one that is there; *value is empty afterwards.
 * A value that the key does not take is added to `problems` and changes nothing.
 */
void assign_value(struct config *config, const struct key *key, struct value *value,
                  const struct origin *origin, struct problems *problems);

/* The same with a value as text (see value_from_text). */
void assign_text(struct config *config, const struct key *key, const char *text,
                 const struct origin *origin, struct problems *problems);

/* Adds that there is no such key, and which one was probably meant. */
void assign_refuse_unknown(struct slice name, const struct origin *origin,
                           struct problems *problems);

#endif
