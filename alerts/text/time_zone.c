/* Time zone files, version 2 and later: transitions with 64-bit instants, and behind them a text
 * with the rule for the years after the last one. source: RFC 8536 sections 3.1 to 3.3. */
#include "alerts/text/time_zone.h"

#include <ctype.h>
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "core/buf.h"

enum { HEADER_BYTES = 44, FILE_BYTES_MAX = 256 * 1024, DAY_S = 86400 };
static const char *const folders[] = { "/usr/share/zoneinfo/", "/usr/lib/zoneinfo/" };

/* "M3.5.0/2": month, week (5 = the last), weekday, seconds after midnight. */
struct rule_day {
    int month, week, weekday;
    int64_t second;
};

struct time_zone {
    size_t count;
    int64_t *instants, *offsets; /* from instants[i] on offsets[i] applies */
    int64_t first_offset;        /* before the first */
    bool has_rule, has_summer;   /* the text behind the transitions */
    int64_t winter_offset, summer_offset;
    struct rule_day summer, winter; /* when each begins, by the clock that ends then */
};

/* --- the rule behind the transitions ---------------------------------------------------------- */

static void skip_name(const char **at)
{
    if (**at == '<')
        *at += strcspn(*at, ">") + (strchr(*at, '>') != NULL);
    else
        while (isalpha((unsigned char)**at))
            ++*at;
}

/* "[+-]hh[:mm[:ss]]" in seconds. */
static int64_t read_time(const char **at)
{
    int64_t sign = **at == '-' ? -1 : 1, total = 0;
    *at += **at == '-' || **at == '+';
    for (int64_t unit = 3600; unit && isdigit((unsigned char)**at); unit /= 60) {
        char *end;
        total += strtol(*at, &end, 10) * unit;
        *at = end + (*end == ':');
    }
    return sign * total;
}

static bool read_day(const char **at, struct rule_day *day)
{
    int used = 0;
    day->second = 7200;
    if (sscanf(*at, ",M%2d.%1d.%1d%n", &day->month, &day->week, &day->weekday, &used) != 3)
        return false; /* Jn and n: no place in the database uses them */
    *at += used;
    if (**at == '/') {
        ++*at;
        day->second = read_time(at);
    }
    return day->month >= 1 && day->month <= 12 && day->week >= 1 && day->week <= 5 &&
           day->weekday <= 6;
}

static bool read_rule(const char *text, struct time_zone *zone)
{
    if (!*text)
        return true;
    skip_name(&text);
    zone->winter_offset = -read_time(&text);
    zone->has_rule = true;
    if (!*text)
        return true;
    skip_name(&text);
    zone->summer_offset = *text == ',' || !*text ? zone->winter_offset + 3600 : -read_time(&text);
    zone->has_summer = true;
    return read_day(&text, &zone->summer) && read_day(&text, &zone->winter) && !*text;
}

/* Local seconds, as if they were UTC, at which a rule's day and time come in a year. */
static int64_t rule_at(const struct rule_day *rule, int year)
{
    struct tm first = { .tm_year = year, .tm_mon = rule->month - 1, .tm_mday = 1 };
    struct tm after = { .tm_year = year, .tm_mon = rule->month, .tm_mday = 1 };
    int64_t begin = timegm(&first), end = timegm(&after);
    int64_t day = (rule->weekday - first.tm_wday + 7) % 7 + (rule->week - 1) * 7;
    while (begin + day * DAY_S >= end)
        day -= 7;
    return begin + day * DAY_S + rule->second;
}

static int64_t rule_offset(const struct time_zone *zone, int64_t at)
{
    if (!zone->has_summer)
        return zone->winter_offset;
    time_t local = (time_t)(at + zone->winter_offset);
    struct tm civil;
    gmtime_r(&local, &civil);
    int64_t summer = rule_at(&zone->summer, civil.tm_year) - zone->winter_offset;
    int64_t winter = rule_at(&zone->winter, civil.tm_year) - zone->summer_offset;
    bool is_summer = summer < winter ? at >= summer && at < winter : at >= summer || at < winter;
    return is_summer ? zone->summer_offset : zone->winter_offset;
}

/* --- the file --------------------------------------------------------------------------------- */

static int64_t big_endian(const unsigned char *bytes, size_t count)
{
    uint64_t value = bytes[0] & 0x80 ? UINT64_MAX : 0;
    for (size_t i = 0; i < count; i++)
        value = value << 8 | bytes[i];
    return (int64_t)value;
}

/* The counts of a header, in the order of the file. */
enum { UT, STANDARD, LEAPS, TIMES, TYPES, CHARS, COUNTS };

/* Bytes of the block that follows a header; 0 when it is none. */
static size_t read_header(const unsigned char *header, size_t left, size_t instant_bytes,
                          size_t counts[COUNTS])
{
    if (left < HEADER_BYTES || memcmp(header, "TZif", 4) != 0)
        return 0;
    for (size_t i = 0; i < COUNTS; i++) {
        counts[i] = (size_t)big_endian(header + 20 + i * 4, 4);
        if (counts[i] > FILE_BYTES_MAX)
            return 0;
    }
    return HEADER_BYTES + counts[TIMES] * (instant_bytes + 1) + counts[TYPES] * 6 + counts[CHARS] +
           counts[LEAPS] * (instant_bytes + 4) + counts[STANDARD] + counts[UT];
}

static bool read_transitions(const unsigned char *at, const size_t *counts, struct arena *arena,
                             struct time_zone *zone)
{
    const unsigned char *kinds = at + counts[TIMES] * 8, *types = kinds + counts[TIMES];
    zone->count = counts[TIMES];
    zone->instants = arena_alloc(arena, (zone->count + 1) * sizeof *zone->instants);
    zone->offsets = arena_alloc(arena, (zone->count + 1) * sizeof *zone->offsets);
    zone->first_offset = counts[TYPES] ? big_endian(types, 4) : 0;
    for (size_t i = 0; i < zone->count; i++) {
        if (kinds[i] >= counts[TYPES])
            return false;
        zone->instants[i] = big_endian(at + i * 8, 8);
        zone->offsets[i] = big_endian(types + (size_t)kinds[i] * 6, 4);
    }
    return true;
}

static bool read_zone(const struct buf *file, struct arena *arena, struct time_zone *zone)
{
    const unsigned char *bytes = (const unsigned char *)file->data;
    size_t counts[COUNTS];
    size_t old = read_header(bytes, file->length, 4, counts);
    if (!old || old > file->length || bytes[4] < '2')
        return false;
    size_t now = read_header(bytes + old, file->length - old, 8, counts);
    if (!now || now >= file->length - old ||
        !read_transitions(bytes + old + HEADER_BYTES, counts, arena, zone))
        return false;
    const char *rule = file->data + old + now + 1; /* between two line breaks */
    return read_rule(arena_copy(arena, rule, strcspn(rule, "\n")), zone);
}

static bool read_file(const char *name, struct buf *out)
{
    for (size_t i = 0; i < ARRAY_COUNT(folders); i++) {
        CLEANUP(buf_finish) struct buf path = { 0 };
        buf_printf(&path, "%s%s", folders[i], name);
        FILE *file = fopen(buf_cstr(&path), "re");
        if (!file)
            continue;
        char bytes[4096];
        for (size_t n; (n = fread(bytes, 1, sizeof bytes, file)) > 0 && !out->overflowed;)
            buf_append(out, bytes, n);
        bool ok = !ferror(file) && !out->overflowed;
        fclose(file);
        return ok;
    }
    return false;
}

const struct time_zone *time_zone_load(const char *name, struct arena *arena, struct error *error)
{
    struct time_zone *zone = arena_zalloc(arena, sizeof *zone);
    if (!strcmp(name, "UTC"))
        return zone;
    CLEANUP(buf_finish) struct buf file = { .limit_bytes = FILE_BYTES_MAX };
    if (!*name || *name == '/' || strstr(name, "..") || !read_file(name, &file)) {
        error_set(error, ERROR_CONFIG, "there is no time zone \"%s\" on this system", name);
        return NULL;
    }
    if (!read_zone(&file, arena, zone)) {
        error_set(error, ERROR_PARSE, "the file of time zone \"%s\" cannot be read", name);
        return NULL;
    }
    return zone;
}

int64_t time_zone_offset_s(const struct time_zone *zone, int64_t at)
{
    size_t low = 0, high = zone->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (zone->instants[middle] <= at)
            low = middle + 1;
        else
            high = middle;
    }
    if (low == zone->count && zone->has_rule)
        return rule_offset(zone, at);
    return low ? zone->offsets[low - 1] : zone->first_offset;
}
