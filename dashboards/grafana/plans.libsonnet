// Plans: what Defender for Cloud is paid to look at, what it leaves out, and machines nobody looks into.
local board = import '../lib/dashboard.libsonnet';
local palette = import '../lib/palette.libsonnet';
local p = import '../lib/panels.libsonnet';
local q = import '../lib/queries.libsonnet';

function(config)
  local runbook(panel) = p.linked(panel, 'Runbook', config.runbookUrl + '/DefenderPlanDisabled.md');
  local chosen = 'plan=~"$plan"';
  local enabled = q.of('defender_plan_enabled', chosen);
  local info(more='') = q.of('defender_plan_info', chosen + more);
  local extensions = q.of('defender_plan_extension_enabled', chosen);
  local machines = q.sum(q.of('defender_machines'));
  local unassessed(by='') = q.sum(q.of('defender_unassessed_machines'), by);
  local opt_in(families) = ' Needs %s, which is off until metrics.opt_in_list names it.' % families;
  local lacking(title, text, metric) = runbook(p.stat(
    title,
    text,
    p.series('count(%s) - %s' % [q.of(metric), q.sum(q.of(metric))], title),
    'short',
    { thresholds: p.thresholds([[null, palette.good], [1, palette.worth_a_look]]) },
  ));
  local on_off = {
    mappings: [{
      type: 'value',
      options: { '0': { text: 'off', color: palette.poor, index: 0 }, '1': { text: 'on', color: palette.good, index: 1 } },
    }],
    'custom.cellOptions': { type: 'color-text' },
    'custom.width': 80,
  };
  local share = { unit: 'percentunit', decimals: 0 };
  local reasons = {
    plan_off: palette.plain,
    no_machine_configuration: palette.poor,
    machine_configuration_failed: palette.bad,
    no_system_identity: palette.worth_a_look,
    not_running: palette.none,
    disconnected: '#AA3377',
  };
  local prerequisite(state) = p.rows(q.sum(q.of('defender_prerequisite_machines', 'state="%s"' % state), 'os, prerequisite'));

  board.dashboard(
    config,
    'plans',
    'Plans and prerequisites',
    'Which Defender plans are on, what they leave out, and which machines nobody looks into.',
    board.subscriptions + [board.variable('plan', 'Plan', 'defender_plan_enabled', 'plan')],
    [
      board.row(4, [
        [runbook(p.stat('Plans that are on', 'The share of plans that are on, each in each subscription that is chosen.', p.series('%s / count(%s)' % [q.sum(enabled), enabled], 'On'), 'percentunit', { min: 0, decimals: 1 })), 4],
        [lacking('Without Defender CSPM', 'Subscriptions without Defender CSPM: no attack paths, and risk levels that Azure derives from severity.', 'defender_cspm_enabled'), 4],
        [lacking('Without Servers Plan 2', 'Subscriptions without Defender for Servers Plan 2, which OS security baselines need.', 'defender_servers_plan2_enabled'), 4],
        [p.stat('Plans that cover a part', 'Plans that are on for some of the resources of a subscription.' + opt_in('defender_plan_info'), p.series('count(%s) or 0 * count(%s)' % [info(', coverage="partial"'), info()], 'Part'), 'short', { thresholds: p.thresholds([[null, palette.good], [1, palette.worth_a_look]]) }), 4],
        [p.stat('Machines', 'Virtual machines and servers of Azure Arc.', p.series(machines, 'Machines'), 'short'), 4],
        [p.stat('Not looked into', 'The share of machines that Defender cannot look into, for whatever reason.', p.series('%s / (%s > 0)' % [unassessed(), machines], 'Not looked into'), 'percentunit', { min: 0, decimals: 1, thresholds: p.falling(0.05, 0.2) }), 4],
      ]),
      board.row(11, [
        [p.bargauge('Plans by share of subscriptions', 'The share of the subscriptions that are chosen in which a plan is on.', p.now('sort_desc(avg by (plan) (%s))' % enabled, '{{plan}}'), 'percentunit', { max: 1, color: { mode: 'fixed', fixedColor: palette.good } }, options={ namePlacement: 'left', maxVizHeight: 24, minVizHeight: 16, text: {} }), 10],
        [runbook(p.timeseries('Plans that are on, over time', 'Subscriptions in which a plan is on.', p.series(q.sum(enabled, 'plan'), '{{plan}}'), 'short', more=p.unlabelled)), 7],
        [p.timeseries('Not applicable without a plan', 'Results that are not applicable only because a Defender plan is off: a gap in what is looked at.', p.series(q.named(q.sum(q.of('defender_plan_off_results'), 'subscription_id')), '{{subscription_name}}'), 'short'), 7],
      ]),
      board.row(10, [
        [p.table('Plans of subscriptions', 'Which plan is on where, those that are off first. Sub-plan and coverage need defender_plan_info, which is off until metrics.opt_in_list names it.', [
          p.rows('sort(%s)' % q.named(enabled)),
          p.rows(q.named('max by (subscription_id, plan, sub_plan, coverage) (%s)' % info())),
        ], [
          ['subscription_name', 'Subscription'],
          ['plan', 'Plan'],
          ['Value #A', 'Is'],
          ['sub_plan', 'Sub-plan'],
          ['coverage', 'Coverage'],
        ], [board.subscriptionLink(config), p.column('Is', on_off), p.column('Sub-plan', { 'custom.width': 150 }), p.column('Coverage', { 'custom.width': 120 })]), 13],
        [p.table('Extensions', 'Extensions of plans by the share of subscriptions in which they are on, fewest first.' + opt_in('defender_plan_extension_enabled'), [
          p.rows('sort(avg by (plan, extension) (%s))' % extensions),
          p.rows('count by (plan, extension) (%s) - %s' % [extensions, q.sum(extensions, 'plan, extension')]),
        ], [
          ['plan', 'Plan'],
          ['extension', 'Extension'],
          ['Value #A', 'On'],
          ['Value #B', 'Off in'],
        ], [p.number('On', share), p.counted('Off in', palette.worth_a_look), p.column('Plan', { 'custom.width': 160 })]), 11],
      ]),
      board.heading('Machines'),
      board.row(9, [
        [p.timeseries('Machines nobody looks into, by reason', 'Machines that Defender cannot look into, by what to do about it first.', p.series(unassessed('reason'), '{{reason}}'), 'short', p.stacked, overrides=p.colours(reasons)), 6],
        [p.table('Reasons', 'Machines that nobody looks into, by subscription and by what to do about it first.', p.rows('sort_desc(%s > 0)' % q.named(unassessed('subscription_id, reason'))), [
          ['subscription_name', 'Subscription'],
          ['reason', 'Reason'],
          ['Value', 'Machines'],
        ], [board.subscriptionLink(config), p.column('Subscription', { 'custom.width': 170 }), p.column('Reason', { 'custom.width': 220 }), p.number('Machines')]), 9],
        [p.table('Prerequisites', 'What OS security baselines need on machines. The Log Analytics agent is no longer of use where it is present.' + opt_in('defender_prerequisite_machines'), [
          prerequisite('missing'),
          prerequisite('present'),
        ], [
          ['os', 'System'],
          ['prerequisite', 'Prerequisite'],
          ['Value #A', 'Missing'],
          ['Value #B', 'Present'],
        ], [p.column('System', { 'custom.width': 90 })] + p.narrow(['Missing', 'Present'])), 9],
      ]),
      board.row(7, [
        [p.timeseries('Machines by kind', 'Virtual machines (vm) and servers of Azure Arc (arc).', p.series(q.sum(q.of('defender_machines'), 'kind'), '{{kind}}'), 'short', p.stacked), 8],
        [p.table('Which machines', 'Machines that nobody looks into, at most 200; none of subscriptions whose plan is off.' + opt_in('defender_unassessed_machine_info'), p.rows('topk(200, %s)' % q.short(q.named(q.of('defender_unassessed_machine_info')), 'machine')), [
          ['subscription_name', 'Subscription'],
          ['name', 'Machine'],
          ['reason', 'Reason'],
        ], [board.subscriptionLink(config), p.column('Subscription', { 'custom.width': 220 }), p.column('Reason', { 'custom.width': 230 })]), 16],
      ]),
    ],
    more={ time: { from: 'now-30d', to: 'now' } },
  )
