/* Directory listings: a client sees what it could request and nothing else, in the form and the
 * order that it asks for, and no name can be more than a name.
 *
 * The program defines some system calls itself, so that they can fail on demand: the linker takes
 * these before the C library's.
 */
#include "server/handlers/listing.h"

#include "server/handlers/listing_entries.h"
#include "server/handlers/listing_html.h"
#include "server/handlers/listing_json.h"
#include "server/log/error_log.h"
#include "tests/support/failing_cjson.h"
#include "tests/support/failing_memory.h"
#include "tests/unit/assert_slice.h"
#include "tests/unit/request.h"

#include <cjson/cJSON.h>
#include <dirent.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#define COUNT(rows) (sizeof(rows) / sizeof(rows)[0])

/* -- System calls that fail on demand -- */

static struct {
    int readdir_error;    /* 0: it works */
    const char *vanished; /* the name that fstatat() does not find; NULL */
} fault;

struct dirent *readdir(DIR *stream)
{
    static struct dirent *(*real)(DIR *);
    void *symbol = dlsym(RTLD_NEXT, "readdir");
    memcpy(&real, &symbol, sizeof(real));
    if (fault.readdir_error == 0)
        return real(stream);
    errno = fault.readdir_error;
    return NULL;
}

int fstatat(int folder, const char *name, struct stat *out, int flags)
{
    if (fault.vanished && strcmp(name, fault.vanished) == 0) {
        errno = ENOENT;
        return -1;
    }
    return (int)syscall(SYS_newfstatat, folder, name, out, flags);
}

/* -- A document root for each test, with a folder that it does not hold beside it -- */

static char base[32];
static int root;
static unsigned descriptors; /* that were open before the test */

static struct guard guard;
static struct exchange exchange;
static struct site site;
static struct request request;
static char field_bytes[1024];
static char content_bytes[4096];

static const char *path_of(const char *name)
{
    static char path[1024];
    snprintf(path, sizeof(path), "%s/root/%s", base, name);
    return path;
}

static void make_folder(const char *name)
{
    assert_int_equal(mkdir(path_of(name), 0755), 0);
}

static void make_file(const char *name, off_t bytes)
{
    int file = open(path_of(name), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
    assert_true(file >= 0);
    assert_int_equal(ftruncate(file, bytes), 0);
    assert_int_equal(close(file), 0);
}

static void make_link(const char *name, const char *target)
{
    assert_int_equal(symlink(target, path_of(name)), 0);
}

static void set_time(const char *name, time_t when)
{
    const struct timespec times[2] = {{when, 0}, {when, 0}};
    assert_int_equal(utimensat(AT_FDCWD, path_of(name), times, 0), 0);
}

static unsigned count_descriptors(void)
{
    unsigned count = 0;
    for (int file = 0; file < 256; file++)
        count += fcntl(file, F_GETFD) >= 0;
    return count;
}

static int setup(void **state)
{
    (void)state;
    descriptors = count_descriptors();
    memset(&fault, 0, sizeof(fault));
    snprintf(base, sizeof(base), "/tmp/test_listing_XXXXXX");
    if (!mkdtemp(base) || mkdir(path_of(""), 0755) != 0)
        return -1;
    make_file("../secret", 1);
    root = open(path_of(""), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    guard = guard_create(REQUEST_BYTES_MAX);
    response_init(&exchange.response, field_bytes, sizeof(field_bytes));
    return root >= 0 ? 0 : -1;
}

static int remove_entry(const char *path, const struct stat *info, int kind, struct FTW *where)
{
    (void)info;
    (void)kind;
    (void)where;
    return remove(path);
}

static int teardown(void **state)
{
    (void)state;
    response_deinit(&exchange.response);
    guard_destroy(&guard);
    (void)close(root);
    if (nftw(base, remove_entry, 8, FTW_DEPTH | FTW_PHYS) != 0)
        return -1;
    return count_descriptors() == descriptors ? 0 : -1;
}

/* -- Requests -- */

struct wish {
    const char *method; /* NULL: GET */
    const char *path;
    const char *query;  /* NULL: none */
    const char *accept; /* NULL: no such field */
};

static void prepare(const struct wish *wish)
{
    char fields[256] = "";
    if (wish->accept)
        snprintf(fields, sizeof(fields), "Accept: %s\r\n", wish->accept);
    response_deinit(&exchange.response);
    exchange.head = request_parse(&guard, wish->method ? wish->method : "GET", fields);
    response_init(&exchange.response, field_bytes, sizeof(field_bytes));
    site = (struct site){.root = root};
    request = (struct request){
        .exchange = &exchange,
        .site = &site,
        .client = "192.0.2.1",
        .target.query = slice_from_string(wish->query),
        .path = slice_from_string(wish->path),
        .content = text_over(content_bytes, sizeof(content_bytes)),
    };
}

static int open_folder(const char *path)
{
    int folder = open(path_of(path + 1), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    assert_true(folder >= 0);
    return folder;
}

static void assert_closed(int file)
{
    assert_int_equal(fcntl(file, F_GETFD), -1);
    assert_int_equal(errno, EBADF);
}

/* Has the wish answered, and returns the response; its bytes live until the next call. */
static const struct response *answer(const struct wish *wish)
{
    int folder = open_folder(wish->path);
    prepare(wish);
    listing_answer(&request, folder);
    assert_closed(folder);
    return &exchange.response;
}

static const char *page_of(const char *path, const char *query)
{
    const struct response *response =
        answer(&(struct wish){.path = path, .query = query, .accept = "text/html"});
    assert_int_equal(response->status, HTTP_OK);
    assert_slice_is(response->media_type, "text/html; charset=utf-8");
    return response->bytes.data;
}

static const char *json_of(const char *path, const char *query)
{
    const struct response *response =
        answer(&(struct wish){.path = path, .query = query, .accept = "application/json"});
    assert_int_equal(response->status, HTTP_OK);
    assert_slice_is(response->media_type, "application/json");
    return response->bytes.data;
}

/* The names in their order, each with a space behind it; directories with their slash. */
static const char *names_of(const char *path, const char *query)
{
    static char names[1024];
    struct text text = text_over(names, sizeof(names));
    const cJSON *entry;
    cJSON *listing = cJSON_Parse(json_of(path, query));
    cJSON_ArrayForEach(entry, cJSON_GetObjectItem(listing, "entries"))
    {
        const char *type = cJSON_GetObjectItem(entry, "type")->valuestring;
        text_append(&text, slice_from_string(cJSON_GetObjectItem(entry, "name")->valuestring));
        text_append(&text, strcmp(type, "directory") == 0 ? SLICE("/ ") : SLICE(" "));
    }
    cJSON_Delete(listing);
    text_append_char(&text, '\0');
    assert_false(text.truncated);
    return names;
}

static void assert_contains(const char *text, const char *part)
{
    if (!strstr(text, part))
        fail_msg("\"%s\" is not in:\n%s", part, text);
}

static void assert_lacks(const char *text, const char *part)
{
    if (strstr(text, part))
        fail_msg("\"%s\" is in:\n%s", part, text);
}

/* -- What is listed -- */

static void listing_json_shows_files_and_directories(void **state)
{
    (void)state;
    make_folder("x");
    make_folder("x/folder");
    make_file("x/file", 42);
    set_time("x/folder", 1767323045);
    set_time("x/file", 951782400);
    assert_string_equal(json_of("/x/", NULL), "{\"path\":\"/x/\",\"entries\":["
                                              "{\"name\":\"folder\",\"type\":\"directory\","
                                              "\"modified\":\"2026-01-02T03:04:05Z\"},"
                                              "{\"name\":\"file\",\"type\":\"file\",\"bytes\":42,"
                                              "\"modified\":\"2000-02-29T00:00:00Z\"}]}");
}

static void listing_html_shows_files_and_directories(void **state)
{
    (void)state;
    make_folder("folder");
    make_file("file", 1536);
    set_time("folder", 1767323045);
    set_time("file", 951782400);
    assert_contains(page_of("/", NULL),
                    "<tr><td><a href=\"folder/\"><bdi>folder/</bdi></a></td><td></td><td>"
                    "<time datetime=\"2026-01-02T03:04:05Z\">2026-01-02 03:04</time></td></tr>\n"
                    "<tr><td><a href=\"file\"><bdi>file</bdi></a></td>"
                    "<td title=\"1536 bytes\">1.5 KiB</td><td>"
                    "<time datetime=\"2000-02-29T00:00:00Z\">2000-02-29 00:00</time></td></tr>\n");
}

static void listing_empty_directory_says_so(void **state)
{
    (void)state;
    make_folder("x");
    assert_string_equal(json_of("/x/", NULL), "{\"path\":\"/x/\",\"entries\":[]}");
    assert_contains(page_of("/x/", NULL), "<p>There is nothing to list here.</p>");
    assert_lacks(page_of("/x/", NULL), "<table>");
}

static void listing_parent_is_linked_below_the_root_only(void **state)
{
    (void)state;
    make_folder("x");
    assert_lacks(page_of("/", NULL), "../");
    assert_contains(page_of("/x/", NULL), "<a href=\"../\">Parent directory</a>");
}

static void listing_hidden_names_are_left_out(void **state)
{
    (void)state;
    make_file(".htpasswd", 1);
    make_folder(".git");
    make_file("..a", 1);
    make_file(".well-known2", 1);
    make_folder(".well-known");
    make_folder(".well-known/.well-known");
    make_file(".well-known/.b", 1);
    make_file(".well-known/c", 1);
    assert_string_equal(names_of("/", NULL), ".well-known/ ");
    assert_string_equal(names_of("/.well-known/", NULL), "c ");
}

static void listing_names_that_cannot_be_requested_are_left_out(void **state)
{
    (void)state;
    static const char *const names[] = {
        "line\nfeed",  "carriage\rreturn", "tab\t",   "escape\x1b", "delete\x7f",
        "back\\slash", "overlong\xc0\xaf", "cut\xc3", "latin\xe4x", "surrogate\xed\xa0\x80",
    };
    for (size_t i = 0; i < COUNT(names); i++)
        make_file(names[i], 1);
    make_file("good", 1);
    assert_string_equal(names_of("/", NULL), "good ");
}

static void listing_special_files_are_left_out(void **state)
{
    (void)state;
    assert_int_equal(mkfifo(path_of("fifo"), 0644), 0);
    make_link("link", "fifo");
    assert_string_equal(names_of("/", NULL), "");
}

static void listing_links_are_listed_when_they_stay_inside(void **state)
{
    (void)state;
    char absolute[64];
    snprintf(absolute, sizeof(absolute), "%s/root/target", base);
    make_folder("x");
    make_folder("folder");
    make_file("target", 7);
    make_link("x/to-file", "../target");
    make_link("x/to-folder", "../folder");
    make_link("x/to-link", "to-file");
    make_link("x/out", "../../secret");
    make_link("x/out-absolute", "/etc/passwd");
    make_link("x/in-absolute", absolute);
    make_link("x/dangling", "nothing");
    make_link("x/loop", "loop");
    assert_string_equal(names_of("/x/", NULL), "to-folder/ to-file to-link ");
    assert_contains(json_of("/x/", NULL), "\"name\":\"to-file\",\"type\":\"file\",\"bytes\":7");
}

static void listing_links_at_the_root_are_resolved(void **state)
{
    (void)state;
    make_folder("x");
    make_file("x/file", 1);
    make_link("in", "x/file");
    make_link("out", "../secret");
    assert_string_equal(names_of("/", NULL), "x/ in ");
}

static void listing_link_with_a_path_too_long_is_left_out(void **state)
{
    (void)state;
    static char path[5000];
    path[0] = '/';
    memset(path + 1, 'x', sizeof(path) - 3);
    path[sizeof(path) - 2] = '/';
    make_file("file", 1);
    make_link("link", "file");
    struct listing_entries entries;
    const struct listing_folder folder = {root, slice_from_string(path), 10};
    assert_int_equal(listing_entries_read(&folder, open_folder("/"), &entries), 0);
    assert_int_equal(entries.count, 1);
    assert_string_equal(entries.items[0]->name, "file");
    listing_entries_deinit(&entries);
}

static void listing_entry_that_vanishes_is_left_out(void **state)
{
    (void)state;
    make_file("here", 1);
    make_file("gone", 1);
    fault.vanished = "gone";
    assert_string_equal(names_of("/", NULL), "here ");
}

/* -- Hostile names -- */

static const struct hostile_row {
    const char *name;
    const char *link;
} hostile_rows[] = {
    {"<script>", "<a href=\"%3Cscript%3E\"><bdi>&lt;script&gt;</bdi></a>"},
    {"\" onclick=\"x", "<a href=\"%22%20onclick%3D%22x\"><bdi>&quot; onclick=&quot;x</bdi></a>"},
    {"it's", "<a href=\"it%27s\"><bdi>it&#39;s</bdi></a>"},
    {"a&amp;b", "<a href=\"a%26amp%3Bb\"><bdi>a&amp;amp;b</bdi></a>"},
    {"100%41", "<a href=\"100%2541\"><bdi>100%41</bdi></a>"},
    {" two  spaces ", "<a href=\"%20two%20%20spaces%20\"><bdi> two  spaces </bdi></a>"},
    {"\xc3\xbcml\xc3\xa4ut", "<a href=\"%C3%BCml%C3%A4ut\"><bdi>\xc3\xbcml\xc3\xa4ut</bdi></a>"},
    {"javascript:alert(1)",
     "<a href=\"./javascript%3Aalert%281%29\"><bdi>javascript:alert(1)</bdi></a>"},
    {"a:b", "<a href=\"./a%3Ab\"><bdi>a:b</bdi></a>"},
    {"a?b#c", "<a href=\"a%3Fb%23c\"><bdi>a?b#c</bdi></a>"},
    {"a+b", "<a href=\"a%2Bb\"><bdi>a+b</bdi></a>"},
    {"[\xe2\x80\xae]", "<a href=\"%5B%E2%80%AE%5D\"><bdi>[\xe2\x80\xae]</bdi></a>"},
};

static void make_hostile_files(void)
{
    for (size_t i = 0; i < COUNT(hostile_rows); i++)
        make_file(hostile_rows[i].name, 1);
}

static void listing_html_hostile_names_are_only_names(void **state)
{
    (void)state;
    make_hostile_files();
    const char *page = page_of("/", NULL);
    for (size_t i = 0; i < COUNT(hostile_rows); i++)
        assert_contains(page, hostile_rows[i].link);
}

static bool has_name(const cJSON *entries, const char *name)
{
    const cJSON *entry;
    cJSON_ArrayForEach(entry, entries)
    {
        if (strcmp(cJSON_GetObjectItem(entry, "name")->valuestring, name) == 0)
            return true;
    }
    return false;
}

static void listing_json_hostile_names_are_only_names(void **state)
{
    (void)state;
    make_hostile_files();
    cJSON *listing = cJSON_Parse(json_of("/", NULL));
    const cJSON *entries = cJSON_GetObjectItem(listing, "entries");
    assert_int_equal(cJSON_GetArraySize(entries), COUNT(hostile_rows));
    for (size_t i = 0; i < COUNT(hostile_rows); i++)
        if (!has_name(entries, hostile_rows[i].name))
            fail_msg("%s is missing", hostile_rows[i].name);
    cJSON_Delete(listing);
}

static void listing_hostile_path_is_only_a_path(void **state)
{
    (void)state;
    make_folder("<b>\"&");
    const char *page = page_of("/<b>\"&/", NULL);
    assert_contains(page, "<title>Index of /&lt;b&gt;&quot;&amp;/</title>");
    assert_contains(page, "<h1>Index of <bdi>/&lt;b&gt;&quot;&amp;/</bdi></h1>");
    assert_contains(json_of("/<b>\"&/", NULL), "{\"path\":\"/<b>\\\"&/\",");
}

/* -- The order -- */

static const struct order_row {
    const char *label;
    const char *query;
    const char *names;
} order_rows[] = {
    {"no query", NULL, "A/ b/ File1 file2 file3 "},
    {"empty query", "", "A/ b/ File1 file2 file3 "},
    {"by name", "sort=name&order=asc", "A/ b/ File1 file2 file3 "},
    {"by name, down", "sort=name&order=desc", "b/ A/ file3 file2 File1 "},
    {"by name, down, without saying by what", "order=desc", "b/ A/ file3 file2 File1 "},
    {"by size", "sort=size&order=asc", "A/ b/ file3 File1 file2 "},
    {"by size, without saying how", "sort=size", "A/ b/ file3 File1 file2 "},
    {"by size, down; of one size by name", "sort=size&order=desc", "A/ b/ File1 file2 file3 "},
    {"by date", "sort=date&order=asc", "b/ A/ file2 file3 File1 "},
    {"by date, down", "sort=date&order=desc", "A/ b/ File1 file3 file2 "},
    {"order before sort", "order=desc&sort=date", "A/ b/ File1 file3 file2 "},
    {"last one counts", "sort=name&sort=date&order=desc&order=asc", "b/ A/ file2 file3 File1 "},
    {"others between", "a&sort=date&&b=c&", "b/ A/ file2 file3 File1 "},
    {"unknown key", "sort=type", "A/ b/ File1 file2 file3 "},
    {"unknown order", "sort=date&order=up", "b/ A/ file2 file3 File1 "},
    {"key cut", "sort=dat", "A/ b/ File1 file2 file3 "},
    {"key with more", "sort=dates", "A/ b/ File1 file2 file3 "},
    {"empty value", "sort=&order=", "A/ b/ File1 file2 file3 "},
    {"no value", "sort&order", "A/ b/ File1 file2 file3 "},
    {"name with more", "resort=date", "A/ b/ File1 file2 file3 "},
    {"other separator", "sort:date", "A/ b/ File1 file2 file3 "},
    {"other case", "SORT=date", "A/ b/ File1 file2 file3 "},
    {"encoded", "sort=%64ate", "A/ b/ File1 file2 file3 "},
    {"only separators", "&&&", "A/ b/ File1 file2 file3 "},
};

static void make_ordered(void)
{
    static const struct {
        const char *name;
        off_t bytes; /* -1: a folder */
        time_t modified;
    } rows[] = {
        {"b", -1, 1}, {"A", -1, 2}, {"File1", 20, 900}, {"file2", 20, 300}, {"file3", 3, 400},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        if (rows[i].bytes < 0)
            make_folder(rows[i].name);
        else
            make_file(rows[i].name, rows[i].bytes);
        set_time(rows[i].name, rows[i].modified);
    }
}

static void listing_query_decides_the_order(void **state)
{
    (void)state;
    make_ordered();
    for (size_t i = 0; i < COUNT(order_rows); i++) {
        const char *names = names_of("/", order_rows[i].query);
        if (strcmp(names, order_rows[i].names) != 0)
            fail_msg("%s: got %s", order_rows[i].label, names);
    }
}

static void listing_names_that_differ_in_case_come_in_one_order(void **state)
{
    (void)state;
    make_file("ab", 1);
    make_file("aB", 1);
    make_file("Ab", 1);
    make_file("a", 1);
    make_file("\xc3\xa4", 1);
    assert_string_equal(names_of("/", NULL), "a Ab aB ab \xc3\xa4 ");
    assert_string_equal(names_of("/", "order=desc"), "\xc3\xa4 ab aB Ab a ");
}

static void listing_heading_links_turn_the_order_round(void **state)
{
    (void)state;
    make_file("file", 1);
    assert_contains(
        page_of("/", NULL),
        "<tr><th scope=\"col\" aria-sort=\"ascending\">"
        "<a href=\"?sort=name&amp;order=desc\">Name</a></th>"
        "<th scope=\"col\"><a href=\"?sort=size&amp;order=asc\">Size</a></th>"
        "<th scope=\"col\"><a href=\"?sort=date&amp;order=asc\">Modified (UTC)</a></th></tr>");
    assert_contains(page_of("/", "sort=size"),
                    "<th scope=\"col\"><a href=\"?sort=name&amp;order=asc\">Name</a></th>"
                    "<th scope=\"col\" aria-sort=\"ascending\">"
                    "<a href=\"?sort=size&amp;order=desc\">Size</a></th>");
    assert_contains(page_of("/", "sort=date&order=desc"),
                    "<th scope=\"col\" aria-sort=\"descending\">"
                    "<a href=\"?sort=date&amp;order=asc\">Modified (UTC)</a></th>");
}

/* -- The form -- */

static const struct form_row {
    const char *accept;
    bool is_json;
} form_rows[] = {
    {NULL, false},
    {"*/*", false},
    {"text/html", false},
    {"text/*", false},
    {"text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8", false},
    {"application/json, text/html", false},
    {"application/json;q=0.5, text/html;q=0.5", false},
    {"application/json;q=0.5, */*;q=0.6", false},
    {"application/json;q=0.4, text/html;q=0.5", false},
    {"application/json;q=0.5, text/html;q=0.4", true},
    {"application/json", true},
    {"application/*", true},
    {"application/json, text/html;q=0.9", true},
    {"application/json, text/plain, */*", true},
    {"text/html;q=0", true},
    {"image/png", true},
};

static void listing_accept_decides_the_form(void **state)
{
    (void)state;
    make_file("file", 1);
    for (size_t i = 0; i < COUNT(form_rows); i++) {
        const struct response *response =
            answer(&(struct wish){.path = "/", .accept = form_rows[i].accept});
        bool is_json = slice_equal(response->media_type, SLICE("application/json"));
        assert_int_equal(response->bytes.data[0], is_json ? '{' : '<');
        if (is_json != form_rows[i].is_json)
            fail_msg("%s", form_rows[i].accept ? form_rows[i].accept : "no Accept");
    }
}

static void listing_fields_forbid_stale_and_mixed_up_answers(void **state)
{
    (void)state;
    const char *const accepts[] = {"text/html", "application/json"};
    for (size_t i = 0; i < COUNT(accepts); i++) {
        const struct response *response = answer(&(struct wish){.path = "/", .accept = accepts[i]});
        assert_slice_is(text_slice(&response->fields),
                        "Vary: Accept\r\nCache-Control: no-cache\r\n"
                        "Content-Security-Policy: default-src 'none'; style-src 'unsafe-inline'; "
                        "img-src 'self'; base-uri 'none'; form-action 'none'\r\n");
    }
}

static void write_head(const struct wish *wish, char *buffer, size_t size)
{
    const struct response_frame frame = {SLICE("now"), true, 100, 30};
    struct text head = text_over(buffer, size - 1);
    response_write_head(answer(wish), &frame, &head);
    assert_false(head.truncated);
    buffer[head.len] = '\0';
}

static void listing_head_has_the_same_fields(void **state)
{
    (void)state;
    char get[1024];
    char head[1024];
    make_file("file", 1);
    const char *const accepts[] = {"text/html", "application/json"};
    for (size_t i = 0; i < COUNT(accepts); i++) {
        write_head(&(struct wish){"GET", "/", "sort=size", accepts[i]}, get, sizeof(get));
        write_head(&(struct wish){"HEAD", "/", "sort=size", accepts[i]}, head, sizeof(head));
        assert_string_equal(get, head);
        assert_lacks(head, "ETag");
    }
}

/* -- Sizes and dates -- */

/* The page of one file that is not there. */
static char *page_of_file(uint64_t bytes)
{
    struct listing_entry *file = calloc(1, sizeof(*file) + sizeof("file"));
    assert_non_null(file);
    memcpy(file->name, "file", sizeof("file"));
    file->bytes = bytes;
    const struct listing_entries entries = {&file, 1, 1, false};
    char *page = listing_html_print(SLICE("/"), &entries, (struct listing_order){0});
    assert_non_null(page);
    free(file);
    return page;
}

static void listing_sizes_are_readable_and_exact(void **state)
{
    (void)state;
    static const struct {
        uint64_t bytes;
        const char *cell;
    } rows[] = {
        {0, "<td title=\"0 bytes\">0 B</td>"},
        {1, "<td title=\"1 byte\">1 B</td>"},
        {2, "<td title=\"2 bytes\">2 B</td>"},
        {1023, "<td title=\"1023 bytes\">1023 B</td>"},
        {1024, "<td title=\"1024 bytes\">1.0 KiB</td>"},
        {10239, "<td title=\"10239 bytes\">9.9 KiB</td>"},
        {10240, "<td title=\"10240 bytes\">10 KiB</td>"},
        {1048575, "<td title=\"1048575 bytes\">1023 KiB</td>"},
        {1048576, "<td title=\"1048576 bytes\">1.0 MiB</td>"},
        {5368709120, "<td title=\"5368709120 bytes\">5.0 GiB</td>"},
        {1099511627776, "<td title=\"1099511627776 bytes\">1.0 TiB</td>"},
        {1688849860263936, "<td title=\"1688849860263936 bytes\">1.5 PiB</td>"},
        {INT64_MAX, "<td title=\"9223372036854775807 bytes\">7.9 EiB</td>"},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        char *page = page_of_file(rows[i].bytes);
        assert_contains(page, rows[i].cell);
        free(page);
    }
}

static void listing_dates_are_clamped(void **state)
{
    (void)state;
    static const struct {
        time_t when;
        const char *text;
    } rows[] = {
        {INT64_MIN, "1970-01-01T00:00:00Z"},
        {-1, "1970-01-01T00:00:00Z"},
        {0, "1970-01-01T00:00:00Z"},
        {951868799, "2000-02-29T23:59:59Z"},
        {253402300799, "9999-12-31T23:59:59Z"},
        {253402300800, "9999-12-31T23:59:59Z"},
        {INT64_MAX, "9999-12-31T23:59:59Z"},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        char text[LISTING_TIME_LEN + 1];
        listing_entries_format_time(rows[i].when, text);
        assert_string_equal(text, rows[i].text);
    }
}

/* -- Limits and failures -- */

static void listing_entries_beyond_the_limit_are_told(void **state)
{
    (void)state;
    for (size_t files = 0; files <= 4; files++) {
        struct listing_entries entries;
        const struct listing_folder folder = {root, SLICE("/"), 3};
        assert_int_equal(listing_entries_read(&folder, open_folder("/"), &entries), 0);
        assert_int_equal(entries.count, files < 3 ? files : 3);
        assert_int_equal(entries.has_more, files > 3);
        listing_entries_deinit(&entries);
        make_file((const char *const[]){"a", "b", "c", "d", "e"}[files], 1);
    }
}

/* Also enough for a page that does not fit where short names would. */
static void listing_full_directory_is_cut_with_a_note(void **state)
{
    (void)state;
    char name[256];
    for (unsigned i = 0; i < LISTING_ENTRIES_MAX; i++) {
        snprintf(name, sizeof(name), "%0100u", i);
        assert_int_equal(mknod(path_of(name), S_IFREG | 0644, 0), 0);
    }
    assert_lacks(page_of("/", NULL), "entries are listed");
    assert_lacks(json_of("/", NULL), "truncated");
    make_file("one-more", 1);
    assert_contains(page_of("/", NULL), "only 10000 entries are listed.");
    const char *json = json_of("/", NULL);
    assert_contains(json, "],\"truncated\":true}");
    cJSON *listing = cJSON_Parse(json);
    assert_int_equal(cJSON_GetArraySize(cJSON_GetObjectItem(listing, "entries")), 10000);
    cJSON_Delete(listing);
}

static void listing_long_names_fit_the_page(void **state)
{
    (void)state;
    char name[256];
    for (char first = 'a'; first <= 'z'; first++) {
        memset(name, '"', 255);
        name[0] = first;
        name[255] = '\0';
        make_file(name, 1);
    }
    const char *page = page_of("/", NULL);
    assert_contains(page, "<a href=\"a%22%22");
    assert_contains(page, "<a href=\"z%22%22");
    assert_string_equal(page + strlen(page) - strlen("</html>\n"), "</html>\n");
}

/* Lets the n-th allocation of the project fail, for each n. */
static void listing_html_without_memory_is_503(void **state)
{
    (void)state;
    char name[8];
    for (unsigned i = 0; i < 70; i++) { /* more than the first capacity */
        snprintf(name, sizeof(name), "f%u", i);
        make_file(name, 1);
    }
    unsigned count = 0;
    for (bool failed = true; failed; count++) {
        int folder = open_folder("/");
        prepare(&(struct wish){.path = "/", .accept = "text/html"});
        failing_memory_after(count);
        listing_answer(&request, folder);
        failed = failing_memory_end();
        assert_int_equal(exchange.response.status, failed ? 503 : 200);
        assert_closed(folder);
    }
    assert_true(count > 72);
}

static void listing_json_without_memory_is_503(void **state)
{
    (void)state;
    make_file("file", 1);
    make_folder("folder");
    unsigned count = 0;
    for (enum http_status status = 0; status != HTTP_OK; count++) {
        int folder = open_folder("/");
        prepare(&(struct wish){.path = "/", .accept = "application/json"});
        failing_cjson_after(count);
        listing_answer(&request, folder);
        failing_cjson_end();
        status = exchange.response.status;
        assert_true(status == HTTP_OK || status == HTTP_SERVICE_UNAVAILABLE);
        assert_closed(folder);
        assert_true(count < 100);
    }
    assert_true(count > 10);
}

static void listing_directory_that_cannot_be_read_is_500(void **state)
{
    (void)state;
    make_file("file", 1);
    fault.readdir_error = EIO;
    const struct response *response = answer(&(struct wish){.path = "/", .accept = "text/html"});
    assert_int_equal(response->status, HTTP_INTERNAL_SERVER_ERROR);
}

static void listing_descriptor_of_a_file_is_500_and_closed(void **state)
{
    (void)state;
    make_file("file", 1);
    int file = open(path_of("file"), O_RDONLY | O_CLOEXEC);
    assert_true(file >= 0);
    prepare(&(struct wish){.path = "/"});
    listing_answer(&request, file);
    assert_int_equal(exchange.response.status, HTTP_INTERNAL_SERVER_ERROR);
    assert_closed(file);
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(listing_json_shows_files_and_directories),
        TEST(listing_html_shows_files_and_directories),
        TEST(listing_empty_directory_says_so),
        TEST(listing_parent_is_linked_below_the_root_only),
        TEST(listing_hidden_names_are_left_out),
        TEST(listing_names_that_cannot_be_requested_are_left_out),
        TEST(listing_special_files_are_left_out),
        TEST(listing_links_are_listed_when_they_stay_inside),
        TEST(listing_links_at_the_root_are_resolved),
        TEST(listing_link_with_a_path_too_long_is_left_out),
        TEST(listing_entry_that_vanishes_is_left_out),
        TEST(listing_html_hostile_names_are_only_names),
        TEST(listing_json_hostile_names_are_only_names),
        TEST(listing_hostile_path_is_only_a_path),
        TEST(listing_query_decides_the_order),
        TEST(listing_names_that_differ_in_case_come_in_one_order),
        TEST(listing_heading_links_turn_the_order_round),
        TEST(listing_accept_decides_the_form),
        TEST(listing_fields_forbid_stale_and_mixed_up_answers),
        TEST(listing_head_has_the_same_fields),
        TEST(listing_sizes_are_readable_and_exact),
        TEST(listing_dates_are_clamped),
        TEST(listing_entries_beyond_the_limit_are_told),
        TEST(listing_full_directory_is_cut_with_a_note),
        TEST(listing_long_names_fit_the_page),
        TEST(listing_html_without_memory_is_503),
        TEST(listing_json_without_memory_is_503),
        TEST(listing_directory_that_cannot_be_read_is_500),
        TEST(listing_descriptor_of_a_file_is_500_and_closed),
    };
    if (error_log_open("off", LOG_ERROR) != 0)
        return 1;
    return cmocka_run_group_tests_name("listing", tests, NULL, NULL);
}
