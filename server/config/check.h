/* Whether a string may be the value of a key: the `accepts` functions of the table of keys. Each
 * takes a NUL-terminated string and only looks at it. Any thread.
 */
#ifndef TARN_SERVER_CONFIG_CHECK_H
#define TARN_SERVER_CONFIG_CHECK_H

#include <stdbool.h>
#include <stdio.h>

/* The name of a cookie, or nothing: up to 64 of A-Z, a-z, 0-9, '_' and '-'. */
bool check_cookie_name(const char *text);

/* A numeric IPv4 or IPv6 address without brackets, "localhost", or "*". Other names are refused:
 * a server that waits for a name server before it listens does not start when the network is late.
 */
bool check_address(const char *text);

/* A format of the access log, and of the error log (server/log/access_format.h and error_format.h).
 */
bool check_access_format(const char *text);
bool check_error_format(const char *text);

/* Writes what is wrong with one that is refused: " (unknown directive, byte 4)". */
void check_explain_access_format(const char *text, FILE *out);
void check_explain_error_format(const char *text, FILE *out);

/* A host that is served, "name" or "name:port" (http/authority.h). A "*" is legal there, but who
 * writes one expects a pattern.
 */
bool check_authority(const char *text);

/* 1 to 16 of a-z and 0-9. */
bool check_extension(const char *text);

/* The value of a field, or nothing: visible ASCII, no space at its ends, up to 1024 bytes. */
bool check_field_value(const char *text);

/* The name of one file that is served: no '/', no dot in front, 1 to 255 bytes. */
bool check_file_name(const char *text);

/* An origin as browsers send it, "https://name" or "http://name:port", or "*". */
bool check_origin(const char *text);

/* 1 to 4095 bytes. */
bool check_path(const char *text);

/* The same, or nothing. */
bool check_path_or_nothing(const char *text);

#endif
