/* Records of uploads: what is printed is parsed again, and anything less than all of it is none. */
#include "server/handlers/upload_record.h"
#include "tests/support/failing_memory.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static void make(struct upload_record *record, bool is_batch, size_t count)
{
    *record = (struct upload_record){.is_batch = is_batch};
    for (size_t i = 0; i < sizeof(record->content); i++)
        record->content[i] = (uint8_t)(i * 37);
    assert_int_equal(upload_record_reserve(record, count), 0);
    for (size_t i = 0; i < count; i++) {
        record->documents[i].bytes = i == 0 ? UINT64_MAX : i;
        (void)snprintf(record->documents[i].name, STORE_NAME_SIZE,
                       "upload_20260301_120000_%016zx.json", i);
    }
    /* The longest name there can be. */
    memset(record->documents[0].name, 'x', STORE_NAME_SIZE - 1);
}

static void upload_record_is_parsed_as_it_was(void **state)
{
    (void)state;
    for (size_t count = 1; count <= 3; count++) {
        struct upload_record record;
        struct upload_record again;
        size_t len;
        make(&record, count > 1, count);
        char *bytes = upload_record_print(&record, &len);
        assert_non_null(bytes);
        assert_int_equal(upload_record_parse(bytes, len, &again), 1);
        assert_int_equal(again.is_batch, record.is_batch);
        assert_memory_equal(again.content, record.content, sizeof(record.content));
        assert_int_equal(again.count, count);
        for (size_t i = 0; i < count; i++) {
            assert_string_equal(again.documents[i].name, record.documents[i].name);
            assert_int_equal(again.documents[i].bytes, record.documents[i].bytes);
        }
        upload_record_deinit(&again);
        upload_record_deinit(&record);
        free(bytes);
    }
}

/* As a loss of power may leave it: cut, or with zeros where the disk had not been written yet. */
static void upload_record_in_part_is_none(void **state)
{
    struct upload_record record;
    struct upload_record again = {0};
    size_t len;
    (void)state;
    make(&record, true, 2);
    char *bytes = upload_record_print(&record, &len);
    for (size_t cut = 0; cut < len; cut++) {
        assert_int_equal(upload_record_parse(bytes, cut, &again), 0);
        char *zeros = calloc(1, len);
        assert_non_null(zeros);
        memcpy(zeros, bytes, cut);
        assert_int_equal(upload_record_parse(zeros, len, &again), 0);
        free(zeros);
    }
    free(bytes);
    upload_record_deinit(&record);
}

#define DIGEST "3a7bd3e2360a3d29eea436fcfb7e44c735d117c42d1c1835420b6b9942dd4f1b"

static void upload_record_malformed_is_none(void **state)
{
    static const char *const rows[] = {
        "upload 2 json " DIGEST "\n1 a\nend\n",
        "upload 1 jsonx " DIGEST "\n1 a\nend\n",
        "upload 1 json " DIGEST "0\n1 a\nend\n",
        "upload 1 json x" DIGEST "\n1 a\nend\n",
        "upload 1 json " DIGEST "\nend\n",
        "upload 1 json " DIGEST "\n1 \nend\n",
        "upload 1 json " DIGEST "\n1\nend\n",
        "upload 1 json " DIGEST "\n-1 a\nend\n",
        "upload 1 json " DIGEST "\n1 .a\nend\n",
        "upload 1 json " DIGEST "\n1 ../a\nend\n",
        "upload 1 json " DIGEST "\n1 a\nend\nx\n",
        "upload 1 json " DIGEST "\n1 a\n1 b\n",
        "upload 1 json " DIGEST "\n1 "
        "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx\nend\n",
    };
    struct upload_record record = {0};
    (void)state;
    assert_int_equal(
        upload_record_parse("upload 1 json " DIGEST "\n1 a\nend\n", 14 + 64 + 9, &record), 1);
    upload_record_deinit(&record);
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
        if (upload_record_parse(rows[i], strlen(rows[i]), &record) != 0)
            fail_msg("%s", rows[i]);
}

static void upload_record_without_memory_says_so(void **state)
{
    struct upload_record record;
    struct upload_record again;
    size_t len;
    (void)state;
    make(&record, false, 1);
    char *bytes = upload_record_print(&record, &len);
    failing_memory_after(0);
    assert_null(upload_record_print(&record, &len));
    assert_int_equal(upload_record_parse(bytes, len, &again), -1);
    assert_true(failing_memory_end());
    free(bytes);
    upload_record_deinit(&record);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(upload_record_is_parsed_as_it_was),
        cmocka_unit_test(upload_record_in_part_is_none),
        cmocka_unit_test(upload_record_malformed_is_none),
        cmocka_unit_test(upload_record_without_memory_says_so),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
