// Compliance: how standards stand, Microsoft's own benchmark first, and which controls fail most.
local board = import '../lib/dashboard.libsonnet';
local palette = import '../lib/palette.libsonnet';
local p = import '../lib/panels.libsonnet';
local q = import '../lib/queries.libsonnet';

function(config)
  // Both versions of the benchmark.
  local benchmark = 'standard=~"microsoft-cloud-security-benchmark.*"';
  local chosen = 'standard=~"$standard"';
  local controls(state, more=chosen) = q.of('defender_compliance_controls', '%s, state=~"%s"' % [more, state]);
  local ratio(by='', more=chosen) =
    '%s / %s' % [q.sum(controls('passed', more), by), q.sum(controls('passed|failed', more), by)];
  // In the order of a table: the benchmark, when it is chosen, then the others.
  local ranked(query) = '%s or %s' % [query('%s, %s' % [chosen, benchmark]), query(chosen)];
  local fine = { thresholds: p.rising(config.compliancePoor, config.complianceGood), min: 0, decimals: 1 };
  local failed = 'defender_compliance_control_failed_resources';
  local key = 'standard, compliance_control';
  local named(expression) =
    q.told(expression, key, 'display_name', q.once('defender_compliance_control_info'));
  local worst(count, more) = 'topk(%d, %s)' % [count, named(q.sum(q.of(failed, more), key))];
  local opt_in = ' Needs %s and defender_compliance_control_info, which are off until metrics.opt_in_list names them.' % failed;

  board.dashboard(
    config,
    'compliance',
    'Compliance',
    'How compliance standards stand, Microsoft cloud security benchmark first, and which controls fail most.',
    board.subscriptions + [board.variable('standard', 'Standard', 'defender_compliance_controls', 'standard')],
    [
      board.row(4, [
        [p.stat('Microsoft cloud security benchmark', 'Controls of the benchmark that pass, of those that pass or fail, added up over subscriptions. The line is its trend.', p.series(ratio(more=benchmark), 'Pass'), 'percentunit', fine), 6],
        [p.stat('Benchmark controls that fail', 'Controls of the benchmark that fail, added up over subscriptions: one that fails in two counts twice.', p.series(q.sum(controls('failed', benchmark)), 'Fail'), 'short', { thresholds: p.none }), 5],
        [p.stat('Worst standard', 'Of the standards that are chosen that of which the fewest controls pass.', p.series('min(%s)' % ratio('standard'), 'Pass'), 'percentunit', fine), 4],
        [p.stat('Controls that fail', 'Controls of all standards that are chosen, added up over subscriptions.', p.series(q.sum(controls('failed')), 'Fail'), 'short', { thresholds: p.none }), 4],
        [p.stat('Controls nothing is said of', 'Controls that Azure skipped or does not support: neither passed nor failed, and in no share.', p.series(q.sum(controls('skipped|unsupported')), 'Not told'), 'short'), 5],
      ]),
      board.row(9, [
        [p.timeseries('Pass, by standard', 'Controls that pass, of those that pass or fail, by standard.', p.series(ratio('standard'), '{{standard}}'), 'percentunit', fields={ max: 1 }), 12],
        [p.timeseries('Benchmark by subscription', 'Controls of the benchmark that pass, of those that pass or fail, in each subscription.', p.series(q.named(q.of('defender_compliance_ratio', benchmark)), '{{subscription_name}}'), 'percentunit', fields={ max: 1 }), 12],
      ]),
      board.row(9, [
        [p.table('Standards', 'Controls by state, added up over subscriptions. The benchmark is first, then the standard of which the fewest controls pass.', [
          p.rows(ranked(function(more) 'sort(%s)' % ratio('standard', more))),
          p.rows(q.sum(controls('failed'), 'standard')),
          p.rows(q.sum(controls('passed'), 'standard')),
          p.rows(q.sum(controls('skipped'), 'standard')),
          p.rows(q.sum(controls('unsupported'), 'standard')),
        ], [
          ['standard', 'Standard'],
          ['Value #A', 'Pass'],
          ['Value #B', 'Failed'],
          ['Value #C', 'Passed'],
          ['Value #D', 'Skipped'],
          ['Value #E', 'Unsupported'],
        ], [
          p.number('Pass', { unit: 'percentunit', decimals: 1 }),
          p.counted('Failed', palette.poor),
        ] + p.narrow(['Passed', 'Skipped', 'Unsupported'])), 14],
        [p.table('Subscriptions', 'Controls of the standards that are chosen, by subscription.', [
          p.rows(q.named(ratio('subscription_id'))),
          p.rows(q.named(q.sum(controls('failed'), 'subscription_id'))),
        ], [
          ['subscription_name', 'Subscription'],
          ['Value #A', 'Pass'],
          ['Value #B', 'Failed'],
        ], [
          board.subscriptionLink(config),
          p.number('Pass', { unit: 'percentunit', decimals: 1 }),
          p.counted('Failed', palette.poor),
        ], 'Failed'), 10],
      ]),
      board.heading('Controls'),
      board.row(10, [
        [p.bargauge('Benchmark controls by failed resources', 'The 15 controls of the benchmark that most resources fail, added up over their assessments: one that fails two counts twice.' + opt_in, p.now(worst(15, benchmark), '{{compliance_control}} {{display_name}}'), 'short', { color: { mode: 'fixed', fixedColor: palette.poor } }), 24],
      ]),
      board.row(12, [
        [p.table('Controls that most resources fail', 'Up to 100 controls of the benchmark, then up to 100 of all standards that are chosen, by resources that fail them, added up over their assessments.' + opt_in, [
          p.rows(ranked(function(more) worst(100, more))),
          p.rows('count by (%s) (%s)' % [key, q.of(failed, chosen)]),
        ], [
          ['standard', 'Standard'],
          ['compliance_control', 'Control'],
          ['display_name', 'Title'],
          ['Value #A', 'Resources'],
          ['Value #B', 'Subscriptions'],
        ], [
          p.column('Standard', { 'custom.width': 290 }),
          p.column('Control', { 'custom.width': 110 }),
          p.number('Subscriptions'),
          p.bar('Resources', palette.poor),
        ]), 24],
      ]),
    ],
    more={ time: { from: 'now-30d', to: 'now' } },
  )
