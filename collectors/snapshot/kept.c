#include "collectors/snapshot/kept.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "core/memory.h"

struct kept_saved {
    struct kept_saved *next; /* an older one */
    size_t table, place;
    char bytes[];
};

static const struct kept_table *table_find(const struct kept_rows *kept,
                                           const struct kept_kind *kind)
{
    for (size_t i = 0; i < kept->table_count; i++)
        if (kept->tables[i].kind == kind)
            return &kept->tables[i];
    return NULL;
}

static struct kept_table *table_of(struct kept_rows *kept, const struct kept_kind *kind)
{
    for (size_t i = 0; i < kept->table_count; i++)
        if (kept->tables[i].kind == kind)
            return &kept->tables[i];
    if (kept->table_count == KEPT_KINDS_MAX)
        memory_abort("a collector keeps more than %d kinds of rows", (int)KEPT_KINDS_MAX);
    struct kept_table *table = &kept->tables[kept->table_count++];
    table->kind = kind;
    return table;
}

/* Room for `count` elements; new ones are zeros. */
static void reserve(struct kept_table *table, size_t count)
{
    size_t before = table->capacity, more = before + before / 2;
    if (count <= before)
        return;
    table->capacity = more < count ? count + 15 : more;
    table->bytes = memory_extend(table->bytes, before, table->capacity, table->kind->bytes);
    if (table->kind->is_count)
        MEMORY_EXTEND(table->saved_at, before, table->capacity);
}

static char *element(const struct kept_table *table, size_t index)
{
    return table->bytes + index * table->kind->bytes;
}

static const char *text_at(const char *row, size_t offset)
{
    const char *text;
    memcpy(&text, row + offset, sizeof text);
    return text;
}

void kept_add(struct kept_rows *kept, const struct kept_kind *kind, const char *subscription_id,
              const void *row, struct intern *strings)
{
    struct kept_table *table = table_of(kept, kind);
    assert(!kind->is_count);
    reserve(table, table->count + 1);
    char *copy = element(table, table->count++);
    memcpy(copy, row, kind->bytes);
    memcpy(copy, &subscription_id, sizeof subscription_id);
    for (const struct kept_text *text = kind->texts; text->member; text++) {
        const char *given = text_at(copy, text->offset);
        const char *copied = intern_text(strings, intern_put(strings, given, strlen(given)));
        memcpy(copy + text->offset, &copied, sizeof copied);
    }
}

void *kept_all(const struct kept_rows *kept, const struct kept_kind *kind, size_t *count)
{
    const struct kept_table *table = table_find(kept, kind);
    *count = table ? table->count : 0;
    return *count ? table->bytes : NULL;
}

/* --- finding ---------------------------------------------------------------------------------- */
static const struct finding_id *id_at(const struct kept_table *table, size_t row)
{
    return (const struct finding_id *)(const void *)(element(table, row) + table->kind->found_by);
}

static int compare_ids(const void *left, const void *right, void *table)
{
    uint32_t a = *(const uint32_t *)left, b = *(const uint32_t *)right;
    int order = finding_id_compare(id_at(table, a), id_at(table, b));
    return order ? order : (a > b) - (a < b);
}

static void sort_by_id(struct kept_table *table)
{
    if (!table->kind->is_found || !table->count)
        return;
    table->order = MEMORY_ARRAY(uint32_t, table->count);
    for (size_t i = 0; i < table->count; i++)
        table->order[i] = (uint32_t)i;
    qsort_r(table->order, table->count, sizeof *table->order, compare_ids, table);
}

/* How many sorted rows have an id below this one, or up to it. */
static size_t count_below(const struct kept_table *table, const struct finding_id *id, bool up_to)
{
    size_t low = 0, high = table->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        int order = finding_id_compare(id_at(table, table->order[middle]), id);
        if (order < 0 || (up_to && !order))
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

const uint32_t *kept_places(const struct kept_rows *kept, const struct kept_kind *kind,
                            const struct finding_id *id, size_t *count)
{
    const struct kept_table *table = table_find(kept, kind);
    *count = 0;
    if (!table || !table->order)
        return NULL;
    size_t first = count_below(table, id, false);
    *count = count_below(table, id, true) - first;
    return *count ? &table->order[first] : NULL;
}

const void *kept_find(const struct kept_rows *kept, const struct kept_kind *kind,
                      const struct finding_id *id)
{
    size_t count;
    const uint32_t *places = kept_places(kept, kind, id, &count);
    return places ? element(table_find(kept, kind), places[count - 1]) : NULL;
}

/* --- counts ----------------------------------------------------------------------------------- */
/* Keep what stands at a place, once a mark, so that rewinding can bring it back. */
static void save(struct kept_rows *kept, struct kept_table *table, size_t place)
{
    if (table->saved_at[place] == kept->marks)
        return;
    struct kept_saved *saved = memory_resize(NULL, sizeof *saved + table->kind->bytes);
    saved->next = kept->saved;
    saved->table = (size_t)(table - kept->tables);
    saved->place = place;
    memcpy(saved->bytes, element(table, place), table->kind->bytes);
    kept->saved = saved;
    table->saved_at[place] = kept->marks;
}

void *kept_count(struct kept_rows *kept, const struct kept_kind *kind, size_t place)
{
    struct kept_table *table = table_of(kept, kind);
    assert(kind->is_count);
    reserve(table, place + 1);
    table->count = place < table->count ? table->count : place + 1;
    save(kept, table, place);
    return element(table, place);
}

const void *kept_counted(const struct kept_rows *kept, const struct kept_kind *kind, size_t place)
{
    static const _Alignas(max_align_t) char zeros[KEPT_STRUCT_MAX];
    const struct kept_table *table = table_find(kept, kind);
    return table && place < table->count ? element(table, place) : zeros;
}

/* --- going back and carrying over ------------------------------------------------------------- */
struct kept_mark kept_mark(struct kept_rows *kept)
{
    struct kept_mark mark = { .saved = kept->saved };
    for (size_t i = 0; i < kept->table_count; i++)
        mark.counts[i] = kept->tables[i].count;
    kept->marks++;
    return mark;
}

void kept_rewind(struct kept_rows *kept, const struct kept_mark *mark)
{
    while (kept->saved != mark->saved) {
        struct kept_saved *saved = kept->saved;
        struct kept_table *table = &kept->tables[saved->table];
        memcpy(element(table, saved->place), saved->bytes, table->kind->bytes);
        kept->saved = saved->next;
        free(saved);
    }
    for (size_t i = 0; i < kept->table_count; i++)
        if (!kept->tables[i].kind->is_count)
            kept->tables[i].count = mark->counts[i];
    kept->marks++; /* what changes from here is saved again for the marks that still stand */
}

static void forget_rows(struct kept_table *table, const char *subscription_id)
{
    size_t kept = 0;
    for (size_t i = 0; i < table->count; i++)
        if (strcmp(text_at(element(table, i), 0), subscription_id))
            memmove(element(table, kept++), element(table, i), table->kind->bytes);
    table->count = kept;
}

static void copy_rows(struct kept_rows *kept, const struct kept_table *from,
                      const char *subscription_id, struct intern *strings)
{
    for (size_t i = 0; i < from->count; i++)
        if (!strcmp(text_at(element(from, i), 0), subscription_id))
            kept_add(kept, from->kind, subscription_id, element(from, i), strings);
}

void kept_carry(struct kept_rows *kept, const struct kept_rows *older,
                const struct kept_subscription *subscription, struct intern *strings)
{
    for (size_t i = 0; i < kept->table_count; i++) {
        struct kept_table *table = &kept->tables[i];
        if (!table->kind->is_count)
            forget_rows(table, subscription->subscription_id);
        else if (subscription->place < table->count)
            memset(element(table, subscription->place), 0, table->kind->bytes);
    }
    for (size_t i = 0; older && i < older->table_count; i++) {
        const struct kept_table *from = &older->tables[i];
        if (!from->kind->is_count)
            copy_rows(kept, from, subscription->subscription_id, strings);
        else
            memcpy(kept_count(kept, from->kind, subscription->place),
                   kept_counted(older, from->kind, subscription->older_place), from->kind->bytes);
    }
}

struct kept_rows kept_copy(const struct kept_rows *kept)
{
    struct kept_rows copy = { .table_count = kept->table_count };
    for (size_t i = 0; i < kept->table_count; i++) {
        const struct kept_table *table = &kept->tables[i];
        copy.tables[i] = (struct kept_table){ .kind = table->kind,
                                              .count = table->count,
                                              .capacity = table->count };
        copy.tables[i].bytes = memory_array(table->count + 1, table->kind->bytes);
        if (table->count)
            memcpy(copy.tables[i].bytes, table->bytes, table->count * table->kind->bytes);
    }
    return copy;
}

static void forget_saved(struct kept_rows *kept)
{
    while (kept->saved) {
        struct kept_saved *saved = kept->saved;
        kept->saved = saved->next;
        free(saved);
    }
}

void kept_seal(struct kept_rows *kept)
{
    forget_saved(kept);
    for (size_t i = 0; i < kept->table_count; i++) {
        free(kept->tables[i].order);
        kept->tables[i].order = NULL;
        sort_by_id(&kept->tables[i]);
    }
}

void kept_finish(struct kept_rows *kept)
{
    forget_saved(kept);
    for (size_t i = 0; i < kept->table_count; i++) {
        free(kept->tables[i].bytes);
        free(kept->tables[i].order);
        free(kept->tables[i].saved_at);
    }
}
