/* The entries of a directory, as far as clients may know of them: files and directories that a
 * request can name. Left out are hidden names (but `.well-known` at the root), special files, and
 * names that no request target can hold: those that are not UTF-8, or have a control byte or a
 * backslash in them.
 *
 * A symbolic link is what it leads to, if it can be opened as a request would open it; so links
 * that leave the root, and dangling ones, are left out. An open costs three times as much as the
 * fstatat that does for other entries.
 *
 * No thread knows of another's entries.
 */
#ifndef TARN_SERVER_HANDLERS_LISTING_ENTRIES_H
#define TARN_SERVER_HANDLERS_LISTING_ENTRIES_H

#include "http/slice.h"

#include <time.h>

/* So many make a page of about 2 MB in 30 to 40 ms; 100 ms if all of them are links. */
#define LISTING_ENTRIES_MAX 10000

struct listing_entry {
    uint64_t bytes; /* 0 for a directory */
    time_t modified;
    bool is_directory;
    char name[]; /* UTF-8, no control byte, no slash at the end */
};

struct listing_entries {
    struct listing_entry **items; /* owned, and each of them too */
    size_t count;
    size_t capacity;
    bool has_more; /* the directory holds more than were read */
};

enum listing_key { LISTING_BY_NAME, LISTING_BY_SIZE, LISTING_BY_DATE, LISTING_KEYS };

struct listing_order {
    enum listing_key key;
    bool descending;
};

/* As the query names the keys. */
extern const struct slice listing_key_names[LISTING_KEYS];

/* Where the directory is. */
struct listing_folder {
    int root;          /* borrowed; descriptor of the document root */
    struct slice path; /* canonical, with a slash at its end */
    size_t max;        /* of the entries that are read */
};

/* Reads the entries of the directory, in no order. `directory` is open for reading and is closed
 * here, whatever happens. Returns 0, and *out is to be given to listing_entries_deinit(); or -1
 * with errno, *out untouched. Entries that vanish under way are left out.
 */
int listing_entries_read(const struct listing_folder *folder, int directory,
                         struct listing_entries *out);

/* Sorts the entries: directories first; then by the key; where that is the same, by name. Names are
 * compared without regard to the case of ASCII letters.
 */
void listing_entries_sort(struct listing_entries *entries, struct listing_order order);

void listing_entries_deinit(struct listing_entries *entries);

#define LISTING_TIME_LEN 20 /* "2026-01-02T03:04:05Z" */

/* Writes the time in UTC as RFC 3339 has it, and a NUL. Times outside the years 1970 to 9999 are
 * clamped.
 */
void listing_entries_format_time(time_t when, char out[LISTING_TIME_LEN + 1]);

#endif
