/* What the operator reads when the server has started. */
#ifndef TARN_SERVER_BANNER_H
#define TARN_SERVER_BANNER_H

#include "server/config/config.h"

#include <stdio.h>

/* Prints the URLs under which the server is reached, the configuration file and the pool's size.
 * `port` is the real one.
 */
void banner_print(const struct config *config, uint16_t port, FILE *out);

#endif
