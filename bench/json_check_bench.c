/* How fast the JSON check is: megabytes a second of CPU time for a few kinds of documents, fed
 * in pieces of 8 KiB as a request body comes.
 *
 *     json_check_bench [MEBIBYTES]     of each document; 64 if not given
 */
#include "http/slice.h"
#include "server/json/json_check.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define PIECE_BYTES 8192
#define ROUNDS      5

/* A document is the unit as often as it fits, as the elements of one array. */
struct kind {
    const char *name;
    const char *unit;
};

static const struct kind kinds[] = {
    {"records, compact",
     "{\"id\":48213,\"name\":\"Anna Example\",\"email\":\"anna@example.org\",\"active\":true,"
     "\"score\":17.25,\"tags\":[\"red\",\"green\"],\"note\":null}"},
    {"records, indented", "\n    {\n        \"id\": 48213,\n        \"name\": \"Anna Example\",\n"
                          "        \"email\": \"anna@example.org\",\n        \"active\": true,\n"
                          "        \"score\": 17.25,\n        \"tags\": [\n            \"red\",\n"
                          "            \"green\"\n        ],\n        \"note\": null\n    }"},
    {"numbers", "[-122.41941550000001,37.774929499999999,0.5,6.02e23,1700000000]"},
    {"long strings",
     "\"All happy families are alike; each unhappy family is unhappy in its own way. Everything "
     "was in confusion in the house, and no one knew what had been going on since the morning.\""},
    {"Cyrillic strings", "\"Все счастливые семьи похожи друг на друга\""},
    {"Chinese strings", "\"天地玄黃宇宙洪荒日月盈昃辰宿列張寒來暑往秋收冬藏\""},
    {"escapes", "\"\\u0412\\u0441\\u0435 \\ud83d\\ude00 \\\"quoted\\\"\\n\\tand\\\\so on\""},
    {"empty arrays", "[]"},
};

static struct slice make_document(const struct kind *kind, size_t size)
{
    char *data = malloc(size);
    if (data == NULL)
        exit(EXIT_FAILURE);
    size_t unit_len = strlen(kind->unit);
    size_t len = 0;
    while (len + unit_len + 2 <= size) {
        data[len] = len == 0 ? '[' : ',';
        memcpy(data + len + 1, kind->unit, unit_len);
        len += unit_len + 1;
    }
    data[len++] = ']';
    return (struct slice){data, len};
}

static void check_document(struct slice document)
{
    struct json_check check;
    json_check_init(&check, 128, UINT64_MAX);
    for (size_t at = 0; at < document.len; at += PIECE_BYTES) {
        size_t rest = document.len - at;
        (void)json_check_feed(&check, document.data + at, rest < PIECE_BYTES ? rest : PIECE_BYTES);
    }
    if (json_check_finish(&check) != PARSE_DONE) {
        fprintf(stderr, "refused at byte %ju: expected %s\n", (uintmax_t)check.offset,
                check.expected);
        exit(EXIT_FAILURE);
    }
}

static double cpu_seconds(void)
{
    struct timespec now;
    (void)clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now); /* cannot fail on Linux */
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

/* The best of a few rounds: what else runs on the machine can only slow one down. */
static double best_rate(struct slice document)
{
    double best = 0;
    for (int round = 0; round < ROUNDS; round++) {
        double begin = cpu_seconds();
        check_document(document);
        double rate = (double)document.len / (cpu_seconds() - begin) / 1e6;
        best = rate > best ? rate : best;
    }
    return best;
}

int main(int argc, char **argv)
{
    uint64_t mebibytes = 64;
    if (argc > 1 && (slice_to_u64(slice_from_string(argv[1]), &mebibytes) != 0 || mebibytes == 0 ||
                     mebibytes > 4096)) {
        fputs("usage: json_check_bench [MEBIBYTES]     1 to 4096\n", stderr);
        return 2;
    }
    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
        struct slice document = make_document(&kinds[i], mebibytes << 20);
        printf("%-20s %8.0f MB/s\n", kinds[i].name, best_rate(document));
        free((void *)document.data);
    }
    return 0;
}
