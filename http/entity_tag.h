/* Entity tags (RFC 9110 section 8.8.3): parsing, lists of them, the two comparisons, and the tag
 * of a file. Pure functions: any thread may call them.
 */
#ifndef TARN_HTTP_ENTITY_TAG_H
#define TARN_HTTP_ENTITY_TAG_H

#include "http/slice.h"

struct entity_tag {
    struct slice opaque; /* with its quotes; borrowed from the text it was parsed from */
    bool weak;
};

/* Parses exactly one entity tag: no white space around it, and `W/` in upper case.
 * Returns 0, or -1 with *out untouched.
 */
int entity_tag_parse(struct slice text, struct entity_tag *out);

enum entity_tag_member {
    ENTITY_TAG_END,       /* the list has no further member */
    ENTITY_TAG_ONE,       /* an entity tag */
    ENTITY_TAG_ANY,       /* `*`, which is valid only as the whole of a field's value */
    ENTITY_TAG_MALFORMED, /* something else */
};

/* Takes the next member off *list, a value of If-Match or If-None-Match (RFC 9110 section 13.1);
 * empty elements are passed over. A comma within quotes does not separate, also in a malformed
 * member, so that no piece of one is taken for a tag. Sets *out_tag only for ENTITY_TAG_ONE.
 */
enum entity_tag_member entity_tag_next(struct slice *list, struct entity_tag *out_tag);

/* RFC 9110 section 8.8.3.2. The strong comparison never holds for a weak tag. */
bool entity_tag_equal_strong(struct entity_tag a, struct entity_tag b);
bool entity_tag_equal_weak(struct entity_tag a, struct entity_tag b);

/* What a file's tag is made of. A write changes the ctime, and no program can set that back, so
 * the tag is a strong one.
 */
struct entity_tag_source {
    uint64_t inode;
    uint64_t size_bytes;
    uint64_t mtime_ns; /* since 1970, modulo 2^64 */
    uint64_t ctime_ns;
};

#define ENTITY_TAG_LEN_MAX (2 + 4 * 16 + 3) /* quotes, four numbers, hyphens */

/* Writes a strong tag, `"inode-size-mtime-ctime"` in hexadecimal, to the buffer (no NUL).
 * Returns it as it stands in an ETag field; it lives in the buffer.
 */
struct slice entity_tag_format(const struct entity_tag_source *source,
                               char buffer[ENTITY_TAG_LEN_MAX]);

#endif
