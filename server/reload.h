/* Another configuration for a server that runs. */
#ifndef TARN_SERVER_RELOAD_H
#define TARN_SERVER_RELOAD_H

#include "server/server.h"

/* Reads the configuration anew, from the file that it was read from (without one, it is looked for
 * again), and gives it to the server: requests that begin from now on go by it, those under way end
 * with the old one. Returns 0; or an exit status, with a line on `errors` for each fault: then
 * nothing has changed. A key that cannot change while the server runs is a fault. By the main
 * thread.
 */
int reload_server(struct server *server, const struct config_input *input, uint16_t port,
                  FILE *errors);

/* The same, and tells the error log how it went. *out_text is what was wrong, or empty; the caller
 * frees it; NULL without memory.
 */
int reload_and_log(struct server *server, const struct config_input *input, uint16_t port,
                   char **out_text);

#endif
