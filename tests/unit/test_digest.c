/* Digests: what the client announces is found in what it sends, or not; what it asks for. */
#include "server/digest/digest.h"
#include "tests/unit/handling.h"

/* Of "abc", from FIPS 180-4. */
#define ABC_256 "ungWv48Bz+pBQUDeXa4iI7ADYaOWF3qctBD/YfIAFa0="
#define ABC_512                                                                                    \
    "3a81oZNherrMQXNJriBBMRLm+k6JqX6iCp7u5ktV05ohkpkqJ0/BqDa6PCOj/uu9RU1EI2Q86A4qmslPpUyknw=="

#define HEAD(fields)  "POST /upload HTTP/1.1\r\n" HOST fields "\r\n"
#define DIGEST(value) HEAD("Content-Digest: " value "\r\n")
#define WANTED(value) HEAD("Want-Repr-Digest: " value "\r\n")

static const struct {
    const char *head;
    enum http_status status; /* of digest_expect() */
    bool fits_abc;
} announcements[] = {
    {HEAD(""), HTTP_GO_ON, true},
    {DIGEST("sha-256=:" ABC_256 ":"), HTTP_GO_ON, true},
    {DIGEST("sha-512=:" ABC_512 ":"), HTTP_GO_ON, true},
    {DIGEST("sha-512=:" ABC_512 ":, sha-256=:" ABC_256 ":"), HTTP_GO_ON, true},
    {DIGEST("sha-256=:" ABC_256 ":;p=1"), HTTP_GO_ON, true},
    /* Another digest than that of "abc"; that of one algorithm is enough. */
    {DIGEST("sha-256=:AAAAv48Bz+pBQUDeXa4iI7ADYaOWF3qctBD/YfIAFa0=:"), HTTP_GO_ON, false},
    {DIGEST("sha-512=:" ABC_512 ":, sha-256=:AAAAv48Bz+pBQUDeXa4iI7ADYaOWF3qctBD/YfIAFa0=:"),
     HTTP_GO_ON, false},
    /* Of several for one algorithm the last counts, also on lines of their own. */
    {DIGEST("sha-256=:AAAAv48Bz+pBQUDeXa4iI7ADYaOWF3qctBD/YfIAFa0=:, sha-256=:" ABC_256 ":"),
     HTTP_GO_ON, true},
    {HEAD("Content-Digest: sha-512=:" ABC_512 ":\r\n"
          "Content-Digest: sha-256=:AAAAv48Bz+pBQUDeXa4iI7ADYaOWF3qctBD/YfIAFa0=:\r\n"),
     HTTP_GO_ON, false},
    /* Unknown algorithms are left out of account. */
    {DIGEST("md5=:kAFQmDzST7DWlj99KOF/cg==:"), HTTP_GO_ON, true},
    {DIGEST("unixsum=30637, sha=:x:"), HTTP_GO_ON, true},
    {DIGEST("sha-384=:AAAA:, sha-256=:" ABC_256 ":"), HTTP_GO_ON, true},
    /* Not well-formed. */
    {DIGEST("sha-256=" ABC_256), HTTP_BAD_REQUEST, false},
    {DIGEST("sha-256=\"" ABC_256 "\""), HTTP_BAD_REQUEST, false},
    {DIGEST("SHA-256=:" ABC_256 ":"), HTTP_BAD_REQUEST, false},
    {DIGEST("sha-256=:ungWv48Bz+pBQUDeXa4iI7ADYaOWF3qctBD/YfIAFa0:"), HTTP_BAD_REQUEST, false},
    {DIGEST("sha-256=:ungWv48Bz+pBQUDeXa4iI7ADYaOWF3qctBD/YfIA====:"), HTTP_BAD_REQUEST, false},
    {DIGEST("sha-256=:ung!v48Bz+pBQUDeXa4iI7ADYaOWF3qctBD/YfIAFa0=:"), HTTP_BAD_REQUEST, false},
    {DIGEST("sha-256=:ung v48Bz+pBQUDeXa4iI7ADYaOWF3qctBD/YfIAFa0=:"), HTTP_BAD_REQUEST, false},
    {DIGEST("sha-256=::"), HTTP_BAD_REQUEST, false},
    {DIGEST("sha-256"), HTTP_BAD_REQUEST, false},
    {DIGEST("sha-512=:" ABC_256 ":"), HTTP_BAD_REQUEST, false},
    {DIGEST("sha-256=:" ABC_256 ":, =1"), HTTP_BAD_REQUEST, false},
};

static bool digest_of_pieces(struct digest *digest, const char *bytes, size_t len, size_t piece)
{
    for (size_t at = 0; at < len; at += piece)
        digest_update(digest, bytes + at, len - at < piece ? len - at : piece);
    return digest_finish(digest);
}

static void digest_announced_is_verified(void **state)
{
    (void)state;
    for (size_t i = 0; i < ROWS(announcements); i++) {
        for (size_t piece = 1; piece <= 3; piece++) {
            struct digest digest;
            handling_begin(announcements[i].head);
            digest_begin(&digest, 0);
            enum http_status status = digest_expect(&digest, &handling.exchange.head);
            if (status != announcements[i].status)
                fail_msg("%d: %s", (int)status, announcements[i].head);
            if (status == HTTP_GO_ON &&
                digest_of_pieces(&digest, "abc", 3, piece) != announcements[i].fits_abc)
                fail_msg("%s", announcements[i].head);
        }
    }
}

static void digest_is_told_as_a_member(void **state)
{
    char buffer[256];
    struct text text = text_over(buffer, sizeof(buffer));
    struct digest digest;
    (void)state;
    digest_begin(&digest, DIGEST_SHA_256 | DIGEST_SHA_512);
    assert_true(digest_of_pieces(&digest, "abc", 3, 2));
    digest_append(&text, &digest, DIGEST_SHA_256);
    assert_slice_is(text_slice(&text), "sha-256=:" ABC_256 ":");
    text.len = 0;
    digest_append(&text, &digest, DIGEST_SHA_512);
    assert_slice_is(text_slice(&text), "sha-512=:" ABC_512 ":");
}

static void digest_of_nothing_is_right(void **state)
{
    char buffer[256];
    struct text text = text_over(buffer, sizeof(buffer));
    struct digest digest;
    (void)state;
    digest_begin(&digest, DIGEST_SHA_256);
    assert_true(digest_finish(&digest));
    digest_append(&text, &digest, DIGEST_SHA_256);
    assert_slice_is(text_slice(&text), "sha-256=:47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=:");
}

static void digest_asked_for_is_the_one_preferred(void **state)
{
    static const struct {
        const char *head;
        unsigned algorithm;
    } rows[] = {
        {HEAD(""), 0},
        {WANTED("sha-256=10"), DIGEST_SHA_256},
        {WANTED("sha-512=1"), DIGEST_SHA_512},
        {WANTED("sha-256=3, sha-512=4"), DIGEST_SHA_512},
        {WANTED("sha-256=4, sha-512=3"), DIGEST_SHA_256},
        {WANTED("sha-256=4, sha-512=4"), DIGEST_SHA_256},
        {WANTED("sha-256=0"), 0},
        {WANTED("sha-256=11"), 0},
        {WANTED("sha-256=-1"), 0},
        {WANTED("sha-256"), 0},
        {WANTED("md5=10, sha-256=1"), DIGEST_SHA_256},
        {WANTED("md5=10"), 0},
        {WANTED("sha-256=:x:"), 0},
        {WANTED("sha-256=1, =2"), DIGEST_SHA_256},
        {HEAD("Want-Repr-Digest: sha-256=1\r\nWant-Repr-Digest: sha-512=2\r\n"), DIGEST_SHA_512},
    };
    (void)state;
    for (size_t i = 0; i < ROWS(rows); i++) {
        handling_begin(rows[i].head);
        if (digest_asked_for(&handling.exchange.head) != rows[i].algorithm)
            fail_msg("%s", rows[i].head);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        HANDLING_TEST(digest_announced_is_verified),
        HANDLING_TEST(digest_is_told_as_a_member),
        HANDLING_TEST(digest_of_nothing_is_right),
        HANDLING_TEST(digest_asked_for_is_the_one_preferred),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
