#include "alerts/ledger/ledger_models.h"

#include <string.h>

#include "alerts/ledger/ledger_rows.h"
#include "collectors/assessments_model.h"

void ledger_models_finish(struct ledger_models *models)
{
    for (int model = 0; model < MODEL_COUNT; model++) {
        intern_finish(&models->before[model]);
        intern_finish(&models->now[model]);
    }
}

/* False when nobody knows of which kind it is. */
static bool make_key(const struct finding *finding, struct buf *key)
{
    const char *kind = finding->model == MODEL_INDIVIDUAL
                           ? finding->category
                           : assessments_model_kind(finding->assessment_id, finding->title);
    buf_reset(key);
    buf_printf(key, "%s|%s", kind, finding->resource_id);
    for (size_t i = 0; i < key->length; i++)
        if (key->data[i] >= 'A' && key->data[i] <= 'Z')
            key->data[i] = (char)(key->data[i] + ('a' - 'A'));
    return finding->model != MODEL_PLAIN && *kind;
}

static void put(struct intern *keys, const struct finding *finding)
{
    CLEANUP(buf_finish) struct buf key = { 0 };
    if (make_key(finding, &key))
        intern_put(&keys[finding->model], key.data, key.length);
}

static bool has_other(const struct intern *keys, const struct finding *finding)
{
    CLEANUP(buf_finish) struct buf key = { 0 };
    enum finding_model other =
        finding->model == MODEL_INDIVIDUAL ? MODEL_GROUPED : MODEL_INDIVIDUAL;
    return make_key(finding, &key) && intern_find(&keys[other], key.data, key.length) != UINT32_MAX;
}

/* Whether it is told in models at all. */
static bool has_models(const struct part *part)
{
    for (uint32_t i = 0; i < part->assessment_count; i++)
        if (part->assessments[i].model != MODEL_PLAIN)
            return true;
    return false;
}

static void look_at_rows(struct ledger_models *models, const struct part *part)
{
    char scratch[PART_ID_BYTES];
    struct finding view;
    for (size_t i = 0; i < part->finding_count; i++) {
        if (part->assessments[part->findings[i].assessment].model == MODEL_PLAIN)
            continue;
        part_view(part, i, &view, scratch);
        put(models->now, &view);
    }
}

bool ledger_models_look(struct ledger_models *models, const struct ledger *ledger,
                        const struct ledger_source *source, const struct part *part,
                        struct error *error)
{
    size_t closed = 0;
    bool any = false;
    if (!has_models(part))
        return true;
    for (size_t i = 0; i < source->count; i++) {
        const struct finding_id *id = &source->open[i].id;
        CLEANUP(intern_finish) struct intern texts = { 0 };
        struct finding finding;
        bool found;
        while (closed < part->closed_count && finding_id_compare(&part->closed[closed].id, id) < 0)
            closed++;
        bool is_closed =
            closed < part->closed_count && !finding_id_compare(&part->closed[closed].id, id);
        if ((is_closed && part->closed[closed].reason != REASON_RETIRED) ||
            part_find(part, id) >= 0)
            continue;
        if (!ledger_rows_read(ledger->database, ledger->list, id, &texts, &finding, &found, error))
            return false;
        if (!found || finding.model == MODEL_PLAIN)
            continue;
        put(models->before, &finding);
        any = true;
    }
    if (any)
        look_at_rows(models, part);
    return true;
}

bool ledger_models_takes_over(const struct ledger_models *models, const struct finding *finding)
{
    return has_other(models->before, finding);
}

bool ledger_models_is_replaced(const struct ledger_models *models, const struct finding *finding)
{
    return has_other(models->now, finding);
}
