#include "exporter/web/admission.h"

#include <stdio.h>
#include <stdlib.h>

#include "certificate.h"
#include "test.h"

/* Of "secret", with the least cost there is. */
#define HASH "$2y$04$abcdefghijklmnopqrstuu2r9OfJnfCsdneAXAGHnS4UpFFP8WIrW"
#define ALICE "Basic YWxpY2U6c2VjcmV0"
#define PAIR "tls_server_config:\n  cert_file: server.crt\n  key_file: server.key\n"

static const char *write_file(const char *name, const char *text)
{
    static char path[4096];
    snprintf(path, sizeof path, "%s/%s", test_folder(), name);
    FILE *file = fopen(path, "w");
    fputs(text, file);
    fclose(file);
    return path;
}

struct world {
    struct metric_store *metrics;
    struct admission *admission;
};

static void begin(struct world *world, const char *text)
{
    struct error error;
    world->metrics = metric_store_create();
    world->admission = admission_create(write_file("web.yml", text), world->metrics, &error);
    CHECK(world->admission != NULL);
}

static void end(struct world *world)
{
    admission_destroy(world->admission);
    metric_store_destroy(world->metrics);
}

/* Whether the file with this text goes into force; what is wrong with it in reasons. */
static bool reload(struct world *world, const char *text, char reasons[512])
{
    struct option_report report = { 0 };
    write_file("web.yml", text);
    bool ok = admission_reload(world->admission, &report);
    snprintf(reasons, 512, "%s", buf_cstr(&report.text));
    options_report_finish(&report);
    return ok;
}

static double successful(const struct world *world)
{
    return metric_read_values(world->metrics, admission_families[0], METRIC_LABELS()->values);
}

static void forget(void *context, struct login_ask *ask)
{
    (void)context;
    login_ask_finish(ask);
    free(ask);
}

static enum admission_answer admit(const struct world *world, const char *authorization)
{
    struct login_ask *ask = calloc(1, sizeof *ask);
    ask->done = forget;
    enum admission_answer answer = admission_admit(world->admission, authorization, ask);
    if (answer != ADMISSION_WAITING)
        forget(NULL, ask);
    return answer;
}

TEST(admission_is_open_without_users)
{
    struct world world;
    begin(&world, "");
    CHECK_INT(admit(&world, NULL), ADMISSION_OPEN);
    CHECK(!admission_encrypts(world.admission) && !admission_has_users(world.admission));
    CHECK(!admission_connect(world.admission, NULL, -1));
    end(&world);
}

TEST(admission_wants_a_login_of_its_users)
{
    struct world world;
    begin(&world, "basic_auth_users:\n  alice: " HASH "\n");
    CHECK_INT(admit(&world, NULL), ADMISSION_LOGIN);
    CHECK_INT(admit(&world, ALICE), ADMISSION_WAITING);
    CHECK(admission_has_users(world.admission));
    CHECK(admission_knows(world.admission, "alice") && !admission_knows(world.admission, "bob"));
    end(&world);
}

TEST(admission_limits_before_it_asks_who_it_is)
{
    struct world world;
    begin(&world, "basic_auth_users:\n  alice: " HASH "\nrate_limit: {interval: 1h, burst: 2}\n");
    CHECK_INT(admit(&world, NULL), ADMISSION_LOGIN);
    CHECK_INT(admit(&world, NULL), ADMISSION_LOGIN);
    CHECK_INT(admit(&world, NULL), ADMISSION_LIMITED);
    CHECK_INT(admit(&world, ALICE), ADMISSION_LIMITED);
    end(&world);
}

TEST(admission_keeps_the_old_file_when_the_new_one_is_wrong)
{
    struct world world;
    char reasons[512];
    begin(&world, "basic_auth_users:\n  alice: " HASH "\n");
    CHECK_NUMBER(successful(&world), 1);
    CHECK(!reload(&world, "basic_auth_users:\n  alice: secret\n", reasons));
    CHECK_CONTAINS(reasons, "web.yml:2: basic_auth_users.alice: is not a bcrypt hash");
    CHECK_NUMBER(successful(&world), 0);
    CHECK_INT(admit(&world, NULL), ADMISSION_LOGIN);
    CHECK(reload(&world, "basic_auth_users:\n  bob: " HASH "\n", reasons));
    CHECK_NUMBER(successful(&world), 1);
    CHECK(admission_knows(world.admission, "bob") && !admission_knows(world.admission, "alice"));
    CHECK(reload(&world, "", reasons));
    CHECK_INT(admit(&world, NULL), ADMISSION_OPEN);
    end(&world);
}

static void join(void *context, const char *name, const char *value)
{
    buf_printf(context, "%s: %s\n", name, value);
}

TEST(admission_has_the_headers_of_the_file)
{
    struct world world;
    char reasons[512];
    CLEANUP(buf_finish) struct buf headers = { 0 };
    begin(&world, "http_server_config:\n  headers:\n    X-Frame-Options: deny\n"
                  "    X-XSS-Protection: \"\"\n");
    admission_headers(world.admission, join, &headers);
    CHECK_TEXT(buf_cstr(&headers), "X-Frame-Options: deny\n");
    CHECK(reload(&world, "", reasons));
    buf_reset(&headers);
    admission_headers(world.admission, join, &headers);
    CHECK_TEXT(buf_cstr(&headers), "");
    end(&world);
}

TEST(admission_takes_certificates_that_fit)
{
    struct world world;
    char reasons[512];
    struct certificate one = certificate_make(GNUTLS_PK_ECDSA, "localhost", NULL);
    struct certificate two = certificate_make(GNUTLS_PK_ECDSA, "localhost", NULL);
    write_file("server.crt", one.cert);
    write_file("server.key", one.key);
    begin(&world, PAIR);
    CHECK(admission_encrypts(world.admission));
    CHECK_NUMBER(metric_read_values(world.metrics, admission_families[2], METRIC_LABELS()->values),
                 4e9);
    write_file("server.crt", two.cert);
    CHECK(!reload(&world, PAIR, reasons));
    CHECK_CONTAINS(reasons, "web.yml:1: tls_server_config: certificate and key: ");
    write_file("server.key", two.key);
    CHECK(reload(&world, PAIR, reasons));
    CHECK(!reload(&world, "", reasons));
    CHECK_CONTAINS(reasons, "turning TLS on or off needs a restart");
    CHECK(admission_encrypts(world.admission));
    end(&world);
    certificate_finish(&one);
    certificate_finish(&two);
}

TEST(admission_does_not_begin_with_a_wrong_file)
{
    struct error error = { 0 };
    struct metric_store *metrics = metric_store_create();
    CHECK(!admission_create(write_file("web.yml", "users: {}\n"), metrics, &error));
    CHECK_CONTAINS(error.message, "web.yml:1: users: unknown key");
    metric_store_destroy(metrics);
}

TEST(admission_checks_a_file_for_people)
{
    struct buf out = { 0 };
    struct option_report report = { 0 };
    CHECK(admission_check(write_file("web.yml", "basic_auth_users:\n  alice: " HASH "\n"), &out,
                          &report));
    CHECK_TEXT(buf_cstr(&out), "TLS is off, 1 user signs in");
    CHECK(!admission_check(write_file("web.yml", "tls_server_config: 1\n"), &out, &report));
    CHECK_CONTAINS(buf_cstr(&report.text), ":1: tls_server_config: must be a mapping");
    buf_finish(&out);
    options_report_finish(&report);
}
