/* Reading the configuration file, with libconfig. The only module that knows the library; nothing
 * of it is kept. (Version 1.5 itself loses the bytes of a string that is a syntax error: a leak
 * checker shows them.)
 */
#ifndef TARN_SERVER_CONFIG_FILE_H
#define TARN_SERVER_CONFIG_FILE_H

#include "server/config/config.h"
#include "server/config/problems.h"

/* Puts the values of a file into the configuration. Faults are added to `problems`: what cannot be
 * read or is no libconfig syntax ends the reading, wrong settings are told one by one.
 */
void file_apply(const char *path, struct config *config, struct problems *problems);

/* "libconfig 1.5.0", a literal. */
const char *file_library(void);

#endif
