// Vulnerabilities: what is open below recommendations, what of it can be fixed or is exploited, and
// the baselines of Defender Vulnerability Management.
local board = import '../lib/dashboard.libsonnet';
local palette = import '../lib/palette.libsonnet';
local p = import '../lib/panels.libsonnet';
local q = import '../lib/queries.libsonnet';

function(config)
  local severities = ['critical', 'high', 'medium', 'low', 'unknown'];
  local of(metric, name) = q.of(metric, 'severity="%s"' % name);
  local findings = 'defender_subassessment_findings';
  local patchable = 'defender_subassessment_patchable_findings';
  local exploitable = 'defender_subassessment_exploitable_findings';
  local stat(title, text, expr, fields) = p.stat(title, text, p.series(expr, title), 'short', fields);
  local severity(name) = stat(
    palette.word(name),
    'Open findings below recommendations of severity %s.' % name,
    q.sum(of(findings, name)),
    { color: { mode: 'fixed', fixedColor: palette.severity[name] } },
  );
  local over(title, text, metric) = p.timeseries(
    title,
    text,
    p.byWord(p.series, severities, function(name) q.sum(of(metric, name))),
    'short',
    p.stacked,
    overrides=p.wordColours({ [name]: palette.severity[name] for name in severities }),
  );
  local columns(first) = [['Value #' + std.char(65 + first + i), palette.word(severities[i])] for i in std.range(0, 4)];
  local counted = [p.counted(palette.word(name), palette.severity[name]) for name in severities];
  local recommendation = 'assessment_id';
  // By title; what is below a recommendation of which nothing else is known, by its id.
  local titled(expr) = '%s or on (assessment_id) label_replace(%s, "display_name", "$1", "assessment_id", "(.+)")' % [q.titled(expr), expr];
  local place = 'subscription_id, kind, resource';
  local places = 'defender_subassessment_resource_findings';

  // --- Defender Vulnerability Management ------------------------------------------------------
  local profiles = q.own('defender_mdvm_baseline_profile_info');
  local devices(state) = q.once('defender_mdvm_baseline_devices', 'state=~"%s"' % state);
  local profiled(expr, labels='profile') = q.told(expr, 'profile_id', labels, profiles);
  local perProfile(metric, state) = 'sum by (profile_id) (%s)' % q.once(metric, 'state="%s"' % state);

  board.dashboard(
    config,
    'vulnerabilities',
    'Vulnerabilities',
    'What is open below recommendations, such as vulnerabilities and SQL rules, and the baselines of Defender Vulnerability Management.',
    board.subscriptions,
    [
      board.row(4, [[severity(name), 4] for name in ['critical', 'high', 'medium', 'low']] + [
        [stat('With a known exploit', 'Open findings below recommendations with a known exploit.', q.sum(q.of(exploitable)), { thresholds: p.none }), 4],
        [stat('With a fix', 'Open findings below recommendations for which there is a fix.', q.sum(q.of(patchable)), {}), 4],
      ]),
      board.row(8, [
        [over('Findings by severity', 'Open findings below recommendations, by severity.', findings), 8],
        [over('With a known exploit, by severity', 'Open findings below recommendations with a known exploit, by severity.', exploitable), 8],
        [over('With a fix, by severity', 'Open findings below recommendations for which there is a fix, by severity.', patchable), 8],
      ]),
      board.row(10, [
        [p.table('Recommendations they belong to', 'Recommendations with open findings below them, by severity. A title leads to its recommendation.', [
          p.rows(titled(q.sum(q.of(findings), recommendation))),
        ] + [p.rows(q.sum(of(findings, name), recommendation)) for name in severities], [
          ['display_name', 'Recommendation'],
        ] + columns(1) + [['assessment_id', 'Id']], counted + [
          p.link('Recommendation', 'This recommendation', '/d/%srecommendations?var-assessment=${__data.fields.Id}&${datasource:queryparam}&${job:queryparam}' % config.uidPrefix),
          p.hidden('Id'),
        ], 'Critical'), 14],
        [p.table('Findings by subscription', 'Open findings below recommendations of each subscription, by severity.', [
          p.rows(q.named(q.sum(q.of(findings), 'subscription_id'))),
        ] + [p.rows(q.sum(of(findings, name), 'subscription_id')) for name in severities], [
          ['subscription_name', 'Subscription'],
        ] + columns(1)[:4], counted + [board.subscriptionLink(config)], 'Critical'), 10],
      ]),
      board.row(11, [[p.table('Images, registries and machines', 'What has the gravest open findings, by severity. Needs %s, which is off until metrics.opt_in_list names it.' % places, [
        p.rows(q.short(q.named(q.sum(q.of(places), place)), 'resource')),
      ] + [p.rows(q.sum(of(places, name), place)) for name in severities], [
        ['name', 'Name'],
        ['kind', 'Kind'],
        ['subscription_name', 'Subscription'],
      ] + columns(1), counted + [
        p.column('Kind', { 'custom.width': 90 }),
        p.column('Subscription', { 'custom.width': 220 }),
      ], 'Critical'), 24]]),
      board.heading('Baselines of Defender Vulnerability Management, over the whole tenant'),
      board.row(8, [
        [p.stat('Devices that comply', 'The share of devices of active profiles that pass all of its configurations.', p.series('sum(%s) / sum(%s)' % [devices('compliant'), devices('compliant|noncompliant')], 'Comply'), 'percentunit', { thresholds: p.rising(config.compliancePoor, config.complianceGood), min: 0, decimals: 1 }), 5],
        [p.timeseries('Devices that do not comply', 'Devices that fail at least one configuration of a profile, by profile.', p.series(profiled(perProfile('defender_mdvm_baseline_devices', 'noncompliant')), '{{profile}}'), 'short'), 9],
        [p.timeseries('Results that fail', 'Results of devices that fail a configuration, by profile.', p.series(profiled(perProfile('defender_mdvm_baseline_results', 'noncompliant')), '{{profile}}'), 'short'), 10],
      ]),
      board.row(7, [[p.table('Profiles', 'The active profiles, the benchmark each follows, and its devices and results.', [
        p.rows(profiled(perProfile('defender_mdvm_baseline_devices', 'noncompliant'), 'profile, benchmark, version, operating_system, compliance_level')),
        p.rows(perProfile('defender_mdvm_baseline_devices', 'compliant')),
        p.rows(perProfile('defender_mdvm_baseline_results', 'noncompliant')),
        p.rows(perProfile('defender_mdvm_baseline_results', 'compliant')),
      ], [
        ['profile', 'Profile'],
        ['benchmark', 'Benchmark'],
        ['version', 'Version'],
        ['compliance_level', 'Level'],
        ['operating_system', 'Operating system'],
        ['Value #A', 'Devices that fail'],
        ['Value #B', 'Comply'],
        ['Value #C', 'Results that fail'],
        ['Value #D', 'Pass'],
      ], [
        p.column('Version', { 'custom.width': 100 }),
        p.column('Level', { 'custom.width': 200 }),
        p.column('Operating system', { 'custom.width': 200 }),
        p.number('Devices that fail'),
        p.number('Comply'),
        p.number('Results that fail'),
        p.number('Pass'),
        p.column('Benchmark', { 'custom.width': 120 }),
      ], 'Devices that fail'), 24]]),
      board.row(11, [[p.table('Configurations that fail', 'Configurations by the devices that fail them, at most 100. Needs the families of single configurations, which are off until metrics.opt_in_list names them.', p.rows('topk(100, %s)' % profiled(q.told(q.once('defender_mdvm_baseline_failing_devices'), 'profile_id, configuration_id', 'configuration, category', q.own('defender_mdvm_baseline_configuration_info')))), [
        ['configuration_id', 'Number'],
        ['configuration', 'Configuration'],
        ['category', 'Category'],
        ['profile', 'Profile'],
        ['Value', 'Devices'],
      ], [
        p.column('Number', { 'custom.width': 110 }),
        p.bar('Devices', palette.poor),
      ], 'Devices'), 24]]),
    ],
  )
