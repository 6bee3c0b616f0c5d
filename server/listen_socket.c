#include "server/listen_socket.h"

#include "http/socket_transport.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

struct address {
    union {
        struct sockaddr any;
        struct sockaddr_in four;
        struct sockaddr_in6 six;
    } of;
    socklen_t size;
};

static struct address address_four(struct in_addr host, uint16_t port)
{
    return (struct address){
        .of.four = {.sin_family = AF_INET, .sin_port = htons(port), .sin_addr = host},
        .size = sizeof(struct sockaddr_in),
    };
}

static struct address address_six(struct in6_addr host, uint16_t port)
{
    return (struct address){
        .of.six = {.sin6_family = AF_INET6, .sin6_port = htons(port), .sin6_addr = host},
        .size = sizeof(struct sockaddr_in6),
    };
}

static int parse_address(const char *host, uint16_t port, struct address *out)
{
    struct in_addr four = {htonl(INADDR_LOOPBACK)};
    struct in6_addr six = in6addr_any;
    if (strcmp(host, "localhost") == 0 || inet_pton(AF_INET, host, &four) == 1)
        *out = address_four(four, port);
    else if (strcmp(host, "*") == 0 || inet_pton(AF_INET6, host, &six) == 1)
        *out = address_six(six, port);
    else
        return -1;
    return 0;
}

/* What accepted sockets inherit is set here, once, and not for each of them. */
static int set_options(int socket)
{
    int on = 1;
    int unsent = SOCKET_UNSENT_BYTES;
    if (setsockopt(socket, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) != 0)
        return -1;
    if (setsockopt(socket, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on)) != 0)
        return -1;
    return setsockopt(socket, IPPROTO_TCP, TCP_NOTSENT_LOWAT, &unsent, sizeof(unsent));
}

static int open_at(const struct address *address, bool both_families, int backlog)
{
    int fd = socket(address->of.any.sa_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return -1;
    int only_six = both_families ? 0 : 1;
    if (set_options(fd) != 0)
        goto fail;
    if (address->of.any.sa_family == AF_INET6 &&
        setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &only_six, sizeof(only_six)) != 0)
        goto fail;
    if (bind(fd, &address->of.any, address->size) != 0 || listen(fd, backlog) != 0)
        goto fail;
    return fd;

    int error;
fail:
    error = errno;
    (void)close(fd); /* nothing has been sent over it */
    errno = error;
    return -1;
}

int listen_socket_open(const char *host, uint16_t port, int backlog)
{
    struct address address;
    bool all = strcmp(host, "*") == 0;
    if (parse_address(host, port, &address) != 0) {
        errno = EADDRNOTAVAIL;
        return -1;
    }
    int fd = open_at(&address, all, backlog);
    if (fd < 0 && all && errno == EAFNOSUPPORT) {
        address = address_four((struct in_addr){htonl(INADDR_ANY)}, port);
        fd = open_at(&address, false, backlog);
    }
    return fd;
}

int listen_socket_adopt(int socket)
{
    struct address address = {.size = sizeof(address.of)};
    int listens = 0;
    socklen_t size = sizeof(listens);
    if (getsockopt(socket, SOL_SOCKET, SO_ACCEPTCONN, &listens, &size) != 0 ||
        getsockname(socket, &address.of.any, &address.size) != 0)
        return -1;
    sa_family_t family = address.of.any.sa_family;
    if (!listens || (family != AF_INET && family != AF_INET6)) {
        errno = EINVAL;
        return -1;
    }
    int flags = fcntl(socket, F_GETFL);
    if (flags < 0 || fcntl(socket, F_SETFL, flags | O_NONBLOCK) != 0 ||
        fcntl(socket, F_SETFD, FD_CLOEXEC) != 0)
        return -1;
    return set_options(socket);
}

bool listen_socket_is_at(int socket, const char *host, uint16_t port)
{
    struct address wanted;
    struct address actual = {.size = sizeof(actual.of)};
    if (parse_address(host, port, &wanted) != 0 ||
        getsockname(socket, &actual.of.any, &actual.size) != 0)
        return false;
    if (port != 0 && listen_socket_port(socket) != port)
        return false;
    if (wanted.of.any.sa_family != actual.of.any.sa_family)
        return false;
    if (wanted.of.any.sa_family == AF_INET)
        return wanted.of.four.sin_addr.s_addr == actual.of.four.sin_addr.s_addr;
    return memcmp(&wanted.of.six.sin6_addr, &actual.of.six.sin6_addr, sizeof(struct in6_addr)) == 0;
}

uint16_t listen_socket_port(int socket)
{
    struct address address = {.size = sizeof(address.of)};
    if (getsockname(socket, &address.of.any, &address.size) != 0)
        return 0;
    if (address.of.any.sa_family == AF_INET6)
        return ntohs(address.of.six.sin6_port);
    return ntohs(address.of.four.sin_port);
}
