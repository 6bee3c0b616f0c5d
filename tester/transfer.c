#include "tester/transfer.h"

#include "tester/loopback.h"

#include <string.h>
#include <sys/socket.h>

int transfer_init(struct transfer *transfer)
{
    *transfer = (struct transfer){.handle = curl_easy_init()};
    return transfer->handle == NULL ? -1 : 0;
}

void transfer_deinit(struct transfer *transfer)
{
    curl_easy_cleanup(transfer->handle);
    curl_mime_free(transfer->form);
    *transfer = (struct transfer){0};
}

/* NOLINTNEXTLINE(readability-non-const-parameter): the type is libcurl's */
static size_t drop(char *bytes, size_t size, size_t count, void *context)
{
    (void)bytes;
    (void)context;
    return size * count;
}

/* The last word on where a request goes: what libcurl is about to connect to. */
static curl_socket_t open_loopback_only(void *context, curlsocktype purpose,
                                        struct curl_sockaddr *address)
{
    (void)context;
    (void)purpose;
    if (!loopback_is_address(&address->addr))
        return CURL_SOCKET_BAD;
    return socket(address->family, address->socktype | SOCK_CLOEXEC, address->protocol);
}

/* No proxy (nor a look for one in the environment at each request), no redirect: requests go where
 * they say. The functions below collect libcurl's results; all but CURLE_OK (0) mean that there is
 * no memory.
 */
static unsigned set_rules(CURL *handle, const struct transfer_rules *rules)
{
    unsigned failed = 0;
    failed |= curl_easy_setopt(handle, CURLOPT_NOSIGNAL, 1L);
    failed |= curl_easy_setopt(handle, CURLOPT_NOPROXY, "*");
    failed |= curl_easy_setopt(handle, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
    failed |= curl_easy_setopt(handle, CURLOPT_DNS_CACHE_TIMEOUT, -1L); /* it never grows old */
    failed |= curl_easy_setopt(handle, CURLOPT_TIMEOUT_MS, rules->timeout_ms);
    failed |= curl_easy_setopt(handle, CURLOPT_WRITEFUNCTION, drop);
    failed |= curl_easy_setopt(handle, CURLOPT_PATH_AS_IS, 1L);
    if (!rules->allow_remote)
        failed |= curl_easy_setopt(handle, CURLOPT_OPENSOCKETFUNCTION, open_loopback_only);
    return failed;
}

static unsigned add_part(curl_mime *form, const struct plan_part *part)
{
    curl_mimepart *added = curl_mime_addpart(form);
    if (added == NULL)
        return CURLE_OUT_OF_MEMORY;
    unsigned failed = curl_mime_name(added, part->name);
    if (part->path == NULL)
        return failed | curl_mime_data(added, part->value, CURL_ZERO_TERMINATED);
    failed |= curl_mime_filedata(added, part->path);
    if (part->media_type != NULL)
        failed |= curl_mime_type(added, part->media_type);
    return failed;
}

static unsigned set_form(struct transfer *transfer, const struct plan_request *request)
{
    unsigned failed = 0;
    transfer->form = curl_mime_init(transfer->handle);
    if (transfer->form == NULL)
        return CURLE_OUT_OF_MEMORY;
    for (size_t i = 0; i < request->part_count; i++)
        failed |= add_part(transfer->form, &request->parts[i]);
    return failed | curl_easy_setopt(transfer->handle, CURLOPT_MIMEPOST, transfer->form);
}

static unsigned set_bytes(CURL *handle, const struct plan_bytes *content)
{
    unsigned failed =
        curl_easy_setopt(handle, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)content->len);
    return failed |
           curl_easy_setopt(handle, CURLOPT_POSTFIELDS, content->len > 0 ? content->bytes : "");
}

static unsigned set_request(struct transfer *transfer, const struct plan_request *request)
{
    CURL *handle = transfer->handle;
    unsigned failed = 0;
    if (request->content == PLAN_PARTS)
        failed |= set_form(transfer, request);
    else if (request->content == PLAN_BYTES)
        failed |= set_bytes(handle, &request->bytes);
    if (strcmp(request->method, "HEAD") == 0)
        failed |= curl_easy_setopt(handle, CURLOPT_NOBODY, 1L);
    else if (strcmp(request->method, "GET") != 0 || request->content != PLAN_NO_CONTENT)
        failed |= curl_easy_setopt(handle, CURLOPT_CUSTOMREQUEST, request->method);
    return failed;
}

int transfer_prepare(struct transfer *transfer, const struct outgoing *outgoing,
                     const struct transfer_rules *rules)
{
    CURL *handle = transfer->handle;
    curl_easy_reset(handle);
    curl_mime_free(transfer->form);
    transfer->form = NULL;

    unsigned failed = set_rules(handle, rules);
    failed |= curl_easy_setopt(handle, CURLOPT_CURLU, outgoing->url);
    failed |= curl_easy_setopt(handle, CURLOPT_HTTPHEADER, outgoing->fields);
    failed |= set_request(transfer, outgoing->request);
    return failed == 0 ? 0 : -1;
}
