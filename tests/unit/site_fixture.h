/* A site for tests, made of the configuration that the fixture has loaded. */
#ifndef TARN_TESTS_UNIT_SITE_FIXTURE_H
#define TARN_TESTS_UNIT_SITE_FIXTURE_H

#include "server/site.h"
#include "server/stores.h"
#include "tests/unit/config_fixture.h"

/* Serves the working directory, and stores in a folder of it. For the fixture's files. */
#define SITE_FIXTURE_KEYS "root = \".\"; uploads = { directory = \"uploads\"; };"

/* Takes the fixture's configuration over. The caller holds the site. */
static inline struct site *site_fixture_open(struct fixture *fixture, uint16_t port)
{
    struct stores *stores = stores_open(fixture->config, stderr);
    assert_non_null(stores);
    struct site *site = site_open(fixture->config, port, stores, stderr);
    assert_non_null(site);
    fixture->config = NULL;
    stores_release(stores);
    return site;
}

#endif
