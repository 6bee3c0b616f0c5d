#include "server/handlers/static_files.h"

#include "server/handlers/contained.h"
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
        problem_answer(request, HTTP_URI_TOO_LONG, problem_detail(HTTP_URI_TOO_LONG));
        return;
    }
    response->status = HTTP_MOVED_PERMANENTLY;
    response->content = RESPONSE_BYTES;
}

/* What has been opened. Takes the descriptor over. */
static void answer_opened(struct request *request, int file, struct slice name)
{
    struct stat stat;
    if (fstat(file, &stat) != 0) {
        file_response_refuse(request, errno);
    } else if (S_ISREG(stat.st_mode)) {
        struct file_look look = look_of(request->site->config, name);
        file_response_make(request, file, &stat, &look);
        return;
    } else if (S_ISDIR(stat.st_mode) && !ends_with_slash(request->path)) {
        answer_redirect(request);
    } else if (S_ISDIR(stat.st_mode) && request->site->config->static_files.listing) {
        listing_answer(request, file);
        return;
    } else {
        problem_answer(request, HTTP_FORBIDDEN, problem_detail(HTTP_FORBIDDEN));
    }
    (void)close(file); /* only read from: nothing can be lost */
}

static bool is_directory(int file)
{
    struct stat stat;
    return fstat(file, &stat) == 0 && S_ISDIR(stat.st_mode);
}

/* Opens the index file of the directory that the path names. Returns -1 with errno. */
static int open_index(const struct request *request)
{
    struct slice index = slice_from_string(request->site->config->index);
    struct text path = text_over(request->content.data, request->content.size);
    text_append(&path, slice_from_string(relative(request->path)));
    if (request->path.len == 1)
        text_append_char(&path, '/');
    text_append(&path, index);
    text_append_char(&path, '\0');
    if (path.truncated) {
        errno = ENAMETOOLONG;
        return -1;
    }
    int file = contained_open(request->site->root, path.data);
    if (file < 0 || !is_directory(file))
        return file;
    (void)close(file); /* only read from: nothing can be lost */
    errno = ENOENT;
    return -1;
}

static void answer(struct request *request)
{
    if (target_is_hidden(request->path)) {
        problem_answer(request, HTTP_NOT_FOUND, problem_detail(HTTP_NOT_FOUND));
        return;
    }
    int file = -1;
    struct slice name = file_name(request->path);
    if (ends_with_slash(request->path)) {
        file = open_index(request);
        name = slice_from_string(request->site->config->index);
        if (file < 0 && errno != ENOENT) {
            file_response_refuse(request, errno);
            return;
        }
    }
    if (file < 0)
        file = contained_open(request->site->root, relative(request->path));
    if (file < 0)
        file_response_refuse(request, errno);
    else
        answer_opened(request, file, name);
}

const struct handler static_files_handler = {
    .methods = METHOD_GET | METHOD_HEAD,
    .has_validators = true,
    .answer = answer,
};
