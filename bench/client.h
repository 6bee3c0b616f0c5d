/* What the programs of the benchmark share: connections to 127.0.0.1, arguments, time. What cannot
 * be done ends the program with a message: a client that goes on half measures nothing.
 */
#ifndef BENCH_CLIENT_H
#define BENCH_CLIENT_H

#include <stddef.h>
#include <stdint.h>

/* Prints what failed and why (errno), and exits. */
_Noreturn void client_fail(const char *what);

/* The number that a whole argument is; exits if it is none, or above `most`. */
unsigned long client_number(const char *text, unsigned long most);

/* Allows as many descriptors as the system lets this program have. */
void client_raise_descriptors(void);

/* Monotonic time in nanoseconds. */
uint64_t client_now_ns(void);

/* Opens a connection with a receive buffer of that many bytes (0: the system's choice); with
 * SOCK_NONBLOCK in `flags` it may still be under way. The caller owns the descriptor. */
int client_connect(uint16_t port, int flags, int window_bytes);

#endif
