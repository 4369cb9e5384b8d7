#include "exporter/web/admission.h"

#include <pthread.h>
#include <stdio.h>

#include "certificate.h"
#include "test.h"

/* Of "secret", with the least cost there is. */
#define HASH "$2y$04$abcdefghijklmnopqrstuu2r9OfJnfCsdneAXAGHnS4UpFFP8WIrW"
#define ALICE "Basic YWxpY2U6c2VjcmV0"
#define BOB "Basic Ym9iOnNlY3JldA=="
#define PAIR "tls_server_config:\n  cert_file: server.crt\n  key_file: server.key\n"

struct world {
    struct metric_store *metrics;
    struct admission *admission;
};

static void begin(struct world *world, const char *text)
{
    struct error error;
    world->metrics = metric_store_create();
    world->admission = admission_create(test_file("web.yml", text), world->metrics, &error);
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
    test_file("web.yml", text);
    bool ok = admission_reload(world->admission, &report);
    snprintf(reasons, 512, "%s", buf_cstr(&report.text));
    options_report_finish(&report);
    return ok;
}

static double successful(const struct world *world)
{
    return metric_read_values(world->metrics, admission_families[0], METRIC_LABELS()->values);
}

static enum admission_answer admit(const struct world *world, const char *authorization)
{
    struct login_ask ask = { 0 };
    enum admission_answer answer = admission_admit(world->admission, authorization, &ask);
    login_ask_finish(&ask);
    return answer;
}

struct waiting {
    pthread_mutex_t lock;
    pthread_cond_t changed;
    bool done;
};

static void on_done(void *context, struct login_ask *ask)
{
    struct waiting *waiting = context;
    (void)ask;
    pthread_mutex_lock(&waiting->lock);
    waiting->done = true;
    pthread_cond_signal(&waiting->changed);
    pthread_mutex_unlock(&waiting->lock);
}

/* Whether these credentials are right, after a check. */
static bool log_in(const struct world *world, const char *authorization)
{
    struct waiting waiting = { PTHREAD_MUTEX_INITIALIZER, PTHREAD_COND_INITIALIZER, false };
    struct login_ask ask = { .done = on_done, .context = &waiting };
    CHECK_INT(admission_admit(world->admission, authorization, &ask), ADMISSION_UNKNOWN);
    bool right = admission_wait(world->admission, &ask);
    pthread_mutex_lock(&waiting.lock);
    while (right && !waiting.done)
        pthread_cond_wait(&waiting.changed, &waiting.lock);
    pthread_mutex_unlock(&waiting.lock);
    right = right && ask.right;
    login_ask_finish(&ask);
    return right;
}

TEST(admission_is_open_without_users)
{
    struct world world;
    begin(&world, "");
    CHECK_INT(admit(&world, NULL), ADMISSION_OPEN);
    CHECK(!admission_encrypts(world.admission));
    CHECK(!admission_connect(world.admission, NULL, -1));
    end(&world);
}

TEST(admission_wants_a_login_of_its_users)
{
    struct world world;
    begin(&world, "basic_auth_users:\n  alice: " HASH "\n");
    CHECK_INT(admit(&world, NULL), ADMISSION_LOGIN);
    CHECK(log_in(&world, ALICE));
    CHECK_INT(admit(&world, ALICE), ADMISSION_USER);
    CHECK(!log_in(&world, BOB));
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
    CHECK(log_in(&world, BOB) && !log_in(&world, ALICE));
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
    test_file("server.crt", one.cert);
    test_file("server.key", one.key);
    begin(&world, PAIR);
    CHECK(admission_encrypts(world.admission));
    CHECK_NUMBER(metric_read_values(world.metrics, admission_families[2], METRIC_LABELS()->values),
                 4e9);
    test_file("server.crt", two.cert);
    CHECK(!reload(&world, PAIR, reasons));
    CHECK_CONTAINS(reasons, "web.yml:1: tls_server_config: certificate and key: ");
    test_file("server.key", two.key);
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
    CHECK(!admission_create(test_file("web.yml", "users: {}\n"), metrics, &error));
    CHECK_CONTAINS(error.message, "web.yml:1: users: unknown key");
    metric_store_destroy(metrics);
}

TEST(admission_describes_a_file)
{
    static const struct {
        const char *text, *words;
    } files[] = {
        { "", "TLS is off, nobody has to log in" },
        { "basic_auth_users:\n  alice: " HASH "\n", "TLS is off, 1 user can log in" },
        { "basic_auth_users:\n  alice: " HASH "\n  bob: " HASH "\n",
          "TLS is off, 2 users can log in" },
        { PAIR "  client_auth_type: RequireAndVerifyClientCert\n  client_ca_file: server.crt\n",
          "TLS is on, clients show a certificate, nobody has to log in" },
    };
    struct certificate one = certificate_make(GNUTLS_PK_ECDSA, "localhost", NULL);
    test_file("server.crt", one.cert);
    test_file("server.key", one.key);
    for (size_t i = 0; i < ARRAY_COUNT(files); i++) {
        CLEANUP(buf_finish) struct buf out = { 0 };
        struct option_report report = { 0 };
        struct toolkit *toolkit = admission_read(test_file("web.yml", files[i].text), &report);
        CHECK_TEXT(buf_cstr(&report.text), "");
        if (toolkit)
            admission_describe(toolkit, &out);
        CHECK_TEXT(buf_cstr(&out), files[i].words);
        toolkit_destroy(toolkit);
        options_report_finish(&report);
    }
    certificate_finish(&one);
}
