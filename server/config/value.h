/* A value on its way into the configuration, from the file or from text: what the user gave,
 * whether or not it fits the key. Not shared between threads.
 */
#ifndef TARN_SERVER_CONFIG_VALUE_H
#define TARN_SERVER_CONFIG_VALUE_H

#include "server/config/key.h"

enum value_type { VALUE_STRING, VALUE_INTEGER, VALUE_BOOLEAN, VALUE_LIST, VALUE_OTHER };

/* Owns its string or list. All zero is an empty VALUE_STRING that needs no value_deinit(). */
struct value {
    enum value_type type; /* which of the following counts */
    char *string;
    int64_t integer;
    bool boolean;
    struct string_list list;
    const char *description; /* VALUE_OTHER: what it is, a literal: "a group" */
};

/* Reads text as the key's type asks: decimal digits, true or false, a list separated by commas.
 * What cannot be read so becomes a VALUE_STRING, to be refused by rule_allows().
 * Returns 0, or -1 when there is no memory, *out untouched.
 */
int value_from_text(const struct key *key, const char *text, struct value *out);

/* The key's value in a configuration, borrowed: not to be deinitialised. */
struct value value_of(const struct config *config, const struct key *key);

/* Frees what the value owns, and leaves it empty. */
void value_deinit(struct value *value);

/* Appends a copy of the bytes. Returns 0, or -1 when there is no memory, the list unchanged. */
int value_list_append(struct string_list *list, struct slice bytes);
void value_list_deinit(struct string_list *list);

/* Writes the value in the syntax of the file: "a", 1, true, [ "a", "b" ]. Strings are cut after
 * `len_max` bytes, and control bytes are written as \xHH.
 */
void value_print(const struct value *value, size_t len_max, FILE *out);

#endif
