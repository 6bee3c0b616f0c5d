/* Error answers, in the form that suits the client: problem+json (RFC 9457) for the interfaces
 * and whoever prefers JSON, a small page for whoever accepts HTML by name, else a line of text.
 *
 * Nothing of the machine gets into them: no path, no error number. Of the request only a document
 * that is wrong is quoted, briefly, and only in JSON.
 */
#ifndef TARN_SERVER_HANDLERS_PROBLEM_H
#define TARN_SERVER_HANDLERS_PROBLEM_H

#include "server/handlers/request.h"

/* Where a document is wrong. */
struct problem_place {
    size_t line, column, offset;
    const char *expected;
    const char *excerpt; /* of the document, around the place; valid UTF-8; NULL: none */
};

/* Where a number of documents are wrong. */
struct problem_places {
    const struct problem_place *items;
    size_t count;
    size_t total; /* of which these are the first */
};

/* Makes the error response. `detail` is a sentence for the client, a literal; NULL: the status's
 * usual one.
 */
void problem_answer(struct request *request, enum http_status status, const char *detail);

/* The same with 400 and the place in the document that was sent. */
void problem_answer_place(struct request *request, const struct problem_place *place);

/* The same for several places, at least one, each in a line of its own; they are the member
 * `errors`, and their number is `total`.
 */
void problem_answer_places(struct request *request, const struct problem_places *places);

/* The usual detail of a status. */
const char *problem_detail(enum http_status status);

/* The status for an error of the file system while something was written or read. */
enum http_status problem_status_of_errno(int error);

#endif
