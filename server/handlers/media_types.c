#include "server/handlers/media_types.h"

#include <string.h>

struct media_type {
    struct slice extension;
    struct slice type;
};

#define TYPE(extension, type)                                                                      \
    {                                                                                              \
        {(extension), sizeof(extension) - 1},                                                      \
        {                                                                                          \
            (type), sizeof(type) - 1                                                               \
        }                                                                                          \
    }

/* Formats that a page uses or a browser shows; everything else is a download. */
static const struct media_type types[] = {
    TYPE("html", "text/html; charset=utf-8"),
    TYPE("htm", "text/html; charset=utf-8"),
    TYPE("css", "text/css; charset=utf-8"),
    TYPE("js", "text/javascript; charset=utf-8"),
    TYPE("mjs", "text/javascript; charset=utf-8"),
    TYPE("json", "application/json"),
    TYPE("svg", "image/svg+xml"),
    TYPE("ico", "image/vnd.microsoft.icon"),
    TYPE("png", "image/png"),
    TYPE("jpg", "image/jpeg"),
    TYPE("jpeg", "image/jpeg"),
    TYPE("webp", "image/webp"),
    TYPE("avif", "image/avif"),
    TYPE("gif", "image/gif"),
    TYPE("txt", "text/plain; charset=utf-8"),
    TYPE("md", "text/markdown; charset=utf-8"),
    TYPE("csv", "text/csv; charset=utf-8"),
    TYPE("xml", "application/xml"),
    TYPE("pdf", "application/pdf"),
    TYPE("wasm", "application/wasm"),
    TYPE("map", "application/json"),
    TYPE("webmanifest", "application/manifest+json"),
    TYPE("vtt", "text/vtt; charset=utf-8"),
    TYPE("woff", "font/woff"),
    TYPE("woff2", "font/woff2"),
    TYPE("ttf", "font/ttf"),
    TYPE("otf", "font/otf"),
    TYPE("mp4", "video/mp4"),
    TYPE("webm", "video/webm"),
    TYPE("mp3", "audio/mpeg"),
    TYPE("ogg", "audio/ogg"),
    TYPE("wav", "audio/wav"),
    TYPE("flac", "audio/flac"),
};

struct slice media_types_extension(struct slice name)
{
    const char *dot = memrchr(name.data, '.', name.len);
    const char *slash = memrchr(name.data, '/', name.len);
    if (!dot || (slash && dot < slash))
        return (struct slice){0};
    return (struct slice){dot + 1, (size_t)(name.data + name.len - dot - 1)};
}

struct slice media_types_find(struct slice extension)
{
    for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++)
        if (slice_equal_nocase(types[i].extension, extension))
            return types[i].type;
    return (struct slice){0};
}
