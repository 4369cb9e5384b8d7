// OS baselines: which machines meet theirs, which rules fail most, what drifts.
local board = import '../lib/dashboard.libsonnet';
local palette = import '../lib/palette.libsonnet';
local p = import '../lib/panels.libsonnet';
local q = import '../lib/queries.libsonnet';

function(config)
  local chosen = 'assignment=~"$assignment"';
  local machines(more='') = q.of('defender_baseline_machines', chosen + more);
  local states = { compliant: palette.good, non_compliant: palette.bad, pending: palette.none };
  local runbook(panel) = p.linked(panel, 'Runbook', config.runbookUrl + '/DefenderBaselineDrift.md');

  board.dashboard(
    config,
    'baselines',
    'OS baselines',
    'Which machines meet the security baseline of their operating system, which rules fail most, what drifts.',
    board.subscriptions + [board.variable('assignment', 'Baseline', 'defender_baseline_machines', 'assignment')],
    [
      board.row(4, [
        [p.stat('Machines that comply', 'The share of machines with a result that meet their baseline.', p.series('%s / %s' % [q.sum(machines(', state="compliant"')), q.sum(machines(', state=~"compliant|non_compliant"'))], 'Comply'), 'percentunit', { thresholds: p.rising(config.compliancePoor, config.complianceGood), min: 0, decimals: 1 }), 6],
        [p.stat('Machines that do not', 'Machines that fail at least one rule.', p.series(q.sum(machines(', state="non_compliant"')), 'Fail'), 'short', { thresholds: p.none }), 6],
        [p.stat('Stale reports', 'Machines whose last report is older than 24 hours.', p.series(q.sum(q.of('defender_baseline_stale_machines', chosen)), 'Stale'), 'short', { thresholds: p.falling(1, 1000) }), 6],
        [p.stat('Results waived', 'Failing results that do not count because of a waiver of the configuration.', p.series('sum(%s)' % q.once('defender_baseline_rules_waived', chosen), 'Waived'), 'short'), 6],
      ]),
      board.row(8, [
        [p.timeseries('Machines by state', 'Machines by compliance with their baseline.', p.series(q.sum(machines(), 'state'), '{{state}}'), 'short', p.stacked, overrides=p.colours(states)), 8],
        [runbook(p.timeseries('Drift', 'Results of rules that began to fail, and that no longer fail, in the day before; of all subscriptions.', [
          p.series('sum(%s)' % q.increase('defender_baseline_rules_regressed_total', '1d', chosen), 'Began to fail', { interval: '1h' }),
          p.series('sum(%s)' % q.increase('defender_baseline_rules_fixed_total', '1d', chosen), 'Fixed', { interval: '1h' }),
        ], 'short', overrides=p.colours({ 'Began to fail': palette.bad, Fixed: palette.good }))), 8],
        [p.timeseries('Machines that fail, by subscription', 'Machines that fail at least one rule.', p.series(q.named(q.sum(machines(', state="non_compliant"'), 'subscription_id')), '{{subscription_name}}'), 'short'), 8],
      ]),
      board.row(12, [[p.table('Rules', 'Rules by the machines that fail them, over all subscriptions.', p.rows('topk(100, %s)' % q.told(q.once('defender_baseline_rule_failing_machines', chosen), 'assignment, rule_id', 'rule_name, rule_severity', q.own('defender_baseline_rule_info'))), [
        ['rule_name', 'Rule'],
        ['rule_severity', 'Severity'],
        ['assignment', 'Baseline'],
        ['Value', 'Machines'],
      ], [p.bar('Machines', palette.poor), p.words('Severity', palette.severity)], 'Machines'), 24]]),
    ],
  )
