#include "exporter/pages/profiles_list.h"

#include <string.h>

#include "collectors/collector.h"
#include "collectors/mdvm_baselines.h"
#include "exporter/pages/known.h"

#define COLLECTOR "mdvm_baselines"

static bool is_on(const struct snapshot *snapshot)
{
    bool on = false;
    for (size_t i = 0; i < snapshot->sources->count; i++)
        on = on || (!strcmp(snapshot->sources->sources[i].collector->name, COLLECTOR) &&
                    (snapshot->status[i].enabled || snapshot->parts[i]));
    return on;
}

static void append_profile(struct page_table *table, const struct mdvm_baselines_profile *profile)
{
    struct page *page = table->page;
    page_table_row(table);
    page_table_cell(table);
    page_text(page, *profile->name ? profile->name : profile->id);
    page_table_cell(table);
    page_text(page, profile->benchmark);
    page_html(page, *profile->version ? " " : "");
    page_text(page, profile->version);
    page_table_cell(table);
    page_text(page, profile->system);
    page_table_cell(table);
    page_text(page, profile->level);
    page_table_cell(table);
    page_number(page, profile->devices[0]);
    page_table_cell(table);
    page_number(page, profile->devices[1]);
}

void profiles_list(struct page *page)
{
    static const struct page_column columns[] = {
        { "Profile", false }, { "Benchmark", false },      { "System", false },
        { "Level", false },   { "Devices passing", true }, { "Failing", true },
        { NULL, false },
    };
    const struct snapshot *snapshot = page->snapshot;
    struct page_table table = { page, columns };
    if (!is_on(snapshot))
        return;
    page_heading(page, "Profiles of Vulnerability Management");
    if (!known_say(page, COLLECTOR))
        return;
    page_table_begin(&table, "Active profiles, and the devices that meet them");
    for (size_t i = 0; i < snapshot->sources->count; i++) {
        size_t count;
        const struct mdvm_baselines_profile *profiles =
            mdvm_baselines_profiles(snapshot->parts[i], &count);
        for (size_t n = 0; n < count; n++)
            append_profile(&table, &profiles[n]);
    }
    page_table_end(&table);
}
