// Governance: which findings have an owner and a date, what is late, and what policies put right.
local board = import '../lib/dashboard.libsonnet';
local palette = import '../lib/palette.libsonnet';
local p = import '../lib/panels.libsonnet';
local q = import '../lib/queries.libsonnet';

function(config)
  local runbook(panel, alert) =
    p.linked(panel, 'Runbook', '%s/%s.md' % [config.runbookUrl, alert]);
  local assigned(state) = q.of('defender_governance_assignments', 'state=~"%s"' % state);
  local all = '.+';
  // Open findings of subscriptions that governance tells of.
  local findings(by='') = q.sum('(%s) and on (subscription_id) %s' % [
    q.of('defender_findings'),
    q.once('defender_governance_assignments'),
  ], by);
  local nobody(by='') = 'clamp_min(%s - %s, 0)' % [findings(by), q.sum(assigned(all), by)];
  local states = { on_time: palette.good, grace: palette.plain, overdue: palette.bad, no_due_date: palette.worth_a_look };
  local count(title, text, query, thresholds=p.plain) =
    p.stat(title, text, p.series(query, title), 'short', { thresholds: thresholds });
  local late(title, text, metric) = p.timeseries(
    title,
    text,
    p.byRisk(p.series, function(level) q.sum(q.of(metric, 'risk_level="%s"' % level))),
    'short',
    p.stacked,
    overrides=p.riskColours,
  );
  local by(query) = p.rows(q.named(q.sum(query, 'subscription_id')));
  local some = p.thresholds([[null, palette.good], [1, palette.worth_a_look]]);

  local tasks(state) = q.of('defender_remediation_tasks', 'state=~"%s"' % state);
  local deployments(status) = q.of('defender_remediation_deployments', 'status="%s"' % status);
  local task_states = { running: palette.plain, done: palette.good, failed: palette.bad, canceled: palette.worth_a_look, other: palette.none };
  local group(metric, more) = p.rows(q.sum(q.once('defender_remediation_group_' + metric, more), 'management_group'));
  local outcome = [p.counted('Failed', palette.bad), p.counted('Not deployed', palette.bad)]
                  + p.narrow(['Running', 'Done', 'Deployments', 'Succeeded']);
  local columns(first) = [
    first,
    ['Value #A', 'Running'],
    ['Value #B', 'Failed'],
    ['Value #C', 'Done'],
    ['Value #D', 'Deployments'],
    ['Value #E', 'Succeeded'],
    ['Value #F', 'Not deployed'],
  ];

  board.dashboard(
    config,
    'governance',
    'Governance and policy remediations',
    'Which findings have an owner and a date, what is late, and what the remediation tasks of Azure Policy put right.',
    board.subscriptions,
    [
      board.row(4, [
        [count('Without an owner', 'Open findings that governance assigned to nobody, in the subscriptions it tells of: a rule of it would.', nobody(), some), 4],
        [p.stat('With an owner', 'The share of open findings that governance assigned to somebody.', p.series('clamp_max(%s / (%s > 0), 1)' % [q.sum(assigned(all)), findings()], 'Assigned'), 'percentunit', { min: 0, decimals: 1 }), 4],
        [runbook(count('Overdue', 'Assigned findings whose due date is over.', q.sum(assigned('overdue')), p.none), 'DefenderFindingOverdue'), 4],
        [count('In grace', 'Assigned findings that do not lower the secure score until they are due.', q.sum(assigned('grace'))), 4],
        [count('On time', 'Assigned findings that are due later and lower the secure score.', q.sum(assigned('on_time'))), 4],
        [count('Without a due date', 'Findings that have an owner and no date: they are never late.', q.sum(assigned('no_due_date')), some), 4],
      ]),
      board.row(8, [
        [p.timeseries('Assigned findings by state', 'Open findings that governance assigned to somebody, by state.', p.series(q.sum(assigned(all), 'state'), '{{state}}'), 'short', p.stacked, overrides=p.colours(states)), 8],
        [runbook(late('Overdue by risk', 'Open findings whose time to fix is over, by the due dates of governance and the times that are configured.', 'defender_findings_overdue'), 'DefenderFindingOverdue'), 8],
        [late('Due soon by risk', 'Open findings whose time to fix is nearly over, by the due dates of governance and the times that are configured.', 'defender_findings_due_soon'), 8],
      ]),
      board.row(9, [
        [p.timeseries('Without an owner, by subscription', 'Open findings that governance assigned to nobody.', p.series(q.named(nobody('subscription_id')), '{{subscription_name}}'), 'short'), 10],
        [p.table('Subscriptions', 'Open findings by owner and due date, by subscription.', [
          p.rows(q.named(nobody('subscription_id'))),
          by(assigned('overdue')),
          by(assigned('grace')),
          by(assigned('on_time')),
          by(assigned('no_due_date')),
          by(q.of('defender_findings_due_soon')),
        ], [
          ['subscription_name', 'Subscription'],
          ['Value #A', 'Without an owner'],
          ['Value #B', 'Overdue'],
          ['Value #C', 'Grace'],
          ['Value #D', 'On time'],
          ['Value #E', 'No date'],
          ['Value #F', 'Due soon'],
        ], [
          board.subscriptionLink(config),
          p.counted('Overdue', palette.bad),
        ] + p.narrow(['Without an owner', 'Grace', 'On time', 'No date', 'Due soon']), 'Overdue'), 14],
      ]),
      board.heading('Remediation tasks of Azure Policy'),
      board.row(4, [
        [count('Running', 'Remediation tasks of subscriptions that are at work.', q.sum(tasks('running'))), 6],
        [count('Failed', 'Remediation tasks of subscriptions that failed and are still listed.', q.sum(tasks('failed')), p.none), 6],
        [count('Done', 'Remediation tasks of subscriptions that are through.', q.sum(tasks('done'))), 6],
        [count('Deployments that failed', 'What these tasks could not put right.', q.sum(deployments('failed')), p.none), 6],
      ]),
      board.row(8, [
        [p.timeseries('Tasks by state', 'Remediation tasks of subscriptions that are listed, by state.', p.series(q.sum(tasks(all), 'state'), '{{state}}'), 'short', p.stacked, overrides=p.colours(task_states)), 8],
        [p.timeseries('Deployments', 'Deployments of these tasks: what succeeded, what failed, and what is still to come.', [
          p.series(q.sum(deployments('successful')), 'Succeeded'),
          p.series(q.sum(deployments('failed')), 'Failed'),
          p.series('clamp_min(%s - %s - %s, 0)' % [q.sum(deployments(status)) for status in ['total', 'successful', 'failed']], 'To come'),
        ], 'short', p.stacked, overrides=p.colours({ Succeeded: palette.good, Failed: palette.bad, 'To come': palette.none })), 8],
        [p.timeseries('Tasks of management groups by state', 'Remediation tasks that are listed for a management group itself, of all there are.', p.series('sum by (state) (%s)' % q.once('defender_remediation_group_tasks'), '{{state}}'), 'short', p.stacked, overrides=p.colours(task_states)), 8],
      ]),
      board.row(7, [
        [p.table('Tasks by subscription', 'Remediation tasks and their deployments, by subscription.', [
          by(tasks('running')),
          by(tasks('failed')),
          by(tasks('done')),
          by(deployments('total')),
          by(deployments('successful')),
          by(deployments('failed')),
        ], columns(['subscription_name', 'Subscription']), [board.subscriptionLink(config)] + outcome, 'Failed'), 24],
      ]),
      board.row(7, [
        [p.table('Tasks by management group', 'Remediation tasks that are listed for a management group itself, and their deployments.', [
          group('tasks', 'state="running"'),
          group('tasks', 'state="failed"'),
          group('tasks', 'state="done"'),
          group('deployments', 'status="total"'),
          group('deployments', 'status="successful"'),
          group('deployments', 'status="failed"'),
        ], columns(['management_group', 'Management group']), outcome, 'Failed'), 24],
      ]),
    ],
    more={ time: { from: 'now-30d', to: 'now' } },
  )
