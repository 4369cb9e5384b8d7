// Remediation: how old findings are, how long fixing takes, what is overdue and how fast that burns.
local board = import '../lib/dashboard.libsonnet';
local palette = import '../lib/palette.libsonnet';
local p = import '../lib/panels.libsonnet';
local q = import '../lib/queries.libsonnet';

function(config)
  local runbook(panel, alert) =
    p.linked(panel, 'Runbook', '%s/%s.md' % [config.runbookUrl, alert]);
  local risk(title, text, metric, more={}) = p.timeseries(
    title,
    text,
    p.byRisk(p.series, function(name) q.sum(q.of(metric, 'risk_level="%s"' % name))),
    'short',
    p.stacked,
    overrides=p.riskColours,
  ) + more;
  local resolution = 'defender_finding_resolution_seconds';
  local took = resolution + '_bucket';
  // Native buckets where Prometheus stored them, else the classic ones. Of native ones there is no
  // max: two exporters of one tenant count twice, which changes no colour and no median.
  local native = 'sum(%s)' % q.ownIncrease(resolution, '1h');
  local median(more) = 'histogram_quantile(0.5, sum(%s)) or histogram_quantile(0.5, sum by (le) (%s))' % [
    q.ownIncrease(resolution, '7d', more),
    q.increase(took, '7d', more),
  ];
  local times = '%s or (sum by (le) (%s) unless on () %s)' % [native, q.increase(took, '1h'), native];

  // How fast the budget of the objective is used up, in the windows that alerts look at: 1 is just so.
  local worst = config.alertLevels;
  local share(level) = 'clamp_max(%s / clamp_min(%s, 1), 1)' % [
    q.sum(q.of('defender_findings_overdue', 'risk_level="%s"' % level)),
    q.sum(q.of('defender_findings', 'risk_level="%s"' % level)),
  ];
  local hold = (import '../lib/promql.libsonnet')(config).duration;
  local windows = [[hold(burn.long), if burn.long > 86400 then '1h' else '15m'] for burn in config.burns];
  local burn = p.timeseries(
    'Budget burn',
    'How fast what may be overdue is used up, averaged over the windows that alerts look at, at first as it is now: at 1 it is used up just so. Of the risk levels that alerts are about.',
    [
      p.series('(avg_over_time((%s)[%s:%s]) or %s) / %g' % [share(level), window[0], window[1], share(level), 1 - config.slaObjective], '%s, %s' % [palette.words[level], window[0]], { interval: window[1] })
      for level in worst
      for window in windows
    ],
    'short',
    { thresholdsStyle: { mode: 'line' } },
    { thresholds: p.thresholds([[null, palette.good]] + [[burn.factor, if burn.severity == 'critical' then palette.bad else palette.worth_a_look] for burn in std.sort(config.burns, function(burn) burn.factor)]) },
    [
      p.override('%s, %s' % [palette.words[level], window[0]], {
        color: { mode: 'fixed', fixedColor: palette.risk[level] },
        [if window[1] == '1h' then 'custom.lineStyle']: { fill: 'dash', dash: [10, 10] },
      })
      for level in worst
      for window in windows
    ],
  );
  local week(metric, name) = q.sum(q.ofIncrease(metric, '7d', 'risk_level="%s"' % name));

  board.dashboard(
    config,
    'remediation',
    'Remediation and time limits',
    'How old findings are, how long fixing takes, what is overdue and what will be.',
    board.subscriptions,
    [
      board.row(4, [
        [runbook(p.stat('Overdue', 'Open findings whose time to fix is over.', p.series(q.sum(q.of('defender_findings_overdue')), 'Overdue'), 'short', { thresholds: p.none }), 'DefenderFindingOverdue'), 6],
        [p.stat('Due soon', 'Open findings whose time to fix is nearly over.', p.series(q.sum(q.of('defender_findings_due_soon')), 'Due soon'), 'short', { thresholds: p.thresholds([[null, palette.good], [1, palette.worth_a_look]]) }), 6],
        [p.stat('Open without a row', 'Open findings of which the last collection has no row, and nothing says why.', p.series(q.sum(q.of('defender_findings_unseen')), 'Unseen'), 'short', { thresholds: p.thresholds([[null, palette.good], [1, palette.worth_a_look]]) }), 6],
        [runbook(p.stat('Reopened in a day', 'Findings that opened again after they had been resolved.', p.series(q.sum(q.ofIncrease('defender_findings_reopened_total', '1d')), 'Reopened', { interval: '1h' }), 'short', { thresholds: p.none, decimals: 0 }), 'DefenderFindingReopened'), 6],
      ]),
      board.row(8, [
        [runbook(risk('Overdue by risk', 'Open findings whose time to fix is over, by risk level.', 'defender_findings_overdue'), 'DefenderRemediationBudgetBurn'), 8],
        [risk('Due soon by risk', 'Open findings whose time to fix is nearly over, by risk level.', 'defender_findings_due_soon'), 8],
        [p.timeseries('Oldest open finding', 'Since when the finding that is open longest has been open, by risk level.', p.byRisk(p.series, function(name) '(time() - min(%s)) / 86400' % q.of('defender_finding_oldest_timestamp_seconds', 'risk_level="%s"' % name)), 'suffix:days', overrides=p.riskColours), 8],
      ]),
      board.row(8, [[runbook(burn, 'DefenderRemediationBudgetBurn'), 24]]),
      board.heading('Time to fix'),
      board.row(9, [
        [p.heatmap('Time from opening to resolve', 'Findings that were resolved in the hour before, by how long they had been open; of all subscriptions.', p.series(times, '{{le}}', { interval: '1h', format: 'heatmap', exemplar: true }), 's'), 12],
        [p.timeseries('Time to fix, median of 7 days', 'Half of what was resolved in the week before was open shorter, by risk level; of all subscriptions.', p.byRisk(p.every('1d'), function(name) '(%s) / 86400' % median('risk_level="%s"' % name)), 'suffix:days', overrides=p.riskColours), 12],
      ]),
      board.row(8, [
        [p.timeseries('Resolved by reason', 'Findings that were resolved in the day before, by reason; of all subscriptions.', p.series('sum by (reason) (%s)' % q.increase('defender_finding_resolutions_total', '1d'), '{{reason}}', { interval: '1h' }), 'short', p.stacked), 8],
        [p.timeseries('Resolved by risk', 'Findings that were resolved in the week before, by risk level.', p.byRisk(p.every('1d'), function(name) week('defender_findings_resolved_total', name)), 'short', overrides=p.riskColours), 8],
        [p.timeseries('Changes of risk', 'Open findings that got another risk level in the day before, by what it was and is; of all subscriptions.', p.series('sum by (from, to) (%s) > 0' % q.increase('defender_finding_risk_changes_total', '1d'), '{{from}} to {{to}}', { interval: '1h' }), 'short'), 8],
      ]),
    ],
    more={ time: { from: 'now-30d', to: 'now' } },
  )
