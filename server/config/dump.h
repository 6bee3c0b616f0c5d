/* A configuration as text, for people. Faults of the stream stick to it (ferror). Any thread. */
#ifndef TARN_SERVER_CONFIG_DUMP_H
#define TARN_SERVER_CONFIG_DUMP_H

#include "server/config/config.h"

/* "FILE: configuration is valid", as a line. */
void dump_verdict(const struct config *config, FILE *out);

/* Each key as a line: `limits.idle_timeout = 30    # FILE:LINE`. Paths are shown as they are
 * opened. Keys without effect as yet say so.
 */
void dump_config(const struct config *config, FILE *out);

/* The reference of all keys, as a table in Markdown. */
void dump_reference(FILE *out);

#endif
