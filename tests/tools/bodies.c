#include "bodies.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "alerts/notify/settings.h"

const char *const bodies_names[] = { "google_chat", "mattermost", "discord", "ntfy", NULL };

static void read_file(const char *path, struct buf *out)
{
    char chunk[4096];
    FILE *file = fopen(path, "r");
    if (!file) {
        perror(path);
        exit(1);
    }
    for (size_t count; (count = fread(chunk, 1, sizeof chunk, file)) > 0;)
        buf_append(out, chunk, count);
    fclose(file);
}

void bodies_read(const char *folder, const char *name, struct arena *arena,
                 struct webhook_config *config)
{
    static const struct option file_options[] = {
        { "alerts", OPTION_GROUP, .section = settings_options },
        { 0 },
    };
    CLEANUP(buf_finish) struct buf path = { 0 }, text = { 0 };
    CLEANUP(options_report_finish) struct option_report report = { 0 };
    struct settings_config settings = { 0 };
    buf_printf(&path, "%s/%s.yml", folder, name);
    read_file(buf_cstr(&path), &text);
    char *url = strstr(text.data, "url_file:");
    if (url)
        memcpy(url, "url:     ", 9);
    options_default(file_options, &settings, arena);
    if (!url || !options_read(file_options, buf_cstr(&path), text.data, text.length, &settings,
                              arena, &report)) {
        fprintf(stderr, "%s: %s", buf_cstr(&path), buf_cstr(&report.text));
        exit(1);
    }
    const struct receivers_config *receiver = settings.receivers.items;
    *config = receiver->webhook;
    config->url = (struct secret){ 0 };
    secret_set(&config->url, "https://hooks.example.com/in");
    options_finish(file_options, &settings);
}
