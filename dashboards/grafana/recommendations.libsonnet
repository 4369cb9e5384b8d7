// Recommendations: by risk level as in the portal, with what each brings, and its findings.
local board = import '../lib/dashboard.libsonnet';
local palette = import '../lib/palette.libsonnet';
local p = import '../lib/panels.libsonnet';
local q = import '../lib/queries.libsonnet';

function(config)
  local runbook(panel, alert) =
    p.linked(panel, 'Runbook', '%s/%s.md' % [config.runbookUrl, alert]);
  local cloud = 'cloud=~"$cloud"';
  local findings = q.once('defender_assessment_findings', 'assessment_id=~"$assessment"');

  local level(name) = runbook(p.stat(
    palette.words[name],
    'Open findings of risk level %s in the subscriptions that are chosen.' % std.asciiLower(palette.words[name]),
    p.series(q.sum(q.of('defender_findings', '%s, risk_level="%s"' % [cloud, name])), palette.words[name]),
    'short',
    { color: { mode: 'fixed', fixedColor: palette.risk[name] } },
    { graphMode: 'none' },
  ), if name == 'critical' then 'DefenderNewCriticalFinding' else 'DefenderFindingOverdue');

  local of(name) = 'sum by (assessment_id) (%s)' % q.once('defender_assessment_findings', 'assessment_id=~"$assessment", risk_level="%s"' % name);
  local recommendations = p.table(
    'Recommendations',
    'Recommendations with open findings over all subscriptions, by risk level, and the secure score points that finishing them everywhere brings. A title leads to its findings.',
    [p.rows(q.told('sum by (assessment_id) (%s)' % findings, 'assessment_id', 'display_name, category, effort', q.own('defender_assessment_info')))] +
    [p.rows(of(name)) for name in palette.levels] +
    [p.rows(q.once('defender_assessment_potential_points', 'assessment_id=~"$assessment"'))],
    [
      ['display_name', 'Recommendation'],
      ['category', 'Category'],
      ['effort', 'Effort'],
      ['Value #B', 'Critical'],
      ['Value #C', 'High'],
      ['Value #D', 'Medium'],
      ['Value #E', 'Low'],
      ['Value #F', 'Not evaluated'],
      ['Value #G', 'Points'],
      ['assessment_id', 'Id'],
    ],
    [
      p.link('Recommendation', 'Findings of it', '/d/%srecommendations?var-assessment=${__data.fields.Id}&${datasource:queryparam}&${job:queryparam}' % config.uidPrefix),
      p.column('Category', { 'custom.width': 160 }),
      p.column('Effort', { 'custom.width': 90 }),
      p.number('Points', { decimals: 1 }),
      p.hidden('Id'),
    ] + [p.counted(palette.words[name], palette.risk[name]) for name in palette.levels],
    'Critical',
  );
  local types = p.bargauge(
    'Worst resource types',
    'The eight types of resources with the most open findings of critical and high risk, over all subscriptions.',
    p.now('topk(8, sum by (resource_type) (%s))' % q.once('defender_resource_type_findings', 'risk_level=~"critical|high"'), '{{resource_type}}'),
    'short',
    { color: { mode: 'fixed', fixedColor: palette.poor } },
  );
  local kinds = p.timeseries(
    'Grouped and individual',
    'Open findings of recommendations that stand for many things and for one, such as a package or a secret: they say the same, so never add the two.',
    p.series('sum by (model, category) (%s)' % q.once('defender_recommendation_findings'), '{{model}}: {{category}}'),
    'short',
  );
  local factor(title, text, metric) = p.timeseries(
    title,
    text,
    p.byRisk(p.series, function(name) q.sum(q.of(metric, 'risk_level="%s"' % name))),
    'short',
    p.stacked,
    overrides=p.riskColours,
  );
  local affected = p.timeseries(
    'Affected resources',
    'Resources with at least one open finding, by the worst risk level among them.',
    p.byRisk(p.series, function(name) q.sum(q.of('defender_affected_resources', '%s, risk_level="%s"' % [cloud, name]))),
    'short',
    p.stacked,
    overrides=p.riskColours,
  );
  local single = p.table(
    'Findings',
    'Open findings of the recommendations that are chosen, at most 200; a resource leads to the portal. Needs defender_finding_info, which is off until metrics.opt_in_list names it.',
    p.rows('topk(200, %s)' % q.titled(q.named(q.of('defender_finding_info', 'assessment_id=~"$assessment"')))),
    [
      ['risk_level', 'Risk'],
      ['resource_name', 'Resource'],
      ['display_name', 'Recommendation'],
      ['subscription_name', 'Subscription'],
      ['resource_group', 'Resource group'],
      ['resource_type', 'Type'],
      ['finding_id', 'Finding'],
    ],
    [
      p.words('Risk', palette.risk),
      p.column('Subscription', { 'custom.width': 200 }),
      p.column('Resource group', { 'custom.width': 180 }),
      p.column('Type', { 'custom.width': 240 }),
      p.column('Finding', { 'custom.width': 160 }),
      p.link('Resource', 'In the portal', '${exporter}/f/${__data.fields.Finding}/portal'),
    ],
  );

  board.dashboard(
    config,
    'recommendations',
    'Recommendations',
    'What Defender for Cloud recommends, by risk level as in the portal, and what each recommendation brings.',
    board.subscriptions + board.cloud + [board.variable('assessment', 'Recommendation', 'defender_assessment_info', 'assessment_id')],
    [
      board.row(4, [[level('critical'), 5], [level('high'), 5], [level('medium'), 5], [level('low'), 5], [level('not_evaluated'), 4]]),
      board.row(12, [[recommendations, 24]]),
      board.row(11, [[types, 8], [affected, 8], [kinds, 8]]),
      board.row(8, [
        [factor('On an attack path', 'Open findings on at least one attack path, by risk level.', 'defender_findings_on_attack_path'), 12],
        [factor('Exposed to the internet', 'Open findings with internet exposure among their risk factors, by risk level.', 'defender_findings_internet_exposed'), 12],
      ]),
      board.heading('Findings'),
      board.row(12, [[single, 24]]),
    ],
  )
