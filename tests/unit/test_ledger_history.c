/* ledger: what is read back, and what happens to the disk. */
#include "ledger_world.h"

#include "core/hash.h"

static bool print_event(void *context, const struct event *event, struct error *error)
{
    (void)error;
    world_print(event, context);
    return true;
}

static bool stop(void *context, const struct event *event, struct error *error)
{
    (void)context, (void)event;
    return error_set(error, ERROR_CANCELLED, "enough");
}

TEST(history_is_read_back)
{
    struct world world;
    struct error error = { 0 };
    world_begin(&world, NULL);
    world_collect(&world, "az");
    world_advance(&world);
    int64_t middle = world.now + 1;
    struct part *part = world_part(A, BOTH);
    part_add_closed(part, "", "a", REASON_EXEMPTED);
    world_open(part, "z", "key", "s2", RISK_LOW);
    world.now += 60;
    world_publish(&world, part);
    world_advance(&world);
    CHECK(database_begin(world.database, &error));
    CHECK(ledger_record(world.database,
                        &(struct event){ .kind = EVENT_SCORE_DROPPED,
                                         .source = SOURCE(secure_scores),
                                         .at = world.now,
                                         .reason = -1,
                                         .subject = "ascscore",
                                         .subscription_id = "s1",
                                         .detail = "\"quoted\"",
                                         .value = 0.5,
                                         .value_before = 0.75 },
                        &error));
    CHECK(database_commit(world.database, &error));

    CLEANUP(buf_finish) struct buf out = { 0 };
    CHECK(ledger_history(world.database, test_sources(), 0, NULL, print_event, &out, &error));
    CHECK_CONTAINS(buf_cstr(&out), "finding.opened a/1 high\n");
    CHECK_CONTAINS(buf_cstr(&out), "finding.opened z/1 high\n");
    CHECK_CONTAINS(buf_cstr(&out), "finding.exempted a/1 high exempted\n");
    CHECK_CONTAINS(buf_cstr(&out), "finding.risk_changed z/1 low from high\n");
    CHECK_CONTAINS(buf_cstr(&out), "score.dropped ascscore 0.5\n");
    buf_reset(&out);
    struct finding_id id = finding_id(A, "a", 1);
    CHECK(ledger_history(world.database, test_sources(), 0, &id, print_event, &out, &error));
    CHECK_TEXT(buf_cstr(&out), "finding.opened a/1 high\nfinding.exempted a/1 high exempted\n");
    buf_reset(&out);
    CHECK(ledger_history(world.database, test_sources(), middle, &id, print_event, &out, &error));
    CHECK_TEXT(buf_cstr(&out), "finding.exempted a/1 high exempted\n");
    CHECK(!ledger_history(world.database, test_sources(), 0, NULL, stop, NULL, &error));
    CHECK_TEXT(error.message, "enough");

    world.config.keep_events_s = 30;
    ledger_configure(world.ledger, &world.config);
    CHECK(database_begin(world.database, &error));
    CHECK(ledger_prune(world.ledger, world.now, &error));
    CHECK(database_commit(world.database, &error));
    CHECK_INT(world_history(&world), 3);
    world_finish(&world);
}

TEST(findings_are_read_back)
{
    struct world world;
    struct error error = { 0 };
    world_begin(&world, NULL);
    world_collect(&world, "az");
    world_advance(&world);
    struct part *part = world_part(A, BOTH);
    part_add_closed(part, "", "a", REASON_EXEMPTED);
    world_open(part, "z", "key", "s2", RISK_LOW);
    world.now += 60;
    world_publish(&world, part);
    world_advance(&world);
    struct finding_id id = finding_id(A, "a", 1);
    struct arena arena = { 0 };
    struct ledger_entry entry;
    bool found;
    char hex[33];
    hash_hex(id.bytes, 16, hex);
    for (size_t length = 16; length <= 32; length += 16) {
        hex[length] = 0;
        hash_hex(id.bytes, length / 2, hex);
        CHECK(ledger_find(world.database, test_sources(), hex, &arena, &entry, &found, &error) &&
              found);
        CHECK(!entry.open && entry.reason == REASON_EXEMPTED && entry.episode == 1);
        CHECK_TEXT(entry.finding.resource_name, "a");
        CHECK_TEXT(entry.finding.resource_id, "/subscriptions/s1/resourcegroups/rg/providers/"
                                              "microsoft.compute/virtualmachines/a");
        CHECK_TEXT(entry.finding.resource_type, "microsoft.compute/virtualmachines");
        CHECK_TEXT(entry.finding.risk_factors, "Internet exposure");
        CHECK(entry.finding.internet_exposed && entry.finding.attack_paths == 2);
        CHECK_INT(entry.finding.first_seen_at, 1000);
        CHECK_INT(entry.resolved_at, world.now);
    }
    static const char *const strangers[] = { "", "0123", "0123456789abcdef", "zzzzzzzzzzzzzzzz",
                                             "0123456789abcdef0123456789abcdef0" };
    for (size_t i = 0; i < ARRAY_COUNT(strangers); i++)
        CHECK(ledger_find(world.database, test_sources(), strangers[i], &arena, &entry, &found,
                          &error) &&
              !found);
    arena_finish(&arena);
    world_finish(&world);
}

/* What is outside Azure is known as it was in its last life, too. */
TEST(findings_of_other_clouds_are_read_back)
{
    struct world world;
    struct error error = { 0 };
    CLEANUP(arena_finish) struct arena arena = { 0 };
    struct ledger_entry entry;
    bool found;
    char hex[33];
    world_begin(&world, NULL);
    static const char *const regions[] = { "eu-west-1", "", "eu-west-2" }; /* "": it is fixed */
    for (size_t i = 0; i < ARRAY_COUNT(regions); i++, world.now += 60) {
        struct part *part = world_part(A, BOTH);
        struct part_row row = {
            .row_id = "aws",
            .assessment_id = "key",
            .title = "",
            .category = "",
            .assessment_type = "",
            .subscription_id = "s1",
            .resource_type = "ec2-instance",
            .resource_id = "/subscriptions/s1/resourcegroups/g/providers/microsoft.security/"
                           "securityconnectors/prod/securityentitydata/aws-ec2-instance-i-1",
            .risk_factors = "",
            .cloud = CLOUD_AWS,
            .account = "123456789012",
            .native_id = "arn:aws:ec2:eu-west-1:123456789012:instance/i-1",
            .location = regions[i],
            .resource_name = "Web-1",
        };
        if (*regions[i])
            part_add_open(part, &row);
        else
            part_add_closed_row(
                part, &(struct part_closed_row){ "s1", "aws", REASON_FIXED, CLOUD_AWS, 0 });
        world_publish(&world, part);
        world_advance(&world);
    }
    struct finding_id id = finding_id(A, "aws", 3);
    hash_hex(id.bytes, 16, hex);
    CHECK(ledger_find(world.database, test_sources(), hex, &arena, &entry, &found, &error) &&
          found);
    CHECK_INT(entry.episode, 2);
    CHECK_INT(entry.finding.cloud, CLOUD_AWS);
    CHECK_TEXT(entry.finding.connector, "prod");
    CHECK_TEXT(entry.finding.account, "123456789012");
    CHECK_TEXT(entry.finding.location, "eu-west-2");
    CHECK_TEXT(entry.finding.native_id, "arn:aws:ec2:eu-west-1:123456789012:instance/i-1");
    CHECK_TEXT(entry.finding.resource_name, "Web-1");
    CHECK_TEXT(entry.finding.resource_type, "ec2-instance");
    world_finish(&world);
}

/* --- the disk --------------------------------------------------------------------------------- */
static struct hash_sha256 digest(const char *path, const char *suffix)
{
    struct hash_sha256 out;
    char name[4310], block[4096];
    CLEANUP(buf_finish) struct buf content = { 0 };
    snprintf(name, sizeof name, "%s%s", path, suffix);
    FILE *file = fopen(name, "rb");
    for (size_t got; file && (got = fread(block, 1, sizeof block, file));)
        buf_append(&content, block, got);
    if (file)
        fclose(file);
    hash_sha256(buf_cstr(&content), content.length, &out);
    return out;
}

TEST(a_cycle_without_news_writes_nothing)
{
    struct world world;
    world_begin(&world, "quiet.db");
    world_collect(&world, "abz");
    world_advance(&world);
    struct hash_sha256 file = digest(world.path, ""), log = digest(world.path, "-wal");
    for (int i = 0; i < 5; i++) {
        world_collect(&world, "abz");
        CHECK_TEXT(world_advance(&world), "");
        struct hash_sha256 file_now = digest(world.path, ""), log_now = digest(world.path, "-wal");
        CHECK(!memcmp(&file, &file_now, sizeof file) && !memcmp(&log, &log_now, sizeof log));
    }
    world_finish(&world);
}

TEST(a_rolled_back_advance_is_done_again)
{
    struct world world;
    struct error error = { 0 };
    world_begin(&world, NULL);
    world_collect(&world, "a");
    world_advance(&world);
    CLEANUP(buf_finish) struct buf before = { 0 };
    buf_text(&before, world_figures(&world, NULL));
    struct part *part = world_part(A, BOTH);
    world_open(part, "b", "new", "s1", RISK_HIGH);
    part_add_closed(part, "", "a", REASON_FIXED);
    world_publish(&world, part);
    event_list_finish(&world.events);
    CHECK(database_begin(world.database, &error));
    CHECK(ledger_advance(world.ledger, world.snapshot, world.now, &world.events, &error) &&
          ledger_keep_counters(world.ledger, &error));
    CHECK_INT(world.events.count, 2);
    database_rollback(world.database);
    CHECK(ledger_reload(world.ledger, &error));
    CHECK_TEXT(world_figures(&world, NULL), buf_cstr(&before));
    CHECK_TEXT(world_advance(&world), "finding.opened b/1 high\nfinding.resolved a/1 high fixed\n");
    world_finish(&world);
}

/* A disk that is full at any moment: the advance fails or not, and nothing is lost. */
TEST(a_full_disk_loses_no_event)
{
    for (int pages = 1; pages < 40; pages++) {
        struct world world;
        struct error error = { 0 };
        bool row;
        char name[32], sql[64];
        snprintf(name, sizeof name, "full%d.db", pages);
        world_begin(&world, name);
        struct database_statement *size = database_prepare(world.database, "PRAGMA page_count");
        CHECK(database_step(size, &row, &error));
        snprintf(sql, sizeof sql, "PRAGMA max_page_count = %lld",
                 (long long)database_integer(size, 0) + pages - 1);
        database_reset(size);
        struct database_statement *limit = database_prepare(world.database, sql);
        CHECK(database_step(limit, &row, &error));
        database_reset(limit);
        struct part *part = world_part(A, BOTH);
        for (int i = 0; i < 100; i++) {
            snprintf(name, sizeof name, "r%03d", i);
            world_open(part, name, "key", "s1", RISK_HIGH);
        }
        world_publish(&world, part);
        CHECK(database_begin(world.database, &error));
        bool ok = ledger_advance(world.ledger, world.snapshot, world.now, &world.events, &error) &&
                  ledger_keep_counters(world.ledger, &error) &&
                  database_commit(world.database, &error);
        if (!ok) {
            database_rollback(world.database);
            CHECK(ledger_reload(world.ledger, &error));
            struct database_statement *room =
                database_prepare(world.database, "PRAGMA max_page_count = 100000");
            CHECK(database_step(room, &row, &error));
            database_reset(room);
            world_advance(&world);
        }
        CHECK_INT(world.events.count, 100);
        CHECK_INT(world_history(&world), 100);
        CHECK(ok || pages < 39);
        CHECK(!ok || pages > 1);
        world_finish(&world);
    }
}

/* Findings as tenants have them: 40 subscriptions, 25 groups and six types each, three findings a
 * resource. */
static void add_usual(struct part *part, int number)
{
    static const char *const types[] = { "Microsoft.Compute/virtualMachines",
                                         "Microsoft.Storage/storageAccounts",
                                         "Microsoft.Sql/servers",
                                         "Microsoft.KeyVault/vaults",
                                         "Microsoft.ContainerService/managedClusters",
                                         "Microsoft.Web/sites" };
    static const char *const factors[] = { "", "Internet exposure", "Sensitive data",
                                           "Internet exposure,Lateral movement" };
    int machine = number / 3;
    char row[512], resource[256], assessment[40], subscription[40];
    snprintf(subscription, sizeof subscription, "478c1000-0000-4000-8000-0000000000%02d",
             machine % 40);
    snprintf(assessment, sizeof assessment, "0677209d-e675-2c6f-e91a-54cef2878%03d", number % 61);
    snprintf(resource, sizeof resource,
             "/subscriptions/%s/resourceGroups/rg-payments-prod-app-%02d/providers/%s/"
             "app-payments-prod-%05d",
             subscription, machine / 40 % 25, types[machine % 6], machine);
    snprintf(row, sizeof row, "%s/providers/Microsoft.Security/assessments/%s", resource,
             assessment);
    part_add_open(part, &(struct part_row){ .row_id = row,
                                            .assessment_id = assessment,
                                            .title = "Storage accounts should restrict access",
                                            .category = "Data",
                                            .assessment_type = "BuiltIn",
                                            .subscription_id = subscription,
                                            .resource_id = resource,
                                            .resource_type = "",
                                            .risk_factors = factors[number % 4],
                                            .risk = (enum risk_level)(number % RISK_COUNT),
                                            .severity = SEVERITY_HIGH,
                                            .first_seen_at = 1690000000 + number,
                                            .changed_at = 1695000000 + number });
}

TEST(a_finding_takes_at_most_300_bytes)
{
    enum { COUNT = 20000 };
    struct world world;
    struct error error = { 0 };
    int64_t pages = 0, page_bytes = 0;
    world_init(&world, "bytes.db");
    struct part *part = part_create(A);
    for (int i = 0; i < COUNT; i++)
        add_usual(part, i);
    world_publish(&world, part);
    CHECK_CONTAINS(world_advance(&world), "digest assessments 20000\n");
    CHECK(database_get_integer(database_prepare(world.database, "PRAGMA page_count"), &pages,
                               &error) &&
          database_get_integer(database_prepare(world.database, "PRAGMA page_size"), &page_bytes,
                               &error));
    CHECK(pages * page_bytes >= COUNT * 100); /* it is all there */
    CHECK(pages * page_bytes <= COUNT * 300);
    printf("%lld bytes a finding\n", (long long)(pages * page_bytes / COUNT));
    world_finish(&world);
}
