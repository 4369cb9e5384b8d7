// Alerts and delivery: what fires, whether messages arrive and how fast, what is held back and why.
local board = import '../lib/dashboard.libsonnet';
local palette = import '../lib/palette.libsonnet';
local p = import '../lib/panels.libsonnet';
local q = import '../lib/queries.libsonnet';

function(config)
  local runbook(panel, alert) =
    p.linked(panel, 'Runbook', '%s/%s.md' % [config.runbookUrl, alert]);
  local own(metric, by) = 'sum by (%s) (%s)' % [by, q.own(metric)];
  local hourly(title, text, metric, by, legend, some='') =
    p.timeseries(title, text, p.series('sum by (%s) (%s)%s' % [by, q.ownIncrease(metric, '1h'), some], legend, { interval: '5m' }), 'short');
  local quantiles(metric) = [
    p.series('histogram_quantile(%s, sum by (integration, le) (%s))' % [of[0], q.ownIncrease(metric + '_bucket', '1h')], '{{integration}} ' + of[1], { exemplar: true, interval: '5m' })
    for of in [['0.5', 'median'], ['0.99', '99 %']]
  ];
  local messages(state) = q.own('defender_exporter_outbox_messages', 'state="%s"' % state);

  board.dashboard(
    config,
    'alerts',
    'Alerts and delivery',
    'What fires, whether messages arrive and how fast, what is held back and why.',
    [],
    [
      board.row(4, [
        [p.stat('Firing', 'Alerts that fire, also those that are silenced or inhibited.', p.series('max(%s)' % q.own('defender_exporter_alerts', 'state="firing"'), 'Firing'), 'short', { thresholds: p.none }), 4],
        [runbook(p.stat('Failed in an hour', 'Attempts to deliver that were not accepted in the hour before.', p.series('sum(%s)' % q.ownIncrease('defender_exporter_notifications_failed_total', '1h'), 'Failed', { interval: '5m' }), 'short', { thresholds: p.none, decimals: 0 }), 'DefenderNotificationsFailing'), 4],
        [runbook(p.stat('Waiting', 'Messages that wait for their receiver.', p.series('sum(%s)' % messages('queued'), 'Waiting'), 'short'), 'DefenderOutboxStuck'), 4],
        [runbook(p.stat('Given up', 'Messages that a receiver refused for good or that expired; defender_exporter outbox list shows them.', p.series('sum(%s)' % messages('dead'), 'Given up'), 'short', { thresholds: p.none }), 'DefenderOutboxStuck'), 4],
        [p.stat('Outbox in use', 'Size of what waits, of the size above which only digests are queued.', p.series('max(%s / %s)' % [q.own('defender_exporter_outbox_bytes'), q.own('defender_exporter_outbox_max_bytes')], 'In use'), 'percentunit', { thresholds: p.falling(config.outboxUsed / 2, config.outboxUsed), decimals: 1 }), 4],
        [p.stat('Heartbeats that failed', 'Heartbeats of the day before that were held back or not accepted.', p.series('sum(%s)' % q.ownIncrease('defender_exporter_heartbeats_failed_total', '1d'), 'Failed', { interval: '1h' }), 'short', { thresholds: p.none, decimals: 0 }), 4],
      ]),
      board.row(8, [
        [p.timeseries('Alerts by state', 'Alerts by state; silenced and inhibited ones are firing, too.', p.series('max by (state) (%s)' % q.own('defender_exporter_alerts'), '{{state}}'), 'short'), 8],
        [hourly('Held back', 'Alerts that were held back, folded into a digest or adopted quietly in the hour before, by reason.', 'defender_exporter_notifications_suppressed_total', 'reason', '{{reason}}'), 8],
        [hourly('Rules', 'Evaluations of rules in the hour before.', 'defender_exporter_rule_evaluations_total', 'rule', '{{rule}}'), 8],
      ]),
      board.heading('Delivery'),
      board.row(8, [
        [hourly('Attempts', 'Attempts to deliver a message in the hour before.', 'defender_exporter_notifications_total', 'receiver, integration', '{{receiver}} ({{integration}})'), 8],
        [runbook(hourly('Attempts that failed', 'Attempts that were not accepted and messages that expired in the hour before.', 'defender_exporter_notifications_failed_total', 'receiver, reason', '{{receiver}}: {{reason}}'), 'DefenderNotificationsFailing'), 8],
        [runbook(p.timeseries('Messages not accepted yet', 'Messages that wait, are on their way, or were given up.', p.series(own('defender_exporter_outbox_messages', 'receiver, state'), '{{receiver}}: {{state}}'), 'short'), 'DefenderOutboxStuck'), 8],
      ]),
      board.row(8, [
        [p.timeseries('Event to acceptance', 'From an event to the acceptance of its message by a receiver, in the hour before.', quantiles('defender_exporter_notification_age_seconds'), 's'), 8],
        [p.timeseries('Time of an attempt', 'Duration of an attempt to deliver, in the hour before.', quantiles('defender_exporter_notification_latency_seconds'), 's'), 8],
        [runbook(p.timeseries('Oldest message that waits', 'Since when the oldest message has waited; nothing when none does.', p.series('max by (receiver) (time() - %s)' % q.own('defender_exporter_outbox_oldest_timestamp_seconds'), '{{receiver}}'), 's'), 'DefenderOutboxStuck'), 8],
      ]),
      board.row(8, [
        [p.timeseries('Since a receiver took a message', 'Since a receiver last accepted a message; nothing before the first.', p.series('max by (receiver) (time() - (%s > 0))' % q.own('defender_exporter_notification_last_success_timestamp_seconds'), '{{receiver}}'), 's'), 8],
        [hourly('Recipients refused', 'Recipients of a mail that its relay refused in the hour before.', 'defender_exporter_notification_recipients_refused_total', 'receiver', '{{receiver}}'), 8],
        [p.timeseries('Heartbeats', 'Heartbeats that were due in the hour before, and those that were held back or not accepted.', [
          p.series('sum(%s)' % q.ownIncrease('defender_exporter_heartbeats_total', '1h'), 'Due', { interval: '5m' }),
          p.series('sum(%s)' % q.ownIncrease('defender_exporter_heartbeats_failed_total', '1h'), 'Failed', { interval: '5m' }),
        ], 'short', overrides=p.colours({ Due: palette.good, Failed: palette.bad })), 8],
      ]),
      board.heading('Decisions'),
      board.row(8, [
        [hourly('Evaluations that were undone', 'Evaluations of rules in the hour before that could not be kept and are made again.', 'defender_exporter_rule_evaluation_failures_total', 'rule', '{{rule}}'), 6],
        [p.timeseries('Time of an evaluation', 'Duration of the last evaluation of all rules, its commit included.', p.series('max by (instance) (%s)' % q.own('defender_exporter_rule_last_duration_seconds'), '{{instance}}'), 's'), 6],
        [p.timeseries('Matchers at a limit', 'Matchers whose regular expression met a limit: it matches nothing in silences, inhibition and maintenance, all in rules and routes.', p.series('max by (place) (%s)' % q.own('defender_exporter_matchers_limited'), '{{place}}'), 'short'), 6],
        [hourly('What people did', 'What people did to silences, messages and the configuration in the hour before.', 'defender_exporter_audit_events_total', 'action', '{{action}}'), 6],
      ]),
    ],
    more={ time: { from: 'now-24h', to: 'now' } },
  )
