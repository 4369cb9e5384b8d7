#pragma once
/* What a block says of attack paths: of one that is a finding itself, what it leads through; of any
 * other finding, which paths lie across it, for whoever fixes it breaks them. */
#include "alerts/rules/notification.h"
#include "collectors/attack_paths_across.h"
#include "collectors/baselines_explain.h"

/* The paths across the findings of a block, each once. None but rule: ready. */
struct notification_paths {
    struct baselines_explained *rule; /* gets the texts of a path, which no catalogue has */
    struct notification_path {
        const struct attack_path *path;
        const struct notification_path *before;
    } * last;
    size_t count;
    const char *names; /* of the first few */
};

/* Add what is known of the finding the last resource of the block stands for. */
void notification_paths(struct notification_paths *paths, const struct snapshot *snapshot,
                        const struct finding *finding, struct arena *arena,
                        struct notification_block *block);
