/* What a service manager is told: the test is the manager. */
#include "server/control/notify.h"

#include "tests/unit/config_fixture.h"

#include <stddef.h>
#include <sys/socket.h>
#include <sys/un.h>

/* A socket like systemd's; '@' stands for the NUL of a name that is not in the file system. */
static int listen_at(const char *name)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    size_t len = strlen(name);
    memcpy(address.sun_path, name, len);
    if (name[0] == '@')
        address.sun_path[0] = '\0';
    int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    assert_true(fd >= 0);
    assert_int_equal(bind(fd, (const struct sockaddr *)&address,
                          (socklen_t)(offsetof(struct sockaddr_un, sun_path) + len)),
                     0);
    assert_int_equal(setenv("NOTIFY_SOCKET", name, 1), 0);
    return fd;
}

static void notify_reaches_the_manager(void **state)
{
    struct fixture *fixture = *state;
    char path[128];
    char abstract[128];
    (void)snprintf(path, sizeof path, "%s/notify", fixture->folder);
    (void)snprintf(abstract, sizeof abstract, "@%s", fixture->folder);
    const char *names[] = {path, abstract};
    for (size_t i = 0; i < 2; i++) {
        char said[64] = "";
        int fd = listen_at(names[i]);
        notify_manager("READY=1");
        assert_int_equal(recv(fd, said, sizeof said, 0), 7);
        assert_memory_equal(said, "READY=1", 7);
        assert_int_equal(close(fd), 0);
    }
}

/* Nothing happens, and nobody waits. */
static void notify_without_a_manager_does_nothing(void **state)
{
    static char too_long[300];
    (void)state;
    memset(too_long, 'x', sizeof too_long - 1);
    const char *names[] = {"", "/nowhere/at/all", too_long};
    assert_int_equal(unsetenv("NOTIFY_SOCKET"), 0);
    notify_manager("READY=1");
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        assert_int_equal(setenv("NOTIFY_SOCKET", names[i], 1), 0);
        notify_manager("READY=1");
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        FIXTURE_TEST(notify_reaches_the_manager),
        FIXTURE_TEST(notify_without_a_manager_does_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
