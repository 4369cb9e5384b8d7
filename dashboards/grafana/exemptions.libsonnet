// Exemptions: what is exempted, until when, and how many points of the secure score hang on it.
local board = import '../lib/dashboard.libsonnet';
local palette = import '../lib/palette.libsonnet';
local p = import '../lib/panels.libsonnet';
local q = import '../lib/queries.libsonnet';

function(config)
  local runbook(panel) = p.linked(panel, 'Runbook', config.runbookUrl + '/DefenderExemptionExpiring.md');
  local held(category='.+') = q.of('defender_exemptions', 'category=~"%s"' % category);
  local ends(within) = q.of('defender_exemptions_expiring', 'within="%s"' % within);
  local over = q.of('defender_exemptions_expired');
  local points = q.of('defender_exempted_points');
  local results = q.of('defender_assessed_resources', 'status="exempt"');
  local count(title, text, query, steps=p.plain) =
    p.stat(title, text, p.series(q.sum(query), title), 'short', { thresholds: steps });
  local some = p.thresholds([[null, palette.good], [1, palette.worth_a_look]]);
  local by(query) = p.rows(q.named(q.sum(query, 'subscription_id')));
  local ending = { 'Within 30 days': palette.worth_a_look, 'Within 7 days': palette.poor, Over: palette.bad };
  local waivers(state) = 'sum(%s)' % q.once('defender_baseline_waivers', 'state="%s"' % state);

  board.dashboard(
    config,
    'exemptions',
    'Exemptions',
    'What is exempted, until when, and how many points of the secure score hang on it.',
    board.subscriptions,
    [
      board.row(4, [
        [count('Exemptions', 'Policy exemptions that hold, each policy at each scope once.', held()), 4],
        [count('Waivers', 'Those by which a risk is accepted, not mitigated.', held('waiver'), some), 4],
        [runbook(count('End within 7 days', 'Exemptions that end within 7 days: what they are about fails again.', ends('7d'), p.none)), 4],
        [runbook(count('End within 30 days', 'Exemptions that end within 30 days, those of the next 7 among them.', ends('30d'), some)), 4],
        [count('Expired', 'Exemptions that are over and still listed.', over, some), 4],
        [p.stat('Points exempted', 'Secure score points that exempted resources hold.', p.series(q.sum(points), 'Points'), 'short', { decimals: 1 }), 4],
      ]),
      board.row(8, [
        [p.timeseries('Exemptions by category', 'Policy exemptions that hold, by category.', p.series(q.sum(held(), 'category'), '{{category}}'), 'short', p.stacked, overrides=p.colours({ mitigated: palette.good, waiver: palette.worth_a_look, other: palette.none })), 8],
        [runbook(p.timeseries('Ending and over', 'Exemptions that end within 7 days, within 30, and that are over.', [
          p.series(q.sum(ends('30d')), 'Within 30 days'),
          p.series(q.sum(ends('7d')), 'Within 7 days'),
          p.series(q.sum(over), 'Over'),
        ], 'short', overrides=p.colours(ending))), 8],
        [p.timeseries('Exempted results', 'Results of assessments that count as exempt.', p.series(q.named(q.sum(results, 'subscription_id')), '{{subscription_name}}'), 'short'), 8],
      ]),
      board.row(10, [
        [runbook(p.table('Subscriptions', 'Exemptions, results that are exempt, and secure score points that hang on them, by subscription.', [
          by(held('mitigated')),
          by(held('waiver')),
          by(ends('7d')),
          by(ends('30d')),
          by(over),
          by(results),
          by(points),
        ], [
          ['subscription_name', 'Subscription'],
          ['Value #A', 'Mitigated'],
          ['Value #B', 'Waivers'],
          ['Value #C', '7 days'],
          ['Value #D', '30 days'],
          ['Value #E', 'Expired'],
          ['Value #F', 'Exempt results'],
          ['Value #G', 'Points'],
        ], [
          board.subscriptionLink(config),
          p.counted('7 days', palette.bad),
          p.counted('30 days', palette.worth_a_look),
          p.number('Points', { decimals: 1 }),
        ] + p.narrow(['Mitigated', 'Waivers', 'Expired', 'Exempt results']), '7 days')), 16],
        [p.timeseries('Points exempted, by subscription', 'Secure score points of a subscription that exempted resources hold: their share of each control.', p.series(q.named(q.sum(points, 'subscription_id')), '{{subscription_name}}'), 'short', fields={ decimals: 1 }), 8],
      ]),
      board.heading('Waivers of baseline rules'),
      board.row(8, [
        [p.stat('In force', 'Waivers of the configuration that are in force, of all subscriptions.', p.series(waivers('in_force'), 'In force'), 'short'), 4],
        [p.stat('Over', 'Waivers of the configuration that are over: what they were about counts again.', p.series(waivers('expired'), 'Over'), 'short', { thresholds: some }), 4],
        [p.table('Waivers of the configuration', 'Rules of OS baselines that are waived, until when and why.', p.rows('max by (rule, expires, reason, state) (%s)' % q.once('defender_baseline_waiver_info')), [
          ['rule', 'Rule'],
          ['expires', 'Until'],
          ['reason', 'Reason'],
          ['state', 'State'],
        ], [
          p.column('Until', { 'custom.width': 120 }),
          p.column('State', { 'custom.width': 100 }),
        ]) + { fieldConfig+: { defaults+: { noValue: 'none' } } }, 16],
      ]),
    ],
    more={ time: { from: 'now-30d', to: 'now' } },
  )
