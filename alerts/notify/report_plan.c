#include "alerts/notify/report_plan.h"

#include <string.h>

#include "core/near.h"

enum { DAY_MS = 86400 * 1000, NAME_BYTES = 64 };

const char *const report_plan_by_words[] = { "subscription", "management_group", "owner", NULL };

/* It stands in titles, and is the key of what is kept. */
static const char *check_name(const void *value)
{
    const char *name = *(const char *const *)value;
    bool plain = name && *name && strlen(name) <= NAME_BYTES &&
                 !name[strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
                                    "0123456789_-. ")];
    return !name || plain ? NULL : "is no name: letters, digits, space, \"-\", \"_\" and \".\"";
}

/* clang-format off */
#define CONFIG struct report_plan_config
const struct option report_plan_options[] = {
    { "name", OPTION_TEXT(CONFIG, name), .required = true, OPTION_LINE(CONFIG, name_line),
      .check = check_name, .help = "Stands in its title." },
    { "receivers", OPTION_TEXT_LIST(CONFIG, receivers), .required = true,
      .help = "Receivers that get it: mail, chats and webhooks. Routes and silences are for "
              "alerts, not for reports." },
    { "schedule", OPTION_SECTION(CONFIG, schedule), .section = schedule_options,
      .required = true, .help = "When it is due:" },
    { "since", OPTION_DURATION(CONFIG, since_ms), .otherwise = "7d", .min = 3600e3,
      .max = 400.0 * DAY_MS,
      .help = "How far back it looks from when it was due; days are those of the calendar." },
    { "by", OPTION_WORD(CONFIG, by), .otherwise = "subscription", .words = report_plan_by_words,
      OPTION_LINE(CONFIG, by_line),
      .help = "What its numbers are told apart by; owner needs governance_owner." },
    { 0 }
};
#undef CONFIG
/* clang-format on */

struct compiler {
    const struct report_plan_known *known;
    const char *file;
    struct option_report *report;
};

static const struct receivers_config *find(const struct report_plan_known *known, const char *name)
{
    for (size_t i = 0; i < known->receiver_count; i++)
        if (known->receivers[i].name && !strcmp(known->receivers[i].name, name))
            return &known->receivers[i];
    return NULL;
}

static void check_receiver(const struct compiler *compiler, const struct option_texts *names,
                           size_t which)
{
    CLEANUP(buf_finish) struct buf near = { 0 };
    const char *name = names->texts[which];
    const struct report_plan_known *known = compiler->known;
    const struct receivers_config *receiver = find(known, name);
    const char *why = receiver ? receivers_no_reports(receiver) : NULL;
    int line = options_line(names, which);
    if (!receiver && known->receiver_names) {
        near_append(name, known->receiver_names, &near);
        options_complain(compiler->report, compiler->file, line, "receivers",
                         "no receiver is called %s%s", name, buf_cstr(&near));
    }
    if (why)
        options_complain(compiler->report, compiler->file, line, "receivers",
                         "%s gets no report: %s", name, why);
}

static void check(const struct compiler *compiler, const struct report_plan_config *all,
                  size_t which)
{
    const struct report_plan_config *config = &all[which];
    for (size_t i = 0; i < which; i++)
        if (config->name && all[i].name && !strcmp(all[i].name, config->name))
            options_complain(compiler->report, compiler->file, config->name_line, "reports",
                             "%s is there already in line %d", config->name, all[i].name_line);
    if (!config->receivers.count && !config->wrong)
        options_complain(compiler->report, compiler->file, config->name_line, "receivers",
                         "nobody would get %s", config->name);
    for (size_t i = 0; i < config->receivers.count; i++)
        check_receiver(compiler, &config->receivers, i);
    if (config->by == REPORT_BY_OWNER && !compiler->known->owners)
        options_complain(compiler->report, compiler->file, config->by_line, "by",
                         "owner needs alerts.governance_owner: true");
}

const struct report_plan *report_plan_compile(const struct option_items *plans,
                                              const struct report_plan_known *known,
                                              const char *file, struct arena *arena,
                                              struct option_report *report)
{
    const struct compiler compiler = { known, file, report };
    const struct report_plan_config *all = plans->items;
    struct report_plan *made = arena_zalloc(arena, (plans->count + 1) * sizeof *made);
    for (size_t i = 0; i < plans->count; i++) {
        check(&compiler, all, i);
        made[i] = (struct report_plan){
            .config = &all[i],
            .schedule = schedule_compile(&all[i].schedule, file, arena, report),
            .schedule_hash = options_hash(schedule_options, &all[i].schedule, OPTIONS_HASH_OURS),
        };
    }
    return made;
}
