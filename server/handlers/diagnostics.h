/* Small answers that show what arrived, and whether the server lives. */
#ifndef TARN_SERVER_HANDLERS_DIAGNOSTICS_H
#define TARN_SERVER_HANDLERS_DIAGNOSTICS_H

#include "server/handlers/request.h"

extern const struct handler echo_handler;       /* /echo/TEXT: TEXT, decoded */
extern const struct handler user_agent_handler; /* /user-agent: the field's value */
extern const struct handler health_handler;     /* /healthz: the process lives */
extern const struct handler readiness_handler;  /* /readyz: it is willing to take work */

#endif
