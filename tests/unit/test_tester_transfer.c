/* Goal: whatever an URL says, no socket is opened to another address than this machine's own
 * without leave.
 */
#include "tester/transfer.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <unistd.h>

/* A socket that listens on loopback and never answers; its port goes to *out_port. */
static int listen_silently(unsigned *out_port)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
    socklen_t len = sizeof address;
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    assert_true(fd >= 0);
    assert_int_equal(bind(fd, (struct sockaddr *)&address, len), 0);
    assert_int_equal(listen(fd, 10), 0);
    assert_int_equal(getsockname(fd, (struct sockaddr *)&address, &len), 0);
    *out_port = ntohs(address.sin_port);
    return fd;
}

/* Sends a request whose URL has passed all checks. */
static CURLcode send_to(const char *host, unsigned port, const struct transfer_rules *rules)
{
    static const struct variables none;
    char base[64];
    (void)snprintf(base, sizeof base, "http://%s:%u", host, port);
    struct outgoing_rules anywhere = {base, true};
    struct plan_request request = {.url = "/", .method = "GET"};
    struct outgoing outgoing;
    struct transfer transfer;
    assert_int_equal(outgoing_make(&outgoing, &request, &anywhere, &none, stderr), 0);
    assert_int_equal(transfer_init(&transfer), 0);
    assert_int_equal(transfer_prepare(&transfer, &outgoing, rules), 0);
    CURLcode code = curl_easy_perform(transfer.handle);
    transfer_deinit(&transfer);
    outgoing_deinit(&outgoing);
    return code;
}

/* Linux takes 0.0.0.0 for this machine, so that there is somebody to be reached; but it is no
 * loopback address.
 */
static void transfer_connects_to_loopback_only(void **state)
{
    (void)state;
    unsigned port;
    int fd = listen_silently(&port);
    struct transfer_rules rules = {.allow_remote = false, .timeout_ms = 100};
    assert_int_equal(send_to("127.0.0.1", port, &rules), CURLE_OPERATION_TIMEDOUT);
    assert_int_equal(send_to("localhost", port, &rules), CURLE_OPERATION_TIMEDOUT);
    rules.allow_remote = true;
    assert_int_equal(send_to("0.0.0.0", port, &rules), CURLE_OPERATION_TIMEDOUT);
    rules = (struct transfer_rules){.allow_remote = false, .timeout_ms = 10000};
    assert_int_equal(send_to("0.0.0.0", port, &rules), CURLE_COULDNT_CONNECT);
    assert_int_equal(close(fd), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(transfer_connects_to_loopback_only),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
