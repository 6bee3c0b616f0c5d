#include "server/handlers/listing_entries.h"

#include "http/octet.h"
#include "http/text.h"
#include "http/utf8.h"
#include "server/handlers/contained.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define CAPACITY_FIRST 64

#define TIME_MAX       253402300799 /* 9999-12-31T23:59:59Z */

const struct slice listing_key_names[LISTING_KEYS] = {
    [LISTING_BY_NAME] = {"name", 4},
    [LISTING_BY_SIZE] = {"size", 4},
    [LISTING_BY_DATE] = {"date", 4},
};

/* -- One entry -- */

/* The same rule as target_is_hidden() has for the whole path. */
static bool is_hidden(const struct listing_folder *folder, const char *name)
{
    bool is_at_root = folder->path.len == 1;
    return name[0] == '.' && !(is_at_root && strcmp(name, ".well-known") == 0);
}

static bool is_requestable(const char *name)
{
    for (const char *at = name; *at != '\0'; at++)
        if (octet_is(*at, OCTET_CONTROL) || *at == '\\')
            return false;
    return utf8_is_valid(slice_from_string(name));
}

/* What the link leads to. Returns 0 or -1. */
static int stat_link(const struct listing_folder *folder, const char *name, struct stat *out)
{
    char buffer[PATH_MAX];
    struct text path = text_over(buffer, sizeof(buffer));
    text_append(&path, (struct slice){folder->path.data + 1, folder->path.len - 1});
    text_append(&path, slice_from_string(name));
    text_append_char(&path, '\0');
    if (path.truncated)
        return -1;
    int target = contained_open(folder->root, buffer);
    if (target < 0)
        return -1;
    int result = fstat(target, out);
    (void)close(target); /* nothing was written */
    return result;
}

/* Whether the entry is listed; then *out is what it is, or leads to. */
static bool look_at(const struct listing_folder *folder, int directory, const char *name,
                    struct stat *out)
{
    if (is_hidden(folder, name) || !is_requestable(name) ||
        fstatat(directory, name, out, AT_SYMLINK_NOFOLLOW) != 0)
        return false;
    if (S_ISLNK(out->st_mode) && stat_link(folder, name, out) != 0)
        return false;
    return S_ISREG(out->st_mode) || S_ISDIR(out->st_mode);
}

/* -- All of them -- */

static int make_room(struct listing_entries *entries)
{
    if (entries->count < entries->capacity)
        return 0;
    size_t capacity = entries->capacity > 0 ? 2 * entries->capacity : CAPACITY_FIRST;
    struct listing_entry **items =
        realloc(entries->items, capacity * sizeof(struct listing_entry *));
    if (!items)
        return -1;
    entries->items = items;
    entries->capacity = capacity;
    return 0;
}

static int add(struct listing_entries *entries, const char *name, const struct stat *stat)
{
    size_t name_size = strlen(name) + 1;
    if (make_room(entries) != 0)
        return -1;
    struct listing_entry *entry = malloc(sizeof(*entry) + name_size);
    if (!entry)
        return -1;
    entry->is_directory = S_ISDIR(stat->st_mode);
    entry->bytes = entry->is_directory ? 0 : (uint64_t)stat->st_size;
    entry->modified = stat->st_mtime;
    memcpy(entry->name, name, name_size);
    entries->items[entries->count++] = entry;
    return 0;
}

static int read_stream(const struct listing_folder *folder, DIR *stream,
                       struct listing_entries *entries)
{
    for (;;) {
        struct stat stat;
        errno = 0;
        const struct dirent *found = readdir(stream);
        if (!found)
            return errno == 0 ? 0 : -1;
        if (!look_at(folder, dirfd(stream), found->d_name, &stat))
            continue;
        if (entries->count == folder->max) {
            entries->has_more = true;
            return 0;
        }
        if (add(entries, found->d_name, &stat) != 0)
            return -1;
    }
}

int listing_entries_read(const struct listing_folder *folder, int directory,
                         struct listing_entries *out)
{
    struct listing_entries entries = {0};
    int error = 0;
    DIR *stream = fdopendir(directory);
    if (!stream) {
        error = errno;
        (void)close(directory); /* only read from: nothing can be lost */
        errno = error;
        return -1;
    }
    if (read_stream(folder, stream, &entries) != 0)
        error = errno;
    (void)closedir(stream); /* likewise */
    if (error != 0) {
        listing_entries_deinit(&entries);
        errno = error;
        return -1;
    }
    *out = entries;
    return 0;
}

void listing_entries_deinit(struct listing_entries *entries)
{
    for (size_t i = 0; i < entries->count; i++)
        free(entries->items[i]);
    free(entries->items);
    *entries = (struct listing_entries){0};
}

/* -- Their order -- */

static int compare_numbers(uint64_t a, uint64_t b)
{
    return (a > b) - (a < b);
}

static int compare_names(const char *a, const char *b)
{
    size_t i = 0;
    while (a[i] != '\0' && octet_lower(a[i]) == octet_lower(b[i]))
        i++;
    int difference = (unsigned char)octet_lower(a[i]) - (unsigned char)octet_lower(b[i]);
    return difference != 0 ? difference : strcmp(a, b);
}

static int compare_by(enum listing_key key, const struct listing_entry *a,
                      const struct listing_entry *b)
{
    switch (key) {
    case LISTING_BY_SIZE:
        return compare_numbers(a->bytes, b->bytes);
    case LISTING_BY_DATE:
        return (a->modified > b->modified) - (a->modified < b->modified);
    default:
        return compare_names(a->name, b->name);
    }
}

/* For qsort_r(). */
static int compare(const void *first, const void *second, void *context)
{
    const struct listing_entry *a = *(struct listing_entry *const *)first;
    const struct listing_entry *b = *(struct listing_entry *const *)second;
    const struct listing_order *order = context;
    if (a->is_directory != b->is_directory)
        return a->is_directory ? -1 : 1;
    int by_key = compare_by(order->key, a, b);
    if (by_key == 0)
        return compare_names(a->name, b->name);
    return order->descending ? -by_key : by_key;
}

void listing_entries_sort(struct listing_entries *entries, struct listing_order order)
{
    if (entries->count > 0)
        qsort_r(entries->items, entries->count, sizeof(struct listing_entry *), compare, &order);
}

/* -- Their times -- */

void listing_entries_format_time(time_t when, char out[LISTING_TIME_LEN + 1])
{
    struct tm utc = {0};
    time_t clamped = when < 0 ? 0 : when > TIME_MAX ? TIME_MAX : when;
    (void)gmtime_r(&clamped, &utc); /* fails only for years beyond an int */
    (void)strftime(out, LISTING_TIME_LEN + 1, "%Y-%m-%dT%H:%M:%SZ", &utc);
}
