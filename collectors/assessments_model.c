#include "collectors/assessments_model.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "core/buf.h"
#include "core/memory.h"

#define SOFTWARE_UPDATE "SoftwareUpdate"

enum finding_model assessments_model_of(const char *category, bool grouped)
{
    if (*category && strcasecmp(category, "Unknown") != 0)
        return MODEL_INDIVIDUAL;
    return grouped ? MODEL_GROUPED : MODEL_PLAIN;
}

enum odd_reason assessments_model_status(const char *code, const char *cause, const char *risk,
                                         enum finding_status *status, struct error *error)
{
    *status = finding_status(code, cause);
    bool is_code = *status == STATUS_COUNT;
    if (!is_code && (*status != STATUS_UNHEALTHY || finding_risk_is_known(risk)))
        return ODD_NONE;
    error_set(error, ERROR_PARSE, "the %s \"%.40s\" is not known", is_code ? "status" : "risk",
              is_code ? code : risk);
    return ODD_WORD;
}

bool assessments_model_is_baseline(const char *category)
{
    return strcasestr(category, "baseline") != NULL;
}

/* source: the vendor's workbooks and reference of recommendations. */
static const struct {
    const char *key, *category;
} keys[] = {
    { "c0b7cfc6-3172-465a-b378-53c7ff2cc0d5", SOFTWARE_UPDATE }, /* images of a registry */
    { "c27441ae-775c-45be-8ffa-655de37362ce", SOFTWARE_UPDATE }, /* of AWS */
    { "5cc3a2c1-8397-456f-8792-fe9d0d4c9145", SOFTWARE_UPDATE }, /* of GCP */
    { "1195afff-c881-495e-9bc5-1486211ae03f", SOFTWARE_UPDATE }, /* machines */
    { "4ab6e3c5-74dd-8b35-9ab9-f61b30875b27", SOFTWARE_UPDATE }, /* system updates */
    { "8c3d9ad0-3639-4686-9cd2-2b2ab2609bda", "" },              /* OS baselines: of no such kind */
    { "1f655fb7-63ca-4980-91a3-56dbc2b715c6", "" },
};

/* The first word that stands in a title decides. */
static const struct {
    const char *word, *category;
} words[] = {
    { "secret", "ExposedSecrets" },
    { "infrastructure as code", "IacVulnerabilities" },
    { "code scanning", "CodeVulnerabilities" },
    { "code vulnerab", "CodeVulnerabilities" },
    { "API ", "ApiVulnerabilities" },
    { "SQL", "SqlVulnerabilities" },
    { "vulnerab", SOFTWARE_UPDATE },
    { "update", SOFTWARE_UPDATE },
};

const char *assessments_model_kind(const char *assessment_id, const char *title)
{
    for (size_t i = 0; i < ARRAY_COUNT(keys); i++)
        if (!strcasecmp(assessment_id, keys[i].key))
            return keys[i].category;
    for (size_t i = 0; i < ARRAY_COUNT(words); i++)
        if (strcasestr(title, words[i].word))
            return words[i].category;
    return "";
}

/* "<category>|<resource id>", in lower case. */
static void put_key(struct buf *key, const char *resource_id, const char *category)
{
    buf_reset(key);
    buf_printf(key, "%s|%s", category, resource_id);
    for (size_t i = 0; i < key->length; i++)
        if (key->data[i] >= 'A' && key->data[i] <= 'Z')
            key->data[i] = (char)(key->data[i] + ('a' - 'A'));
    while (key->length && key->data[key->length - 1] == '/')
        key->length--;
}

void assessments_model_see(struct assessments_model_seen *seen, const char *resource_id,
                           const char *category)
{
    CLEANUP(buf_finish) struct buf key = { 0 };
    put_key(&key, resource_id, category);
    intern_put(&seen->keys, key.data, key.length);
}

static void name(struct assessments_model_seen *seen, struct part *part, const char *key,
                 const char *title)
{
    if (intern_put(&seen->named, key, strlen(key)) <= seen->title_count)
        return;
    MEMORY_GROW(seen->titles, seen->title_count, seen->title_capacity);
    seen->titles[seen->title_count++] = part_keep(part, title);
}

void assessments_model_name(struct assessments_model_seen *seen, struct part *part,
                            const char *assessment_id, const char *title)
{
    CLEANUP(buf_finish) struct buf key = { 0 };
    if (!*title)
        return;
    put_key(&key, "", assessment_id);
    name(seen, part, buf_cstr(&key), title);
}

void assessments_model_join(struct assessments_model_seen *seen, struct part *part,
                            const struct assessments_model_seen *other)
{
    for (uint32_t i = 1; other && i < other->keys.count; i++) {
        const char *key = intern_text(&other->keys, i);
        intern_put(&seen->keys, key, strlen(key));
    }
    for (uint32_t i = 1; other && i < other->named.count; i++)
        name(seen, part, intern_text(&other->named, i), other->titles[i - 1]);
}

/* The first rows that fail may be those without a title. */
static void fill_titles(struct part *part, const struct assessments_model_seen *seen)
{
    CLEANUP(buf_finish) struct buf key = { 0 };
    for (uint32_t i = 0; i < part->assessment_count; i++) {
        struct part_assessment *assessment = &part->assessments[i];
        if (assessment->model != MODEL_GROUPED || *assessment->title)
            continue;
        put_key(&key, "", assessment->id);
        uint32_t number = intern_find(&seen->named, key.data, key.length);
        if (number != UINT32_MAX)
            assessment->title = seen->titles[number - 1];
    }
}

void assessments_model_finish(struct assessments_model_seen *seen)
{
    intern_finish(&seen->named);
    free(seen->titles);
    intern_finish(&seen->keys);
}

static bool is_told_apart(const struct part *part, size_t index,
                          const struct assessments_model_seen *seen, struct buf *key)
{
    char scratch[PART_ID_BYTES];
    struct finding view;
    part_view(part, index, &view, scratch);
    const char *kind = assessments_model_kind(view.assessment_id, view.title);
    if (!*kind)
        return false;
    put_key(key, view.resource_id, kind);
    return intern_find(&seen->keys, key->data, key->length) != UINT32_MAX;
}

void assessments_model_settle(struct part *part, const struct assessments_model_seen *seen)
{
    CLEANUP(buf_finish) struct buf key = { 0 };
    fill_titles(part, seen);
    bool *closing = MEMORY_ARRAY(bool, part->finding_count + 1);
    for (size_t i = 0; i < part->finding_count && seen->keys.count; i++)
        closing[i] = part->assessments[part->findings[i].assessment].model == MODEL_GROUPED &&
                     is_told_apart(part, i, seen, &key);
    part_close(part, closing, REASON_RETIRED);
    free(closing);
}
