#include "tester/nearest.h"

#include <stddef.h>
#include <stdint.h>
#include <string.h>

#define NAME_LEN_MAX 32 /* longer ones are near to none */

static size_t least_of(size_t a, size_t b, size_t c)
{
    size_t least = a < b ? a : b;
    return least < c ? least : c;
}

/* Levenshtein's distance: one row of the table of all pairs of prefixes at a time. */
static size_t distance(const char *a, const char *b)
{
    size_t row[NAME_LEN_MAX + 1];
    size_t b_len = strlen(b);
    for (size_t j = 0; j <= b_len; j++)
        row[j] = j;
    for (size_t i = 0; a[i] != '\0'; i++) {
        size_t diagonal = row[0];
        row[0] = i + 1;
        for (size_t j = 0; j < b_len; j++) {
            size_t replaced = diagonal + (a[i] == b[j] ? 0 : 1);
            diagonal = row[j + 1];
            row[j + 1] = least_of(replaced, row[j] + 1, row[j + 1] + 1);
        }
    }
    return row[b_len];
}

const char *nearest_name(const char *wrong, const char *const *names)
{
    size_t len = strlen(wrong);
    size_t least = len < 6 ? 2 : len / 3 + 1; /* the first distance that is too far */
    const char *nearest = NULL;
    for (; *names != NULL; names++) {
        size_t away = strlen(*names) > NAME_LEN_MAX ? SIZE_MAX : distance(wrong, *names);
        if (away < least) {
            least = away;
            nearest = *names;
        }
    }
    return nearest;
}
