#include "collectors/governance_rules.h"

#include <string.h>
#include <strings.h>

/* One condition of a rule. */
struct condition {
    const char *subscription_id, *rule_id, *title, *owner_type, *owner, *excluded, *set, *property,
        *value;
    int64_t priority;
    bool management_group;
};

const struct column governance_rules_columns[] = {
    COLUMN_KEY(struct condition, subscription_id, "subscriptionId"),
    COLUMN_KEY(struct condition, rule_id, "ruleId"),
    COLUMN_TEXT(struct condition, title, "title"),
    COLUMN_TEXT(struct condition, owner_type, "ownerType"),
    COLUMN_TEXT(struct condition, owner, "ownerValue"),
    COLUMN_LONG(struct condition, excluded, "excludedScopes"),
    COLUMN_KEY(struct condition, set, "conditionSet"),
    COLUMN_KEY(struct condition, property, "property"),
    COLUMN_LONG(struct condition, value, "value"),
    COLUMN_INTEGER(struct condition, priority, "priority"),
    COLUMN_BOOL(struct condition, management_group, "managementGroup"),
    { 0 }
};

static const struct kept_kind conditions = {
    KEPT_ROWS(struct condition),
    .texts = {
        KEPT_TEXT(struct condition, rule_id),
        KEPT_TEXT(struct condition, title),
        KEPT_TEXT(struct condition, owner_type),
        KEPT_TEXT(struct condition, owner),
        KEPT_TEXT(struct condition, excluded),
        KEPT_TEXT(struct condition, set),
        KEPT_TEXT(struct condition, property),
        KEPT_TEXT(struct condition, value),
    },
};

void governance_rules_fold(struct part *part, const void *row)
{
    const struct condition *condition = row;
    part_add_row(part, &conditions, condition->subscription_id, condition);
}

/* --- whether a condition holds ---------------------------------------------------------------- */

enum answer { NO, YES, NOBODY_KNOWS };

/* Whether a value, one text or a JSON array of texts, has this word, without case. */
static bool has_word(const char *value, const char *word)
{
    size_t length = strlen(word);
    if (*value != '[')
        return length && !strcasecmp(value, word);
    for (const char *at = value; length && (at = strchr(at, '"')); at += strcspn(at, "\"") + 1) {
        at++;
        if (strcspn(at, "\"") == length && !strncasecmp(at, word, length))
            return true;
        if (!strchr(at, '"'))
            break;
    }
    return false;
}

/* Properties as the portal and scripts write them: "$.AssessmentKey", "properties.metadata.risk".
 * source: Microsoft.Security governanceRules, examples; a public script for governance. */
static enum answer holds(const struct condition *condition, const struct finding *finding)
{
    const struct {
        const char *property, *word;
    } known[] = {
        { "assessmentkey", finding->assessment_id },
        { "name", finding->assessment_id },
        { "severity", finding_severity_words[finding->severity] },
        { "risk", finding_risk_words[finding->risk] },
        { "risklevel", finding_risk_words[finding->risk] },
        { "recommendationcategory", finding->model == MODEL_INDIVIDUAL ? finding->category : "" },
    };
    const char *dot = strrchr(condition->property, '.');
    const char *property = dot ? dot + 1 : condition->property;
    for (size_t i = 0; i < ARRAY_COUNT(known); i++)
        if (!strcasecmp(property, known[i].property))
            return has_word(condition->value, known[i].word) ? YES : NO;
    return NOBODY_KNOWS;
}

static bool is_excluded(const struct condition *condition, const struct finding *finding)
{
    for (const char *scope = condition->excluded; *scope;) {
        size_t length = strcspn(scope, ",");
        if (length && !strncasecmp(finding->resource_id, scope, length) &&
            strchr("/", finding->resource_id[length]))
            return true;
        scope += length + (scope[length] == ',');
    }
    return false;
}

/* Whether all conditions of the set this one is of hold. */
static enum answer set_holds(const struct condition *all, size_t count, const struct condition *one,
                             const struct finding *finding)
{
    enum answer answer = YES;
    for (size_t i = 0; i < count && answer != NO; i++) {
        if (strcmp(all[i].rule_id, one->rule_id) || strcmp(all[i].set, one->set))
            continue;
        enum answer of = holds(&all[i], finding);
        answer = of == YES ? answer : of;
    }
    return answer;
}

/* --- the rule --------------------------------------------------------------------------------- */

static bool is_before(const struct condition *left, const struct condition *right)
{
    if (left->management_group != right->management_group)
        return left->management_group;
    if (left->priority != right->priority)
        return left->priority < right->priority;
    return strcmp(left->rule_id, right->rule_id) < 0;
}

const char *governance_rules_title(const struct part *part, const struct finding *finding,
                                   const char *owner)
{
    size_t count;
    const struct condition *all = part_rows(part, &conditions, &count), *first = NULL;
    bool certain = true;
    for (size_t i = 0; i < count; i++) {
        const struct condition *one = &all[i];
        if (strcmp(one->subscription_id, finding->subscription_id) != 0 ||
            (first && !is_before(one, first)) || is_excluded(one, finding))
            continue;
        enum answer answer = set_holds(all, count, one, finding);
        if (answer == NO)
            continue;
        first = one;
        certain = answer == YES;
    }
    if (!first || !certain)
        return "";
    bool by_name = !strcasecmp(first->owner_type, "Manually");
    return by_name && strcasecmp(first->owner, owner) ? "" : first->title;
}
