/* GET /form/NAME: what a form has stored, as a page for people: the result that a browser without
 * JavaScript is led to. All that came from the client is text in it, and nothing in it runs.
 *
 * The record is a stored document like others; one that no form has made is not found here.
 * Bounded: a record of more than 64 KB is not shown but linked, and so is what does not fit into a
 * page of 64 KB.
 */
#ifndef TARN_SERVER_HANDLERS_FORM_PAGE_H
#define TARN_SERVER_HANDLERS_FORM_PAGE_H

#include "server/handlers/request.h"

extern const struct handler form_page_handler;

#endif
