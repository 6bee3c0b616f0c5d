/* The library that builds and reads JSON. */
#ifndef TARN_SERVER_JSON_JSON_LIBRARY_H
#define TARN_SERVER_JSON_JSON_LIBRARY_H

/* "cJSON 1.7.15", a literal: what was compiled against. */
const char *json_library(void);

#endif
