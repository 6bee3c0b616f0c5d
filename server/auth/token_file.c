#include "server/auth/token_file.h"

#include "http/slice.h"
#include "server/auth/tokens.h"
#include "server/config/regular_file.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#define FILE_MODE 0600

/* A file under its lock. */
struct editing {
    const char *path;
    FILE *errors;
    int fd;
    struct stat stat;
    char *text; /* owned */
    size_t len;
};

static int fail(const struct editing *editing, const char *what)
{
    (void)fprintf(editing->errors, "%s: %s: %s\n", editing->path, what, strerrordesc_np(errno));
    return -1;
}

static int refuse(const struct editing *editing, const char *name, const char *why)
{
    (void)fprintf(editing->errors, "%s: %s: %s\n", editing->path, name, why);
    return -1;
}

static void close_quietly(int fd)
{
    int error = errno;
    (void)close(fd); /* what was written through it has been synced, or does not count */
    errno = error;
}

/* --- lines --------------------------------------------------------------------------------- */

/* Takes the next line, with its line end, off *rest. */
static struct slice take_line(struct slice *rest)
{
    const char *end = memchr(rest->data, '\n', rest->len);
    size_t len = end ? (size_t)(end - rest->data) + 1 : rest->len;
    struct slice line = {rest->data, len};
    rest->data += len;
    rest->len -= len;
    return line;
}

/* The name of a line; empty for a comment, and where there is none. */
static struct slice name_of(struct slice line)
{
    const char *colon = memchr(line.data, ':', line.len);
    if (!colon || line.data[0] == '#')
        return (struct slice){0};
    return (struct slice){line.data, (size_t)(colon - line.data)};
}

/* Returns the line of that name, with its line end; empty if there is none. */
static struct slice find_line(const struct editing *editing, const char *name)
{
    struct slice rest = {editing->text, editing->len};
    while (rest.len > 0) {
        struct slice line = take_line(&rest);
        if (slice_equal(name_of(line), slice_from_string(name)))
            return line;
    }
    return (struct slice){0};
}

/* --- the file ------------------------------------------------------------------------------ */

/* Another process may have put a new file in the place of the one that was waited for. */
static bool is_current(struct editing *editing)
{
    struct stat current;
    return fstat(editing->fd, &editing->stat) == 0 && stat(editing->path, &current) == 0 &&
           current.st_ino == editing->stat.st_ino && current.st_dev == editing->stat.st_dev;
}

static int open_locked(struct editing *editing, int flags)
{
    for (;;) {
        editing->fd =
            open(editing->path, O_RDWR | O_APPEND | O_NONBLOCK | O_CLOEXEC | flags, FILE_MODE);
        if (editing->fd < 0)
            return -1;
        if (flock(editing->fd, LOCK_EX) != 0)
            break;
        if (is_current(editing))
            return 0;
        close_quietly(editing->fd);
    }
    close_quietly(editing->fd);
    return -1;
}

static int begin(struct editing *editing, const char *path, int flags, FILE *errors)
{
    *editing = (struct editing){.path = path, .errors = errors, .fd = -1};
    if (open_locked(editing, flags) != 0)
        return fail(editing, "cannot be opened");
    if (regular_file_read(path, TOKENS_FILE_BYTES_MAX, &editing->text, &editing->len) == 0)
        return 0;
    close_quietly(editing->fd);
    return fail(editing, "cannot be read");
}

static void end(struct editing *editing)
{
    free(editing->text);
    close_quietly(editing->fd);
}

/* Syncs the folder that a new name was made in. */
static int sync_folder(const char *path)
{
    char folder[PATH_MAX];
    const char *slash = strrchr(path, '/');
    size_t len = slash ? (size_t)(slash - path) + 1 : 0; /* with the slash, for the root's sake */
    if (len >= sizeof(folder)) {
        errno = ENAMETOOLONG;
        return -1;
    }
    memcpy(folder, path, len);
    folder[len] = '\0';
    int fd = open(len > 0 ? folder : ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0)
        return -1;
    int result = fsync(fd);
    close_quietly(fd);
    return result;
}

/* A part that has been written counts as nothing having been. */
static int write_whole(int fd, struct slice bytes)
{
    ssize_t written = write(fd, bytes.data, bytes.len);
    if (written >= 0 && (size_t)written < bytes.len)
        errno = ENOSPC;
    return written >= 0 && (size_t)written == bytes.len ? 0 : -1;
}

/* --- add ----------------------------------------------------------------------------------- */

static int append(const struct editing *editing, const char *name, const char *hash)
{
    char line[1024];
    bool is_ragged = editing->len > 0 && editing->text[editing->len - 1] != '\n';
    int len = snprintf(line, sizeof(line), "%s%s:%s\n", is_ragged ? "\n" : "", name, hash);
    if (len < 0 || (size_t)len >= sizeof(line) ||
        editing->len + (size_t)len > TOKENS_FILE_BYTES_MAX) {
        errno = EFBIG;
        return -1;
    }
    if (write_whole(editing->fd, (struct slice){line, (size_t)len}) == 0 &&
        fsync(editing->fd) == 0 && sync_folder(editing->path) == 0)
        return 0;
    int error = errno;
    (void)!ftruncate(editing->fd, (off_t)editing->len); /* the failure that counts is told */
    errno = error;
    return -1;
}

int token_file_add(const char *path, const char *name, const char *hash, FILE *errors)
{
    struct editing editing;
    if (begin(&editing, path, O_CREAT, errors) != 0)
        return -1;
    int result = 0;
    if (find_line(&editing, name).len > 0)
        result = refuse(&editing, name, "there is a token of that name already");
    else if (append(&editing, name, hash) != 0)
        result = fail(&editing, "cannot be written");
    end(&editing);
    return result;
}

/* --- remove -------------------------------------------------------------------------------- */

/* Writes all but one line to a new file. The rights stay; the owner does if that is allowed. */
static int write_without(const struct editing *editing, struct slice line, const char *new_path)
{
    struct slice before = {editing->text, (size_t)(line.data - editing->text)};
    struct slice after = {line.data + line.len, editing->len - before.len - line.len};
    (void)unlink(new_path); /* left over, if it is there: this process has the lock */
    int fd = open(new_path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, FILE_MODE);
    if (fd < 0)
        return -1;
    int owned = fchown(fd, editing->stat.st_uid, editing->stat.st_gid);
    (void)owned; /* only root may give a file away */
    int result = -1;
    if (fchmod(fd, editing->stat.st_mode & 0777) == 0 && write_whole(fd, before) == 0 &&
        write_whole(fd, after) == 0)
        result = fsync(fd);
    close_quietly(fd);
    return result;
}

static int replace_without(const struct editing *editing, struct slice line)
{
    char new_path[PATH_MAX];
    int len = snprintf(new_path, sizeof(new_path), "%s.new", editing->path);
    if (len < 0 || (size_t)len >= sizeof(new_path)) {
        errno = ENAMETOOLONG;
        return -1;
    }
    if (write_without(editing, line, new_path) == 0 && rename(new_path, editing->path) == 0)
        return sync_folder(editing->path);
    int error = errno;
    (void)unlink(new_path); /* the failure that counts is told */
    errno = error;
    return -1;
}

int token_file_remove(const char *path, const char *name, FILE *errors)
{
    struct editing editing;
    if (begin(&editing, path, 0, errors) != 0)
        return -1;
    int result = 0;
    struct slice line = find_line(&editing, name);
    if (line.len == 0)
        result = refuse(&editing, name, "there is no token of that name");
    else if (replace_without(&editing, line) != 0)
        result = fail(&editing, "cannot be written");
    end(&editing);
    return result;
}

/* --- list ---------------------------------------------------------------------------------- */

int token_file_list(const char *path, FILE *out, FILE *errors)
{
    struct editing editing = {.path = path, .errors = errors};
    if (regular_file_read(path, TOKENS_FILE_BYTES_MAX, &editing.text, &editing.len) != 0)
        return fail(&editing, "cannot be read");
    struct slice rest = {editing.text, editing.len};
    while (rest.len > 0) {
        struct slice name = name_of(take_line(&rest));
        if (name.len > 0)
            (void)fprintf(out, "%.*s\n", (int)name.len, name.data); /* main looks at stdout's end */
    }
    free(editing.text);
    return 0;
}
