/* Reads one request of a file. What is wrong is told by json_file_complain(), all of it, so that a
 * reader goes on after a fault. For one thread at a time.
 */
#ifndef TARN_TESTER_PLAN_REQUEST_H
#define TARN_TESTER_PLAN_REQUEST_H

#include "tester/plan.h"

/* Fills in *request, which is all zero; what it owns is freed with the plan. */
void plan_request_read(struct json_file *file, const cJSON *node, struct plan_request *request);

/* The parts of it: the content ("data", "json", "body", "bodyFile", "file"), and "expect". */
void plan_content_read(struct json_file *file, const cJSON *node, struct plan_request *request);
void plan_expect_read(struct json_file *file, const cJSON *node, struct plan_expect *expect);

/* The member of that name, NULL if there is none. */
const cJSON *plan_member(const cJSON *object, const char *name);

/* The same for a member that must be a string, and not an empty one; NULL (after a complaint, if
 * it is there) if there is none.
 */
const char *plan_text(struct json_file *file, const cJSON *object, const char *name);

/* Reads the file that a member names, relative to the JSON file. Returns 0, or -1 after a
 * complaint, *out untouched.
 */
int plan_read_bytes(struct json_file *file, const cJSON *node, struct plan_bytes *out);

/* Complains of names and values that cannot be header fields. Values are strings, or what
 * `is_other` takes; `form` names all of that in the complaint.
 */
void plan_check_fields(struct json_file *file, const cJSON *headers,
                       bool (*is_other)(const cJSON *value), const char *form);

#endif
