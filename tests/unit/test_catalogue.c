/* The catalogue: facts about recommendations, found by key, kept between runs of the program. */
#include "collectors/catalogue.h"

#include "collectors_world.h"

#define ENTRY(name, more) "{\"name\":\"" name "\",\"properties\":{" more "}}"
#define TITLE(text) "\"displayName\":\"" text "\""

static struct part *collect(struct world *world, const char *rows)
{
    struct part *part = part_create(SOURCE(catalogue));
    world_feed(world, part, 0, 0, rows);
    return world_conclude(world, part);
}

/* What came is saved and loaded into a new part, as over a restart. */
static struct part *restart(struct world *world)
{
    CLEANUP(buf_finish) struct buf kept = { 0 };
    const struct collector *collector = SOURCE(catalogue)->collector;
    struct part **place = &world->snapshot->parts[INDEX(catalogue)];
    collector->save(*place, &kept);
    struct json *saved = json_parse(buf_cstr(&kept), kept.length, &world->error);
    CHECK(saved != NULL);
    struct part *loaded = part_create(SOURCE(catalogue));
    CHECK(collector->load(loaded, saved, &world->error));
    json_free(saved);
    part_release(*place);
    *place = loaded;
    return loaded;
}

#define FULL                                                                                       \
    ENTRY("Key-1",                                                                                 \
          TITLE("A \\\"title\\\" of \\u00fcber") ","                                               \
                                                 "\"description\":\"line\\nline\","                \
                                                 "\"remediationDescription\":\"<b>do</b>\","       \
                                                 "\"severity\":\"HIGH\",\"categories\":[\"Data\"," \
                                                 "\"Compute\"],"                                   \
                                                 "\"threats\":[\"dataExfiltration\"],"             \
                                                 "\"implementationEffort\":\"Low\","               \
                                                 "\"userImpact\":\"Moderate\",\"assessmentType\":" \
                                                 "\"BuiltIn\","                                    \
                                                 "\"plannedDeprecationDate\":\"03/"                \
                                                 "2027\",\"preview\":true")

static void check_full(const struct world *world)
{
    const struct catalogue_entry *entry = catalogue_find(world->snapshot, "", "key-1");
    CHECK(entry != NULL);
    if (!entry)
        return;
    CHECK_TEXT(entry->id, "key-1");
    CHECK_TEXT(entry->title, "A \"title\" of \xc3\xbc"
                             "ber");
    CHECK_TEXT(entry->description, "line\nline");
    CHECK_TEXT(entry->remediation, "<b>do</b>");
    CHECK_TEXT(entry->categories, "Data,Compute");
    CHECK_TEXT(entry->threats, "dataExfiltration");
    CHECK_TEXT(entry->effort, "Low");
    CHECK_TEXT(entry->user_impact, "Moderate");
    CHECK_TEXT(entry->assessment_type, "BuiltIn");
    CHECK_TEXT(entry->planned_deprecation, "03/2027");
    CHECK_INT(entry->severity, SEVERITY_HIGH);
    CHECK(entry->preview);
}

TEST(every_fact_is_read_and_survives_a_restart)
{
    WORLD(world);
    collect(&world, "[" FULL "]");
    check_full(&world);
    CHECK_INT(restart(&world)->rows, 1);
    check_full(&world);
    restart(&world); /* what was loaded can be saved again */
    check_full(&world);
}

TEST(what_is_not_told_is_empty)
{
    WORLD(world);
    collect(&world, "[" ENTRY("k", "") ",{\"name\":\"bare\"},"
                                       "{\"name\":\"nulls\",\"properties\":null}]");
    static const char *const keys[] = { "k", "bare", "nulls" };
    for (int turn = 0; turn < 2; turn++) {
        for (size_t i = 0; i < ARRAY_COUNT(keys); i++) {
            const struct catalogue_entry *entry = catalogue_find(world.snapshot, "", keys[i]);
            CHECK(entry != NULL);
            CHECK_TEXT(entry->title, "");
            CHECK_TEXT(entry->remediation, "");
            CHECK_TEXT(entry->categories, "");
            CHECK_TEXT(entry->threats, "");
            CHECK_INT(entry->severity, SEVERITY_UNKNOWN);
            CHECK(!entry->preview);
        }
        restart(&world);
    }
}

TEST(entries_are_found_among_many_in_any_order)
{
    WORLD(world);
    CLEANUP(buf_finish) struct buf rows = { 0 };
    char key[16], title[24];
    for (int i = 0; i < 300; i++) /* 7 and 300 have no common divisor */
        buf_printf(&rows, "%s{\"name\":\"K%03d\",\"properties\":{\"displayName\":\"title %d\"}}",
                   i ? "," : "[", i * 7 % 300, i * 7 % 300);
    buf_char(&rows, ']');
    collect(&world, buf_cstr(&rows));
    for (int i = 0; i < 300; i++) {
        snprintf(key, sizeof key, "k%03d", i);
        snprintf(title, sizeof title, "title %d", i);
        const struct catalogue_entry *entry = catalogue_find(world.snapshot, "", key);
        CHECK_TEXT(entry ? entry->title : "", title);
    }
    CHECK(!catalogue_find(world.snapshot, "", "k300"));
    CHECK(!catalogue_find(world.snapshot, "", "K001")); /* asked for in lower case */
    CHECK(!catalogue_find(world.snapshot, "", ""));
}

TEST(the_first_of_two_entries_speaks)
{
    WORLD(world);
    struct part *part = part_create(SOURCE(catalogue));
    world_feed(&world, part, 0, 0,
               "[" ENTRY("K", TITLE("tenant")) "," ENTRY("k", TITLE("again")) "]");
    world_feed(&world, part, 0, 1, /* the lists of subscriptions come after */
               "[" ENTRY("k", TITLE("subscription")) "," ENTRY("own", TITLE("custom")) "]");
    world_conclude(&world, part);
    CHECK_TEXT(catalogue_find(world.snapshot, "", "k")->title, "tenant");
    CHECK_TEXT(catalogue_find(world.snapshot, "", "own")->title, "custom");
}

TEST(a_catalogue_that_is_suddenly_empty_is_not_believed)
{
    WORLD(world);
    collect(&world, "[" FULL "]");
    struct part *part = part_create(SOURCE(catalogue));
    CHECK(!part->source->collector->finish(part, &world.context, &world.error));
    CHECK_INT(world.error.code, ERROR_INCOMPLETE);
    CHECK_CONTAINS(world.error.message, "came back empty");
    part_release(part);
}

TEST(a_first_catalogue_may_be_empty)
{
    WORLD(world);
    CHECK(!catalogue_complete(world.snapshot, ""));
    collect(&world, "[]");
    CHECK(catalogue_complete(world.snapshot, "")); /* known to hold nothing */
    CHECK(!catalogue_find(world.snapshot, "", "k"));
    CHECK_INT(restart(&world)->rows, 0);
    collect(&world, "[]"); /* and none were lost */
}

TEST(tenants_have_catalogues_of_their_own)
{
    WORLD(world);
    collect(&world, "[" FULL "]");
    CHECK(catalogue_find(world.snapshot, "", "key-1") != NULL);
    CHECK(catalogue_find(world.snapshot, NULL, "key-1") != NULL);
    CHECK(!catalogue_find(world.snapshot, "contoso", "key-1"));
    CHECK(!catalogue_complete(world.snapshot, "contoso"));
}

TEST(a_file_that_makes_no_sense_is_refused)
{
    WORLD(world);
    static const char *const texts[] = {
        "[{\"properties\":{}}]",                                     /* no key */
        "[" ENTRY("a", "") ",7]",                                    /* no object */
        "[{\"name\":\"k\",\"properties\":{\"displayName\":[[1]]}}]", /* no text */
    };
    for (size_t i = 0; i < ARRAY_COUNT(texts); i++) {
        struct json *saved = json_parse(texts[i], strlen(texts[i]), &world.error);
        struct part *part = part_create(SOURCE(catalogue));
        world.error = (struct error){ 0 };
        CHECK(!part->source->collector->load(part, saved, &world.error));
        CHECK_INT(world.error.code, ERROR_PARSE);
        json_free(saved);
        part_release(part);
    }
}

TEST(it_shows_nothing_of_its_own)
{
    WORLD(world);
    collect(&world, "[" FULL "]");
    CHECK(!strstr(world_text(&world, 3), "key-1"));
    CHECK(!*SOURCE(catalogue)->collector->families);
}
