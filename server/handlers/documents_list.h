/* GET and HEAD of /uploads/: the stored documents, newest first, page by page.
 *
 *     {"documents":[{"name":"upload_....json","bytes":1,"modified":"2026-01-02T03:04:05Z"}],
 *      "next":"/uploads/?before=upload_....json&limit=100"}
 *
 * `next` is missing on the last page. A page ends at a document and not at a number, so that
 * nothing is shown twice or left out when others are stored or removed between two pages.
 */
#ifndef TARN_SERVER_HANDLERS_DOCUMENTS_LIST_H
#define TARN_SERVER_HANDLERS_DOCUMENTS_LIST_H

#include "server/handlers/request.h"

/* Makes the response. `?before=NAME&limit=N` chooses the page; 400 for what is neither. May read
 * the folder, and so block in the disk.
 */
void documents_list_answer(struct request *request);

#endif
