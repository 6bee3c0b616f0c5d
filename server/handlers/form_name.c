#include "server/handlers/form_name.h"

#include "http/octet.h"
#include "http/text.h"
#include "server/handlers/random_token.h"

#include <assert.h>
#include <string.h>

#define STEM_LEN_MAX      64
#define EXTENSION_LEN_MAX 16
#define TOKEN_LEN         16 /* 64 random bits */

static_assert(STEM_LEN_MAX + 1 + TOKEN_LEN + 1 + EXTENSION_LEN_MAX < FORM_NAME_SIZE, "it fits");

static bool is_alphanumeric(char octet)
{
    char lower = octet_lower(octet);
    return octet_is_digit(octet) || (lower >= 'a' && lower <= 'z');
}

/* What stands behind the last separator of any system's paths, and behind dots at its beginning. */
static struct slice last_segment(struct slice path)
{
    size_t start = path.len;
    while (start > 0 && path.data[start - 1] != '/' && path.data[start - 1] != '\\')
        start--;
    while (start < path.len && path.data[start] == '.')
        start++;
    return (struct slice){path.data + start, path.len - start};
}

/* Takes ".jpg" off the end, and returns "jpg"; empty if there is nothing like it. */
static struct slice take_extension(struct slice *name)
{
    size_t len = 0;
    while (len < name->len && is_alphanumeric(name->data[name->len - 1 - len]))
        len++;
    if (len == 0 || len > EXTENSION_LEN_MAX || len == name->len ||
        name->data[name->len - 1 - len] != '.')
        return (struct slice){0};
    struct slice extension = {name->data + name->len - len, len};
    name->len -= len + 1;
    return extension;
}

/* Dots become '_' too: some servers look at each extension of a name. */
static void append_stem(struct text *out, struct slice stem)
{
    for (size_t i = 0; i < stem.len && out->len < STEM_LEN_MAX; i++) {
        char octet = stem.data[i];
        bool goes_on = ((unsigned char)octet & 0xc0) == 0x80; /* one '_' a character */
        if (is_alphanumeric(octet) || octet == '-')
            text_append_char(out, octet);
        else if (!goes_on)
            text_append_char(out, '_');
    }
    if (out->len == 0)
        text_append(out, SLICE("file"));
}

int form_name_make(const char *filename, char out[FORM_NAME_SIZE])
{
    char buffer[STEM_LEN_MAX + 1 + RANDOM_TOKEN_LEN + 1 + EXTENSION_LEN_MAX + 1];
    struct text text = text_over(buffer, sizeof(buffer));
    struct slice name = last_segment(slice_from_string(filename));
    struct slice extension = take_extension(&name);
    append_stem(&text, name);
    text_append_char(&text, '_');
    if (random_token_append(&text) != 0)
        return -1;
    text.len -= RANDOM_TOKEN_LEN - TOKEN_LEN;
    if (extension.len > 0)
        text_append_char(&text, '.');
    for (size_t i = 0; i < extension.len; i++)
        text_append_char(&text, octet_lower(extension.data[i]));
    text_append_char(&text, '\0');
    memcpy(out, buffer, text.len);
    return 0;
}
