// Secure score and controls: where the points are, ranked by what there is to gain.
local board = import '../lib/dashboard.libsonnet';
local palette = import '../lib/palette.libsonnet';
local p = import '../lib/panels.libsonnet';
local q = import '../lib/queries.libsonnet';

function(config)
  local runbook(panel) =
    p.linked(panel, 'Runbook', config.runbookUrl + '/DefenderSecureScoreDropped.md');
  local cloud = 'cloud=~"$cloud"';
  local ratio = { thresholds: p.rising(config.scorePoor, config.scoreGood), min: 0, decimals: 1 };
  local points(metric) = q.of(metric, cloud);
  local gain(by) = '%s - %s' % [
    q.sum(points('defender_control_max_points'), by),
    q.sum(points('defender_control_points'), by),
  ];

  board.dashboard(
    config,
    'score',
    'Secure score and controls',
    'The classic secure score, which the portal shows beside the Cloud secure score, and where its points are.',
    board.subscriptions + board.cloud,
    [
      board.row(4, [
        [runbook(p.stat('Secure score', 'The average by weight of the scores that are chosen.', p.series(q.score(more=cloud), 'Score'), 'percentunit', ratio)), 6],
        [p.stat('Over all clouds', 'The average by weight over all subscriptions and connectors, as the exporter makes it.', p.series('max(%s)' % q.own('defender_secure_score_overall_ratio'), 'Score'), 'percentunit', ratio), 6],
        [p.stat('Points to gain', 'Points that could be earned and are not.', p.series('%s - %s' % [q.sum(points('defender_secure_score_max_points')), q.sum(points('defender_secure_score_points'))], 'Points'), 'short', { decimals: 0 }), 4],
        [p.stat('Scores left out', 'Scores that averages leave out: without a ratio or a weight, impossible, or of an unknown cloud.', p.series('sum(%s)' % q.once('defender_secure_score_rows_skipped'), 'Left out'), 'short', { thresholds: p.none }), 4],
        [p.stat('Connectors', 'Whether scores of connectors to other clouds are read; with source: rest they are not.', p.series('min(%s)' % q.own('defender_secure_score_connectors_told'), 'Read'), 'bool_yes_no', { thresholds: p.thresholds([[null, palette.worth_a_look], [1, palette.good]]) }, { graphMode: 'none' }), 4],
      ]),
      board.row(9, [
        [runbook(p.timeseries('Score by cloud', 'The average by weight of each cloud, as the exporter makes it.', p.series('max by (cloud) (%s)' % q.own('defender_secure_score_cloud_ratio', cloud), '{{cloud}}'), 'percentunit', fields={ max: 1 }, overrides=p.colours(palette.cloud))), 12],
        [p.timeseries('Score by subscription', 'The average by weight of each subscription and its connectors.', p.series(q.named(q.score('subscription_id', cloud)), '{{subscription_name}}'), 'percentunit', fields={ max: 1 }), 12],
      ]),
      board.row(12, [
        [p.bargauge('Controls by points to gain', 'Points that could be earned and are not, by control, most first.', p.now('sort_desc(%s)' % q.told(gain('control'), 'control', 'display_name', q.own('defender_control_info')), '{{display_name}}'), 'short', { decimals: 1, color: { mode: 'fixed', fixedColor: palette.poor } }), 12],
        [p.table('Controls', 'Points earned and to be earned in each control.', [
          p.rows(q.told(gain('control'), 'control', 'display_name', q.own('defender_control_info'))),
          p.rows(q.sum(points('defender_control_points'), 'control')),
          p.rows(q.sum(points('defender_control_max_points'), 'control')),
        ], [['display_name', 'Control'], ['Value #A', 'To gain'], ['Value #B', 'Points'], ['Value #C', 'Of']], [
          p.number('To gain', { decimals: 1 }),
          p.number('Points', { decimals: 1 }),
          p.number('Of', { decimals: 1 }),
        ], 'To gain'), 12],
      ]),
    ],
    more={ time: { from: 'now-30d', to: 'now' } },
  )
