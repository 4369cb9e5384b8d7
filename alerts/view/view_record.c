#include "alerts/view/view_record.h"

#include <string.h>

#include "alerts/text/match.h"
#include "core/hash.h"

static bool is_cell(const struct record_field *field)
{
    return !field->derived && field->type != RECORD_TYPE_LIST;
}

static enum view_value_kind kind_of(enum record_type type)
{
    switch (type) {
    case RECORD_TYPE_BOOL:
        return VIEW_FLAG;
    case RECORD_TYPE_UNSIGNED:
    case RECORD_TYPE_INTEGER:
    case RECORD_TYPE_DURATION:
        return VIEW_INTEGER;
    case RECORD_TYPE_NUMBER:
        return VIEW_NUMBER;
    case RECORD_TYPE_INSTANT:
        return VIEW_TIME;
    default:
        return VIEW_TEXT;
    }
}

void view_record_columns(const struct record_field *fields,
                         struct view_column columns[VIEW_COLUMNS_MAX])
{
    size_t count = 0;
    for (; fields->type && count + 1 < VIEW_COLUMNS_MAX; fields++)
        if (is_cell(fields))
            columns[count++] = (struct view_column){ fields->name, kind_of(fields->type),
                                                     fields->help, false };
    columns[count] = (struct view_column){ 0 };
}

/* team="cloud", risk_level="high" */
static const char *labels_of(const struct record_field *field, const void *data,
                             struct arena *arena)
{
    const struct match_label *labels =
        (const void *)((const char *)data + field->offset);
    size_t count = *(const size_t *)(const void *)((const char *)data + field->count_offset);
    CLEANUP(buf_finish) struct buf text = { 0 };
    for (size_t i = 0; i < count; i++) {
        const struct match match = { .name = labels[i].name, .value = labels[i].value };
        buf_text(&text, i ? ", " : "");
        match_print(&match, &text);
    }
    return arena_text(arena, buf_cstr(&text));
}

static void fill(const struct record_field *field, const void *data, struct arena *arena,
                 struct view_value *value)
{
    const void *at = (const char *)data + field->offset;
    char id[2 * sizeof(struct finding_id) + 1] = "";
    switch (field->type) {
    case RECORD_TYPE_TEXT:
        value->text = *(const char *const *)at;
        return;
    case RECORD_TYPE_CHARS:
        value->text = at;
        return;
    case RECORD_TYPE_WORD:
        value->text = field->words[*(const int *)at];
        return;
    case RECORD_TYPE_BOOL:
        value->integer = *(const bool *)at;
        return;
    case RECORD_TYPE_UNSIGNED:
        value->integer = *(const uint32_t *)at;
        return;
    case RECORD_TYPE_INTEGER:
    case RECORD_TYPE_DURATION:
    case RECORD_TYPE_INSTANT:
        value->integer = *(const int64_t *)at;
        return;
    case RECORD_TYPE_NUMBER:
        value->number = *(const double *)at;
        return;
    case RECORD_TYPE_FINDING:
        if (*(const bool *)((const char *)data + field->count_offset))
            hash_hex(at, sizeof(struct finding_id), id);
        value->text = arena_text(arena, id);
        return;
    case RECORD_TYPE_LABELS:
        value->text = labels_of(field, data, arena);
        return;
    case RECORD_TYPE_LIST:
    case RECORD_END:
        return;
    }
}

void view_record_values(const struct record_field *fields, const void *data, struct arena *arena,
                        struct view_value values[VIEW_COLUMNS_MAX])
{
    size_t count = 0;
    for (; fields->type && count + 1 < VIEW_COLUMNS_MAX; fields++)
        if (is_cell(fields))
            fill(fields, data, arena, &values[count++]);
}
