/* simulate SEED DAYS FOLDER LIFE [WITHOUT]: lets the program live through days that a seed decides,
 * and writes FOLDER/record.jsonl. What it does is the same each time, byte for byte. Who reads the
 * record is the judge (judge.py). WITHOUT: a file with numbers of what is not to happen, a line
 * each; FOLDER/plan.txt has all of them. */
#include "world.h"

#include <errno.h>
#include <sched.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "core/clock.h"
#include "core/compiler.h"
#include "program.h"

#define SECOND_NS INT64_C(1000000000)
enum { HOUR_S = 3600, DAY_S = 86400, LIVELY_S = 16 * HOUR_S, EVENTS_MAX = 128 };
enum { DEADLY_ONE_IN = 4, DEATHS_MAX = 160, DEADLY_SEED = 1000000, DEATHS_MORE = 800 };
enum { STUBBORN_ONE_IN = 4, PAGE_ROWS_MAX = 1000, PAGE_ROWS_FEW = 25 };
enum { BEGAN_AT = 1764201600, DIED = 137, FIRST_RUN_S = 2 * HOUR_S };

const char *const mood_words[] = { "well",   "busy", "throttled", "silent",
                                   "broken", "gone", "slow",      "flapping" };

int __wrap_clock_gettime(clockid_t id, struct timespec *out);
ssize_t __wrap_getrandom(void *out, size_t count, unsigned flags);

/* What happens at an instant. */
enum act {
    ACT_EVOLVE,
    ACT_FAULT,
    ACT_HEAL,
    ACT_MOOD,
    ACT_DEATH,
    ACT_END,
    ACT_RELOAD,
    ACT_SILENCE,
    ACT_CLOCK,
    ACT_DISK,
    ACT_CALM,
    ACT_JUDGE,
    ACT_COUNT
};
struct event {
    int64_t at_ns;
    uint64_t number; /* of all days; what it draws depends on it and the seed alone */
    enum act act;
};
static const char *const act_words[ACT_COUNT] = { "evolve", "fault", "heal",   "mood",
                                                  "death",  "end",   "reload", "silence",
                                                  "clock",  "disk",  "calm",   "judge" };

static struct world world;
static struct event events[EVENTS_MAX]; /* of this day, the next one last */
static size_t event_count;
static const char *folder, *program;
static bool life;
static bool calm;
static int64_t today, days;
static bool over;
static uint64_t deadly; /* so many lives of this day are short */
static uint64_t seed;
static bool *without; /* by number: what is not to happen */
static uint64_t without_count;
static FILE *plan;
static uint64_t hushed;  /* of stage->hushed, in the record */
static int32_t most_kib; /* of memory, of all lives */

/* --- time and chance -------------------------------------------------------------------------- */

uint64_t world_dice(struct world *of, uint64_t below)
{
    of->dice ^= of->dice << 13;
    of->dice ^= of->dice >> 7;
    of->dice ^= of->dice << 17;
    return below ? (of->dice >> 11) % below : 0;
}

static uint64_t dice(uint64_t below)
{
    return world_dice(&world, below);
}

/* What is drawn next depends on the seed and on this number alone. source: Steele and others, Fast
 * splittable pseudorandom number generators, 2014 */
static void draw_from(uint64_t number)
{
    uint64_t state = seed * UINT64_C(0x9e3779b97f4a7c15) + number + 1;
    state = (state ^ state >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    state = (state ^ state >> 27) * UINT64_C(0x94d049bb133111eb);
    world.dice = (state ^ state >> 31) | 1;
}

/* Azure's clock is right whatever the clock of the machine says. */
int __wrap_clock_gettime(clockid_t id, struct timespec *out)
{
    int64_t now_ns = world.stage->monotonic_ns + (id == CLOCK_REALTIME ? BEGAN_AT * SECOND_NS : 0);
    *out = (struct timespec){ now_ns / SECOND_NS, now_ns % SECOND_NS };
    return 0;
}

ssize_t __wrap_getrandom(void *out, size_t count, unsigned flags)
{
    (void)flags;
    for (size_t i = 0; i < count; i++)
        ((unsigned char *)out)[i] = (unsigned char)dice(256);
    return (ssize_t)count;
}

int64_t world_now_s(const struct world *of)
{
    return BEGAN_AT + of->stage->monotonic_ns / SECOND_NS;
}

void world_note(struct world *of, const char *kind, const char *members, ...)
{
    va_list arguments;
    fprintf(of->record, "{\"at\":%lld,\"kind\":\"%s\",", (long long)world_now_s(of), kind);
    va_start(arguments, members);
    vfprintf(of->record, members, arguments);
    va_end(arguments);
    fputs("}\n", of->record);
}

void world_mark(struct world *of, const char *kind)
{
    fprintf(of->record, "{\"at\":%lld,\"kind\":\"%s\"}\n", (long long)world_now_s(of), kind);
}

/* --- lives ------------------------------------------------------------------------------------ */

/* How late the threads of a life may be woken: looking around each second of a day is dear. */
static const int64_t grains_s[] = { 60, 600, 900, 900, 1800, 1800, 1800, 1800 };
enum { IN_TIME_ONE_IN = 256 };

static void begin_life(void)
{
    struct stage *stage = world.stage;
    stage->calls = stage->dies_at = 0;
    stage->ends = 0;
    stage->dice = dice(UINT32_MAX) * 2 + 1;
    stage->grain_ns = grains_s[dice(ARRAY_COUNT(grains_s))] * SECOND_NS;
    if (!dice(IN_TIME_ONE_IN))
        stage->grain_ns = 0;
    bool dies = deadly ? deadly-- && dice(200) : !dice(4);
    if (!calm && world.lives && dies) /* it may not even begin */
        stage->dies_at = 1 + dice(UINT64_C(1) << (3 + dice(deadly ? 9 : 11)));
    life = true;
    world.lives++;
    world_note(&world, "life", "\"grain_s\":%lld", (long long)(stage->grain_ns / SECOND_NS));
    program_live();
}

static void end_life(const struct stage_end *end)
{
    int code = WIFEXITED(end->status) ? WEXITSTATUS(end->status) : 256 + WTERMSIG(end->status);
    world_note(&world, "death", "\"code\":%d", code);
    most_kib = end->kib > most_kib ? end->kib : most_kib;
    world.deaths += code == DIED;
    if (code != 0 && code != DIED) {
        fprintf(stderr, "simulate: the life ended with %d at %lld; see %s/life.log\n", code,
                (long long)world_now_s(&world), folder);
        exit(3);
    }
    life = false;
}

/* --- what happens ----------------------------------------------------------------------------- */

static void add(enum act act, int64_t day, int64_t at_s)
{
    uint64_t number = (uint64_t)day * EVENTS_MAX + event_count;
    if (event_count == EVENTS_MAX)
        return;
    fprintf(plan, "%llu %s\n", (unsigned long long)number, act_words[act]);
    events[event_count++] = (struct event){ at_s * SECOND_NS, number, act };
}

static int compare_events(const void *left, const void *right)
{
    const struct event *a = left, *b = right;
    return a->at_ns != b->at_ns ? (a->at_ns > b->at_ns ? -1 : 1) : (int)a->act - (int)b->act;
}

/* A day: lively at first, then calm, so that what was decided can be compared. One in a few is for
 * dying: again and again, soon after it began or later. In one in a few one thing is wrong from the
 * beginning to the calm. */
static void plan_day(int64_t day)
{
    static const struct {
        enum act act;
        uint64_t least, more;
    } often[] = {
        { ACT_EVOLVE, 3, 10 }, { ACT_FAULT, 0, 5 },   { ACT_HEAL, 0, 4 },   { ACT_MOOD, 0, 6 },
        { ACT_DEATH, 0, 6 },   { ACT_END, 0, 2 },     { ACT_RELOAD, 0, 2 }, { ACT_CLOCK, 0, 2 },
        { ACT_DISK, 0, 3 },    { ACT_SILENCE, 0, 3 },
    };
    int64_t first = day * DAY_S + (day ? 0 : FIRST_RUN_S);
    draw_from((uint64_t)day);
    event_count = 0;
    calm = false;
    deadly = day && !dice(DEADLY_ONE_IN) ? 1 + dice(DEATHS_MAX) : 0;
    if (seed >= DEADLY_SEED)
        deadly = day ? DEATHS_MORE : 0;
    bool stubborn = !dice(STUBBORN_ONE_IN);
    if (stubborn)
        add(ACT_FAULT, day, first);
    for (size_t i = 0; i < ARRAY_COUNT(often); i++)
        for (uint64_t n = often[i].least + dice(often[i].more); n; n--) {
            int64_t at_s = first + (int64_t)dice(LIVELY_S);
            if (!stubborn || (often[i].act != ACT_FAULT && often[i].act != ACT_HEAL))
                add(often[i].act, day, at_s);
        }
    add(ACT_CALM, day, day * DAY_S + LIVELY_S + FIRST_RUN_S);
    add(ACT_JUDGE, day, (day + 1) * DAY_S - 1);
    qsort(events, event_count, sizeof *events, compare_events);
}

static void add_fault(void)
{
    static const char *const specs[] = {
        "401",
        "expired-token",
        "403",
        "403:sub=0",
        "403:sub=1",
        "gap:sub=0",
        "gap:sub=1",
        "gap:sub=2",
        "denied-all",
        "no-subscriptions",
        "not-registered",
        "429",
        "429:retry_after=none",
        "429:retry_after=1,body=object,every=3",
        "500",
        "502",
        "503",
        "504",
        "503:every=3",
        "empty-5xx",
        "redirect",
        "hang",
        "hang:every=5",
        "slow:ms=40",
        "slow:ms=4000",
        "cut",
        "cut:every=4",
        "invalid-json",
        "odd:body=null",
        "odd:body=no-id",
        "odd:body=no-status",
        "odd:body=status",
        "wrong-types",
        "deep",
        "huge:bytes=3000000",
        "repeat-token",
        "shift",
        "truncated:path=ResourceGraph",
        "total-drift",
        "empty:count=2",
        "empty:every=3",
        "partial",
        "too-large:rows=40",
        "bom",
    };
    char why[200];
    const char *spec = specs[dice(ARRAY_COUNT(specs))];
    if (!faults_add(&world.fake->faults, spec, why, sizeof why)) {
        fprintf(stderr, "simulate: %s: %s\n", spec, why);
        exit(2);
    }
    world_note(&world, "fault", "\"spec\":\"%s\"", spec);
}

/* Of a subscription or of all findings; or the last one ends. */
static void ask_for_silence(void)
{
    struct stage *stage = world.stage;
    const struct tenant *tenant = &world.fake->tenant;
    bool all = !dice(4);
    stage->hush_s = dice(4) ? HOUR_S / 2 + (int64_t)dice(8 * HOUR_S) : 0;
    snprintf(stage->hush, sizeof stage->hush, "%s=%s", all ? "alertname" : "subscription_id",
             all ? "Finding" : tenant->subscriptions[dice(tenant->subscription_count)].id);
    stage->hushes++;
    world_note(&world, "silence", "\"of\":\"%s\",\"for_s\":%lld", stage->hush,
               (long long)stage->hush_s);
}

/* What the life did of it. */
static void note_silence(void)
{
    const struct stage *stage = world.stage;
    if (stage->hushed == hushed)
        return;
    hushed = stage->hushed;
    world_note(&world, "silenced", "\"of\":\"%s\",\"from\":%lld,\"until\":%lld", stage->hushed_of,
               (long long)stage->hush_from, (long long)stage->hush_until);
}

/* Seconds a wall clock may step, either way. */
static void step_clock(void)
{
    int64_t step_s = (int64_t)dice(dice(4) ? 300 : 4 * HOUR_S);
    world.stage->wall_ns += (dice(2) ? step_s : -step_s) * SECOND_NS;
    world_note(&world, "clock", "\"wall_s\":%lld",
               (long long)(world.stage->wall_ns / SECOND_NS - BEGAN_AT));
}

static void be_calm(void)
{
    calm = true;
    faults_clear(&world.fake->faults);
    world.mood = MOOD_WELL;
    world.stage->disk_fails = 0;
    world.stage->dies_at = 0;
    world.stage->grain_ns = grains_s[ARRAY_COUNT(grains_s) - 1] * SECOND_NS;
    world.stage->wall_ns = BEGAN_AT * SECOND_NS;
    world_note(&world, "calm", "\"grain_s\":%lld", (long long)(world.stage->grain_ns / SECOND_NS));
}

static int64_t database_bytes(void)
{
    CLEANUP(buf_finish) struct buf path = { 0 };
    struct stat file;
    buf_printf(&path, "%s/defender_exporter.db", folder);
    return stat(buf_cstr(&path), &file) ? 0 : (int64_t)file.st_size;
}

static void act(enum act what)
{
    struct stage *stage = world.stage;
    switch (what) {
    case ACT_EVOLVE:
        world_evolve(&world);
        break;
    case ACT_FAULT:
        add_fault();
        break;
    case ACT_HEAL:
        faults_clear(&world.fake->faults);
        world_mark(&world, "heal");
        break;
    case ACT_MOOD:
        world.mood = (enum mood)dice(MOOD_COUNT);
        world_note(&world, "mood", "\"is\":\"%s\"", mood_words[world.mood]);
        break;
    case ACT_DEATH:
        stage->dies_at = stage->calls + 1 + dice(UINT64_C(1) << (4 + dice(12)));
        break;
    case ACT_END:
        stage->ends = 1;
        break;
    case ACT_RELOAD:
        stage->reloads++;
        world_mark(&world, "reload");
        break;
    case ACT_SILENCE:
        ask_for_silence();
        break;
    case ACT_CLOCK:
        step_clock();
        break;
    case ACT_DISK:
        stage->disk_fails = stage->disk_fails ? 0 : 1 + (int)dice(20);
        world_note(&world, "disk", "\"fails\":%d", stage->disk_fails);
        break;
    case ACT_CALM:
        be_calm();
        break;
    case ACT_JUDGE:
        world_note(&world, "judge", "\"database_bytes\":%lld", (long long)database_bytes());
        break;
    default:
        break;
    }
}

/* All that is due by now, and what is next. While a life waits or there is none: it must not be
 * answered before. */
static void happen(void)
{
    int64_t now_ns = world.stage->monotonic_ns;
    note_silence();
    while (!over) {
        if (!event_count && ++today < days)
            plan_day(today);
        over = !event_count;
        if (over || events[event_count - 1].at_ns > now_ns)
            break;
        const struct event *event = &events[--event_count];
        if (event->number < without_count && without[event->number])
            continue;
        draw_from(UINT32_MAX + event->number);
        act(event->act);
    }
    world.stage->world_ns = over ? INT64_MAX : events[event_count - 1].at_ns;
    world.stage->ends |= over;
}

/* --- serving a life --------------------------------------------------------------------------- */

/* Answer one question, or learn that the life is over. */
static void serve(void)
{
    struct stage_question question;
    struct stage_answer answer = { 0 };
    CLEANUP(buf_finish) struct buf asked = { 0 };
    CLEANUP(buf_finish) struct buf headers = { 0 };
    CLEANUP(buf_finish) struct buf body = { 0 };
    program_hear(&question, &asked);
    if (question.ask == STAGE_OVER) {
        struct stage_end end;
        memcpy(&end, asked.data, sizeof end);
        end_life(&end);
        return;
    }
    happen();
    if (question.ask == STAGE_REQUEST)
        network_answer(&world, &asked, &answer, &headers, &body);
    answer.header_bytes = (uint32_t)headers.length;
    answer.body_bytes = (uint32_t)body.length;
    program_answer(&answer, &headers, &body);
}

/* Between two lives time goes on: for a moment, or hours. */
static void wait_for_next_life(void)
{
    int64_t gap_s = (int64_t)(dice(deadly ? 40 : 8) ? dice(120) : dice(3 * HOUR_S));
    int64_t until_ns = world.stage->monotonic_ns + (calm ? 1 : gap_s) * SECOND_NS;
    while (!over && world.stage->world_ns <= until_ns) {
        world.stage->monotonic_ns = world.stage->world_ns;
        happen();
    }
    if (!over)
        world.stage->monotonic_ns = until_ns;
}

static void live_all_days(void)
{
    plan_day(0);
    happen();
    while (!over || life) {
        if (!life)
            begin_life();
        serve();
        if (!life)
            wait_for_next_life();
    }
}

/* --- the whole -------------------------------------------------------------------------------- */

static FILE *open_file(const char *name)
{
    CLEANUP(buf_finish) struct buf path = { 0 };
    buf_printf(&path, "%s/%s", folder, name);
    FILE *file = fopen(buf_cstr(&path), "w");
    if (file)
        return file;
    perror(buf_cstr(&path));
    exit(2);
}

static void read_without(const char *path, uint64_t count)
{
    unsigned long long number;
    FILE *file = fopen(path, "r");
    without = calloc(count + 1, sizeof *without);
    without_count = count;
    if (!file || !without) {
        perror(path);
        exit(2);
    }
    while (fscanf(file, "%llu", &number) == 1)
        if (number < count)
            without[number] = true;
    fclose(file);
}

/* Only one thread of life and world goes on at a time: to hand that on across cores is dear. */
static void stay_on_one_core(uint64_t number)
{
    cpu_set_t may, one;
    CPU_ZERO(&one);
    if (sched_getaffinity(0, sizeof may, &may))
        return;
    number %= (uint64_t)CPU_COUNT(&may);
    for (size_t core = 0; core < CPU_SETSIZE; core++)
        if (CPU_ISSET(core, &may) && !number--)
            CPU_SET(core, &one);
    sched_setaffinity(0, sizeof one, &one);
}

static void begin_world(const char *text)
{
    char rows[24];
    seed = strtoull(text, NULL, 10);
    draw_from(UINT16_MAX);
    snprintf(rows, sizeof rows, "%d", dice(2) ? PAGE_ROWS_MAX : PAGE_ROWS_FEW);
    char *words[] = { (char[]){ "simulate" },
                      (char[]){ "--seed" },
                      strdup(text),
                      (char[]){ "--subscriptions" },
                      (char[]){ "3" },
                      (char[]){ "--assessments" },
                      (char[]){ "160" },
                      (char[]){ "--recommendations" },
                      (char[]){ "24" },
                      (char[]){ "--machines" },
                      (char[]){ "4" },
                      (char[]){ "--page-rows" },
                      rows,
                      (char[]){ "--provable" },
                      NULL };
    int page = memfd_create("stage", MFD_CLOEXEC);
    if (page < 0 || ftruncate(page, 4096)) {
        perror("simulate");
        exit(2);
    }
    world.stage = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, page, 0);
    world.stage->monotonic_ns = SECOND_NS;
    world.stage->wall_ns = BEGAN_AT * SECOND_NS;
    world.record = open_file("record.jsonl");
    plan = open_file("plan.txt");
    world.fake = fake_create((int)ARRAY_COUNT(words) - 1, words);
    free(words[2]);
    world_tell_begin(&world);
    program_begin(folder, program, page);
}

int main(int count, char **words)
{
    if (count != 5 && count != 6) {
        fprintf(stderr, "usage: simulate SEED DAYS FOLDER LIFE [WITHOUT]\n");
        return 2;
    }
    folder = words[3];
    program = words[4];
    days = strtoll(words[2], NULL, 10);
    stage_keep_memory();
    stay_on_one_core(strtoull(words[1], NULL, 10));
    begin_world(words[1]);
    if (count == 6)
        read_without(words[5], (uint64_t)days * EVENTS_MAX);
    live_all_days();
    program_end();
    fclose(world.record);
    fclose(plan);
    free(without);
    printf("%llu lives, %llu of them died, %llu requests, %llu messages, %d KiB at most\n",
           (unsigned long long)world.lives, (unsigned long long)world.deaths,
           (unsigned long long)world.requests, (unsigned long long)world.messages, most_kib);
    fake_destroy(world.fake);
    return 0;
}
