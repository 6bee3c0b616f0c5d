#include "http/input.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* With less room than this the unused bytes are moved to the front first. */
#define ROOM_BYTES_MIN 16384

struct input input_resume(char *buffer, size_t size, struct input_rest *rest)
{
    struct input input = {.buffer = buffer, .size = size, .end = rest->len};
    if (rest->len > 0)
        memcpy(buffer, rest->bytes, rest->len);
    free(rest->bytes);
    *rest = (struct input_rest){0};
    return input;
}

int input_suspend(const struct input *input, struct input_rest *out_rest)
{
    size_t len = input->end - input->begin;
    if (len == 0)
        return 0;
    char *bytes = malloc(len);
    if (!bytes)
        return -1;
    memcpy(bytes, input->buffer + input->begin, len);
    *out_rest = (struct input_rest){bytes, len};
    return 0;
}

struct slice input_unused(const struct input *input)
{
    return (struct slice){input->buffer + input->begin, input->end - input->begin};
}

void input_use(struct input *input, size_t len)
{
    input->begin += len;
}

void input_hold(struct input *input)
{
    input->floor = input->begin;
}

void input_release(struct input *input)
{
    input->floor = 0;
}

static void make_room(struct input *input)
{
    size_t len = input->end - input->begin;
    if (len > 0) {
        if (input->size - input->end >= ROOM_BYTES_MIN)
            return;
        memmove(input->buffer + input->floor, input->buffer + input->begin, len);
    }
    input->begin = input->floor;
    input->end = input->floor + len;
}

ssize_t input_receive(struct input *input, const struct transport *transport, size_t most)
{
    make_room(input);
    size_t unused = input->end - input->begin;
    size_t room = input->size - input->end;
    if (most < unused + room)
        room = most > unused ? most - unused : 0;
    if (room == 0) {
        errno = ENOBUFS;
        return -1;
    }
    ssize_t n = transport->receive(transport->context, input->buffer + input->end, room);
    if (n > 0)
        input->end += (size_t)n;
    return n;
}

bool input_is_full(const struct input *input, size_t most)
{
    return input->end == input->size || input->end - input->begin >= most;
}
