/* POST /form: application/x-www-form-urlencoded or multipart/form-data. Fields become a record
 * among the stored documents, files become files; see server/handlers/form_record.h.
 *
 * 201 means that all of it is on the disk, as for an upload; a browser without JavaScript, which
 * accepts HTML by name, gets 303 to a page that shows the record. Where nothing can be stored, all
 * of it is refused. The page is that of server/handlers/form_page.h.
 */
#ifndef TARN_SERVER_HANDLERS_FORM_H
#define TARN_SERVER_HANDLERS_FORM_H

#include "server/handlers/request.h"

extern const struct handler form_handler;

#endif
