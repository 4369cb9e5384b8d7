#include "exporter/pages/status.h"

#include "collectors/collector.h"
#include "collectors_world.h"
#include "test.h"

/* The page of a snapshot. */
static void show(const struct snapshot *snapshot, const struct status_view *view, struct buf *out)
{
    CLEANUP(arena_finish) struct arena arena = { 0 };
    struct page page = { out, &arena, "/x\"><script>", 1700003600, snapshot, "" };
    status_page(&page, view);
}

static void render(struct snapshot_store *store, const struct status_view *view, struct buf *out)
{
    struct snapshot *snapshot = snapshot_acquire(store, 0);
    show(snapshot, view, out);
    snapshot_release(snapshot);
}

#define SECURITY(kind, name)                                                                       \
    "{\"id\":\"/subscriptions/s-1/providers/microsoft.security/" kind "/" name                     \
    "\",\"subscriptionId\":\"s-1\",\"title\":\"" name "\","
#define PATH(name, risk) SECURITY("attackpaths", name) "\"riskLevel\":\"" risk "\"}"
#define ALERT(name, status)                                                                        \
    SECURITY("alerts", name) "\"severity\":\"Medium\",\"status\":\"" status "\"}"

static const struct status_link links[] = { { "/metrics", "Metrics" } };
static const struct status_tenant tenants[] = {
    { "", "client secret", "<tenant>", "AzurePublic" },
    { "fabrikam", "managed identity", "f-1", "AzureUSGovernment" },
};
static const struct status_view view = {
    .tenants = tenants,
    .tenant_count = 2,
    .config_file = "",
    .alerts = "2 receivers, 7 rules",
    .reload_error = "",
    .links = links,
    .link_count = 1,
    .variants = (const char *const[64]){ "graph" },
};

TEST(status_has_a_row_for_every_collector)
{
    struct snapshot_store *store = snapshot_store_create(test_sources());
    CLEANUP(buf_finish) struct buf out = { 0 };
    render(store, &view, &out);
    for (size_t i = 0; i < test_sources()->count; i++)
        CHECK_CONTAINS(buf_cstr(&out), test_sources()->sources[i].name);
    CHECK_CONTAINS(buf_cstr(&out), "not discovered yet");
    CHECK_CONTAINS(buf_cstr(&out), "client secret");
    CHECK_CONTAINS(buf_cstr(&out), "never");
    snapshot_store_destroy(store);
}

TEST(status_has_every_fact_about_the_program)
{
    static const char *const terms[] = { "Cloud",         "Tenant", "Signs in by", "Version",
                                         "Configuration", "Alerts", "Last reload", "Ready" };
    struct snapshot_store *store = snapshot_store_create(test_sources());
    CLEANUP(buf_finish) struct buf out = { 0 };
    CLEANUP(buf_finish) struct buf term = { 0 };
    render(store, &view, &out);
    for (size_t i = 0; i < ARRAY_COUNT(terms); i++) {
        buf_reset(&term);
        buf_printf(&term, "<dt>%s</dt>", terms[i]);
        CHECK_CONTAINS(buf_cstr(&out), buf_cstr(&term));
    }
    CHECK_CONTAINS(buf_cstr(&out), "(revision ");
    CHECK_CONTAINS(buf_cstr(&out), "2 receivers, 7 rules");
    snapshot_store_destroy(store);
}

/* Rows of a table, by what begins each. */
static size_t rows_of(const struct buf *out, const char *begin)
{
    size_t count = 0;
    for (const char *at = buf_cstr(out); (at = strstr(at, begin)); at++)
        count++;
    return count;
}

TEST(status_says_why_subscriptions_are_not_looked_at)
{
    WORLD(world);
    CLEANUP(buf_finish) struct buf out = { 0 };
    CLEANUP(buf_finish) struct buf rows = { 0 };
    CLEANUP(scope_drop) struct scope *scope = scope_from("s-1,s-2,s-9", NULL);
    world.context.scope = scope;
    buf_text(&rows, "[" WORLD_ONE ",{\"subscriptionId\":\"s-2\",\"displayName\":\"<b>\",\"state\":"
                    "\"Disabled\"}");
    for (int i = 0; i < 25; i++)
        buf_printf(&rows, ",{\"subscriptionId\":\"x-%d\",\"state\":\"Enabled\"}", i);
    buf_char(&rows, ']');
    world_discover(&world, buf_cstr(&rows));
    show(world.snapshot, &view, &out);
    CHECK_CONTAINS(buf_cstr(&out), "<p>1 visible, 1 denied, 25 filtered, 1 disabled</p>");
    CHECK_CONTAINS(buf_cstr(&out),
                   "s-9</th><td data-label=\"State\"><span class=\"bad\">denied</span>"
                   "</td><td data-label=\"Why\">Azure does not list it");
    CHECK_CONTAINS(buf_cstr(&out), "&lt;b&gt;</th><td data-label=\"State\"><span class=\"soft\">"
                                   "disabled</span>");
    CHECK_INT(rows_of(&out, "no include key of subscriptions names it"), 20);
    CHECK_CONTAINS(buf_cstr(&out), "/api/v1/subscriptions?filter=state%3D%22filtered%22&amp;format="
                                   "csv\">and 5 more filtered</a>");
    CHECK(!strstr(buf_cstr(&out), ">One</th>")); /* it is seen */
}

TEST(status_says_which_machines_nobody_looks_into)
{
    WORLD(world);
    CLEANUP(buf_finish) struct buf out = { 0 };
    struct part *part = part_create(SOURCE(prerequisites));
    show(world.snapshot, &view, &out);
    CHECK(!strstr(buf_cstr(&out), "<dt>Machines</dt>")); /* none is known */
    world_feed(&world, part, 0, 0,
               "[{\"id\":\"/m\",\"subscriptionId\":\"s-1\",\"machineKind\":\"arc\",\"power\":"
               "\"Expired\",\"configuration\":0,\"configurationWorks\":0,\"logAnalytics\":0}]");
    world_conclude(&world, part);
    buf_reset(&out);
    show(world.snapshot, &view, &out);
    CHECK_CONTAINS(buf_cstr(&out),
                   "<dt>Machines</dt><dd>1 of 1 machines are not looked at, because "
                   "1 is disconnected from Azure Arc</dd>");
}

/* How much there is of what is graver than a recommendation. */
TEST(status_counts_attack_paths_and_security_alerts)
{
    WORLD(world);
    CLEANUP(buf_finish) struct buf out = { 0 };
    struct part *paths = part_create(SOURCE(attack_paths)),
                *alerts = part_create(SOURCE(security_alerts));
    world_discover(&world, WORLD_BOTH);
    show(world.snapshot, &view, &out);
    CHECK(!strstr(buf_cstr(&out), "<dt>Attack paths</dt>"));
    CHECK(!strstr(buf_cstr(&out), "<dt>Security alerts</dt>"));
    world_feed(&world, paths, 0, 3,
               "[" PATH("a", "High") "," PATH("b", "Critical") "," PATH("c", "High") "," PATH(
                   "d", "") "]");
    world_feed(
        &world, alerts, 0, 1,
        "[" ALERT("a", "Active") "," ALERT("b", "InProgress") "," ALERT("c", "Dismissed") "]");
    world_conclude(&world, paths);
    world_conclude(&world, alerts);
    buf_reset(&out);
    show(world.snapshot, &view, &out);
    CHECK_CONTAINS(buf_cstr(&out),
                   "<dt>Attack paths</dt><dd>4 are open: 1 critical, 2 high, 1 not evaluated</dd>\n"
                   "<dt>Security alerts</dt><dd>1 is active: 1 medium</dd>\n");
}

TEST(status_shows_how_the_last_run_went)
{
    struct snapshot_store *store = snapshot_store_create(test_sources());
    struct source_status good = { .enabled = true,
                                  .attempted = true,
                                  .success = true,
                                  .last_success_at = 1700000000,
                                  .duration_ms = 1500,
                                  .interval_ms = 900000,
                                  .rows = 1234 };
    struct source_status bad = good;
    bad.success = false;
    error_set(&bad.error, ERROR_FORBIDDEN, "graph: <b>denied</b>");
    snapshot_publish(store, SOURCE(subscriptions), part_create(SOURCE(subscriptions)), &good);
    snapshot_publish(store, SOURCE(assessments), NULL, &bad);
    CLEANUP(buf_finish) struct buf out = { 0 };
    render(store, &view, &out);
    CHECK_CONTAINS(buf_cstr(&out), "<th scope=\"row\">Recommendations <span class=\"soft\">"
                                   "assessments</span></th>");
    CHECK_CONTAINS(buf_cstr(&out), "1h ago");
    CHECK_CONTAINS(buf_cstr(&out), "1\u202f234");
    CHECK_CONTAINS(buf_cstr(&out), "1s500ms");
    CHECK_CONTAINS(buf_cstr(&out), "15m");
    CHECK_CONTAINS(buf_cstr(&out), "graph: &lt;b&gt;denied&lt;/b&gt;");
    CHECK_CONTAINS(buf_cstr(&out), "class=\"bad\"");
    snapshot_store_destroy(store);
}

TEST(texts_of_others_are_escaped_everywhere)
{
    struct snapshot_store *store = snapshot_store_create(test_sources());
    struct status_view hostile = view;
    static const struct status_tenant bad = { "<script>", "<script>", "<script>", "<script>" };
    hostile.tenants = &bad;
    hostile.tenant_count = 1;
    hostile.config_file = hostile.reload_error = "<script>";
    hostile.variants = (const char *const[64]){ "<script>" };
    CLEANUP(buf_finish) struct buf out = { 0 };
    render(store, &hostile, &out);
    CHECK(!strstr(buf_cstr(&out), "<script"));
    CHECK(!strstr(buf_cstr(&out), "<tenant>"));
    CHECK(!strstr(buf_cstr(&out), "://")); /* nothing from elsewhere */
    snapshot_store_destroy(store);
}
