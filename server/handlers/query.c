#include "server/handlers/query.h"

static bool is_named(struct slice parameter, struct slice name)
{
    return parameter.len > name.len && slice_starts_with(parameter, name) &&
           parameter.data[name.len] == '=';
}

bool query_is_setting(struct slice parameter, struct slice name, struct slice value)
{
    return parameter.len == name.len + 1 + value.len && is_named(parameter, name) &&
           slice_equal((struct slice){parameter.data + name.len + 1, value.len}, value);
}

struct slice query_find(struct slice query, struct slice name)
{
    struct slice value = {0};
    while (query.len > 0) {
        struct slice parameter = slice_take_until(&query, '&');
        if (is_named(parameter, name))
            value = (struct slice){parameter.data + name.len + 1, parameter.len - name.len - 1};
    }
    return value;
}
