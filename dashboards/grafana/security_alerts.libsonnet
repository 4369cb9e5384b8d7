// Security alerts: what Defender for Cloud saw happen, and whether somebody is at work on it.
local board = import '../lib/dashboard.libsonnet';
local palette = import '../lib/palette.libsonnet';
local p = import '../lib/panels.libsonnet';
local q = import '../lib/queries.libsonnet';

function(config)
  local severities = ['high', 'medium', 'low', 'informational'];
  local active(name) = q.sum(q.of('defender_security_alerts', 'severity="%s"' % name));
  local info(more='') = q.of('defender_security_alert_info', more);
  local needed = ' Needs defender_security_alert_info, which is off until metrics.opt_in_list names it.';
  local colours = p.wordColours({ [name]: palette.severity[name] for name in severities });
  local stat(name) = p.stat(
    palette.word(name),
    'Active security alerts of severity %s: nobody is at work on them.' % name,
    p.series(active(name), palette.word(name)),
    'short',
    { color: { mode: 'fixed', fixedColor: palette.severity[name] } },
  );
  local raised(name, range) = q.sum(q.ofIncrease('defender_security_alerts_opened_total', range, 'severity="%s"' % name));
  local most(title, text, label) = p.bargauge(
    title,
    text + needed,
    p.now('sort_desc(topk(10, count by (%s) (%s)))' % [label, info()], '{{%s}}' % label),
    'short',
    { color: { mode: 'fixed', fixedColor: palette.poor } },
  );
  local by(name) = p.rows(q.named(q.sum(q.of('defender_security_alerts', 'severity="%s"' % name), 'subscription_id')));

  board.dashboard(
    config,
    'security_alerts',
    'Security alerts',
    'What Defender for Cloud saw happen, and whether somebody is at work on it.',
    board.subscriptions,
    [
      board.row(4, [[stat(name), 4] for name in severities] + [
        [p.stat('Raised in a day', 'Security alerts that were raised in the day before.', p.series(q.sum(q.ofIncrease('defender_security_alerts_opened_total', '1d')), 'Raised', { interval: '1h' }), 'short', { decimals: 0 }), 4],
        [p.stat('Somebody is at work', 'Security alerts that are in progress.' + needed, p.series('count(%s) or vector(0)' % info('status="in_progress"'), 'In progress'), 'short'), 4],
      ]),
      board.row(9, [
        [p.timeseries('Active alerts by severity', 'Security alerts nobody works on, by severity.', p.byWord(p.series, severities, active), 'short', p.stacked, overrides=colours), 7],
        [p.timeseries('Raised in a day, by severity', 'Security alerts that were raised in the day before, by severity; those of the first run are not counted.', [p.series(raised(name, '1d'), palette.word(name), { interval: '1h' }) for name in severities], 'short', p.stacked, overrides=colours), 7],
        [p.table('Active alerts by subscription', 'Security alerts of each subscription nobody works on, by severity.', [by(name) for name in severities], [
          ['subscription_name', 'Subscription'],
        ] + [['Value #' + std.char(65 + i), palette.word(severities[i])] for i in std.range(0, 3)], [
          p.counted(palette.word(name), palette.severity[name])
          for name in severities
        ] + [board.subscriptionLink(config)], 'High'), 10],
      ]),
      board.row(8, [
        [most('Tactics', 'Open security alerts by the tactics of MITRE ATT&CK they stand for.', 'tactics'), 12],
        [most('Kinds', 'Open security alerts by kind.', 'alert_type'), 12],
      ]),
      board.row(10, [[p.table('Open security alerts', 'Open security alerts, at most 200; a name leads to the portal.' + needed, p.rows('topk(200, %s)' % q.named(info())), [
        ['severity', 'Severity'],
        ['name', 'Alert'],
        ['status', 'Status'],
        ['tactics', 'Tactics'],
        ['alert_type', 'Kind'],
        ['subscription_name', 'Subscription'],
        ['finding_id', 'Finding'],
      ], [
        p.words('Severity', palette.severity),
        p.link('Alert', 'In the portal', '${exporter}/f/${__data.fields.Finding}/portal'),
        p.column('Status', { 'custom.width': 120 }),
        p.column('Subscription', { 'custom.width': 220 }),
        p.column('Finding', { 'custom.width': 160 }),
      ], 'Severity'), 24]]),
    ],
  )
