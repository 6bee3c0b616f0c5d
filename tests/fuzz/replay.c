/* Runs a harness with the inputs of its corpus, as an ordinary test: no libFuzzer is needed.
 *
 *     replay_<name> FILE-OR-FOLDER...
 */
#include "tests/fuzz/harness.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>

/* As much as libFuzzer takes by itself. */
#define INPUT_BYTES_MAX 1048576

/* Returns 0, or -1 if the file cannot be read. Its name is told first, for the case that the
 * program ends here.
 */
static int replay_file(const char *path)
{
    static char buffer[INPUT_BYTES_MAX];
    printf("%s\n", path);
    (void)fflush(stdout);
    FILE *file = fopen(path, "re");
    if (!file)
        return -1;
    size_t len = fread(buffer, 1, sizeof(buffer), file);
    int failed = ferror(file);
    (void)fclose(file); /* it was only read */
    if (failed)
        return -1;
    char *exact = harness_copy(buffer, len);
    (void)LLVMFuzzerTestOneInput((const uint8_t *)exact, len);
    free(exact);
    return 0;
}

/* Returns how many files there are, or -1. */
static int replay_folder(DIR *folder, const char *path)
{
    int count = 0;
    const struct dirent *entry;
    while ((entry = readdir(folder)) != NULL) {
        char name[4096];
        if (entry->d_name[0] == '.')
            continue;
        int len = snprintf(name, sizeof(name), "%s/%s", path, entry->d_name);
        if (len < 0 || (size_t)len >= sizeof(name) || replay_file(name) != 0)
            return -1;
        count++;
    }
    return count;
}

static int replay(const char *path)
{
    DIR *folder = opendir(path);
    if (!folder)
        return replay_file(path) == 0 ? 1 : -1;
    int count = replay_folder(folder, path);
    (void)closedir(folder);
    return count;
}

int main(int argc, char **argv)
{
    int total = 0;
    for (int i = 1; i < argc; i++) {
        int count = replay(argv[i]);
        if (count < 0) {
            fprintf(stderr, "%s: cannot be read\n", argv[i]);
            return EXIT_FAILURE;
        }
        total += count;
    }
    printf("%d inputs\n", total);
    return total > 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
