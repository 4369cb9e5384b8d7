// Exporter: whether it reads Azure whole and in time, what that takes of the quota, how the program is.
local board = import '../lib/dashboard.libsonnet';
local palette = import '../lib/palette.libsonnet';
local p = import '../lib/panels.libsonnet';
local q = import '../lib/queries.libsonnet';

function(config)
  local runbook(panel, alert) =
    p.linked(panel, 'Runbook', '%s/%s.md' % [config.runbookUrl, alert]);
  local plain = { graphMode: 'none' };
  local age(metric, more='') = 'time() - %s' % q.own(metric, more);

  // --- how it is ------------------------------------------------------------------------------
  local up = runbook(p.stat(
    'Data are fresh',
    'Yes when every collector that is on has data younger than its limit and alerts can be decided.',
    p.series('min(%s)' % q.own('defender_up'), 'Up'),
    'bool_yes_no',
    { thresholds: p.thresholds([[null, palette.bad], [1, palette.good]]) },
    plain,
  ), 'DefenderDataStale');
  local failing = runbook(p.stat(
    'Runs that failed',
    'Collectors whose last run could not read all it asked for. What was known stays.',
    p.series('count(%s) - sum(%s)' % [
      q.own('defender_scrape_collector_success'),
      q.own('defender_scrape_collector_success'),
    ], 'Failing'),
    'short',
    { thresholds: p.none },
    plain,
  ), 'DefenderCollectorFailing');
  local throttled = runbook(p.stat(
    'Throttled',
    'Answers with status 429 in the last hour: Azure took more requests than it gives.',
    p.series('sum(%s)' % q.ownIncrease('defender_exporter_azure_throttled_total', '1h'), 'Throttled', { interval: '5m' }),
    'short',
    { thresholds: p.none, decimals: 0 },
  ), 'DefenderThrottled');
  local token = runbook(p.stat(
    'Token ends in',
    'Until the token in use ends. It is renewed before; an hour is usual.',
    p.series('min(%s) - time()' % q.own('defender_exporter_azure_token_expiry_timestamp_seconds'), 'Token'),
    's',
    { thresholds: p.thresholds([[null, palette.bad], [config.tokenExpiry, palette.good]]), decimals: 0 },
    plain,
  ), 'DefenderTokenExpiring');
  local configured = p.stat(
    'Configuration',
    'Whether the last attempt to load the configuration and the web configuration worked.',
    p.series('min(%s) * min(%s)' % [
      q.own('defender_exporter_config_last_reload_successful'),
      q.own('defender_exporter_web_config_last_reload_successful'),
    ] + ' or min(%s)' % q.own('defender_exporter_config_last_reload_successful'), 'Loaded'),
    'short',
    {
      thresholds: p.thresholds([[null, palette.bad], [1, palette.good]]),
      mappings: [{ type: 'value', options: { '0': { text: 'refused', index: 0 }, '1': { text: 'loaded', index: 1 } } }],
    },
    plain,
  );
  local restart = p.stat(
    'Restart needed',
    'Yes when a reload has changed keys that only a restart puts into effect.',
    p.series('max(%s)' % q.own('defender_exporter_config_restart_needed'), 'Restart needed'),
    'bool_yes_no',
    { thresholds: p.none },
    plain,
  );
  local dropped = runbook(p.stat(
    'Series left out',
    'Series that are in no exposition because of the limit, a list or their values.',
    p.series('sum(%s) or vector(0)' % q.own('defender_exporter_series_dropped'), 'Left out'),
    'short',
    { thresholds: p.none },
    plain,
  ), 'DefenderSeriesDropped');
  local trouble = p.stat(
    'Decisions',
    'Reasons for which nothing can be decided about alerts.',
    p.series('sum(%s)' % q.own('defender_exporter_state_trouble'), 'Trouble'),
    'short',
    {
      thresholds: p.none,
      mappings: [{ type: 'value', options: { '0': { text: 'made', index: 0 } } }],
    },
    plain,
  );

  // --- collectors -----------------------------------------------------------------------------
  local collectors = runbook(p.table(
    'Collectors',
    'What each collector read last: how long ago, how long it took, how many rows, and of them odd ones, which conclude nothing.',
    [
      p.rows('min by (collector) (%s)' % q.own('defender_scrape_collector_success')),
      p.rows('max by (collector) (time() - %s)' % q.own('defender_collector_last_success_timestamp_seconds')),
      p.rows('max by (collector) (%s)' % q.own('defender_scrape_collector_duration_seconds')),
      p.rows('max by (collector) (%s)' % q.own('defender_collector_rows')),
      p.rows('sum by (collector) (%s)' % q.once('defender_collector_odd_rows')),
      p.rows('max by (collector) (%s)' % q.own('defender_collector_truncated')),
      p.rows('max by (collector) (%s)' % q.own('defender_collector_interval_seconds')),
    ],
    [
      ['collector', 'Collector'],
      ['Value #A', 'Last run'],
      ['Value #B', 'Last success'],
      ['Value #G', 'Every'],
      ['Value #C', 'Took'],
      ['Value #D', 'Rows'],
      ['Value #E', 'Odd rows'],
      ['Value #F', 'Cut'],
    ],
    [
      p.column('Last run', {
        'custom.width': 105,
        mappings: [{ type: 'value', options: { '0': { text: 'failed', color: palette.bad, index: 0 }, '1': { text: 'ok', color: palette.good, index: 1 } } }],
        'custom.cellOptions': { type: 'color-text' },
      }),
      p.column('Last success', { unit: 's', decimals: 0, 'custom.width': 135 }),
      p.number('Every', { unit: 's', decimals: 0 }),
      p.number('Took', { unit: 's', decimals: 1 }),
      p.number('Rows', { unit: 'none' }),
      p.number('Odd rows', {
        'custom.cellOptions': { type: 'color-text' },
        thresholds: p.thresholds([[null, palette.none], [1, palette.poor]]),
      }),
      p.number('Cut', { unit: 'bool_yes_no' }),
    ],
  ), 'DefenderCollectorFailing');
  local durations = p.timeseries(
    'Time a collection takes',
    'How long the last run of each collector took.',
    p.series('max by (collector) (%s)' % q.own('defender_scrape_collector_duration_seconds'), '{{collector}}'),
    's',
    more=p.unlabelled,
  );
  local ages = p.timeseries(
    'Age of the data by collector',
    'Since the last complete run. A line that keeps rising has stopped.',
    p.series('max by (collector) (time() - %s)' % q.own('defender_collector_last_success_timestamp_seconds', '') + ' < 1e8', '{{collector}}'),
    's',
  );
  local odd = p.timeseries(
    'Odd rows',
    'Rows that could not be read as they should, by reason. The others are shown.',
    p.series('sum by (collector, reason) (%s) > 0' % q.once('defender_collector_odd_rows'), '{{collector}}: {{reason}}'),
    'short',
    fields={ noValue: 'none' },
  );
  local looks = p.timeseries(
    'Fast looks',
    'Looks between two collections at what changed its status, by what they brought.',
    p.series('sum by (collector, result) (%s)' % q.ownIncrease('defender_exporter_fast_looks_total', '1h'), '{{collector}}: {{result}}', { interval: '5m' }),
    'short',
  );
  local look = p.timeseries(
    'Since the last fast look',
    'Since the last look that did not fail, and the time that should be between two.',
    [
      p.series('max by (collector) (time() - %s)' % q.own('defender_exporter_fast_last_look_timestamp_seconds'), '{{collector}}'),
      p.series('max by (collector) (%s)' % q.own('defender_exporter_fast_interval_seconds'), '{{collector}}: interval'),
    ],
    's',
  );
  local newest = runbook(p.timeseries(
    'Newest change that Azure told of',
    'Since the newest change of status in Azure, by subscription. A quiet subscription is old without harm.',
    p.series(q.named('max by (subscription_id) (time() - (%s))' % q.of('defender_data_newest_evaluation_timestamp_seconds')), '{{subscription_name}}'),
    's',
  ), 'DefenderDataStale');
  local seen = runbook(p.timeseries(
    'Subscriptions',
    'Subscriptions by what can be done with them: read, denied, left out by a filter, disabled.',
    p.series('sum by (state) (%s)' % q.once('defender_subscriptions'), '{{state}}'),
    'short',
    p.stacked,
    overrides=p.colours({ visible: palette.good, denied: palette.bad, filtered: palette.none, disabled: palette.worth_a_look }),
  ), 'DefenderSubscriptionNotVisible');

  local delay = p.timeseries(
    'From Azure to the ledger',
    'From a change of status in Azure to its arrival here, in the hour before: half are faster than the lower line, 99 of 100 than the upper one.',
    [
      p.series('histogram_quantile(%s, sum by (collector, le) (%s))' % [of[0], q.ownIncrease('defender_finding_detection_delay_seconds_bucket', '1h')], '{{collector}} ' + of[1], { interval: '5m' })
      for of in [['0.5', 'median'], ['0.99', '99 %']]
    ],
    's',
  );

  // --- Azure ----------------------------------------------------------------------------------
  local requests = p.timeseries(
    'Requests to Azure',
    'Requests a second by API and status.',
    p.series('sum by (api, code) (%s)' % q.rate('defender_exporter_azure_requests_total'), '{{api}} {{code}}'),
    'reqps',
  );
  local latency = p.timeseries(
    'Time of a request to Azure',
    'From sending a request to the end of its answer: half are faster than the lower line, 99 of 100 than the upper one.',
    [
      p.series('histogram_quantile(%s, sum by (api, le) (%s))' % [of[0], q.rate('defender_exporter_azure_request_duration_seconds_bucket')], '{{api}} ' + of[1], { exemplar: true })
      for of in [['0.5', 'median'], ['0.99', '99 %']]
    ],
    's',
  );
  local quota = runbook(p.timeseries(
    'Quota left',
    'Requests that Azure said are left before it throttles, by API. The exporter slows down before it is 0.',
    p.series('min by (api) (%s)' % q.own('defender_exporter_azure_quota_remaining'), '{{api}}'),
    'short',
    { scaleDistribution: { type: 'log', log: 10 } },
    { min: null },
  ), 'DefenderThrottled');
  local backoff = p.timeseries(
    'Waiting for Azure',
    'The share of time that requests waited for quota, for Retry-After or for the next try; above 100 % when several wait.',
    p.series('sum by (api) (%s)' % q.rate('defender_exporter_azure_backoff_seconds_total'), '{{api}}'),
    'percentunit',
    { axisSoftMax: 1 },
  );

  // --- series and program ---------------------------------------------------------------------
  local series = p.timeseries(
    'Series',
    'Series of an exposition by level: 0 and 1 are always on, 2 and 3 when asked for.',
    p.series('max by (level) (%s)' % q.own('defender_exporter_series'), 'level {{level}}'),
    'short',
    p.stacked,
  );
  local left_out = runbook(p.timeseries(
    'Series left out, by reason',
    'By metric and reason; nothing when all are there.',
    p.series('max by (metric, reason) (%s)' % q.own('defender_exporter_series_dropped'), '{{metric}}: {{reason}}'),
    'short',
    fields={ noValue: 'none' },
  ), 'DefenderSeriesDropped');
  local custom = p.timeseries(
    'Rows of queries of your own left out',
    'They would have made more series of a metric than it may have; nothing when all are there.',
    p.series('max by (collector, metric) (%s)' % q.own('defender_custom_rows_left_out'), '{{metric}}'),
    'short',
    fields={ noValue: 'none' },
  );
  local formats = p.timeseries(
    'Scrapes by format',
    'Scrapes a second by the format and the compression that were asked for.',
    p.series('sum by (format, coding) (%s)' % q.rate('defender_exporter_exposition_requests_total') + ' > 0', '{{format}}, {{coding}}'),
    'reqps',
  );
  local bodies = p.timeseries(
    'Size of an exposition',
    "Bytes of the data in each format that is asked for; the program's own metrics come to them.",
    p.series('max by (format, coding) (%s)' % q.own('defender_exporter_exposition_bytes'), '{{format}}, {{coding}}'),
    'bytes',
  );
  local rendering = p.timeseries(
    'Rendering',
    'How long new data took to be written, and compressed where that is asked for.',
    p.series('max by (format) (%s)' % q.own('defender_exporter_exposition_render_seconds'), '{{format}}'),
    's',
  );
  local memory = p.timeseries(
    'Memory',
    'Memory that is in use.',
    p.series('max by (instance) (%s)' % q.own('process_resident_memory_bytes'), '{{instance}}'),
    'bytes',
  );
  local cpu = p.timeseries(
    'CPU',
    'Cores that are in use.',
    p.series('max by (instance) (%s)' % q.rate('process_cpu_seconds_total'), '{{instance}}'),
    'short',
    fields={ decimals: 3 },
  );
  local files = p.timeseries(
    'Files',
    'Open files, of those that may be open.',
    [
      p.series('max by (instance) (%s / %s)' % [q.own('process_open_fds'), q.own('process_max_fds')], '{{instance}}: files'),
    ],
    'percentunit',
  );
  local threads = p.timeseries(
    'Threads and requests in flight',
    'Threads of the program, and HTTP requests whose answer is being made.',
    [
      p.series('max by (instance) (%s)' % q.own('process_threads'), '{{instance}}: threads'),
      p.series('max by (instance) (%s)' % q.own('defender_exporter_http_requests_in_flight'), '{{instance}}: in flight'),
    ],
    'short',
  );
  local http = p.timeseries(
    'Requests to the exporter',
    'HTTP requests a second by route and status.',
    p.series('sum by (handler, code) (%s)' % q.rate('defender_exporter_http_requests_total') + ' > 0', '{{handler}} {{code}}'),
    'reqps',
  );
  local logins = p.timeseries(
    'Logins',
    'Requests with credentials an hour, by what became of them.',
    p.series('sum by (outcome) (%s)' % q.ownIncrease('defender_exporter_http_logins_total', '1h'), '{{outcome}}', { interval: '5m' }),
    'short',
    fields={ noValue: 'none' },
  );
  local certificate = p.stat(
    'Certificate ends in',
    'Until the certificate of the web server ends; nothing without TLS.',
    p.series('min(%s) - time()' % q.own('defender_exporter_web_certificate_expiry_timestamp_seconds'), 'Certificate'),
    's',
    {
      thresholds: p.thresholds([[null, palette.bad], [config.certificateExpiry, palette.good]]),
      noValue: 'no TLS',
      decimals: 0,
    },
    plain,
  );
  local versions = p.table(
    'Programs',
    'What runs where, since when, and whether all have the same configuration.',
    [
      p.rows('max by (instance, version, revision) (%s)' % q.own('defender_exporter_build_info')),
      p.rows('max by (instance) (time() - %s)' % q.own('process_start_time_seconds')),
      p.rows('max by (instance) (time() - %s)' % q.own('defender_exporter_config_last_reload_success_timestamp_seconds')),
      p.rows('max by (instance) (%s)' % q.own('defender_exporter_config_hash')),
      p.rows('max by (instance) (%s)' % q.own('defender_exporter_clock_offset_seconds')),
    ],
    [
      ['instance', 'Instance'],
      ['version', 'Version'],
      ['revision', 'Revision'],
      ['Value #B', 'Runs since'],
      ['Value #C', 'Configured'],
      ['Value #D', 'Configuration'],
      ['Value #E', 'Clock ahead'],
    ],
    [
      p.column('Runs since', { unit: 's', decimals: 0 }),
      p.column('Configured', { unit: 's', decimals: 0 }),
      p.column('Configuration', { unit: 'none' }),
      p.column('Clock ahead', { unit: 's', decimals: 3 }),
    ] + p.narrow(['Runs since', 'Configured', 'Configuration', 'Clock ahead']),
  );

  // --- what it pushes -------------------------------------------------------------------------
  local pushed(title, text, metric, by, legend) =
    p.timeseries(title, text, p.series('sum by (%s) (%s)' % [by, q.ownIncrease(metric, '1h')], legend, { interval: '5m' }), 'short');
  local exports = pushed('Requests to receivers of OTLP', 'Requests in the hour before, by signal.', 'defender_exporter_otlp_exports_total', 'signal', '{{signal}}');
  local refused = pushed('OTLP requests that failed', 'Requests that were not accepted in the hour before.', 'defender_exporter_otlp_failed_total', 'signal, reason', '{{signal}}: {{reason}}');
  local rejected = p.timeseries(
    'What OTLP lost',
    'Data points and log records that a receiver refused for good, and events that were too old before one took them, in the hour before.',
    [
      p.series('sum by (signal) (%s)' % q.ownIncrease('defender_exporter_otlp_rejected_items_total', '1h'), '{{signal}} refused', { interval: '5m' }),
      p.series('sum(%s)' % q.ownIncrease('defender_exporter_otlp_log_records_lost_total', '1h'), 'events too old', { interval: '5m' }),
    ],
    'short',
  );
  local waiting = p.timeseries(
    'Waiting for OTLP',
    'Events that no receiver of OTLP has taken yet.',
    p.series('max by (instance) (%s)' % q.own('defender_exporter_otlp_log_records_waiting'), '{{instance}}'),
    'short',
  );
  local accepted = p.timeseries(
    'Since OTLP was accepted',
    'Since a receiver of OTLP last took a request; nothing before the first.',
    p.series('max by (signal) (time() - (%s > 0))' % q.own('defender_exporter_otlp_last_success_timestamp_seconds'), '{{signal}}'),
    's',
  );

  // --- what it keeps --------------------------------------------------------------------------
  local size = p.timeseries(
    'Database',
    'Size of the database and its log.',
    p.series('max by (instance) (%s)' % q.own('defender_exporter_state_bytes'), '{{instance}}'),
    'bytes',
  );
  local written = p.timeseries(
    'Since the last decision was written',
    'An evaluation that changes nothing writes nothing.',
    p.series('max by (instance) (time() - %s)' % q.own('defender_exporter_state_last_write_timestamp_seconds'), '{{instance}}'),
    's',
  );
  local failures = p.timeseries(
    'What could not be kept',
    'Decisions that could not be written, rows that could not be read, reasons for which nothing is decided, and books beside the decisions.',
    [
      p.series('sum(%s)' % q.ownIncrease('defender_exporter_state_write_failures_total', '1h'), 'writes', { interval: '5m' }),
      p.series('sum(%s)' % q.ownIncrease('defender_exporter_bookkeeping_failures_total', '1h'), 'books', { interval: '5m' }),
      p.series('sum(%s)' % q.own('defender_exporter_state_rows_unreadable'), 'rows that cannot be read'),
      p.series('sum(%s)' % q.own('defender_exporter_state_trouble'), 'reasons to decide nothing'),
    ],
    'short',
  );

  board.dashboard(
    config,
    'exporter',
    'Exporter and Azure quota',
    'Whether the exporter reads Azure whole and in time, what that takes of the quota, and how the program is.',
    board.subscriptions,
    [
      board.row(4, [[up, 3], [failing, 3], [throttled, 3], [token, 3], [configured, 3], [restart, 3], [dropped, 3], [trouble, 3]]),
      board.heading('Collectors'),
      board.row(13, [[collectors, 15], [ages, 9]]),
      board.row(8, [[durations, 8], [newest, 8], [seen, 8]]),
      board.row(7, [[odd, 6], [looks, 6], [look, 6], [delay, 6]]),
      board.heading('Azure'),
      board.row(8, [[requests, 6], [latency, 6], [quota, 6], [backoff, 6]]),
      board.heading('Series'),
      board.row(7, [[series, 8], [left_out, 8], [custom, 8]]),
      board.row(7, [[formats, 8], [bodies, 8], [rendering, 8]]),
      board.heading('Program'),
      board.row(6, [[versions, 20], [certificate, 4]]),
      board.row(7, [[memory, 6], [cpu, 6], [files, 6], [threads, 6]]),
      board.row(7, [[http, 12], [logins, 12]]),
      board.heading('OpenTelemetry'),
      board.row(7, [[exports, 5], [refused, 5], [rejected, 5], [waiting, 4], [accepted, 5]]),
      board.heading('Storage'),
      board.row(7, [[size, 8], [written, 8], [failures, 8]]),
    ],
    more={ time: { from: 'now-24h', to: 'now' } },
  )
