/* The page that shows a form's record; see server/handlers/form_page.h. */
#ifndef TARN_SERVER_HANDLERS_FORM_HTML_H
#define TARN_SERVER_HANDLERS_FORM_HTML_H

#include "http/slice.h"

struct cJSON;

/* `name` is the record's, `record` NULL if it is too long to be shown. Returns the page, NUL-
 * terminated, which the caller frees; NULL without memory.
 */
char *form_html_print(struct slice name, const struct cJSON *record);

#endif
