/* What the fuzzing harnesses share.
 *
 * A harness is one file, fuzz_<name>.c, and defines LLVMFuzzerTestOneInput(): it gives any bytes to
 * the code under test and ends the program where an oracle fails. It is linked with libFuzzer as
 * fuzz_<name> (see script/fuzz), and with replay.c as replay_<name>, a test that runs the inputs of
 * corpus/<name>/.
 */
#ifndef TARN_TESTS_FUZZ_HARNESS_H
#define TARN_TESTS_FUZZ_HARNESS_H

#include "http/head.h"

#include <stddef.h>
#include <stdint.h>

/* libFuzzer's name. Returns 0. The bytes are read-only. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Ends the program with a message unless the condition holds; also in release builds. */
#define HARNESS_EXPECT(condition)                                                                  \
    ((condition) ? (void)0 : harness_fail(__FILE__, __LINE__, #condition))

_Noreturn void harness_fail(const char *file, int line, const char *condition);

/* A copy in a block of exactly its size, so that AddressSanitizer sees a byte read beyond it. The
 * caller frees it; never NULL.
 */
char *harness_copy(const void *bytes, size_t len);

/* --- pieces: the same bytes must give the same answer, however they are split --------------- */

enum harness_split {
    HARNESS_WHOLE,
    HARNESS_PIECES, /* of lengths by chance, most of them short */
    HARNESS_BYTES,  /* one by one */
};

struct harness_pieces {
    enum harness_split split;
    uint64_t chance;
};

/* Begins; the lengths follow from the bytes, so that each input is run in the same way again. */
struct harness_pieces harness_pieces_begin(enum harness_split split, const void *bytes, size_t len);

/* The length of the next piece of `left` bytes: 1 ... left. `left` is not 0. */
size_t harness_pieces_next(struct harness_pieces *pieces, size_t left);

/* A number by chance, 0 ... max. */
size_t harness_chance(struct harness_pieces *pieces, size_t max);

/* --- heads --------------------------------------------------------------------------------- */

/* Parses a request with this method and these field lines; the CRLF after the last one and the
 * empty line are added. Returns the head's bytes, which end with the last field's value and which
 * the caller frees; NULL, with *out of no use, when the parser refuses the request.
 */
char *harness_head(const char *method, const uint8_t *fields, size_t size, struct head *out);

#endif
