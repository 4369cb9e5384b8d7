#include "exporter/web/admission.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "core/clock.h"
#include "core/log.h"
#include "core/memory.h"
#include "core/worker.h"
#include "exporter/web/rate.h"

enum { LOOK_MS = 1000, FILES = 4 };

/* clang-format off */
static const struct family_0 reload_successful = {
    .name = "defender_exporter_web_config_last_reload_successful", .type = METRIC_GAUGE,
    .help = "Whether the last attempt to read the web configuration file worked." };
static const struct family_0 reload_success_time = {
    .name = "defender_exporter_web_config_last_reload_success_timestamp_seconds",
    .type = METRIC_GAUGE, .unit = "seconds",
    .help = "When the web configuration file was last read successfully." };
static const struct family_0 certificate_expiry = {
    .name = "defender_exporter_web_certificate_expiry_timestamp_seconds",
    .type = METRIC_GAUGE, .unit = "seconds",
    .help = "When the certificate of the web server ends. Only there with TLS." };
/* clang-format on */
const struct family *const admission_families[] = { &reload_successful.family,
                                                    &reload_success_time.family,
                                                    &certificate_expiry.family, NULL };

/* One reading of the file, shared by who uses it. */
struct site {
    atomic_uint references;
    struct toolkit *toolkit;
    struct tls *tls; /* NULL = nothing is encrypted */
};

/* How a file looked from outside: replaced, rewritten and gone all differ. */
struct stamp {
    dev_t device;
    ino_t inode;
    off_t bytes;
    struct timespec changed;
};

struct admission {
    struct metric_store *metrics;
    const char *path;
    bool encrypts;
    struct login *login;
    pthread_mutex_t lock; /* the site and the rate */
    struct site *site;
    struct rate rate;
    atomic_uint_fast64_t number; /* of the site */
    pthread_mutex_t reading; /* one at a time, with all below */
    struct stamp stamps[FILES];
    struct buf wrong; /* about the last reading; "" = it worked */
    struct worker *watch;
    struct arena arena;
};

/* --- one reading ---------------------------------------------------------------------------- */

static void site_release(struct site *site)
{
    if (!site || atomic_fetch_sub(&site->references, 1) != 1)
        return;
    tls_release(site->tls);
    toolkit_destroy(site->toolkit);
    free(site);
}

static struct site *site_acquire(struct admission *admission)
{
    pthread_mutex_lock(&admission->lock);
    struct site *site = admission->site;
    atomic_fetch_add(&site->references, 1);
    pthread_mutex_unlock(&admission->lock);
    return site;
}

static struct site *site_read(const char *path, struct option_report *report)
{
    struct error error;
    struct toolkit *toolkit = toolkit_read(path, report);
    if (!toolkit)
        return NULL;
    struct tls *tls = toolkit->tls.enabled ? tls_create(&toolkit->tls, &error) : NULL;
    if (toolkit->tls.enabled && !tls) {
        options_complain(report, path, toolkit->tls.line, "tls_server_config", "%s", error.message);
        toolkit_destroy(toolkit);
        return NULL;
    }
    struct site *site = MEMORY_NEW(struct site);
    *site = (struct site){ .toolkit = toolkit, .tls = tls };
    atomic_init(&site->references, 1);
    return site;
}

struct toolkit *admission_read(const char *path, struct option_report *report)
{
    struct site *site = site_read(path, report);
    if (!site)
        return NULL;
    struct toolkit *toolkit = site->toolkit;
    site->toolkit = NULL;
    site_release(site);
    return toolkit;
}

void admission_describe(const struct toolkit *toolkit, struct buf *out)
{
    const struct toolkit_tls *tls = &toolkit->tls;
    buf_text(out, tls->enabled ? "TLS is on" : "TLS is off");
    if (tls->enabled && tls->client_auth == TOOLKIT_CLIENT_REQUIRE_AND_VERIFY)
        buf_text(out, tls->client_ca ? ", clients show a certificate"
                                     : ", clients show a certificate of any public CA");
    if (toolkit->users.count == 1)
        buf_text(out, ", 1 user can log in");
    else if (toolkit->users.count)
        buf_printf(out, ", %zu users can log in", toolkit->users.count);
    else
        buf_text(out, ", nobody has to log in");
}

/* --- reading again -------------------------------------------------------------------------- */

static struct stamp stamp_of(const char *path)
{
    struct stat found;
    if (!path || stat(path, &found))
        return (struct stamp){ 0 };
    return (struct stamp){ found.st_dev, found.st_ino, found.st_size, found.st_mtim };
}

/* How the files of the site in force look now. */
static void look(struct admission *admission, struct stamp stamps[FILES])
{
    struct site *site = site_acquire(admission);
    const struct toolkit_tls *tls = &site->toolkit->tls;
    const char *const files[FILES] = { admission->path, tls->cert_file, tls->key.file,
                                       tls->client_ca_file };
    for (size_t i = 0; i < FILES; i++)
        stamps[i] = stamp_of(files[i]);
    site_release(site);
}

static bool same(const struct stamp *left, const struct stamp *right)
{
    return left->device == right->device && left->inode == right->inode &&
           left->bytes == right->bytes && left->changed.tv_sec == right->changed.tv_sec &&
           left->changed.tv_nsec == right->changed.tv_nsec;
}

static bool differ(const char *left, const char *right)
{
    return strcmp(left ? left : "", right ? right : "") != 0;
}

/* Whether these files are others than those of the site in force. */
static bool names_others(struct admission *admission, const struct toolkit_tls *tls)
{
    struct site *site = site_acquire(admission);
    const struct toolkit_tls *before = &site->toolkit->tls;
    bool others = differ(before->cert_file, tls->cert_file) ||
                  differ(before->key.file, tls->key.file) ||
                  differ(before->client_ca_file, tls->client_ca_file);
    site_release(site);
    return others;
}

/* In force from now on; connections that are there keep what they came with. */
static void use(struct admission *admission, struct site *site)
{
    const struct toolkit *toolkit = site->toolkit;
    pthread_mutex_lock(&admission->lock);
    struct site *before = admission->site;
    admission->site = site;
    atomic_fetch_add(&admission->number, 1);
    rate_configure(&admission->rate, toolkit->interval_s, toolkit->burst);
    pthread_mutex_unlock(&admission->lock);
    login_configure(admission->login, &toolkit->users);
    site_release(before);
    metric_put(admission->metrics, &reload_success_time, (double)clock_now_s(), METRIC_LABELS());
    if (site->tls)
        metric_put(admission->metrics, &certificate_expiry, (double)tls_expires_at(site->tls),
                   METRIC_LABELS());
}

/* The caller has `reading`. Says in the log what is new. What changes while it is read has another
 * look than before, and is read once more. */
static bool read_again(struct admission *admission, struct option_report *report)
{
    look(admission, admission->stamps);
    struct site *site = site_read(admission->path, report);
    if (site && !site->tls == admission->encrypts) {
        options_complain(report, admission->path, site->toolkit->tls.line, "tls_server_config",
                         "turning TLS on or off needs a restart");
        site_release(site);
        site = NULL;
    }
    metric_put(admission->metrics, &reload_successful, site != NULL, METRIC_LABELS());
    if (!site && strcmp(buf_cstr(&admission->wrong), buf_cstr(&report->text)) != 0)
        log_error(MSG("the web configuration is wrong, the old one stays"),
                  TEXT("err", buf_cstr(&report->text)));
    buf_reset(&admission->wrong);
    buf_text(&admission->wrong, buf_cstr(&report->text));
    if (!site)
        return false;
    bool others = names_others(admission, &site->toolkit->tls);
    use(admission, site);
    if (others)
        look(admission, admission->stamps);
    log_info(MSG("read the web configuration"), TEXT("file", admission->path));
    return true;
}

bool admission_reload(struct admission *admission, struct option_report *report)
{
    pthread_mutex_lock(&admission->reading);
    bool ok = read_again(admission, report);
    pthread_mutex_unlock(&admission->reading);
    return ok;
}

/* Whoever replaces several files does it one after the other: a reading that failed is tried again
 * until it works. */
static int64_t watch(void *context)
{
    struct admission *admission = context;
    struct stamp stamps[FILES];
    CLEANUP(options_report_finish) struct option_report report = { 0 };
    pthread_mutex_lock(&admission->reading);
    look(admission, stamps);
    bool changed = *buf_cstr(&admission->wrong) != 0;
    for (size_t i = 0; i < FILES; i++)
        changed |= !same(&stamps[i], &admission->stamps[i]);
    if (changed)
        read_again(admission, &report); /* which is logged */
    pthread_mutex_unlock(&admission->reading);
    return LOOK_MS;
}

/* --- life ----------------------------------------------------------------------------------- */

struct admission *admission_create(const char *path, struct metric_store *metrics,
                                   struct error *error)
{
    CLEANUP(options_report_finish) struct option_report report = { 0 };
    struct site *site = site_read(path, &report);
    if (!site) {
        error_set(error, ERROR_CONFIG, "%s", buf_cstr(&report.text));
        return NULL;
    }
    struct admission *admission = MEMORY_NEW(struct admission);
    admission->metrics = metrics;
    admission->path = arena_text(&admission->arena, path);
    admission->encrypts = site->tls != NULL;
    admission->login = login_create(metrics);
    if (site->toolkit->http2 && site->toolkit->http2_line)
        log_info(MSG("HTTP/2 is not spoken, HTTP/1.1 is"), TEXT("file", path));
    pthread_mutex_init(&admission->lock, NULL);
    pthread_mutex_init(&admission->reading, NULL);
    metric_put(metrics, &reload_successful, 1, METRIC_LABELS());
    use(admission, site);
    look(admission, admission->stamps);
    admission->watch = worker_start("web config", watch, NULL, admission, LOOK_MS);
    return admission;
}

void admission_stop(struct admission *admission)
{
    login_stop(admission->login);
}

void admission_destroy(struct admission *admission)
{
    if (!admission)
        return;
    worker_stop(admission->watch);
    login_destroy(admission->login);
    site_release(admission->site);
    buf_finish(&admission->wrong);
    pthread_mutex_destroy(&admission->lock);
    pthread_mutex_destroy(&admission->reading);
    arena_finish(&admission->arena);
    free(admission);
}

/* --- what the server asks ------------------------------------------------------------------- */

bool admission_encrypts(const struct admission *admission)
{
    return admission->encrypts;
}

struct tls_connection *admission_connect(struct admission *admission, void *session, int socket)
{
    if (!admission->encrypts)
        return NULL;
    struct site *site = site_acquire(admission);
    struct tls_connection *connection = tls_begin(site->tls, session, socket);
    site_release(site);
    return connection;
}

enum admission_answer admission_admit(struct admission *admission, const char *authorization,
                                      struct login_ask *ask)
{
    static const enum admission_answer answers[] = {
        [LOGIN_RIGHT] = ADMISSION_USER,
        [LOGIN_WRONG] = ADMISSION_LOGIN,
        [LOGIN_UNKNOWN] = ADMISSION_UNKNOWN,
    };
    pthread_mutex_lock(&admission->lock);
    bool allowed = rate_take(&admission->rate, (double)clock_monotonic_ms() / 1e3);
    bool open = !admission->site->toolkit->users.count;
    pthread_mutex_unlock(&admission->lock);
    if (!allowed)
        return ADMISSION_LIMITED;
    return open ? ADMISSION_OPEN : answers[login_look(admission->login, authorization, ask)];
}

bool admission_wait(struct admission *admission, struct login_ask *ask)
{
    return login_wait(admission->login, ask);
}

void admission_headers(struct admission *admission,
                       void (*add)(void *context, const char *name, const char *value),
                       void *context)
{
    struct site *site = site_acquire(admission);
    const struct option_pairs *headers = &site->toolkit->headers;
    for (size_t i = 0; i < headers->count; i++)
        if (*headers->pairs[i].value)
            add(context, headers->pairs[i].name, headers->pairs[i].value);
    site_release(site);
}

uint64_t admission_number(const struct admission *admission)
{
    return atomic_load(&admission->number);
}
