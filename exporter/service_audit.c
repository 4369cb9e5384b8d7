#include "exporter/service_audit.h"

#include <string.h>

#include "core/clock.h"
#include "core/log.h"

void service_audit_writers(const struct config *before, const struct config *config)
{
    CLEANUP(buf_finish) struct buf known = { 0 };
    CLEANUP(buf_finish) struct buf writers = { 0 };
    config_writers(config, &writers);
    if (before)
        config_writers(before, &known);
    if (strcmp(buf_cstr(&known), buf_cstr(&writers)) != 0)
        log_info(MSG("who can write"), TEXT("writers", buf_cstr(&writers)));
}

void service_audit_reload(struct alerting *alerting, struct metric_store *metrics, bool ok,
                          const struct audit_by *by, const char *text)
{
    CLEANUP(buf_finish) struct buf line = { 0 };
    struct error error;
    buf_append(&line, text, strcspn(text, "\n"));
    const struct audit_event event = { .action = ok ? AUDIT_RELOAD : AUDIT_RELOAD_FAILED,
                                       .at = clock_now_s(),
                                       .author = by->author,
                                       .peer = by->peer,
                                       .subject = "",
                                       .detail = buf_cstr(&line) };
    if (alerting && alerting_audit(alerting, event.action, by, "", event.detail, &error))
        return;
    if (alerting)
        log_warn(MSG("cannot tell who reloaded"), ERR(&error));
    audit_note(metrics, &event);
}
