#include "server/handlers/files.h"

#include "server/handlers/contained.h"
#include "server/handlers/file_response.h"
#include "server/handlers/files_write.h"
#include "server/handlers/listing.h"
#include "server/handlers/problem.h"
#include "server/handlers/repr_digest.h"
#include "server/store/store.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

/* The folder is looked for at each request: where nobody writes, it may come later. Returns a
 * descriptor, or -1 with errno.
 */
static int open_folder(const struct request *request, int flags)
{
    return open(request->site->config->files.directory, flags | O_DIRECTORY | O_CLOEXEC);
}

static int open_in_folder(const struct request *request)
{
    int folder = open_folder(request, O_PATH);
    if (folder < 0)
        return -1;
    int file = contained_open(folder, request->rest.data);
    int error = errno;
    (void)close(folder); /* nothing was written through it */
    errno = error;
    return file;
}

/* Returns a descriptor, or -1 with errno. */
static int open_file(const struct request *request)
{
    if (!store_name_is_visible(request->rest.data)) {
        errno = ENOENT;
        return -1;
    }
    if (request->site->files)
        return store_open_document(request->site->files, request->rest.data);
    return open_in_folder(request);
}

static void answer_folder(struct request *request)
{
    if (!request->site->config->static_files.listing) {
        problem_answer(request, HTTP_FORBIDDEN, "Files are not listed.");
        return;
    }
    int folder = open_folder(request, O_RDONLY | O_NONBLOCK);
    if (folder < 0)
        file_response_refuse(request, errno);
    else
        listing_answer(request, folder);
}

static void answer_file(struct request *request)
{
    struct file_look look = {
        .media_type = SLICE("application/octet-stream"),
        .download_name = request->rest,
        .cache_control = SLICE("no-cache"),
        .policy = SLICE("default-src 'none'; sandbox"),
    };
    struct stat stat;
    int file = open_file(request);
    if (file >= 0 && fstat(file, &stat) == 0 && S_ISREG(stat.st_mode)) {
        file_response_make(request, file, &stat, &look);
        repr_digest_add(request);
        return;
    }
    file_response_refuse(request, file < 0 ? errno : EACCES);
    if (file >= 0)
        (void)close(file); /* only read from: nothing can be lost */
}

static void answer(struct request *request)
{
    if (request->rest.len == 0)
        answer_folder(request);
    else
        answer_file(request);
}

const struct handler files_handler = {
    .methods = METHOD_GET | METHOD_HEAD,
    .errors_are_json = true,
    .has_validators = true,
    .answer = answer,
};

const struct handler writable_files_handler = {
    .methods = METHOD_GET | METHOD_HEAD | METHOD_PUT | METHOD_POST | METHOD_DELETE,
    .errors_are_json = true,
    .has_validators = true,
    .answer = answer,
    .open = files_write_open,
    .take = files_write_take,
    .give_up = files_write_give_up,
    .complete = files_write_complete,
    .close = files_write_close,
};

const struct handler *files_handler_for(const struct request *request)
{
    bool is_writable = request->site->files && request->rest.len > 0;
    return is_writable ? &writable_files_handler : &files_handler;
}
