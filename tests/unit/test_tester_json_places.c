/* Goal: a value of a JSON tree is found in the text that it came from. */
#include "tester/json_places.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#include <string.h>

static const char text[] = "\n[ {\"a\" :\n"                /* 2 */
                           "  {\"b\\\"\": [1, -2.5e3]},\n" /* 3 */
                           " \"c\":\"x\\\\\", \"d\"\n"     /* 4 */
                           "   : null, \"e\": {}, \n"      /* 5 */
                           "\"f\": [] },\n"                /* 6 */
                           "\"s:\",\n"                     /* 7 */
                           "true\n"                        /* 8 */
                           "]\n";

static void assert_place(const struct json_places *places, const cJSON *node, unsigned line,
                         const char *source)
{
    assert_non_null(node);
    assert_int_equal(json_places_line(places, node), line);
    struct slice found = json_places_source(places, node);
    assert_int_equal(found.len, strlen(source));
    assert_memory_equal(found.data, source, found.len);
}

static void json_places_each_value_is_found_with_its_line(void **state)
{
    (void)state;
    struct json_places places;
    cJSON *root = cJSON_Parse(text);
    assert_non_null(root);
    const cJSON *object = root->child;
    const cJSON *list = object->child->child;

    assert_int_equal(json_places_init(&places, slice_from_string(text), root), 0);
    assert_int_equal(json_places_line(&places, root), 2);
    assert_int_equal(json_places_line(&places, object), 2);
    assert_place(&places, object->child, 2, "{\"b\\\"\": [1, -2.5e3]}");
    assert_place(&places, list, 3, "[1, -2.5e3]");
    assert_place(&places, list->child, 3, "1");
    assert_place(&places, list->child->next, 3, "-2.5e3");
    assert_place(&places, cJSON_GetObjectItem(object, "c"), 4, "\"x\\\\\"");
    assert_place(&places, cJSON_GetObjectItem(object, "d"), 4, "null");
    assert_place(&places, cJSON_GetObjectItem(object, "e"), 5, "{}");
    assert_place(&places, cJSON_GetObjectItem(object, "f"), 6, "[]");
    assert_place(&places, object->next, 7, "\"s:\"");
    assert_place(&places, object->next->next, 8, "true");
    json_places_deinit(&places);
    cJSON_Delete(root);
}

static void json_places_value_alone_is_the_whole_text(void **state)
{
    (void)state;
    static const char *const rows[] = {"12", "\"[\"", "false", "[]", "{}"};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct json_places places;
        cJSON *root = cJSON_Parse(rows[i]);
        assert_non_null(root);
        assert_int_equal(json_places_init(&places, slice_from_string(rows[i]), root), 0);
        assert_place(&places, root, 1, rows[i]);
        json_places_deinit(&places);
        cJSON_Delete(root);
    }
}

static void json_places_many_values_are_found(void **state)
{
    (void)state;
    enum { COUNT = 1000 };
    char many[COUNT * 2 + 2] = "[";
    struct json_places places;
    for (size_t i = 0; i < COUNT; i++)
        memcpy(many + 1 + i * 2, i + 1 < COUNT ? "7," : "7]", 2);
    cJSON *root = cJSON_Parse(many);
    assert_int_equal(cJSON_GetArraySize(root), COUNT);
    assert_int_equal(json_places_init(&places, slice_from_string(many), root), 0);
    size_t offset = 1;
    for (const cJSON *node = root->child; node != NULL; node = node->next) {
        assert_ptr_equal(json_places_source(&places, node).data, many + offset);
        offset += 2;
    }
    json_places_deinit(&places);
    cJSON_Delete(root);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(json_places_each_value_is_found_with_its_line),
        cmocka_unit_test(json_places_value_alone_is_the_whole_text),
        cmocka_unit_test(json_places_many_values_are_found),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
