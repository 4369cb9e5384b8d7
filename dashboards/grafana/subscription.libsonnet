// Subscription: all there is to say about the subscriptions that are chosen.
local board = import '../lib/dashboard.libsonnet';
local palette = import '../lib/palette.libsonnet';
local p = import '../lib/panels.libsonnet';
local q = import '../lib/queries.libsonnet';

function(config)
  local cloud = 'cloud=~"$cloud"';
  local all(title, text, metric, thresholds=p.plain, more='') =
    p.stat(title, text, p.series(q.sum(q.of(metric, more)), title), 'short', { thresholds: thresholds });
  local ratio = { thresholds: p.rising(config.scorePoor, config.scoreGood), min: 0, decimals: 1 };
  local risk(title, text, metric, more='') = p.timeseries(
    title,
    text,
    p.byRisk(p.series, function(name) q.sum(q.of(metric, 'risk_level="%s"%s' % [name, more]))),
    'short',
    p.stacked,
    overrides=p.riskColours,
  );
  local by(metric, more='') = p.rows(q.sum(q.of(metric, more), 'subscription_id'));

  board.dashboard(
    config,
    'subscription',
    'Subscription',
    'All there is to say about one subscription or some.',
    board.subscriptions + board.cloud,
    [
      board.row(4, [
        [p.stat('Secure score', 'The average by weight of the scores that are chosen.', p.series(q.score(more=cloud), 'Score'), 'percentunit', ratio), 4],
        [all('Critical findings', 'Open findings of risk level critical.', 'defender_findings', p.none, cloud + ', risk_level="critical"'), 4],
        [all('Overdue', 'Open findings whose time to fix is over.', 'defender_findings_overdue', p.none), 4],
        [all('Attack paths', 'Attack paths; none without Defender CSPM.', 'defender_attack_paths', p.none), 4],
        [all('Security alerts', 'Security alerts nobody works on.', 'defender_security_alerts', p.none), 4],
        [all('Plans that are on', 'Defender plans that are on, over the subscriptions that are chosen.', 'defender_plan_enabled'), 4],
      ]),
      board.row(9, [[p.table('Subscriptions', 'The subscriptions that are chosen, and how each stands.', [
        p.rows('max by (subscription_id, subscription_name, management_group) (%s)' % q.subscriptions),
        by('defender_findings', cloud + ', risk_level="critical"'),
        by('defender_findings', cloud + ', risk_level="high"'),
        by('defender_findings_overdue'),
        by('defender_attack_paths'),
        by('defender_security_alerts'),
        p.rows(q.score('subscription_id', cloud)),
        by('defender_subscription_visible'),
      ], [
        ['subscription_name', 'Subscription'],
        ['management_group', 'Management group'],
        ['Value #B', 'Critical'],
        ['Value #C', 'High'],
        ['Value #D', 'Overdue'],
        ['Value #E', 'Attack paths'],
        ['Value #F', 'Security alerts'],
        ['Value #G', 'Score'],
        ['Value #H', 'Visible'],
      ], [
        p.counted('Critical', palette.risk.critical),
        p.counted('High', palette.risk.high),
        p.counted('Overdue', palette.bad),
        p.number('Attack paths'),
        p.number('Security alerts'),
        p.number('Score', { unit: 'percentunit', decimals: 1 }),
        p.number('Visible', { unit: 'bool_yes_no' }),
      ], 'Critical'), 24]]),
      board.row(8, [
        [risk('Open findings', 'Open findings by risk level.', 'defender_findings', ', ' + cloud), 8],
        [risk('Affected resources', 'Resources with open findings, by the worst of them.', 'defender_affected_resources', ', ' + cloud), 8],
        [p.timeseries('Assessed resources', 'Results of assessments by status.', p.series(q.sum(q.of('defender_assessed_resources', cloud), 'status'), '{{status}}'), 'short', p.stacked, overrides=p.colours({ healthy: palette.good, unhealthy: palette.bad, not_applicable: palette.none, exempt: palette.worth_a_look })), 8],
      ]),
      board.row(8, [
        [risk('Overdue by risk', 'Open findings whose time to fix is over.', 'defender_findings_overdue'), 8],
        [p.timeseries('Not applicable without a plan', 'Results that are not applicable only because a Defender plan is off: a gap in what is looked at.', p.series(q.named(q.sum(q.of('defender_plan_off_results', cloud), 'subscription_id')), '{{subscription_name}}'), 'short'), 8],
        [p.timeseries('Opened and resolved in a day', 'Findings that opened and that were resolved in the day before.', [
          p.series(q.sum(q.ofIncrease('defender_findings_opened_total', '1d')), 'Opened', { interval: '1h' }),
          p.series(q.sum(q.ofIncrease('defender_findings_resolved_total', '1d')), 'Resolved', { interval: '1h' }),
        ], 'short', overrides=p.colours({ Opened: palette.poor, Resolved: palette.good })), 8],
      ]),
    ],
  )
