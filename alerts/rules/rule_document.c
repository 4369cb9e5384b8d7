/* The rules reference, printed from the tables that rules are read with. */
#include <string.h>

#include "alerts/rules/notification.h"
#include "alerts/rules/rule.h"

/* may: whether rules may name them. */
static void append_events(struct buf *out, bool may)
{
    buf_text(out, "| event | meaning |\n| --- | --- |\n");
    for (const struct event_name *name = event_names; name->word; name++)
        if ((name->kinds != 0) == may)
            buf_printf(out, "| `%s` | %s |\n", name->word, name->help);
}

void rule_document(struct buf *out)
{
    buf_text(out, "A rule file with every key; a rule has `event`, or `metric` with one of `above`,"
                  " `below`,\n`drop` and `absent`:\n\n```yaml\n");
    options_document(rule_options, out);
    buf_text(out, "```\n\nEvents that `event` may name:\n\n");
    append_events(out, true);
    buf_text(out, "\nEvents that only messages have:\n\n");
    append_events(out, false);
    buf_text(out,
             "\nMatchers of event rules (`=`, `!=`, `=~`, `!~`) may ask for these labels, those"
             " of rules over metrics\nfor the metric's own:\n");
    for (const char *const *label = rule_event_labels; *label; label++)
        buf_printf(out, "%s`%s`", label == rule_event_labels ? "" : ", ", *label);
    buf_text(out, ", `tag_<name>` for each of `alerts.tags`, and `governance_owner` "
                  "where\n`alerts.governance_owner` is true");
    buf_text(out, "\n\nFields that `title` and `text` may use:\n\n");
    template_document(notification_fields, out);
}
