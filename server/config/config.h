/* The configuration: one immutable object, made before any thread starts.
 *
 * All keys stand in one table (server/config/key_table.c); this struct is what the table fills.
 * Times are in seconds and sizes in bytes unless the name says otherwise; 0 = no limit where the
 * table says so. After config_load() nobody writes to it: any thread may read without a lock.
 *
 * Values come from, each over the one before: the defaults, the file, the overrides (`--set`, other
 * options and the positional arguments, in this order). A relative path in a file, or a default
 * when there is a file, is relative to that file's folder; one from the command line, or a default
 * when there is no file, to the working directory.
 */
#ifndef TARN_SERVER_CONFIG_CONFIG_H
#define TARN_SERVER_CONFIG_CONFIG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

/* What config_load() returns when the configuration is wrong; the program's exit status then. */
#define CONFIG_EXIT_INVALID 78

/* Where the file is looked for at last. */
#define CONFIG_SYSTEM_FILE "/etc/tarn/server.conf"

struct string_list {
    char **items; /* NUL-terminated strings */
    size_t count;
};

struct config {
    char *root; /* document root; made relative to the configuration file's folder if it was */
    char *index;
    char *pid_file;
    struct {
        char *host; /* a numeric IPv4 or IPv6 address (no brackets), "localhost", or "*" for any */
        int64_t port; /* 0: any free port */
        int64_t backlog;
    } listen;
    struct {
        int64_t workers;
        int64_t queue;
    } pool;
    struct string_list hosts; /* further host names that are served, "name" or "name:port" */
    struct {
        int64_t connections;
        int64_t connections_per_peer; /* 0: no limit */
        int64_t max_requests;
        int64_t idle_timeout;
        int64_t header_timeout;
        int64_t body_timeout;
        int64_t write_timeout;
        int64_t min_rate; /* bytes a second */
        int64_t head_bytes;
        int64_t head_fields;
        int64_t body_bytes;
        int64_t file_bytes;
        int64_t json_depth;
        int64_t json_values;
        int64_t batch_lines;
        int64_t drain_timeout;
    } limits;
    struct {
        int64_t chunk_bytes;
        bool sendfile;
    } stream;
    struct {
        struct string_list attachments; /* file extensions, lower case, no dot */
        char *cache_control;            /* empty: no such field */
        bool listing;
        int64_t cache_ttl_ms;
    } static_files; /* "static" in the file */
    struct {
        char *directory;
        char *durability; /* "fsync" or "none" */
        int64_t max_bytes;
        int64_t max_files;
        int64_t min_free_bytes; /* the files' too */
        int64_t ttl_days;       /* 0: for ever */
        int64_t keys;           /* 0: Idempotency-Key is not heeded */
        int64_t key_hours;
    } uploads;
    struct {
        char *directory;
        bool writable;
        int64_t max_bytes;
        int64_t max_files;
    } files;
    struct {
        char *tokens_file; /* empty: writing needs no token */
    } auth;
    struct {
        char *name; /* of the visitor cookie; empty: none is set */
        int64_t max_age;
    } cookies;
    struct {
        struct string_list origins; /* "https://name", or "*" */
    } cors;
    struct {
        char *level;               /* error, warn, info, debug */
        char *access;              /* "-" stdout, "stderr", "off", or a file */
        char *error;               /* "stderr", "-" stdout, "off", or a file */
        char *format;              /* of the access log: a name, or a format string */
        char *error_format;        /* of the error log: a format string */
        int64_t snapshot_interval; /* 0: none */
    } log;
    struct {
        char *host;
        int64_t port; /* 0: off */
    } admin;
    char *file;               /* the configuration file that was read, NULL if none */
    char *uploads_as_written; /* uploads.directory as the user wrote it, for the answer's `path` */
    char **origins; /* of each key, in the table's order: "default", "FILE:LINE", "--set" or
                     * "command line" */
};

/* One value from the command line. All strings are borrowed. */
struct config_override {
    const char *key; /* key_len bytes; need not be a known key */
    size_t key_len;
    const char *value;  /* as text: lists are separated by commas */
    const char *origin; /* "--set" or "command line" */
};

struct config_input {
    const char *file; /* the file to read; NULL: look for one, see server/config/locate.h */
    const struct config_override *overrides;
    size_t override_count;
    bool tolerates_faults; /* they are told, and what is wrong has its default: for commands that
                            * only have to find a running server */
};

/* Makes a configuration. Returns 0 and gives *out to the caller; else *out is untouched, each
 * fault is a line `FILE:LINE: message` or `ORIGIN: message` on `errors`, and the result is the
 * program's exit status: CONFIG_EXIT_INVALID, or 1 when there is no memory.
 * Reads files, does not hang on anything but a dead file system. Any thread.
 *
 * (Its opposite is not called config_destroy: libconfig exports that name, and a program that
 * defined it too would take the library's own calls.)
 */
int config_load(const struct config_input *input, struct config **out, FILE *errors);

/* NULL is allowed. */
void config_free(struct config *config);

#endif
