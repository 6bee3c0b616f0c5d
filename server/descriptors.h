/* How many descriptors the process may have. */
#ifndef TARN_SERVER_DESCRIPTORS_H
#define TARN_SERVER_DESCRIPTORS_H

#include "server/config/config.h"

/* Raises the limit of descriptors to what the configuration needs: a socket and a file for each
 * connection. Returns how many connections there may be: fewer than configured, with a warning,
 * if that is not allowed. Some descriptors are kept for the files that they ask for.
 */
size_t descriptors_reserve(const struct config *config);

#endif
