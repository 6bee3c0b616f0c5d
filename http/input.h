/* Bytes that have been received and not yet used.
 *
 * While a connection runs they are in its worker's buffer. A parked connection owns no buffer:
 * what is left over is copied to memory of its exact size, mostly none at all.
 */
#ifndef TARN_HTTP_INPUT_H
#define TARN_HTTP_INPUT_H

#include "http/slice.h"
#include "http/transport.h"

/* Left over while the connection does not run. Owned by the connection; zeroed = nothing. */
struct input_rest {
    char *bytes;
    size_t len;
};

struct input {
    char *buffer; /* borrowed from the worker */
    size_t size;
    size_t floor; /* bytes before it are a head that is still in use */
    size_t begin; /* of the unused bytes */
    size_t end;
};

/* Begins with the rest, which is freed. `size` is at least rest->len. */
struct input input_resume(char *buffer, size_t size, struct input_rest *rest);

/* Saves the unused bytes. Returns 0, or -1 with ENOMEM. */
int input_suspend(const struct input *input, struct input_rest *out_rest);

struct slice input_unused(const struct input *input);

void input_use(struct input *input, size_t len);

/* What has been used up to now must stay where it is until input_release(). */
void input_hold(struct input *input);
void input_release(struct input *input);

/* Receives behind the unused bytes, until there are `most` of them or the buffer is full; moves
 * them to make room, so slices of them are void then. Returns as transport->receive, and -1 with
 * ENOBUFS when there is no room.
 */
ssize_t input_receive(struct input *input, const struct transport *transport, size_t most);

/* Whether there are as many unused bytes as input_receive() would take: more may be waiting. */
bool input_is_full(const struct input *input, size_t most);

#endif
