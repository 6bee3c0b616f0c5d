#include "server/version.h"

#include "server/config/file.h"
#include "server/digest/digest.h"
#include "server/json/json_library.h"

#if defined(__clang__)
#define COMPILER "clang " __clang_version__
#else
#define COMPILER "gcc " __VERSION__
#endif

void version_print(FILE *out)
{
    (void)fprintf(out,
                  "tarn " TARN_VERSION "\n"
                  "features: IPv6, keep-alive, sendfile, JSON uploads\n"
                  "libraries: %s, %s, %s\n"
                  "compiler: " COMPILER "\n",
                  file_library(), json_library(), digest_library());
}
