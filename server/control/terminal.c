#include "server/control/terminal.h"

#include <fcntl.h>
#include <signal.h>
#include <stddef.h>
#include <unistd.h>

bool terminal_is_there(void)
{
    int fd = open("/dev/tty", O_RDWR | O_NOCTTY | O_NONBLOCK | O_CLOEXEC);
    if (fd >= 0)
        (void)close(fd); /* only opened to see that it can be */
    return fd >= 0;
}

bool terminal_can_hang_up(void)
{
    struct sigaction hang_up;
    bool ignored = sigaction(SIGHUP, NULL, &hang_up) == 0 && hang_up.sa_handler == SIG_IGN;
    return !ignored && terminal_is_there();
}
