#include "alerts/receivers/receivers.h"

#include <string.h>

const struct receiver_kind *const receivers_kinds[RECEIVERS_COUNT] = {
#define RECEIVERS_KIND(name) [RECEIVERS_##name] = &name##_kind,
    RECEIVERS_LIST(RECEIVERS_KIND)
#undef RECEIVERS_KIND
};

/* Where an entry keeps a kind's section. */
static const struct place {
    size_t config, line;
} places[RECEIVERS_COUNT] = {
#define RECEIVERS_PLACE(name)                                                                      \
    [RECEIVERS_##name] = { offsetof(struct receivers_config, name),                                \
                           offsetof(struct receivers_config, name##_line) },
    RECEIVERS_LIST(RECEIVERS_PLACE)
#undef RECEIVERS_PLACE
};

/* clang-format off */
#define RECEIVERS_OPTION(kind)                                                             \
    { #kind, OPTION_SECTION(struct receivers_config, kind),                     \
      .section = kind##_options, OPTION_LINE(struct receivers_config, kind##_line), \
      .help = "One of the kinds:" },

const struct option receivers_options[] = {
    { "name", OPTION_TEXT(struct receivers_config, name), .required = true,
      OPTION_LINE(struct receivers_config, line),
      .help = "What routes call it." },
    { "send_resolved", OPTION_BOOL(struct receivers_config, send_resolved),
      .otherwise = "true", .help = "Tell when it is over, too." },
    { "rate", OPTION_NUMBER(struct receivers_config, rate), .otherwise = "0",
      .min = 0, .max = 1000, .help = "Messages a second; 0 = as the kind stands it." },
    { "burst", OPTION_NUMBER(struct receivers_config, burst), .otherwise = "0",
      .min = 0, .max = 10000, .help = "Messages at once; 0 = as the kind stands it." },
    { "expire", OPTION_DURATION(struct receivers_config, expire_ms),
      .otherwise = "0", .min = 0, .max = 90 * 86400e3,
      .help = "Give a message up after so long; 0 = 1d for pagers, 3d for chats and mail." },
    RECEIVERS_LIST(RECEIVERS_OPTION)
    { 0 }
};
/* clang-format on */

static const void *section_at(const struct receivers_config *config, size_t offset)
{
    return (const char *)config + offset;
}

const struct receiver_kind *receivers_kind(const struct receivers_config *config,
                                           const void **kind_config)
{
    const struct receiver_kind *kind = NULL;
    for (size_t i = 0; i < RECEIVERS_COUNT; i++) {
        if (!*(const int *)section_at(config, places[i].line))
            continue;
        if (kind)
            return NULL;
        kind = receivers_kinds[i];
        *kind_config = section_at(config, places[i].config);
    }
    return kind;
}

size_t receivers_targets(const struct receivers_config *config)
{
    const void *kind_config;
    const struct receiver_kind *kind = receivers_kind(config, &kind_config);
    return kind && kind->targets ? kind->targets(kind_config) : 1;
}

enum receiver_incidents receivers_incidents(const struct receivers_config *config)
{
    const void *kind_config;
    const struct receiver_kind *kind = receivers_kind(config, &kind_config);
    return kind && kind->incidents ? kind->incidents(kind_config) : RECEIVER_NO_INCIDENTS;
}

bool receivers_threads(const struct receivers_config *config)
{
    const void *kind_config;
    const struct receiver_kind *kind = receivers_kind(config, &kind_config);
    return kind && kind->threads && kind->threads(kind_config);
}

const char *receivers_no_reports(const struct receivers_config *config)
{
    const void *kind_config;
    const struct receiver_kind *kind = receivers_kind(config, &kind_config);
    return kind && kind->no_reports ? kind->no_reports(kind_config) : NULL;
}

bool receivers_to_owners(const struct receivers_config *config)
{
    const void *kind_config;
    const struct receiver_kind *kind = receivers_kind(config, &kind_config);
    return kind && kind->to_owners && kind->to_owners(kind_config);
}

/* "webhook, alertmanager, ..." */
static void append_kinds(struct buf *out)
{
    for (size_t i = 0; i < RECEIVERS_COUNT; i++)
        buf_printf(out, "%s%s", i ? ", " : "", receivers_kinds[i]->name);
}

void receivers_check(const struct option_items *receivers, const char *file,
                     struct option_report *report)
{
    const struct receivers_config *configs = receivers->items;
    for (size_t i = 0; i < receivers->count; i++) {
        const void *kind_config;
        const struct receiver_kind *kind = receivers_kind(&configs[i], &kind_config);
        const char *name = configs[i].name ? configs[i].name : "";
        if (!kind && !configs[i].wrong) {
            CLEANUP(buf_finish) struct buf kinds = { 0 };
            append_kinds(&kinds);
            options_complain(report, file, configs[i].line, "receivers",
                             "%s needs exactly one of %s", name, buf_cstr(&kinds));
        }
        for (size_t j = 0; j < i; j++)
            if (configs[j].name && *name && !strcmp(configs[j].name, name))
                options_complain(report, file, configs[i].line, "receivers",
                                 "%s is there already in line %d", name, configs[j].line);
        if (kind && kind->check)
            kind->check(kind_config, file, configs[i].line, report);
    }
}
