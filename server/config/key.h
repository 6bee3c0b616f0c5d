/* The keys of the configuration: one table, from which the file's reader, `--set`, `--dump` and
 * the reference are made. Constant; any thread.
 */
#ifndef TARN_SERVER_CONFIG_KEY_H
#define TARN_SERVER_CONFIG_KEY_H

#include "http/slice.h"
#include "server/config/config.h"

enum key_type {
    KEY_STRING,  /* char * */
    KEY_CHOICE,  /* char *, one of `choices` */
    KEY_PATH,    /* char *, made relative to the file that it stands in */
    KEY_SINK,    /* char *, the same, but "-", "stderr" and "off" are words */
    KEY_INTEGER, /* int64_t, from `min` to `max` */
    KEY_BOOLEAN, /* bool */
    KEY_LIST,    /* struct string_list */
};

typedef bool key_accepts_fn(const char *text);
typedef void key_explain_fn(const char *text, FILE *out);

struct key {
    const char *name; /* "group.name", or "name" alone */
    enum key_type type;
    bool planned;  /* known, but without effect as yet */
    bool is_fixed; /* a reload cannot change it */
    size_t offset; /* into struct config */
    int64_t min;
    int64_t max;             /* INT64_MAX: only the minimum is told to the user */
    const char *unit;        /* of an integer; NULL: a plain number */
    const char *choices;     /* of KEY_CHOICE: "a, b, c" */
    key_accepts_fn *accepts; /* of strings and paths; of a list, for each of its strings */
    const char *form;        /* what `accepts` wants, for messages: "an address" */
    key_explain_fn *explain; /* what a refused string lacks; may be NULL */
    const char *initial;     /* the default, as text */
    const char *meaning;     /* one sentence */
};

extern const struct key key_table[];
extern const size_t key_count;

/* The key of this name, NULL if there is none. */
const struct key *key_find(struct slice name);

/* The known key that was probably meant by an unknown name, NULL if none is near enough. */
const struct key *key_nearest(struct slice name);

/* Whether keys "name.something" exist. */
bool key_is_group(struct slice name);

/* The first key behind `after` (NULL: of all) that a reload cannot change and that has another
 * value in the one configuration than in the other; NULL if there is none.
 */
const struct key *key_find_fixed(const struct config *one, const struct config *other,
                                 const struct key *after);

/* Where the key's value is in a configuration, as a pointer to the type that key_type names. */
void *key_slot(struct config *config, const struct key *key);
const void *key_slot_const(const struct config *config, const struct key *key);

#endif
