#pragma once
/* A subscription that changes from grouped to individual recommendations, or back: what was told in
 * one model is told in the other, and neither new nor fixed. */
#include "alerts/ledger/ledger_merge.h"

/* "kind|resource" of what is told in a model, or was. Zeroed is ready to use. */
struct ledger_models {
    struct intern before[MODEL_COUNT]; /* of open findings that the part shows no more */
    struct intern now[MODEL_COUNT];    /* of findings that it shows */
};
void ledger_models_finish(struct ledger_models *models);

/* Compare the open findings of a source with its part. */
bool ledger_models_look(struct ledger_models *models, const struct ledger *ledger,
                        const struct ledger_source *source, const struct part *part,
                        struct error *error) MUST_USE;

/* Whether a finding that opens tells in its model what was open in the other. */
bool ledger_models_takes_over(const struct ledger_models *models, const struct finding *finding);

/* Whether an open finding that is shown no more is told in the other model. */
bool ledger_models_is_replaced(const struct ledger_models *models, const struct finding *finding);
