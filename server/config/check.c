#include "server/config/check.h"

#include "http/authority.h"
#include "server/log/access_format.h"
#include "server/log/error_format.h"

#include <arpa/inet.h>
#include <string.h>

#define COOKIE_NAME_LEN_MAX 64
#define EXTENSION_LEN_MAX   16
#define FILE_NAME_LEN_MAX   255
#define FIELD_VALUE_LEN_MAX 1024
#define PATH_LEN_MAX        4095

bool check_access_format(const char *text)
{
    struct log_format format;
    struct log_fault fault;

    return access_format_compile(text, &format, &fault) == 0;
}

bool check_error_format(const char *text)
{
    struct log_format format;
    struct log_fault fault;

    return error_format_compile(text, &format, &fault) == 0;
}

static void print_fault(const struct log_fault *fault, FILE *out)
{
    (void)fprintf(out, " (%s, byte %zu)", fault->what, fault->offset + 1);
}

void check_explain_access_format(const char *text, FILE *out)
{
    struct log_format format;
    struct log_fault fault;

    if (access_format_compile(text, &format, &fault) != 0)
        print_fault(&fault, out);
}

void check_explain_error_format(const char *text, FILE *out)
{
    struct log_format format;
    struct log_fault fault;

    if (error_format_compile(text, &format, &fault) != 0)
        print_fault(&fault, out);
}

bool check_address(const char *text)
{
    struct in6_addr address; /* large enough for both */

    return inet_pton(AF_INET, text, &address) == 1 || inet_pton(AF_INET6, text, &address) == 1 ||
           strcmp(text, "localhost") == 0 || strcmp(text, "*") == 0;
}

bool check_authority(const char *text)
{
    struct authority authority;

    return strchr(text, '*') == NULL && authority_parse(slice_from_string(text), &authority) == 0;
}

bool check_cookie_name(const char *text)
{
    size_t len = strspn(text, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-");
    return len <= COOKIE_NAME_LEN_MAX && text[len] == '\0';
}

bool check_extension(const char *text)
{
    size_t len = strspn(text, "abcdefghijklmnopqrstuvwxyz0123456789");
    return text[len] == '\0' && len >= 1 && len <= EXTENSION_LEN_MAX;
}

bool check_field_value(const char *text)
{
    struct slice value = slice_from_string(text);

    for (size_t i = 0; i < value.len; i++) {
        if (value.data[i] < ' ' || value.data[i] > '~')
            return false;
    }
    return value.len <= FIELD_VALUE_LEN_MAX && slice_trim(value).len == value.len;
}

bool check_file_name(const char *text)
{
    return text[0] != '\0' && text[0] != '.' && strchr(text, '/') == NULL &&
           strlen(text) <= FILE_NAME_LEN_MAX;
}

bool check_origin(const char *text)
{
    if (strcmp(text, "*") == 0)
        return true;
    bool secure = strncmp(text, "https://", 8) == 0;
    if (!secure && strncmp(text, "http://", 7) != 0)
        return false;
    return check_authority(text + (secure ? 8 : 7));
}

bool check_path(const char *text)
{
    return text[0] != '\0' && strlen(text) <= PATH_LEN_MAX;
}

bool check_path_or_nothing(const char *text)
{
    return text[0] == '\0' || check_path(text);
}
