/* From a request's head to its handler, with the checks that all routes share, in this order:
 * Host, target, route and method, cross-site writing, expectations.
 */
#ifndef TARN_SERVER_ROUTER_H
#define TARN_SERVER_ROUTER_H

#include "server/handlers/request.h"

/* Finds out what the request is for. Fills target, path (into `path_buffer`), rest and handler.
 * `local_address` is asked for only if the Host is not known without it: the connection's local
 * address as text.
 * Returns HTTP_GO_ON, or the status to answer: 400, 403, 405, 414, 417, 501. *request is good
 * for problem_answer() in any case.
 */
enum http_status router_resolve(struct request *request, char *path_buffer, size_t path_size,
                                struct slice (*local_address)(void *context), void *context);

/* Answers a request for which router_resolve(), or authorization_check(), returned a status; adds
 * what belongs to it.
 */
void router_refuse(struct request *request, enum http_status status);

/* Answers OPTIONS for any route, and `OPTIONS *`. */
void router_answer_options(struct request *request);

#endif
