/* What this build is. */
#ifndef TARN_SERVER_VERSION_H
#define TARN_SERVER_VERSION_H

#include <stdio.h>

/* The answer to --version: name and version, features, libraries, compiler; a line each. */
void version_print(FILE *out);

#endif
