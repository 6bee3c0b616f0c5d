/* Views of bytes. Network input is bytes with a length: never NUL-terminated, never owned here.
 *
 * A slice borrows; whoever made it says how long the bytes live. Slices are passed by value.
 * All comparisons and classes are ASCII and do not depend on the locale (RFC 9110 section 5.6).
 */
#ifndef TARN_HTTP_SLICE_H
#define TARN_HTTP_SLICE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct slice {
    const char *data; /* may be NULL when len is 0 */
    size_t len;
};

/* A slice of a string literal, its NUL left out. */
#define SLICE(literal) ((struct slice){"" literal, sizeof(literal) - 1})

/* The bytes of a NUL-terminated string; NULL gives an empty slice. */
struct slice slice_from_string(const char *string);

bool slice_equal(struct slice a, struct slice b);

/* The same, with A-Z and a-z taken as equal. */
bool slice_equal_nocase(struct slice a, struct slice b);

bool slice_starts_with(struct slice s, struct slice prefix);

/* Without optional white space (SP, HTAB) at both ends; RFC 9110 section 5.6.3. */
struct slice slice_trim(struct slice s);

/* Without the quotes of a quoted string (RFC 9110 section 5.6.4); what is none stays as it is.
 * Quoted pairs within stay too.
 */
struct slice slice_unquote(struct slice s);

/* Takes what stands before the next separator, or all, off *text, and the separator. *text is not
 * empty.
 */
struct slice slice_take_until(struct slice *text, char separator);

/* The same, but a separator within a quoted string is none, and what is returned is trimmed. */
struct slice slice_take_part(struct slice *text, char separator);

/* Takes the next non-empty element of a comma-separated list (RFC 9110 section 5.6.1) off *list,
 * and trims it. Commas within a quoted string (section 5.6.4) do not separate.
 * Returns false, *out_element untouched, when there is none left.
 */
bool slice_next_element(struct slice *list, struct slice *out_element);

/* Decimal digits only (no sign, no space, not empty) to a number.
 * Returns 0, or -1 on another byte or on overflow, *out_number untouched.
 */
int slice_to_u64(struct slice digits, uint64_t *out_number);

#endif
