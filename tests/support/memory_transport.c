#include "tests/support/memory_transport.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* The free end of the bytes, with room for `len` more and a NUL. */
static char *reserve(struct memory_bytes *bytes, size_t len)
{
    size_t size = bytes->size ? bytes->size : 4096;
    while (size <= bytes->len + len)
        size *= 2;
    if (size > bytes->size) {
        bytes->data = realloc(bytes->data, size);
        if (!bytes->data)
            abort();
        bytes->size = size;
    }
    return bytes->data + bytes->len;
}

static void append(struct memory_bytes *bytes, const void *more, size_t len)
{
    if (len > 0)
        memcpy(reserve(bytes, len), more, len);
    bytes->len += len;
}

static size_t lesser(size_t a, size_t b)
{
    return a < b ? a : b;
}

static ssize_t receive(void *context, void *buffer, size_t size)
{
    struct memory_transport *memory = context;
    size_t unread = memory->input.len - memory->received;
    size_t len = lesser(lesser(unread, size), memory->piece);
    memory->receives++;
    if (len > 0)
        memcpy(buffer, memory->input.data + memory->received, len);
    memory->received += len;
    if (len > 0 || memory->ended)
        return (ssize_t)len;
    errno = memory->receive_error;
    return -1;
}

/* How many of `len` bytes are taken now; 0 with errno if none. */
static size_t admit(struct memory_transport *memory, size_t len)
{
    size_t taken = lesser(lesser(len, memory->take), memory->room);
    if (memory->room != MEMORY_TRANSPORT_UNLIMITED)
        memory->room -= taken;
    if (taken == 0)
        errno = memory->send_error;
    return taken;
}

static ssize_t send_parts(void *context, const struct iovec *parts, int count, bool more)
{
    struct memory_transport *memory = context;
    size_t len = 0;
    for (int i = 0; i < count; i++)
        len += parts[i].iov_len;
    size_t taken = admit(memory, len);
    memory->sends++;
    memory->parts = count;
    memory->more = more;
    size_t left = taken;
    for (int i = 0; i < count && left > 0; i++) {
        size_t part = lesser(parts[i].iov_len, left);
        append(&memory->output, parts[i].iov_base, part);
        left -= part;
    }
    return taken > 0 ? (ssize_t)taken : -1;
}

/* The peer takes at least what the file has: like sendfile(2) it looks for room first. */
static ssize_t send_file(void *context, int file, off_t offset, size_t len)
{
    struct memory_transport *memory = context;
    memory->file_sends++;
    size_t admitted = lesser(lesser(len, memory->take), memory->room);
    if (admitted == 0) {
        errno = memory->send_error;
        return -1;
    }
    ssize_t n = pread(file, reserve(&memory->output, admitted), admitted, offset);
    if (n <= 0)
        return n;
    memory->output.len += (size_t)n;
    (void)admit(memory, (size_t)n);
    return n;
}

static uint64_t unacknowledged(void *context)
{
    return ((const struct memory_transport *)context)->unacknowledged;
}

static void hold_more(void *context, bool more)
{
    ((struct memory_transport *)context)->holds_more = more;
}

static void finish(void *context)
{
    ((struct memory_transport *)context)->finished = true;
}

void memory_transport_init(struct memory_transport *memory)
{
    *memory = (struct memory_transport){
        .piece = MEMORY_TRANSPORT_UNLIMITED,
        .receive_error = EAGAIN,
        .take = MEMORY_TRANSPORT_UNLIMITED,
        .room = MEMORY_TRANSPORT_UNLIMITED,
        .send_error = EAGAIN,
    };
}

void memory_transport_deinit(struct memory_transport *memory)
{
    free(memory->input.data);
    free(memory->output.data);
    memory->input = memory->output = (struct memory_bytes){0};
}

struct transport memory_transport(struct memory_transport *memory, bool sends_files)
{
    return (struct transport){
        .receive = receive,
        .send = send_parts,
        .send_file = sends_files ? send_file : NULL,
        .unacknowledged = unacknowledged,
        .hold_more = hold_more,
        .finish = finish,
        .context = memory,
    };
}

void memory_transport_feed(struct memory_transport *memory, struct slice bytes)
{
    append(&memory->input, bytes.data, bytes.len);
}

bool memory_transport_is_readable(const struct memory_transport *memory)
{
    return memory->received < memory->input.len || memory->ended || memory->receive_error != EAGAIN;
}

struct slice memory_transport_output(struct memory_transport *memory)
{
    *reserve(&memory->output, 0) = '\0';
    return (struct slice){memory->output.data, memory->output.len};
}

void memory_transport_clear(struct memory_transport *memory)
{
    memory->input.len = memory->output.len = memory->received = 0;
}

void memory_transport_reset(struct memory_transport *memory)
{
    struct memory_bytes input = memory->input;
    struct memory_bytes output = memory->output;
    memory_transport_init(memory);
    memory->input = input;
    memory->output = output;
    memory_transport_clear(memory);
}
