#pragma once
/* The data of Azure as bytes, in every format that is asked for: made once of one metric set, and
 * compressed ahead for who asked for that lately. */
#include <stdatomic.h>

#include "core/gzip.h"
#include "exporter/formats/encoding.h"

enum rendition_coding { RENDITION_IDENTITY, RENDITION_GZIP, RENDITION_CODINGS };

/* For so long after a scrape the next one is expected. */
enum { RENDITION_AHEAD_MS = 600000 };

/* One format. The bytes belong to whoever renders; the numbers are for all threads. */
struct rendition {
    const struct encoding *encoding;
    struct buf bytes; /* with what begins a body */
    bool is_rendered;
    struct gzip_piece packed; /* the same, compressed */
    bool is_packed;
    _Atomic int64_t asked_at_ms[RENDITION_CODINGS]; /* monotonic; 0 = never */
    _Atomic uint64_t asked[RENDITION_CODINGS];      /* how often */
    _Atomic uint64_t count[RENDITION_CODINGS];      /* bytes of the last rendering; 0 = none */
    _Atomic int64_t render_us;                      /* how long that took */
};

/* Zeroed = of no format. */
struct rendition_set {
    struct rendition formats[ENCODINGS_MAX];
    size_t count;
};

void rendition_set_init(struct rendition_set *all, const struct encoding *formats, size_t count);
void rendition_set_finish(struct rendition_set *all);

/* Somebody got a format, or a part of it that was made for nobody else. Any thread. */
void rendition_count(struct rendition *rendition, enum rendition_coding coding);

/* Somebody asks for a format; counts, too. now_ms: monotonic, not 0. Any thread. */
void rendition_ask(struct rendition *rendition, enum rendition_coding coding, int64_t now_ms);

/* Whether somebody asked for it lately. Any thread. */
bool rendition_expected(const struct rendition *rendition, enum rendition_coding coding,
                        int64_t now_ms);

/* The data are new: throw away what there is, render the set in the formats that are expected. */
void rendition_set_renew(struct rendition_set *all, const struct encoding_options *options,
                         const struct metric_set *set, int64_t now_ms);

/* Render one format of the set, unless it is there. */
void rendition_render(struct rendition *rendition, const struct encoding_options *options,
                      const struct metric_set *set);

/* Compress what is rendered, unless it is. */
void rendition_pack(struct rendition *rendition);

/* Add what is known of formats; begun_at: since when they are counted, Unix seconds. Any thread. */
void rendition_set_emit(const struct rendition_set *all, double begun_at, struct metric_set *set);

extern const struct family *const rendition_families[];
