#include "server/store/store_keys.h"

#include "pool/sync.h"
#include "server/store/store_folder.h"
#include "server/store/store_key_ages.h"
#include "server/store/store_private.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#define KEYS_FOLDER "keys"
#define FILE_MODE   0640

/* How often a record may be evicted under us while we claim it. */
#define CLAIM_ATTEMPTS 8

/* How many records one request removes at the most, so that none pays for a whole night's. */
#define REMOVALS_MAX 16

/* Nothing that the server writes is longer: 100,000 names. */
#define RECORD_BYTES_MAX 16777216

enum loading { NOT_LOADED, LOADING, LOADED };

struct store_keys {
    /* Constant after store_keys_open(). */
    struct store *store;
    int folder;
    size_t most;
    int64_t lifetime_ns;
    int64_t opened_ns; /* records older than that are of processes before this one */

    pthread_mutex_t lock;
    struct store_key_ages ages; /* guarded by lock; those of former processes once loaded */
    enum loading loading;       /* guarded by lock */
};

static const struct store_key no_key;

static int64_t nanoseconds(struct timespec time)
{
    return (int64_t)time.tv_sec * 1000000000 + time.tv_nsec;
}

/* Not the coarse clock: newer kernels give files finer times, and what a former process wrote just
 * before this one was started must not look younger than the start.
 */
static int64_t now_ns(void)
{
    struct timespec now = {0};
    (void)clock_gettime(CLOCK_REALTIME, &now); /* cannot fail */
    return nanoseconds(now);
}

/* -- Opening and closing -- */

struct store_keys *store_keys_open(const struct store_keys_options *options)
{
    struct store_keys *keys = malloc(sizeof *keys);
    if (keys == NULL)
        return NULL;
    *keys = (struct store_keys){
        .store = options->store,
        .most = options->most,
        .lifetime_ns = options->lifetime_s * 1000000000,
        .opened_ns = now_ns(),
    };
    keys->folder =
        store_folder_open(options->store->housekeeping, KEYS_FOLDER, options->store->is_durable);
    if (keys->folder < 0)
        goto fail;
    errno = pthread_mutex_init(&keys->lock, NULL);
    if (errno == 0)
        return keys;
    (void)close(keys->folder); /* a folder's descriptor, nothing was written to it */
fail:
    free(keys);
    return NULL;
}

void store_keys_close(struct store_keys *keys)
{
    if (keys == NULL)
        return;
    store_key_ages_deinit(&keys->ages);
    sync_destroy(&keys->lock);
    (void)close(keys->folder); /* a folder's descriptor */
    free(keys);
}

/* -- Names -- */

static void print_name(const unsigned char id[STORE_KEY_BYTES], char out[STORE_KEY_NAME_SIZE])
{
    for (size_t i = 0; i < STORE_KEY_BYTES; i++)
        (void)snprintf(out + 2 * i, 3, "%02x", id[i]);
}

static int hex_value(char c)
{
    static const char digits[] = "0123456789abcdef";
    const char *at = c != '\0' ? strchr(digits, c) : NULL;
    return at != NULL ? (int)(at - digits) : -1;
}

/* Returns whether the name is that of a record. */
static bool parse_name(const char *name, unsigned char out_id[STORE_KEY_BYTES])
{
    if (strlen(name) != STORE_KEY_NAME_SIZE - 1)
        return false;
    for (size_t i = 0; i < STORE_KEY_BYTES; i++) {
        int high = hex_value(name[2 * i]);
        int low = hex_value(name[2 * i + 1]);
        if (high < 0 || low < 0)
            return false;
        out_id[i] = (unsigned char)(high << 4 | low);
    }
    return true;
}

/* With all the digits there are: no two such names have ever been the same. */
int store_key_make_name(const struct store_key *key, char out[STORE_NAME_SIZE])
{
    return store_name_make(key->keys->store->now(), STORE_NAME_ATTEMPTS - 1, out);
}

/* -- Claiming -- */

static void close_keeping_errno(int fd)
{
    int error = errno;
    (void)close(fd); /* what was promised has been synced */
    errno = error;
}

static int open_record(struct store_keys *keys, const unsigned char id[STORE_KEY_BYTES], int flags)
{
    char name[STORE_KEY_NAME_SIZE];
    print_name(id, name);
    return openat(keys->folder, name, flags | O_RDWR | O_NOFOLLOW | O_CLOEXEC, FILE_MODE);
}

/* Returns 1 if the file is locked and still has its name, 0 if it has lost it, -1 with errno. */
static int lock_record(int fd, struct stat *out_info)
{
    if (flock(fd, LOCK_EX | LOCK_NB) != 0) {
        errno = errno == EWOULDBLOCK ? EBUSY : errno;
        return -1;
    }
    if (fstat(fd, out_info) != 0)
        return -1;
    return out_info->st_nlink > 0 ? 1 : 0;
}

int store_key_claim(struct store_keys *keys, const unsigned char id[STORE_KEY_BYTES],
                    struct store_key *out)
{
    struct stat info;
    for (int attempt = 0; attempt < CLAIM_ATTEMPTS; attempt++) {
        int fd = open_record(keys, id, O_CREAT);
        if (fd < 0)
            return -1;
        int result = lock_record(fd, &info);
        if (result == 1) {
            bool is_old = nanoseconds(info.st_mtim) <= now_ns() - keys->lifetime_ns;
            bool is_kept = info.st_size > 0 && !is_old;
            *out = (struct store_key){
                .keys = keys, .fd = fd, .is_linked = is_kept, .is_counted = is_kept};
            memcpy(out->id, id, sizeof out->id);
            return 0;
        }
        close_keeping_errno(fd);
        if (result < 0)
            return -1;
    }
    errno = EBUSY;
    return -1;
}

/* -- The record -- */

static int read_all(int fd, char *bytes, size_t len)
{
    for (size_t at = 0; at < len;) {
        ssize_t n = pread(fd, bytes + at, len - at, (off_t)at);
        if (n < 0 && errno == EINTR)
            continue;
        if (n == 0)
            errno = EIO;
        if (n <= 0)
            return -1;
        at += (size_t)n;
    }
    return 0;
}

int store_key_read(struct store_key *key, char **out_bytes, size_t *out_len)
{
    struct stat info = {0};
    if (key->is_counted && fstat(key->fd, &info) != 0)
        return -1;
    size_t len = info.st_size <= RECORD_BYTES_MAX ? (size_t)info.st_size : 0;
    char *bytes = malloc(len + 1);
    if (bytes == NULL)
        return -1;
    if (read_all(key->fd, bytes, len) != 0) {
        int error = errno;
        free(bytes);
        errno = error;
        return -1;
    }
    bytes[len] = '\0';
    *out_bytes = bytes;
    *out_len = len;
    return 0;
}

static int write_all(int fd, const char *bytes, size_t len)
{
    for (size_t at = 0; at < len;) {
        ssize_t n = pwrite(fd, bytes + at, len - at, (off_t)at);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return -1;
        at += (size_t)n;
    }
    return 0;
}

int store_key_write(struct store_key *key, const char *bytes, size_t len)
{
    const struct store_keys *keys = key->keys;
    key->is_counted = false; /* whatever was there is gone */
    if (ftruncate(key->fd, 0) != 0 || write_all(key->fd, bytes, len) != 0)
        return -1;
    if (!keys->store->is_durable)
        return 0;
    if (fsync(key->fd) != 0)
        return -1;
    if (!key->is_linked && store_folder_sync(keys->folder) != 0)
        return -1;
    key->is_linked = true;
    return 0;
}

/* -- Which are kept -- */

/* Removes a record, unless it is in use, or has been written anew since. */
static void remove_record(struct store_keys *keys, const struct store_key_age *age)
{
    struct stat info;
    char name[STORE_KEY_NAME_SIZE];
    int fd = open_record(keys, age->id, 0);
    if (fd < 0)
        return;
    print_name(age->id, name);
    if (lock_record(fd, &info) == 1 && nanoseconds(info.st_mtim) <= age->written_ns)
        (void)unlinkat(keys->folder, name, 0); /* what stays expires all the same */
    (void)close(fd);                           /* only looked at */
}

/* Finds the records of former processes. What cannot be read stays where it is. */
static void find_records(struct store_keys *keys, struct store_key_ages *out)
{
    struct store_key_age age;
    struct stat info;
    int fd = openat(keys->folder, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *folder = fd >= 0 ? fdopendir(fd) : NULL;
    if (folder == NULL) {
        if (fd >= 0)
            (void)close(fd); /* nothing was read from it */
        return;
    }
    for (struct dirent *entry; (entry = readdir(folder)) != NULL;) {
        if (!parse_name(entry->d_name, age.id) ||
            fstatat(keys->folder, entry->d_name, &info, AT_SYMLINK_NOFOLLOW) != 0)
            continue;
        age.written_ns = nanoseconds(info.st_mtim);
        if (age.written_ns < keys->opened_ns && store_key_ages_add(out, &age) != 0)
            break;
    }
    (void)closedir(folder); /* closes fd; only read from */
}

/* The first that asks looks for records of former processes; others need not wait for it. */
static void load_once(struct store_keys *keys)
{
    sync_lock(&keys->lock);
    bool is_first = keys->loading == NOT_LOADED;
    if (is_first)
        keys->loading = LOADING;
    sync_unlock(&keys->lock);
    if (!is_first)
        return;
    struct store_key_ages older = {0};
    find_records(keys, &older);
    sync_lock(&keys->lock);
    /* What was written just after the start may bear a time of just before it. */
    store_key_ages_drop_common(&keys->ages, &older);
    (void)store_key_ages_prepend(&keys->ages, &older); /* without memory: at the next start */
    keys->loading = LOADED;
    sync_unlock(&keys->lock);
    store_key_ages_deinit(&older);
}

static bool take_one_to_remove(struct store_keys *keys, struct store_key_age *out)
{
    int64_t expired_ns = now_ns() - keys->lifetime_ns;
    sync_lock(&keys->lock);
    bool is_one =
        keys->loading == LOADED && store_key_ages_take(&keys->ages, keys->most, expired_ns, out);
    sync_unlock(&keys->lock);
    return is_one;
}

static void make_room(struct store_keys *keys)
{
    struct store_key_age age;
    load_once(keys);
    for (int i = 0; i < REMOVALS_MAX && take_one_to_remove(keys, &age); i++)
        remove_record(keys, &age);
}

/* -- The end of a claim -- */

static void end_claim(struct store_key *key)
{
    (void)close(key->fd); /* with it goes the lock; what was promised has been synced */
    *key = no_key;
}

void store_key_keep(struct store_key *key)
{
    struct store_keys *keys = key->keys;
    struct store_key_age age;
    struct stat info;
    int error = errno;
    if (keys == NULL)
        return;
    bool is_new = !key->is_counted && fstat(key->fd, &info) == 0;
    memcpy(age.id, key->id, sizeof age.id);
    end_claim(key);
    if (is_new) {
        age.written_ns = nanoseconds(info.st_mtim);
        sync_lock(&keys->lock);
        (void)store_key_ages_add(&keys->ages, &age); /* without memory: at the next start */
        sync_unlock(&keys->lock);
        make_room(keys);
    }
    errno = error;
}

void store_key_release(struct store_key *key)
{
    char name[STORE_KEY_NAME_SIZE];
    int error = errno;
    if (key->keys == NULL)
        return;
    if (!key->is_counted) {
        print_name(key->id, name);
        (void)unlinkat(key->keys->folder, name, 0); /* an empty one does no harm */
    }
    end_claim(key);
    errno = error;
}
