/* The operator's own queries: what is wrong with them, what their rows become, and what a reload
 * leaves alone. */
#include "collectors/custom.h"

#include "collectors_world.h"
#include "exporter/config.h"

#define QUERY "resources | project id | order by id asc"
#define HEAD                                                                                       \
    "collectors:\n"                                                                                \
    "  custom:\n"                                                                                  \
    "  - name: ips\n"                                                                              \
    "    kql: \"" QUERY "\"\n"
#define COLUMNS                                                                                    \
    "    columns: { id: text, subscriptionId: text, location: text, cores: number, at: time,\n"    \
    "               title: text, risk: text }\n"
#define FINDINGS                                                                                   \
    "    findings: { id: id, subscription: subscriptionId, title: title, risk: risk }\n"
#define METRIC(name, more) "    metrics: [ { name: defender_custom_" name more " } ]\n"
#define FINE HEAD COLUMNS METRIC("ips", ", labels: { location: location }")

static struct config *load(const char *text, const struct source_list *running,
                           struct option_report *report)
{
    const struct config_source source = { .file = test_file("config.yml", text),
                                          .running = running };
    return config_load(&source, report);
}

static struct config *load_fine(const char *text)
{
    CLEANUP(options_report_finish) struct option_report report = { 0 };
    struct config *config = load(text, NULL, &report);
    CHECK_TEXT(buf_cstr(&report.text), "");
    if (!config)
        abort();
    return config;
}

static const struct source *query_of(const struct config *config, const char *key)
{
    const struct source *source = source_list_find(config->sources, key);
    if (!source)
        abort();
    return source;
}

/* --- what is wrong ---------------------------------------------------------------------------- */

TEST(what_is_wrong_is_said_with_its_line)
{
    static const struct {
        const char *text, *reason;
    } rows[] = {
        { "collectors:\n  custom:\n  - name: ips\n" COLUMNS METRIC("a", ""),
          "config.yml:3: collectors.custom[0].kql: kql or kql_file is required" },
        { HEAD "    kql_file: x.kql\n" COLUMNS METRIC("a", ""), "both kql and kql_file are given" },
        { "collectors:\n  custom:\n  - name: ips\n    kql_file: gone.kql\n" COLUMNS METRIC("a", ""),
          "gone.kql: No such file" },
        { "collectors:\n  custom:\n  - name: ips\n    kql: resources\n" COLUMNS METRIC("a", ""),
          "config.yml:4: collectors.custom[0].kql: has no order, so pages could overlap" },
        { "collectors:\n  custom:\n  - name: ips\n    kql: '// nothing'\n" COLUMNS METRIC("a", ""),
          "config.yml:4: collectors.custom[0].kql: is empty" },
        { "collectors:\n  custom:\n  - name: Ips\n    kql: \"" QUERY "\"\n" COLUMNS METRIC("a", ""),
          "config.yml:3: collectors.custom[0].name: \"Ips\" is no name of a query" },
        { FINE "  - name: ips\n    kql: \"" QUERY "\"\n" COLUMNS METRIC("b", ""),
          "config.yml:8: collectors.custom[1].name: \"ips\" is there already" },
        { FINE "  - name: two\n    kql: \"" QUERY "\"\n" COLUMNS METRIC("ips", ""),
          "config.yml:12: collectors.custom[1].metrics.name: \"defender_custom_ips\" is there" },
        { HEAD METRIC("a", ""), "config.yml:3: collectors.custom[0].columns: is required" },
        { HEAD "    columns: { id: word }\n" METRIC("a", ""),
          "config.yml:5: collectors.custom[0].columns: id: must be text, number or time" },
        { HEAD "    columns: { a.b: text }\n" METRIC("a", ""), "\"a.b\" is no name of a column" },
        { HEAD COLUMNS, "metrics or findings are required" },
        { HEAD COLUMNS "    metrics: [ { name: ips } ]\n",
          "\"ips\" must begin with defender_custom_" },
        { HEAD COLUMNS METRIC("", ""), "must begin with defender_custom_" },
        { HEAD COLUMNS METRIC("a_total", ""), "its name must not end in _total" },
        { HEAD COLUMNS METRIC("rows_left_out", ""), "\"defender_custom_rows_left_out\" is reserv" },
        { HEAD COLUMNS METRIC("a", ", value: core"), "\"core\" is none of the columns" },
        { HEAD COLUMNS METRIC("a", ", value: id"), "the column \"id\" is a text" },
        { HEAD COLUMNS METRIC("a", ", value: at"), "ends in _timestamp_seconds when its value" },
        { HEAD COLUMNS METRIC("a_timestamp_seconds", ""), "ends in _timestamp_seconds when" },
        { HEAD COLUMNS METRIC("a", ", labels: { x: y }"),
          "config.yml:7: collectors.custom[0].metrics.labels: \"y\" is none of the columns" },
        { HEAD COLUMNS METRIC("a", ", labels: { x: cores }"), "the column \"cores\" is no text" },
        { HEAD COLUMNS METRIC("a", ", labels: { alertname: id }"), "\"alertname\" is reserved" },
        { HEAD COLUMNS METRIC("a", ", labels: { tag_team: id }"), "names do not begin with" },
        { HEAD COLUMNS METRIC("a", ", labels: { 'a-b': id }"), "is no name of a label" },
        { HEAD COLUMNS METRIC("a", ", labels: { a: id, b: id, c: id, d: id, e: id, f: id, g: id,"
                                   " h: id, i: id }"),
          "has more than 8 labels" },
        { HEAD COLUMNS "    findings: { id: id }\n",
          "config.yml:7: collectors.custom[0].findings.subscription: is required but missing" },
        { HEAD COLUMNS "    findings: { id: cores }\n", "the column \"cores\" is no text" },
        { HEAD COLUMNS "    findings: {}\n    column: x\n",
          "unknown key, did you mean \"columns\"" },
    };
    for (size_t i = 0; i < ARRAY_COUNT(rows); i++) {
        CLEANUP(options_report_finish) struct option_report report = { 0 };
        struct config *config = load(rows[i].text, NULL, &report);
        CHECK(!config);
        CHECK_CONTAINS(buf_cstr(&report.text), rows[i].reason);
        config_destroy(config);
    }
}

TEST(a_rule_may_name_a_metric_of_a_query_that_stands_anywhere_in_the_file)
{
    CLEANUP(options_report_finish) struct option_report report = { 0 };
    test_file("rules.yml", "groups:\n- name: g\n  rules:\n  - alert: A\n"
                           "    metric: defender_custom_ips\n    by: [location]\n    above: 1\n");
    struct config *config = load_fine("alerts: { rules: [rules.yml] }\n" FINE);
    config_destroy(config);
    CHECK(!load("alerts: { rules: [rules.yml] }\n", NULL, &report));
    CHECK_CONTAINS(buf_cstr(&report.text), "defender_custom_ips");
}

TEST(a_file_is_sent_without_its_comments_and_with_the_lines_it_has)
{
    test_file("ips.kql", "// public addresses\nresources\n  // of all\n| project id\n"
                         "| order by id asc\n");
    struct config *config = load_fine("collectors:\n  custom:\n  - name: ips\n"
                                      "    kql_file: ips.kql\n" COLUMNS METRIC("ips", ""));
    const struct collector *collector = query_of(config, "custom_ips")->collector;
    CHECK_TEXT(collector->variants[0].queries[0].kql,
               "\nresources\n\n| project id\n| order by id asc\n");
    config_destroy(config);
}

/* --- how it is run ---------------------------------------------------------------------------- */

TEST(a_query_is_a_source_with_times_of_its_own)
{
    struct config *config =
        load_fine("collector: { disable_defaults: true }\n" FINE "    interval: 2h\n"
                  "  - name: off\n    kql: \"" QUERY "\"\n    enabled: false\n"
                  "    timeout: 5s\n" COLUMNS METRIC("off", ""));
    const struct source *ips = query_of(config, "custom_ips"),
                        *off = query_of(config, "custom_off");
    CHECK(config->run[ips->index].enabled && !config->run[off->index].enabled);
    CHECK(!config->run[0].enabled);
    CHECK_INT(config->run[ips->index].interval_ms, 7200000);
    CHECK_INT(config->run[ips->index].timeout_ms, 600000);
    CHECK_INT(config->run[off->index].timeout_ms, 5000);
    for (size_t i = 0; collector_kinds[i]; i++) /* what is built in has the places it had */
        CHECK(config->sources->sources[i].collector == test_sources()->sources[i].collector);
    config_destroy(config);
}

TEST(a_reload_leaves_a_query_alone_that_is_as_it_was)
{
    CLEANUP(options_report_finish) struct option_report report = { 0 };
    struct config *before = load_fine(FINE), *after, *other;
    uint64_t hash = before->hash;
    after = load("log: { level: debug }\n" FINE "    interval: 1h\n", before->sources, &report);
    CHECK(source_list_equal(before->sources, after->sources));
    other = load(HEAD COLUMNS METRIC("ips", ""), before->sources, &report);
    CHECK(!source_list_equal(before->sources, other->sources));
    CHECK(other->hash != hash);
    config_destroy(before);
    CHECK_TEXT(query_of(after, "custom_ips")->collector->families[0]->name, "defender_custom_ips");
    config_destroy(after);
    config_destroy(other);
    CHECK_TEXT(buf_cstr(&report.text), "");
}

TEST(a_file_that_changed_makes_another_query)
{
    static const char text[] =
        "collectors:\n  custom:\n  - name: ips\n    kql_file: ips.kql\n" COLUMNS METRIC("ips", "");
    CLEANUP(options_report_finish) struct option_report report = { 0 };
    test_file("ips.kql", "resources | order by id asc");
    struct config *before = load_fine(text);
    test_file("ips.kql", "resources | order by name asc");
    struct config *after = load(text, before->sources, &report);
    CHECK(!source_list_equal(before->sources, after->sources));
    CHECK(before->hash != after->hash);
    config_destroy(before);
    config_destroy(after);
}

/* --- rows ------------------------------------------------------------------------------------- */

/* A world whose snapshot knows the queries of a configuration. */
struct scene {
    struct config *config;
    struct world world;
    const struct source *of;
};

static void begin(struct scene *scene, const char *text)
{
    scene->config = load_fine(text);
    scene->of = query_of(scene->config, "custom_ips");
    world_init(&scene->world);
    snapshot_release(scene->world.snapshot);
    scene->world.snapshot = snapshot_create(scene->config->sources);
    scene->world.context.snapshot = scene->world.snapshot;
    world_discover(&scene->world, WORLD_BOTH);
}

static void end(struct scene *scene)
{
    world_finish(&scene->world);
    config_destroy(scene->config);
}

#define ROW(id, sub, location, more)                                                               \
    "{\"id\":\"" id "\",\"subscriptionId\":" sub ",\"location\":" location more "}"
#define S1 "\"s-1\""
#define S2 "\"S-2\""
#define WEST "\"west\""

static struct part *run(struct scene *scene, const char *rows)
{
    struct part *part = part_create(scene->of);
    world_try(&scene->world, part, 0, 0, rows);
    return world_conclude(&scene->world, part);
}

TEST(rows_are_counted_added_up_and_dated)
{
    struct scene scene;
    begin(&scene, HEAD COLUMNS "    metrics:\n"
                               "    - { name: defender_custom_ips, labels: { place: location } }\n"
                               "    - { name: defender_custom_cores, value: cores,\n"
                               "        labels: { subscription_id: subscriptionId } }\n"
                               "    - { name: defender_custom_seen_timestamp_seconds, value: at }\n"
                               "    - { name: defender_custom_all }\n");
    run(&scene,
        ROWS(ROW("/a", S1, WEST, ",\"cores\":2,\"at\":\"2026-01-01T00:00:00Z\""),
             ROW("/b", S2, WEST, ",\"cores\":\"4\",\"at\":\"2026-01-02T00:00:00Z\""),
             ROW("/c", S2, "\"east\"", ",\"cores\":0.5,\"at\":null"), ROW("/d", S1, "null", "")));
    CHECK_FAMILY(&scene.world, 1, "defender_custom_ips", "{east} 1\n{unknown} 1\n{west} 2\n");
    CHECK_FAMILY(&scene.world, 1, "defender_custom_cores", "{s-1} 2\n{s-2} 4.5\n");
    CHECK_FAMILY(&scene.world, 1, "defender_custom_seen_timestamp_seconds", "{} 1767312000\n");
    CHECK_FAMILY(&scene.world, 1, "defender_custom_all", "{} 4\n");
    CHECK_FAMILY(&scene.world, 1, "defender_custom_rows_left_out",
                 "{custom_ips,defender_custom_all} 0\n{custom_ips,defender_custom_cores} 0\n"
                 "{custom_ips,defender_custom_ips} 0\n"
                 "{custom_ips,defender_custom_seen_timestamp_seconds} 0\n");
    end(&scene);
}

TEST(what_no_row_tells_is_absent_and_not_zero)
{
    struct scene scene;
    begin(&scene, HEAD COLUMNS METRIC("cores", ", value: cores"));
    run(&scene, ROWS(ROW("/a", S1, WEST, ",\"cores\":null"),
                     ROW("/b", S1, WEST, ",\"cores\":\"NaN\""), ROW("/c", S1, WEST, "")));
    CHECK_FAMILY(&scene.world, 1, "defender_custom_cores", "");
    end(&scene);
}

TEST(odd_rows_are_counted_and_the_others_kept)
{
    struct scene scene;
    begin(&scene, HEAD COLUMNS METRIC("cores", ", value: cores") FINDINGS);
    struct part *part =
        run(&scene,
            ROWS(ROW("/fine", S1, WEST, ",\"cores\":1,\"title\":\"T\",\"risk\":\"High\""),
                 ROW("/null", S1, WEST, ",\"cores\":1,\"title\":\"T\",\"risk\":null"),
                 ROW("/word", S1, WEST, ",\"cores\":1,\"title\":\"T\",\"risk\":\"enormous\""),
                 ROW("/untitled", S1, WEST, ",\"cores\":1,\"risk\":\"low\""),
                 ROW("/nobody", "null", WEST, ",\"cores\":1,\"title\":\"T\",\"risk\":\"low\""),
                 ROW("/type", S1, WEST, ",\"cores\":{\"a\":1},\"title\":\"T\",\"risk\":\"low\""),
                 ROW("/time", S1, WEST,
                     ",\"cores\":1,\"at\":\"noon\",\"title\":\"T\",\"risk\":\"low\""),
                 "{\"subscriptionId\":\"s-1\",\"title\":\"T\",\"risk\":\"low\",\"cores\":1}"));
    CHECK_INT(part->finding_count, 2);
    CHECK_INT(odd_count(&part->odd), 6);
    CHECK_INT(part->frozen_count, 5);
    CHECK(part_cover_find(part, "s-1")->gaps); /* the row without an id */
    CHECK_FAMILY(&scene.world, 1, "defender_custom_cores", "{} 2\n");
    end(&scene);
}

TEST(a_subscription_that_cannot_be_read_keeps_what_it_had)
{
    struct scene scene;
    begin(&scene, HEAD COLUMNS METRIC("ips", ", labels: { place: location }") FINDINGS);
    const char *more = ",\"title\":\"T\",\"risk\":\"high\"";
    CLEANUP(buf_finish) struct buf both = { 0 };
    buf_printf(&both, "[" ROW("/a", S1, WEST, "%s") "," ROW("/b", S2, WEST, "%s") "]", more, more);
    run(&scene, buf_cstr(&both));
    CHECK_FAMILY(&scene.world, 1, "defender_custom_ips", "{west} 2\n");
    struct part *part =
        run(&scene, ROWS(ROW("/a", S1, WEST, ",\"title\":\"T\",\"risk\":\"high\"")));
    CHECK(part_cover_find(part, "s-2")->carried);
    CHECK_INT(part->finding_count, 2);
    CHECK_FAMILY(&scene.world, 1, "defender_custom_ips", "{west} 2\n");
    end(&scene);
}

TEST(a_thousand_series_are_shown_and_the_other_rows_counted)
{
    struct scene scene;
    CLEANUP(buf_finish) struct buf rows = { 0 };
    begin(&scene, FINE);
    for (int i = 0; i < CUSTOM_SERIES_MAX + 5; i++)
        buf_printf(&rows, "%s{\"subscriptionId\":\"s-1\",\"location\":\"l%04d\"}", i ? "," : "[",
                   i);
    buf_text(&rows, ",{\"subscriptionId\":\"s-1\",\"location\":\"l0000\"}]");
    struct part *part = run(&scene, buf_cstr(&rows));
    size_t lines = 0;
    const char *text = world_text(&scene.world, 1);
    for (const char *at = text; (at = strstr(at, "defender_custom_ips{")); at++)
        lines++;
    CHECK_INT(lines, CUSTOM_SERIES_MAX);
    CHECK_CONTAINS(text, "defender_custom_ips{l0000} 2\n"); /* what is shown is whole */
    CHECK_CONTAINS(text, "defender_custom_ips{l0999} 1\n");
    CHECK_CONTAINS(text, "defender_custom_rows_left_out{custom_ips,defender_custom_ips} 5\n");
    CHECK_TEXT(part->limited, "defender_custom_ips");
    CHECK(!run(&scene, ROWS(ROW("/a", S1, WEST, "")))->limited);
    end(&scene);
}

TEST(a_finding_says_its_title_its_columns_and_where_it_is)
{
    static const char vm[] = "/subscriptions/s-1/resourceGroups/G/providers/A.B/c/VM 1";
    struct scene scene;
    char scratch[PART_ID_BYTES], link[500];
    struct finding finding;
    begin(&scene, HEAD COLUMNS FINDINGS);
    CLEANUP(buf_finish) struct buf rows = { 0 };
    buf_printf(&rows,
               "[" ROW("%s", S1, WEST,
                       ",\"cores\":2,\"at\":\"2026-01-01T00:00:00Z\",\"title\":\"Old disk\","
                       "\"risk\":\"Critical\"") "]",
               vm);
    struct part *part = run(&scene, buf_cstr(&rows));
    CHECK_INT(part->finding_count, 1);
    part_view(part, 0, &finding, scratch);
    CHECK_TEXT(finding.title, "Old disk");
    CHECK_INT(finding.risk, RISK_CRITICAL);
    CHECK_TEXT(finding.subscription_id, "s-1");
    CHECK_TEXT(finding.resource_group, "g");
    CHECK_TEXT(finding.resource_type, "a.b/c");
    CHECK_TEXT(finding.resource_name, "vm 1");
    CHECK_TEXT(finding.reason_phrase, "location: west; cores: 2; at: 2026-01-01T00:00:00Z");
    CHECK_TEXT(finding_link(&finding, "portal.azure.com", link, sizeof link),
               "https://portal.azure.com/#resource/subscriptions/s-1/resourcegroups/g/providers/"
               "a.b/c/vm%201");
    end(&scene);
}
