/* Proofs that resources are deleted: what is asked of Azure, and what its answers prove. */
#include "collectors/run/prove.h"

#include "core/clock.h"
#include "loopback.h"
#include "sources.h"
#include "test.h"

#define VM(sub, name)                                                                              \
    "/subscriptions/" sub "/resourcegroups/g/providers/microsoft.compute/virtualmachines/" name
#define DISK(sub, name)                                                                            \
    "/subscriptions/" sub "/resourcegroups/g/providers/microsoft.compute/disks/" name
#define GROUP(sub, name) "/subscriptions/" sub "/resourcegroups/" name

/* A Resource Graph that has these resources, and answers what it is asked for. */
struct bench {
    const char *const *there;
    const char *refusal; /* NULL = it answers */
    const char *odd;     /* a row beside those it has; NULL = none */
    int requests;
    struct buf asked; /* the last query */
    struct loopback *server;
    struct metric_store *metrics;
    struct auth *auth;
    struct arm *arm;
    struct arm_session session;
    struct part *part;
    struct proof_questions questions;
};

static void answer(void *context, const struct loopback_request *request, struct buf *out)
{
    struct bench *bench = context;
    CLEANUP(buf_finish) struct buf rows = { 0 }, body = { 0 };
    if (strstr(request->path, "/oauth2/v2.0/token")) {
        loopback_reply(out, 200, "", "{\"expires_in\":3599,\"access_token\":\"token-number-1\"}");
        return;
    }
    bench->requests++;
    buf_reset(&bench->asked);
    buf_text(&bench->asked, request->body);
    if (bench->refusal) {
        loopback_reply(out, 403, "", bench->refusal);
        return;
    }
    bool containers = strstr(request->body, "resourcecontainers") != NULL;
    size_t count = 0;
    buf_text(&rows, "");
    for (const char *const *id = bench->there; *id; id++) {
        char quoted[256];
        snprintf(quoted, sizeof quoted, "'%s'", *id);
        bool is_container = !strstr(*id, "/providers/");
        if (is_container == containers && strstr(request->body, quoted))
            buf_printf(&rows, "%s{\"id\":\"%s\"}", count++ ? "," : "", *id);
    }
    if (bench->odd)
        buf_printf(&rows, "%s%s", count++ ? "," : "", bench->odd);
    buf_printf(&body,
               "{\"totalRecords\":%zu,\"count\":%zu,\"resultTruncated\":\"false\","
               "\"data\":[%s]}",
               count, count, buf_cstr(&rows));
    loopback_reply(out, 200, "", buf_cstr(&body));
}

static void set_up(struct bench *bench)
{
    struct error error = { 0 };
    *bench = (struct bench){ 0 };
    bench->server = loopback_start(answer, bench);
    bench->metrics = metric_store_create();
    const struct auth_config auth = {
        .tenant_id = "t",
        .client_id = "c",
        .client_secret = TEST_SECRET("correct~horse+battery"),
        .authority_host = bench->server->url,
    };
    bench->auth = auth_create(&auth, bench->metrics, &error);
    const struct arm_config arm = { .resource_manager = bench->server->url };
    bench->arm = arm_create(&arm, bench->auth, bench->metrics);
    bench->session = (struct arm_session){
        .arm = bench->arm,
        .client = http_client_create(),
        .deadline_ms = clock_monotonic_ms() + 60000,
    };
    bench->part = part_create(SOURCE(assessments));
}

static void tear_down(struct bench *bench)
{
    loopback_stop(bench->server);
    http_client_destroy(bench->session.client);
    arm_destroy(bench->arm);
    auth_destroy(bench->auth);
    metric_store_destroy(bench->metrics);
    part_release(bench->part);
    arena_finish(&bench->questions.arena);
    buf_finish(&bench->asked);
}
#define BENCH(name)                                                                                \
    CLEANUP(tear_down) struct bench name;                                                          \
    set_up(&name)

/* A finding that is still there: its resource is known. */
static void know(struct bench *bench, const char *sub, const char *id)
{
    part_add_open(bench->part, &(struct part_row){
                                   .row_id = id,
                                   .assessment_id = "k",
                                   .title = "",
                                   .category = "",
                                   .assessment_type = "",
                                   .subscription_id = sub,
                                   .resource_id = id,
                                   .resource_type = "",
                                   .risk_factors = "",
                               });
}

static void question(struct bench *bench, const char *sub, const char *type, const char *id)
{
    bench->questions.items[bench->questions.count++] = (struct proof_question){
        .id = finding_id(SOURCE(assessments), id, strlen(id)),
        .resource_id = id,
        .resource_type = type,
        .subscription_id = sub,
    };
}

static enum proof_answer answer_about(const struct bench *bench, const char *id)
{
    struct finding_id finding = finding_id(SOURCE(assessments), id, strlen(id));
    return proof_answers_find(&bench->part->proofs, &finding);
}

static void ask(struct bench *bench)
{
    part_seal(bench->part);
    prove_part(bench->part, &bench->questions, &bench->session);
}

#define VMS "microsoft.compute/virtualmachines"

TEST(a_witness_makes_a_proof)
{
    static const char *const there[] = { VM("s1", "kept"), VM("s1", "here"), VM("s2", "alone"),
                                         NULL };
    BENCH(bench);
    bench.there = there;
    know(&bench, "s1", VM("s1", "kept"));
    know(&bench, "s2", VM("s2", "lost")); /* known, but the answer has it not: no witness */
    question(&bench, "s1", VMS, VM("s1", "here"));
    question(&bench, "s1", VMS, VM("s1", "gone"));
    question(&bench, "s2", VMS, VM("s2", "gone"));
    question(&bench, "s1", "microsoft.compute/disks", DISK("s1", "gone"));
    ask(&bench);
    CHECK_INT(bench.requests, 1);
    CHECK_INT(answer_about(&bench, VM("s1", "here")), PROOF_EXISTS);
    CHECK_INT(answer_about(&bench, VM("s1", "gone")), PROOF_DELETED);
    CHECK_INT(answer_about(&bench, VM("s2", "gone")), PROOF_NONE);
    CHECK_INT(answer_about(&bench, DISK("s1", "gone")), PROOF_NONE); /* another type */
    CHECK_INT(answer_about(&bench, VM("s1", "kept")), PROOF_NOT_ASKED);
    CHECK_CONTAINS(buf_cstr(&bench.asked), "\"subscriptions\":[\"s1\",\"s2\"]");
    CHECK(!strstr(buf_cstr(&bench.asked), "{{ids}}"));
}

TEST(what_exists_is_a_witness_for_others)
{
    static const char *const there[] = { VM("s1", "here"), GROUP("s1", "g"), NULL };
    BENCH(bench);
    bench.there = there;
    question(&bench, "s1", VMS, VM("s1", "here"));
    question(&bench, "s1", VMS, VM("s1", "gone"));
    question(&bench, "s1", "microsoft.resources/resourcegroups", GROUP("s1", "g"));
    question(&bench, "s1", "microsoft.resources/resourcegroups", GROUP("s1", "old"));
    question(&bench, "s1", "microsoft.resources/subscriptions", "/subscriptions/s1");
    ask(&bench);
    CHECK_INT(bench.requests, 2); /* one a table, and no more */
    CHECK_INT(answer_about(&bench, VM("s1", "gone")), PROOF_DELETED);
    CHECK_INT(answer_about(&bench, GROUP("s1", "g")), PROOF_EXISTS);
    CHECK_INT(answer_about(&bench, GROUP("s1", "old")), PROOF_DELETED);
    CHECK_INT(answer_about(&bench, "/subscriptions/s1"), PROOF_NONE);
}

/* It may be the very one that seems to be gone. */
TEST(beside_an_odd_row_nothing_is_gone)
{
    static const char *const odd[] = { "{\"id\":null}",
                                       "{}",
                                       "{\"id\":17}",
                                       "{\"id\":\"\"}",
                                       "{\"id\":\"" VM("s1", "another") "\"}",
                                       "null",
                                       "7" };
    static const char *const there[] = { VM("s1", "kept"), VM("s1", "here"), NULL };
    for (size_t i = 0; i < ARRAY_COUNT(odd); i++) {
        BENCH(bench);
        bench.there = there;
        bench.odd = odd[i];
        know(&bench, "s1", VM("s1", "kept"));
        question(&bench, "s1", VMS, VM("s1", "here"));
        question(&bench, "s1", VMS, VM("s1", "gone"));
        ask(&bench);
        CHECK_INT(answer_about(&bench, VM("s1", "here")), PROOF_EXISTS);
        CHECK_INT(answer_about(&bench, VM("s1", "gone")), PROOF_NONE);
    }
}

TEST(a_refusal_proves_nothing)
{
    static const char *const there[] = { VM("s1", "here"), NULL };
    BENCH(bench);
    bench.there = there;
    bench.refusal = "{\"error\":{\"code\":\"AccessDenied\",\"message\":\"no\"}}";
    question(&bench, "s1", VMS, VM("s1", "here"));
    question(&bench, "s1", VMS, VM("s1", "gone"));
    ask(&bench);
    CHECK_INT(bench.requests, 1); /* nor is it asked again */
    CHECK_INT(answer_about(&bench, VM("s1", "here")), PROOF_NONE);
    CHECK_INT(answer_about(&bench, VM("s1", "gone")), PROOF_NONE);
}

TEST(what_would_break_the_query_is_not_asked)
{
    static const char *const ids[] = { VM("s1", "a') or ('1"), VM("s1", "a\\"), VM("s1", "a\n"),
                                       VM("s1", "\"a"),        "not-an-id",     NULL };
    static const char *const there[] = { VM("s1", "here"), NULL };
    BENCH(bench);
    bench.there = there;
    question(&bench, "s1", VMS, VM("s1", "here"));
    for (size_t i = 0; ids[i]; i++)
        question(&bench, "s1", VMS, ids[i]);
    know(&bench, "s1", VM("s1", "w'"));
    ask(&bench);
    CHECK_INT(answer_about(&bench, VM("s1", "here")), PROOF_EXISTS);
    for (size_t i = 0; ids[i]; i++)
        CHECK_INT(answer_about(&bench, ids[i]), PROOF_NONE);
    CHECK_CONTAINS(buf_cstr(&bench.asked), "in~ ('" VM("s1", "here") "')");
}

TEST(a_query_is_bounded)
{
    static const char *const nothing[] = { NULL };
    static char subs[PROOF_QUESTIONS_MAX][16], ids[PROOF_QUESTIONS_MAX][160], known[2000][160];
    BENCH(bench);
    bench.there = nothing;
    for (int i = 0; i < 2000; i++) {
        char sub[16];
        snprintf(sub, sizeof sub, "s%d", i % PROOF_QUESTIONS_MAX);
        snprintf(known[i], sizeof known[i], VM("%s", "known%d"), sub, i);
        know(&bench, sub, known[i]);
    }
    for (int i = 0; i < PROOF_QUESTIONS_MAX; i++) {
        snprintf(subs[i], sizeof subs[i], "s%d", i);
        snprintf(ids[i], sizeof ids[i], VM("%s", "vm%d"), subs[i], i);
        question(&bench, subs[i], VMS, ids[i]);
    }
    ask(&bench);
    CHECK_INT(bench.requests, 1);
    size_t asked = 0;
    for (const char *at = buf_cstr(&bench.asked); (at = strstr(at, "'/subscriptions/")); at++)
        asked++;
    CHECK(asked > 200 && asked <= 500);
    CHECK_INT(bench.part->proofs.count, PROOF_QUESTIONS_MAX);
}

TEST(nothing_to_ask_asks_nothing)
{
    BENCH(bench);
    ask(&bench);
    question(&bench, "s1", "unknown", "arn:aws:s3:::bucket");
    prove_part(bench.part, &bench.questions, &bench.session);
    CHECK_INT(bench.requests, 0);
    CHECK_INT(answer_about(&bench, "arn:aws:s3:::bucket"), PROOF_NONE);
}
