/* Opening below a directory: nothing gets out of it, and nothing makes it wait. */
#include "server/handlers/contained.h"
#include "tests/unit/folder.h"

#include <errno.h>
#include <sys/socket.h>
#include <sys/un.h>

#define ROWS(table) (sizeof(table) / sizeof((table)[0]))

static struct folder folder;

static int create(void **state)
{
    (void)state;
    folder_create(&folder);
    folder_add_file(&folder, "file", "content");
    folder_add_directory(&folder, "sub");
    folder_add_file(&folder, "sub/file", "deep");
    return 0;
}

static int destroy(void **state)
{
    (void)state;
    folder_destroy(&folder);
    return 0;
}

#define FOLDER_TEST(test) cmocka_unit_test_setup_teardown(test, create, destroy)

/* Opens, and expects to read this. */
static void assert_reads(const char *path, const char *expected)
{
    char bytes[64];
    int file = contained_open(folder.fd, path);
    if (file < 0)
        fail_msg("%s: errno %d", path, errno);
    assert_int_equal(read(file, bytes, sizeof(bytes)), strlen(expected));
    assert_memory_equal(bytes, expected, strlen(expected));
    assert_int_equal(fcntl(file, F_GETFD) & FD_CLOEXEC, FD_CLOEXEC);
    assert_int_equal(close(file), 0);
}

/* Expects not to be let in, with this answer. */
static void assert_fails(const char *path, int error, enum http_status status)
{
    errno = 0;
    int file = contained_open(folder.fd, path);
    if (file >= 0 || errno != error)
        fail_msg("%s: descriptor %d, errno %d", path, file, errno);
    assert_int_equal(contained_status_of_errno(error), status);
}

static void contained_files_below_are_opened(void **state)
{
    (void)state;
    assert_reads("file", "content");
    assert_reads("sub/file", "deep");
}

static void contained_directories_are_opened(void **state)
{
    static const char *const paths[] = {".", "sub", "sub/"};
    (void)state;
    for (size_t i = 0; i < ROWS(paths); i++) {
        struct stat stat;
        int file = contained_open(folder.fd, paths[i]);
        assert_int_equal(fstat(file, &stat), 0);
        assert_true(S_ISDIR(stat.st_mode));
        assert_int_equal(close(file), 0);
    }
}

static void contained_what_is_not_there_is_not_found(void **state)
{
    char long_name[300];
    char long_path[5000];
    (void)state;
    memset(long_name, 'a', sizeof(long_name) - 1);
    long_name[sizeof(long_name) - 1] = '\0';
    for (size_t i = 0; i < sizeof(long_path); i += 2)
        memcpy(long_path + i, "a/", 2);
    long_path[sizeof(long_path) - 1] = '\0';

    assert_fails("nothing", ENOENT, HTTP_NOT_FOUND);
    assert_fails("sub/nothing", ENOENT, HTTP_NOT_FOUND);
    assert_fails("file/", ENOTDIR, HTTP_NOT_FOUND);
    assert_fails("file/x", ENOTDIR, HTTP_NOT_FOUND);
    assert_fails(long_name, ENAMETOOLONG, HTTP_NOT_FOUND);
    assert_fails(long_path, ENAMETOOLONG, HTTP_NOT_FOUND);
}

static void contained_paths_do_not_lead_out(void **state)
{
    (void)state;
    assert_fails("..", EXDEV, HTTP_FORBIDDEN);
    assert_fails("../", EXDEV, HTTP_FORBIDDEN);
    assert_fails("sub/../../", EXDEV, HTTP_FORBIDDEN);
    assert_fails("/", EXDEV, HTTP_FORBIDDEN);
    assert_fails("/etc/passwd", EXDEV, HTTP_FORBIDDEN);
}

static void contained_links_that_stay_inside_are_followed(void **state)
{
    (void)state;
    folder_add_link(&folder, "link", "sub/file");
    folder_add_link(&folder, "sub/up", "../file");
    folder_add_link(&folder, "around", "sub");
    assert_reads("link", "deep");
    assert_reads("sub/up", "content");
    assert_reads("around/file", "deep");
}

static void contained_links_do_not_lead_out(void **state)
{
    char inside[64];
    (void)state;
    (void)snprintf(inside, sizeof(inside), "%s/file", folder.path);
    folder_add_link(&folder, "parent", "..");
    folder_add_link(&folder, "absolute", "/etc");
    folder_add_link(&folder, "through", "absolute/passwd");
    folder_add_link(&folder, "inside", inside); /* absolute, though it points to a file in here */
    assert_fails("parent", EXDEV, HTTP_FORBIDDEN);
    assert_fails("parent/etc/passwd", EXDEV, HTTP_FORBIDDEN);
    assert_fails("absolute/passwd", EXDEV, HTTP_FORBIDDEN);
    assert_fails("through", EXDEV, HTTP_FORBIDDEN);
    assert_fails("inside", EXDEV, HTTP_FORBIDDEN);
}

static void contained_links_in_a_circle_are_refused(void **state)
{
    (void)state;
    folder_add_link(&folder, "a", "b");
    folder_add_link(&folder, "b", "a");
    folder_add_link(&folder, "self", "self");
    assert_fails("a", ELOOP, HTTP_FORBIDDEN);
    assert_fails("self", ELOOP, HTTP_FORBIDDEN);
}

static void contained_link_to_nothing_is_not_found(void **state)
{
    (void)state;
    folder_add_link(&folder, "dangling", "nothing");
    assert_fails("dangling", ENOENT, HTTP_NOT_FOUND);
}

/* The links of /proc lead where no path does. */
static void contained_magic_links_are_refused(void **state)
{
    char path[64];
    (void)state;
    int proc = open("/proc/self", O_PATH | O_DIRECTORY | O_CLOEXEC);
    assert_true(proc >= 0);
    (void)snprintf(path, sizeof(path), "fd/%d", folder.fd);
    int file = contained_open(proc, path);
    int error = errno;
    assert_int_equal(file, -1);
    assert_true(error == ELOOP || error == EXDEV);
    assert_int_equal(contained_status_of_errno(error), HTTP_FORBIDDEN);
    assert_int_equal(contained_open(proc, "root/etc/passwd"), -1);
    assert_int_equal(contained_open(proc, "cwd"), -1);
    assert_int_equal(close(proc), 0);
}

/* Opening it as usual would wait until somebody writes. */
static void contained_fifo_does_not_block(void **state)
{
    struct stat stat;
    (void)state;
    assert_int_equal(mkfifoat(folder.fd, "fifo", 0644), 0);
    (void)alarm(10); /* ends the test if it hangs after all */
    int file = contained_open(folder.fd, "fifo");
    (void)alarm(0);
    assert_true(file >= 0);
    assert_int_equal(fstat(file, &stat), 0);
    assert_true(S_ISFIFO(stat.st_mode));
    assert_int_equal(close(file), 0);
}

static void contained_socket_is_refused(void **state)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    (void)state;
    (void)snprintf(address.sun_path, sizeof(address.sun_path), "%s/socket", folder.path);
    int listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_equal(bind(listener, (const struct sockaddr *)&address, sizeof(address)), 0);
    assert_fails("socket", ENXIO, HTTP_FORBIDDEN);
    assert_int_equal(close(listener), 0);
}

/* Permissions do not hold for root, so this is a test of the mapping only. */
static void contained_errors_have_their_status(void **state)
{
    static const struct {
        int error;
        enum http_status status;
    } rows[] = {
        {EACCES, HTTP_FORBIDDEN},           {EPERM, HTTP_FORBIDDEN},
        {EMFILE, HTTP_SERVICE_UNAVAILABLE}, {ENFILE, HTTP_SERVICE_UNAVAILABLE},
        {ENOMEM, HTTP_SERVICE_UNAVAILABLE}, {EAGAIN, HTTP_SERVICE_UNAVAILABLE},
        {EIO, HTTP_INTERNAL_SERVER_ERROR},
    };
    (void)state;
    for (size_t i = 0; i < ROWS(rows); i++)
        assert_int_equal(contained_status_of_errno(rows[i].error), rows[i].status);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        FOLDER_TEST(contained_files_below_are_opened),
        FOLDER_TEST(contained_directories_are_opened),
        FOLDER_TEST(contained_what_is_not_there_is_not_found),
        FOLDER_TEST(contained_paths_do_not_lead_out),
        FOLDER_TEST(contained_links_that_stay_inside_are_followed),
        FOLDER_TEST(contained_links_do_not_lead_out),
        FOLDER_TEST(contained_links_in_a_circle_are_refused),
        FOLDER_TEST(contained_link_to_nothing_is_not_found),
        FOLDER_TEST(contained_magic_links_are_refused),
        FOLDER_TEST(contained_fifo_does_not_block),
        FOLDER_TEST(contained_socket_is_refused),
        FOLDER_TEST(contained_errors_have_their_status),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
