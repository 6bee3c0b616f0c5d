#include "server/handlers/form_files.h"

#include "server/log/error_log.h"

#include <errno.h>
#include <stdatomic.h>
#include <string.h>

/* How often a name is made: one that is taken already is next to impossible. */
#define NAME_ATTEMPTS 4

/* How often the free space is looked at while a file grows. */
#define SPACE_BYTES 4194304

/* Files beyond the first of each form, in all forms under way. */
static atomic_uint files_more;

/* --- descriptors --------------------------------------------------------------------------- */

static bool claim_descriptor(const struct form_files *files)
{
    if (files->count == 0)
        return true;
    if (atomic_fetch_add(&files_more, 1) < FORM_FILES_MORE_MAX)
        return true;
    atomic_fetch_sub(&files_more, 1);
    return false;
}

static void return_descriptors(struct form_files *files)
{
    if (files->count > 1)
        atomic_fetch_sub(&files_more, files->count - 1);
    files->count = 0;
}

/* --- writing ------------------------------------------------------------------------------- */

struct form_fault form_files_begin(struct form_files *files)
{
    if (!files->store)
        return FORM_REFUSED(HTTP_FORBIDDEN, "This server takes no files.");
    if (!claim_descriptor(files))
        return FORM_REFUSED(HTTP_SERVICE_UNAVAILABLE, NULL);
    struct form_file *item = &files->items[files->count++];
    if (store_check_space(files->store, 0) != 0 ||
        store_file_create(files->store, &item->file) != 0)
        return form_fault_of_errno(errno);
    return FORM_FINE;
}

static int flush(struct form_files *files)
{
    size_t len = files->buffered;
    files->buffered = 0;
    return store_file_append(&files->items[files->count - 1].file, files->buffer, len);
}

static int write_piece(struct form_files *files, struct slice piece)
{
    if (files->buffered + piece.len > sizeof(files->buffer) && flush(files) != 0)
        return -1;
    if (piece.len >= sizeof(files->buffer))
        return store_file_append(&files->items[files->count - 1].file, piece.data, piece.len);
    memcpy(files->buffer + files->buffered, piece.data, piece.len);
    files->buffered += piece.len;
    return 0;
}

struct form_fault form_files_append(struct form_files *files, struct slice piece)
{
    struct form_file *item = &files->items[files->count - 1];
    if (files->bytes_max > 0 && piece.len > files->bytes_max - item->bytes)
        return FORM_REFUSED(HTTP_CONTENT_TOO_LARGE, NULL);
    uint64_t before = item->bytes;
    item->bytes += piece.len;
    if (before / SPACE_BYTES != item->bytes / SPACE_BYTES &&
        store_check_space(files->store, 0) != 0)
        return form_fault_of_errno(errno);
    return write_piece(files, piece) == 0 ? FORM_FINE : form_fault_of_errno(errno);
}

struct form_fault form_files_end(struct form_files *files)
{
    return flush(files) == 0 ? FORM_FINE : form_fault_of_errno(errno);
}

/* --- the end ------------------------------------------------------------------------------- */

struct form_fault form_files_commit(struct form_files *files, unsigned index, const char *filename)
{
    struct form_file *item = &files->items[index];
    for (int attempt = 0; attempt < NAME_ATTEMPTS; attempt++) {
        char name[FORM_NAME_SIZE];
        bool replaced;
        if (form_name_make(filename, name) != 0)
            return form_fault_of_errno(errno);
        if (store_file_commit_as(&item->file, name, &store_condition_absent, &replaced) == 0) {
            memcpy(item->name, name, sizeof(name));
            return FORM_FINE;
        }
        if (errno != ECANCELED)
            break;
    }
    return form_fault_of_errno(errno);
}

void form_files_withdraw(struct form_files *files)
{
    for (unsigned i = 0; i < files->count; i++) {
        struct form_file *item = &files->items[i];
        if (item->name[0] != '\0' && store_remove(files->store, item->name, NULL) != 0)
            error_log_errno(LOG_ERROR, errno, NULL, "cannot remove %s, of a form that failed",
                            item->name);
        item->name[0] = '\0';
    }
}

void form_files_discard(struct form_files *files)
{
    for (unsigned i = 0; i < files->count; i++)
        store_file_discard(&files->items[i].file);
    return_descriptors(files);
}
