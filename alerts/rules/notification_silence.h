#pragma once
/* The commands that silence what a message is about: exactly its alerts, whatever their labels
 * hold, ready to be pasted into a shell. Pure. */
#include "alerts/rules/alert.h"
#include "alerts/rules/rule.h"
#include "alerts/text/match.h"

/* Alerts that no silence may cover: those of any of the lists. */
struct silence_never {
    struct match_list *lists; /* compiled */
    size_t count;
};

/* Append how these alerts are silenced, those that are resolved left out:
 *   defender_exporter silence add --duration=4h --comment='...' 'alertname="X"' 'finding_id="01"'
 * Several that differ in one label are one command with name=~"a|b", others have commands of their
 * own, joined with &&. Each names the rule and what tells the alerts of that rule apart, never a
 * label that only describes them: no other alert is covered, and the same one is when its risk
 * changes.
 * program: the command up to its matchers. rules: those of the alerts; NULL = every label counts.
 * never: NULL = none; such alerts are left out, too, and where another could become one the command
 * excludes that, or it would be refused.
 * Nothing is appended when no alert is left, or when it takes more than four commands or 1,500
 * bytes: some receivers would show half of it. */
void notification_silence(const char *program, const struct rule_set *rules,
                          const struct silence_never *never, const struct alert *alerts,
                          size_t count, struct buf *out);

/* The same for a group of which not every alert is at hand: by the labels it is made of, which also
 * covers who joins it. Nothing is appended unless alertname is one of them and none is empty. */
void notification_silence_group(const char *program, const struct silence_never *never,
                                const struct match_label *labels, size_t count, struct buf *out);

/* Append the matchers of one alert and no other, a line each, with those that exclude what is never
 * silenced. False, with nothing appended, when no silence may cover it. */
bool notification_silence_matchers(const struct rule_set *rules, const struct silence_never *never,
                                   const struct alert *alert, struct buf *out);

/* The two programs. config_file: "" = the default one. */
void notification_silence_own(const char *config_file, struct buf *out);
void notification_silence_amtool(const char *external_url, struct buf *out);
