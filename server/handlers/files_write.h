/* Writing /files/NAME: PUT makes or replaces a file, POST makes one that is not there yet, DELETE
 * removes one (RFC 9110 sections 9.3.3 to 9.3.5). A file's content goes to the disk as it comes,
 * and gets its name when all of it is there.
 *
 * Preconditions are evaluated twice: before the content is read, so that nobody sends it in vain,
 * and by the store at the moment of the change, so that of many that expect the same one wins.
 *
 * The functions are members of a struct handler.
 */
#ifndef TARN_SERVER_HANDLERS_FILES_WRITE_H
#define TARN_SERVER_HANDLERS_FILES_WRITE_H

#include "server/handlers/request.h"

void files_write_open(struct request *request);
void files_write_take(struct exchange *exchange, struct slice piece);
enum http_status files_write_give_up(const struct exchange *exchange);
void files_write_complete(struct request *request);
void files_write_close(struct exchange *exchange);

#endif
