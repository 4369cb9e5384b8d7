// Overview: one screen that says how it stands, where it is going and what to do first.
local board = import '../lib/dashboard.libsonnet';
local palette = import '../lib/palette.libsonnet';
local p = import '../lib/panels.libsonnet';
local q = import '../lib/queries.libsonnet';

function(config)
  local runbook(panel, alert) =
    p.linked(panel, 'Runbook', '%s/%s.md' % [config.runbookUrl, alert]);
  local day = 86400;
  local cloud = 'cloud=~"$cloud"';
  local open(more) = q.of('defender_findings', cloud + more);

  local score = runbook(p.stat(
    'Secure score',
    'The classic secure score of what is chosen: the average over subscriptions and connectors by weight. The line is its trend.',
    p.series(q.score(more=cloud), 'Score'),
    'percentunit',
    { thresholds: p.rising(config.scorePoor, config.scoreGood), min: 0, decimals: 1 },
  ), 'DefenderSecureScoreDropped');

  local change = p.stat(
    'Score in 7 days',
    'Secure score now against a week ago, in points of a hundred. Empty in the first week.',
    p.series('100 * (%s - %s)' % [q.score(more=cloud), q.score(more=cloud, offset=' offset 7d')], 'Change'),
    'short',
    {
      thresholds: p.rising(-100 * config.scoreDrop, 0),
      decimals: 1,
    },
  );

  local critical = runbook(p.stat(
    'Critical findings',
    'Open findings of risk level critical now.',
    p.series(q.sum(open(', risk_level="critical"')), 'Critical'),
    'short',
    { thresholds: p.none },
  ), 'DefenderNewCriticalFinding');

  local overdue = runbook(p.stat(
    'Overdue',
    'Open findings whose time to fix is over, by governance or the configured times.',
    p.series(q.sum(q.of('defender_findings_overdue')), 'Overdue'),
    'short',
    { thresholds: p.none },
  ), 'DefenderFindingOverdue');

  local oldest = p.stat(
    'Oldest critical',
    'Since when the critical finding that is open longest has been open. Empty without one.',
    p.series('time() - min(%s)' % q.of('defender_finding_oldest_timestamp_seconds', 'risk_level="critical"'), 'Oldest critical'),
    's',
    {
      thresholds: p.falling(config.slaDays.critical * day / 2, config.slaDays.critical * day),
      decimals: 0,
    },
    { graphMode: 'none' },
  );

  local points = p.stat(
    'Points to gain',
    'Secure score points that could be earned and are not, over all scores that are chosen.',
    p.series('%s - %s' % [
      q.sum(q.of('defender_secure_score_max_points', cloud)),
      q.sum(q.of('defender_secure_score_points', cloud)),
    ], 'Points'),
    'short',
    { decimals: 0 },
  );

  local age = runbook(p.stat(
    'Age of the data',
    'Since the last complete collection of findings. Azure itself is 15 minutes to some hours behind.',
    p.series('time() - min(%s > 0)' % q.own('defender_collector_last_success_timestamp_seconds', 'collector="assessments"'), 'Age'),
    's',
    {
      thresholds: p.falling(config.dataAgeWarning, config.dataAgeCritical),
      noValue: 'never',
      decimals: 0,
    },
    { graphMode: 'none' },
  ), 'DefenderDataStale');

  local unseen = runbook(p.stat(
    'Not visible',
    'Subscriptions that could not be read: what is said here is without what is new in them.',
    p.series('%s - %s' % [
      'count(%s)' % q.of('defender_subscription_visible'),
      q.sum(q.of('defender_subscription_visible')),
    ], 'Not visible'),
    'short',
    { thresholds: p.none },
    { graphMode: 'none' },
  ), 'DefenderSubscriptionNotVisible');

  local findings = p.timeseries(
    'Open findings by risk',
    'How many findings are open, by risk level.',
    p.byRisk(p.series, function(level) q.sum(open(', risk_level="%s"' % level))),
    'short',
    p.stacked,
    overrides=p.riskColours,
  );

  local trend = p.timeseries(
    'Secure score by cloud',
    'The classic secure score of each cloud, by weight.',
    p.series(q.score('cloud', cloud), '{{cloud}}'),
    'percentunit',
    fields={ max: 1 },
    overrides=p.colours(palette.cloud),
  );

  local weekly = p.timeseries(
    'New and fixed, per week',
    'Findings that opened or opened again in a week, above, and those that were resolved in it, below. A bar is the week before it.',
    [
      p.series('%s + %s' % [
        q.sum(q.ofIncrease('defender_findings_opened_total', '7d')),
        q.sum(q.ofIncrease('defender_findings_reopened_total', '7d')),
      ], 'New', { interval: '7d' }),
      p.series(q.sum(q.ofIncrease('defender_findings_resolved_total', '7d')), 'Fixed', { interval: '7d' }),
    ],
    'short',
    p.bars { axisSoftMin: null },
    { min: null, decimals: 0 },
    [
      p.colour('New', palette.poor),
      p.override('Fixed', {
        color: { mode: 'fixed', fixedColor: palette.good },
        'custom.transform': 'negative-Y',
      }),
    ],
  );

  local best = 'topk(10, %s)' % q.once('defender_assessment_potential_points');
  local first(level) =
    'sum by (assessment_id) (%s) and on (assessment_id) %s'
    % [q.once('defender_assessment_findings', 'risk_level="%s"' % level), best];
  local fix = p.table(
    'Fix first',
    'The ten recommendations that bring most secure score points when they are finished everywhere, over all subscriptions.',
    [
      p.rows(q.titled(best)),
      p.rows(first('critical')),
      p.rows(first('high')),
    ],
    [
      ['display_name', 'Recommendation'],
      ['Value #A', 'Points'],
      ['Value #B', 'Critical'],
      ['Value #C', 'High'],
    ],
    [
      p.number('Points', { decimals: 1 }),
      p.counted('Critical', palette.risk.critical),
      p.counted('High', palette.risk.high),
    ],
    'Points',
  );

  local worst(level) = q.sum(open(', risk_level="%s"' % level), 'subscription_id');
  local subscriptions = p.table(
    'Subscriptions',
    'Open critical and high findings and what is overdue, by subscription.',
    [
      p.rows(q.named(worst('critical'))),
      p.rows(q.named(worst('high'))),
      p.rows(q.named(q.sum(q.of('defender_findings_overdue'), 'subscription_id'))),
    ],
    [
      ['subscription_name', 'Subscription'],
      ['Value #A', 'Critical'],
      ['Value #B', 'High'],
      ['Value #C', 'Overdue'],
    ],
    [
      board.subscriptionLink(config),
      p.counted('Critical', palette.risk.critical),
      p.counted('High', palette.risk.high),
      p.counted('Overdue', palette.bad),
    ],
    'Critical',
  );

  board.dashboard(
    config,
    'overview',
    'Overview',
    'How it stands, where it is going, what to do first.',
    board.subscriptions + board.cloud,
    [
      board.row(4, [[score, 3], [change, 3], [critical, 3], [overdue, 3], [oldest, 3], [points, 3], [age, 3], [unseen, 3]]),
      board.row(8, [[findings, 12], [trend, 12]]),
      board.row(9, [[weekly, 5], [fix, 11], [subscriptions, 8]]),
    ],
    more={ time: { from: 'now-30d', to: 'now' } },
  )
