#include "server/handlers/static_files.h"

#include "server/handlers/conditions.h"
#include "server/handlers/contained.h"
#include "server/handlers/file_cache.h"
#include "server/handlers/file_response.h"
#include "server/handlers/listing.h"
#include "server/handlers/media_types.h"
#include "server/handlers/problem.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

/* The path below the root, as openat2 wants it. */
static const char *relative(struct slice path)
{
    return path.len > 1 ? path.data + 1 : ".";
}

static bool ends_with_slash(struct slice path)
{
    return path.data[path.len - 1] == '/';
}

static struct slice file_name(struct slice path)
{
    const char *slash = memrchr(path.data, '/', path.len);
    return (struct slice){slash + 1, (size_t)(path.data + path.len - slash - 1)};
}

static bool is_attachment(const struct config *config, struct slice extension)
{
    for (size_t i = 0; i < config->static_files.attachments.count; i++)
        if (slice_equal_nocase(slice_from_string(config->static_files.attachments.items[i]),
                               extension))
            return true;
    return false;
}

/* Types that are not known, and those that are configured so, are downloads. */
static struct file_look look_of(const struct config *config, struct slice name)
{
    struct slice extension = media_types_extension(name);
    struct file_look look = {
        .media_type = media_types_find(extension),
        .cache_control = slice_from_string(config->static_files.cache_control),
    };
    if (look.media_type.len == 0 || is_attachment(config, extension)) {
        look.media_type = SLICE("application/octet-stream");
        look.download_name = name;
    }
    return look;
}

/* A directory without its slash: relative links in its page would lead astray. */
static void answer_redirect(struct request *request)
{
    struct response *response = &request->exchange->response;
    text_append(&response->fields, SLICE("Location: "));
    text_append_percent(&response->fields, request->path);
    text_append_char(&response->fields, '/');
    if (request->target.has_query) {
        text_append_char(&response->fields, '?');
        text_append(&response->fields, request->target.query);
    }
    text_append(&response->fields, SLICE("\r\n"));
    if (response->fields.truncated) {
        response->fields = text_over(response->fields.data, response->fields.size);
        problem_answer(request, HTTP_URI_TOO_LONG, NULL);
        return;
    }
    response->status = HTTP_MOVED_PERMANENTLY;
    response->content = RESPONSE_BYTES;
}

/* What has been opened at `path`. Takes the descriptor over. */
static void answer_opened(struct request *request, int file, const char *path, struct slice name)
{
    struct stat stat;
    if (fstat(file, &stat) != 0) {
        file_response_refuse(request, errno);
    } else if (S_ISREG(stat.st_mode)) {
        struct file_look look = look_of(request->site->config, name);
        if (request->site->file_cache)
            file_cache_offer(request->site->file_cache, path, file, &stat, &look, request->now);
        file_response_make(request, file, &stat, &look);
        return;
    } else if (S_ISDIR(stat.st_mode) && !ends_with_slash(request->path)) {
        answer_redirect(request);
    } else if (S_ISDIR(stat.st_mode) && request->site->config->static_files.listing) {
        listing_answer(request, file);
        conditions_judge(request);
        return;
    } else {
        problem_answer(request, HTTP_FORBIDDEN, NULL);
    }
    (void)close(file); /* only read from: nothing can be lost */
}

/* Answers with the file at `path` if it is in the cache, and wanted as a whole. */
static bool answer_from_cache(struct request *request, const char *path)
{
    struct exchange *exchange = request->exchange;
    struct file_cache *cache = request->site->file_cache;
    if (!cache || head_find(&exchange->head, SLICE("Range"), NULL) > 0)
        return false;
    struct cached_file *cached =
        file_cache_find(cache, request->site->root, path, request->waiting_since_us);
    if (!cached)
        return false;
    exchange->kind = &static_files_handler;
    exchange->data = cached; /* held until the exchange ends */
    file_response_make_cached(request, cached);
    return true;
}

static void let_go(struct exchange *exchange)
{
    cached_file_release(exchange->data);
    exchange->data = NULL;
}

static bool is_directory(int file)
{
    struct stat stat;
    return fstat(file, &stat) == 0 && S_ISDIR(stat.st_mode);
}

/* The path of the index file of the directory that the request names, in the worker's memory;
 * NULL if it is too long.
 */
static const char *index_path(const struct request *request)
{
    struct text path = text_over(request->content.data, request->content.size);
    text_append(&path, slice_from_string(relative(request->path)));
    if (request->path.len == 1)
        text_append_char(&path, '/');
    text_append(&path, slice_from_string(request->site->config->index));
    text_append_char(&path, '\0');
    return path.truncated ? NULL : path.data;
}

/* Answers with the index file of a directory. Returns false if there is none. */
static bool answer_index(struct request *request)
{
    const char *path = index_path(request);
    struct slice name = slice_from_string(request->site->config->index);
    if (!path || answer_from_cache(request, path))
        return path != NULL;
    int file = contained_open(request->site->root, path);
    int error = errno;
    if (file < 0 && error == ENOENT)
        return false;
    if (file >= 0 && is_directory(file)) {
        (void)close(file); /* only read from: nothing can be lost */
        return false;
    }
    if (file >= 0)
        answer_opened(request, file, path, name);
    else
        file_response_refuse(request, error);
    return true;
}

static void answer(struct request *request)
{
    if (target_is_hidden(request->path)) {
        problem_answer(request, HTTP_NOT_FOUND, NULL);
        return;
    }
    const char *path = relative(request->path);
    struct slice name = file_name(request->path);
    if (ends_with_slash(request->path) ? answer_index(request) : answer_from_cache(request, path))
        return;
    int file = contained_open(request->site->root, path);
    if (file < 0)
        file_response_refuse(request, errno);
    else
        answer_opened(request, file, path, name);
}

const struct handler static_files_handler = {
    .methods = METHOD_GET | METHOD_HEAD,
    .has_validators = true,
    .answer = answer,
    .close = let_go,
};
