/* The configuration: one immutable object, made before any thread starts.
 *
 * All keys stand in one table (server/config/table.c); this struct is what the table fills.
 * Times are in seconds and sizes in bytes unless the name says otherwise; 0 = no limit where the
 * table says so. After config_load() nobody writes to it: any thread may read without a lock.
 */
#ifndef TARN_SERVER_CONFIG_CONFIG_H
#define TARN_SERVER_CONFIG_CONFIG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct string_list {
    char **items; /* NUL-terminated strings */
    size_t count;
};

struct config {
    char *root; /* document root; made relative to the configuration file's folder if it was */
    char *index;
    struct {
        char *host;
        int64_t port;
        int64_t backlog;
    } listen;
    struct {
        int64_t workers;
        int64_t queue;
    } pool;
    struct string_list hosts; /* further host names that are served, "name" or "name:port" */
    struct {
        int64_t connections;
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
        int64_t min_free_bytes;
    } uploads;
    struct {
        char *directory;
        bool writable;
    } files;
    struct {
        char *level;  /* error, warn, info, debug */
        char *access; /* "-" stdout, "stderr", "off", or a file */
        char *error;  /* "stderr", "-" stdout, "off", or a file */
        char *format; /* "combined" */
    } log;
    struct {
        char *host;
        int64_t port;
    } admin;
    char *file;               /* the configuration file that was read, NULL if none */
    char *uploads_as_written; /* uploads.directory as the user wrote it, for the answer's `path` */
};

#endif
