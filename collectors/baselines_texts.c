#include "collectors/baselines_texts.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "core/buf.h"
#include "core/memory.h"

enum { RULES_MAX = 4096 }; /* ten times what both baselines have: operators add some */

struct baselines_texts {
    struct intern ids; /* of rules: number n is rules[n - 1] */
    struct intern strings;
    struct baselines_rule_text *rules;
    size_t capacity;
};

struct baselines_texts *baselines_texts_create(void)
{
    return MEMORY_NEW(struct baselines_texts);
}

void baselines_texts_destroy(struct baselines_texts *texts)
{
    if (!texts)
        return;
    intern_finish(&texts->ids);
    intern_finish(&texts->strings);
    free(texts->rules);
    free(texts);
}

static const char *keep(struct baselines_texts *texts, const char *text)
{
    return intern_text(&texts->strings, intern_put(&texts->strings, text, strlen(text)));
}

/* "" where a text says nothing. source: sub-assessments of other recommendations. */
static const char *said(const char *text)
{
    static const char *const nothing[] = { "N/A", "NA", "None", "null" };
    text += strspn(text, " \t\r\n");
    for (size_t i = 0; i < ARRAY_COUNT(nothing); i++)
        if (!strcasecmp(text, nothing[i]))
            return "";
    return text;
}

void baselines_texts_add(struct baselines_texts *texts, const char *rule_id,
                         const char *description, const char *impact, const char *remediation)
{
    CLEANUP(buf_finish) struct buf why = { 0 };
    description = said(description);
    impact = said(impact);
    remediation = said(remediation);
    bool both = *description && *impact && strcmp(description, impact) != 0;
    buf_printf(&why, "%s%s%s", *description ? description : impact, both ? "<br><br>" : "",
               both ? impact : "");
    if ((!why.length && !*remediation) || texts->ids.count > RULES_MAX)
        return;
    size_t before = texts->ids.count;
    uint32_t number = intern_put(&texts->ids, rule_id, strlen(rule_id));
    if (!number)
        return;
    MEMORY_GROW(texts->rules, number - 1, texts->capacity);
    struct baselines_rule_text *rule = &texts->rules[number - 1];
    if (number >= before)
        *rule = (struct baselines_rule_text){ "", "" };
    if (!*rule->description)
        rule->description = keep(texts, buf_cstr(&why));
    if (!*rule->remediation)
        rule->remediation = keep(texts, remediation);
}

void baselines_texts_carry(struct baselines_texts *texts, const struct baselines_texts *older)
{
    for (uint32_t number = 1; older && number < older->ids.count; number++) {
        const struct baselines_rule_text *rule = &older->rules[number - 1];
        baselines_texts_add(texts, intern_text(&older->ids, number), rule->description, "",
                            rule->remediation);
    }
}

const struct baselines_rule_text *baselines_texts_find(const struct baselines_texts *texts,
                                                       const char *rule_id)
{
    uint32_t number = texts ? intern_find(&texts->ids, rule_id, strlen(rule_id)) : 0;
    return number && number != UINT32_MAX ? &texts->rules[number - 1] : NULL;
}
