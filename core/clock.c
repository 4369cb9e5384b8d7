#include "core/clock.h"

#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>

enum { DAY_S = 86400, PACE = 10, ADJUST_MS = 1000 };

static int64_t read_ms(clockid_t id)
{
    struct timespec now;
    clock_gettime(id, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* One for the process: time is the same everywhere in it. */
static struct {
    pthread_mutex_t lock;
    struct clock_follower follower;
} own = { .lock = PTHREAD_MUTEX_INITIALIZER };

static int64_t within(int64_t value, int64_t limit)
{
    return value > limit ? limit : value < -limit ? -limit : value;
}

int64_t clock_follow(struct clock_follower *follower, int64_t wall_ms, int64_t steady_ms)
{
    if (!follower->begun)
        *follower = (struct clock_follower){ .begun = true,
                                             .offset_ms = wall_ms - steady_ms,
                                             .adjusted_ms = steady_ms,
                                             .last_ms = wall_ms };
    int64_t passed_ms = steady_ms - follower->adjusted_ms;
    int64_t behind_ms = wall_ms - steady_ms - follower->offset_ms;
    int64_t offset_ms = follower->offset_ms + within(behind_ms, passed_ms / PACE);
    if (passed_ms >= ADJUST_MS) { /* rarely: a tenth of little is nothing */
        follower->offset_ms = offset_ms;
        follower->adjusted_ms = steady_ms;
    }
    if (steady_ms + offset_ms > follower->last_ms)
        follower->last_ms = steady_ms + offset_ms;
    return follower->last_ms;
}

int64_t clock_now_ms(void)
{
    pthread_mutex_lock(&own.lock);
    int64_t now_ms = clock_follow(&own.follower, read_ms(CLOCK_REALTIME), read_ms(CLOCK_BOOTTIME));
    pthread_mutex_unlock(&own.lock);
    return now_ms;
}

int64_t clock_now_s(void)
{
    return clock_now_ms() / 1000;
}

int64_t clock_lead_s(void)
{
    int64_t now_ms = clock_now_ms();
    return (clock_wall_ms() - now_ms) / 1000;
}

int64_t clock_wall_ms(void)
{
    return read_ms(CLOCK_REALTIME);
}

int64_t clock_monotonic_ms(void)
{
    return read_ms(CLOCK_MONOTONIC);
}

static int64_t read_us(clockid_t clock)
{
    struct timespec now;
    clock_gettime(clock, &now);
    return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

int64_t clock_monotonic_us(void)
{
    return read_us(CLOCK_MONOTONIC);
}

int64_t clock_thread_us(void)
{
    return read_us(CLOCK_THREAD_CPUTIME_ID);
}

void clock_sleep_ms(int64_t duration_ms)
{
    if (duration_ms <= 0)
        return;
    struct timespec duration = { duration_ms / 1000, duration_ms % 1000 * 1000000 };
    nanosleep(&duration, NULL);
}

/* --- durations ----------------------------------------------------------------------------- */

/* whole: written only when nothing is left over, so that 36h stays 36h and not 1d12h. */
static const struct {
    const char *name;
    int64_t ms;
    bool whole;
} units[] = {
    { "y", 365LL * DAY_S * 1000, true },
    { "w", 7LL * DAY_S * 1000, true },
    { "d", 1000LL * DAY_S, true },
    { "h", 3600000, false },
    { "m", 60000, false },
    { "s", 1000, false },
    { "ms", 1, false },
};

/* One "<digits><unit>" at *text; only units after *unit are allowed. Moves both on. */
static bool add_part(const char **text, size_t *unit, int64_t *total_ms)
{
    int64_t count = 0;
    const char *at = *text;
    for (; *at >= '0' && *at <= '9'; at++) {
        if (__builtin_mul_overflow(count, 10, &count) ||
            __builtin_add_overflow(count, *at - '0', &count))
            return false;
    }
    size_t letters = strspn(at, "abcdefghijklmnopqrstuvwxyz");
    if (at == *text || !letters)
        return false;
    for (; *unit < ARRAY_COUNT(units); ++*unit) {
        if (strlen(units[*unit].name) == letters && !memcmp(units[*unit].name, at, letters))
            break;
    }
    if (*unit == ARRAY_COUNT(units) || __builtin_mul_overflow(count, units[*unit].ms, &count) ||
        __builtin_add_overflow(*total_ms, count, total_ms))
        return false;
    ++*unit;
    *text = at + letters;
    return true;
}

bool clock_parse_duration(const char *text, int64_t *duration_ms, struct error *error)
{
    int64_t total_ms = 0;
    size_t unit = 0;
    const char *at = text;
    bool ok = *at != '\0';
    if (!strcmp(at, "0"))
        at++;
    while (ok && *at)
        ok = add_part(&at, &unit, &total_ms);
    if (!ok)
        return error_set(error, ERROR_CONFIG, "\"%.40s\" is not a duration like 30s, 15m or 1h30m",
                         text);
    *duration_ms = total_ms;
    return true;
}

char *clock_format_duration(int64_t duration_ms, char out[48])
{
    int64_t rest = duration_ms;
    size_t length = 0;
    for (size_t i = 0; i < ARRAY_COUNT(units) && rest > 0; i++) {
        int64_t count = rest / units[i].ms;
        if (!count || (units[i].whole && rest % units[i].ms))
            continue;
        length +=
            (size_t)snprintf(out + length, 48 - length, "%lld%s", (long long)count, units[i].name);
        rest -= count * units[i].ms;
    }
    if (!length)
        memcpy(out, "0s", 3);
    return out;
}

/* --- instants ------------------------------------------------------------------------------ */

/* Days from 1970-01-01 in the proleptic Gregorian calendar. The year is counted from March, so
 * that the leap day is its last day and month lengths follow one formula. */
static int64_t days_from_date(int year, int month, int day)
{
    int from_march = year - (month <= 2);
    int month_index = month > 2 ? month - 3 : month + 9;
    int day_of_year = (153 * month_index + 2) / 5 + day - 1;
    int era = (from_march >= 0 ? from_march : from_march - 399) / 400;
    int year_of_era = from_march - era * 400;
    int day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    return (int64_t)era * 146097 + day_of_era - 719468;
}

/* The way back, of years from 1 on. */
static void date_from_days(int64_t days, int *year, int *month, int *day)
{
    int from_march = (int)(days + 719468), era = from_march / 146097;
    int day_of_era = from_march % 146097;
    int year_of_era =
        (day_of_era - day_of_era / 1460 + day_of_era / 36524 - day_of_era / 146096) / 365;
    int day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    int month_index = (5 * day_of_year + 2) / 153;
    *day = day_of_year - (153 * month_index + 2) / 5 + 1;
    *month = month_index < 10 ? month_index + 3 : month_index - 9;
    *year = year_of_era + era * 400 + (*month <= 2);
}

static int days_in_month(int year, int month)
{
    static const int days[] = { 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 };
    bool leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    return days[month - 1] + (month == 2 && leap);
}

/* Exactly `count` digits at *text, moving it on; -1 when there are fewer. */
static inline int read_digits(const char **text, int count)
{
    int value = 0;
    for (int i = 0; i < count; i++) {
        unsigned digit = (unsigned)(unsigned char)(*text)[i] - '0';
        if (digit > 9)
            return -1;
        value = value * 10 + (int)digit;
    }
    *text += count;
    return value;
}

/* True, moving on, when the next character is c. */
static inline bool skip(const char **text, char c)
{
    if (**text != c)
        return false;
    ++*text;
    return true;
}

static bool read_date(const char **text, int *year, int64_t *day_number)
{
    *year = read_digits(text, 4);
    if (*year < 0 || !skip(text, '-'))
        return false;
    int month = read_digits(text, 2);
    if (month < 1 || month > 12 || !skip(text, '-'))
        return false;
    int day = read_digits(text, 2);
    if (day < 1 || day > days_in_month(*year, month))
        return false;
    *day_number = days_from_date(*year, month, day);
    return true;
}

/* hh:mm, hh:mm:ss or hh:mm:ss.fraction. A leap second is read as the second after it. */
static bool read_time(const char **text, int64_t *second_of_day)
{
    int hour = read_digits(text, 2);
    if (hour < 0 || hour > 23 || !skip(text, ':'))
        return false;
    int minute = read_digits(text, 2);
    if (minute < 0 || minute > 59)
        return false;
    int second = 0;
    if (skip(text, ':')) {
        second = read_digits(text, 2);
        if (second < 0 || second > 60)
            return false;
        if (skip(text, '.')) {
            if (read_digits(text, 1) < 0)
                return false;
            while (**text >= '0' && **text <= '9')
                ++*text;
        }
    }
    *second_of_day = hour * 3600 + minute * 60 + second;
    return true;
}

/* "Z", "+02:00", "+0200" or nothing, then the end of the text. */
static bool read_zone(const char **text, int64_t *offset_s)
{
    *offset_s = 0;
    if (!**text)
        return true;
    if (skip(text, 'Z') || skip(text, 'z'))
        return !**text;
    int sign = **text == '+' ? 1 : -1;
    if (!skip(text, '+') && !skip(text, '-'))
        return false;
    int hours = read_digits(text, 2);
    skip(text, ':');
    int minutes = read_digits(text, 2);
    if (hours < 0 || hours > 23 || minutes < 0 || minutes > 59)
        return false;
    *offset_s = sign * (hours * 3600 + minutes * 60);
    return !**text;
}

static inline bool skip_separator(const char **text)
{
    return skip(text, 'T') || skip(text, 't') || skip(text, ' ');
}

bool clock_parse_rfc3339(const char *text, int64_t *at)
{
    int year = 0;
    int64_t days = 0, seconds = 0, offset_s = 0;
    if (*text && !read_date(&text, &year, &days))
        return false;
    if (*text &&
        (!skip_separator(&text) || !read_time(&text, &seconds) || !read_zone(&text, &offset_s)))
        return false;
    *at = year <= 1 ? 0 : days * DAY_S + seconds - offset_s;
    return true;
}

/* So many digits, and what follows them. Returns the end. */
static char *put_digits(char *out, int number, int count, char after)
{
    for (int i = count - 1; i >= 0; i--, number /= 10)
        out[i] = (char)('0' + number % 10);
    out[count] = after;
    return out + count + 1;
}

static char *format_instant(int64_t at, int ms, char out[32])
{
    static const int64_t first_at = -62135596800, last_at = 253402300799; /* of years 1 and 9999 */
    int year, month, day;
    if (at < first_at || at > last_at)
        at = first_at; /* no four digits say it: never */
    int64_t second = (at - first_at) % DAY_S;
    date_from_days((at - second) / DAY_S, &year, &month, &day);
    char *end = put_digits(out, year, 4, '-');
    end = put_digits(end, month, 2, '-');
    end = put_digits(end, day, 2, 'T');
    end = put_digits(end, (int)(second / 3600), 2, ':');
    end = put_digits(end, (int)(second / 60 % 60), 2, ':');
    end = put_digits(end, (int)(second % 60), 2, ms >= 0 ? '.' : 'Z');
    if (ms >= 0)
        end = put_digits(end, ms, 3, 'Z');
    *end = 0;
    return out;
}

char *clock_format_rfc3339(int64_t at, char out[32])
{
    return format_instant(at, -1, out);
}

char *clock_format_rfc3339_ms(int64_t at_ms, char out[32])
{
    int ms = (int)(at_ms % 1000);
    if (ms < 0)
        ms += 1000;
    return format_instant((at_ms - ms) / 1000, ms, out);
}

/* --- back-off ------------------------------------------------------------------------------ */

int64_t clock_backoff_s(int attempts, int64_t base_s, int64_t cap_s)
{
    int64_t delay_s = base_s;
    for (int i = 1; i < attempts && delay_s > 0 && delay_s < cap_s; i++)
        delay_s = delay_s > cap_s / 2 ? cap_s : delay_s * 2;
    return delay_s < cap_s ? delay_s : cap_s;
}

/* splitmix64 (Steele, Lea, Flood 2014): enough for spreading load, never for secrets. */
static uint64_t random_bits(void)
{
    static _Thread_local uint64_t state;
    if (!state && getrandom(&state, sizeof state, 0) != sizeof state)
        state = (uint64_t)read_ms(CLOCK_MONOTONIC);
    state += 0x9e3779b97f4a7c15;
    uint64_t bits = state;
    bits = (bits ^ (bits >> 30)) * 0xbf58476d1ce4e5b9;
    bits = (bits ^ (bits >> 27)) * 0x94d049bb133111eb;
    return bits ^ (bits >> 31);
}

int64_t clock_jitter(int64_t value, int percent)
{
    int64_t span = value / 100 * percent + value % 100 * percent / 100;
    if (span < 0)
        span = -span;
    return value - span + (int64_t)(random_bits() % (2 * (uint64_t)span + 1));
}
