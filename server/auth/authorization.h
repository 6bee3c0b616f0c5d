/* Who may write: with `auth.tokens_file`, requests with other methods than GET, HEAD and OPTIONS
 * need a bearer token (RFC 6750 section 2.1), whatever the route.
 */
#ifndef TARN_SERVER_AUTH_AUTHORIZATION_H
#define TARN_SERVER_AUTH_AUTHORIZATION_H

#include "server/handlers/request.h"
#include "server/peer_counts.h"

/* For a request whose route and method are right. Returns HTTP_GO_ON, 401, or 503 where the peer
 * has sent too many wrong tokens. `now_ms` is of the monotonic clock.
 */
enum http_status authorization_check(const struct request *request, struct peer peer,
                                     int64_t now_ms);

/* Adds the WWW-Authenticate field to a 401 (RFC 6750 section 3). */
void authorization_add_challenge(struct request *request);

#endif
