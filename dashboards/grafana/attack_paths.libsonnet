// Attack paths and exposure: what somebody can walk now, through what most of it leads, and what the
// tenant's exposure graph says of its assets.
local board = import '../lib/dashboard.libsonnet';
local palette = import '../lib/palette.libsonnet';
local p = import '../lib/panels.libsonnet';
local q = import '../lib/queries.libsonnet';

function(config)
  local runbook(panel) =
    p.linked(panel, 'Runbook', config.runbookUrl + '/DefenderAttackPathAppeared.md');
  local sum(metric, more='') = q.sum(q.of(metric, more));
  local stat(title, text, expr, thresholds=p.none) =
    p.stat(title, text, p.series(expr, title), 'short', { thresholds: thresholds });
  local risk(title, text, metric) = p.timeseries(
    title,
    text,
    p.byRisk(p.series, function(name) sum(metric, 'risk_level="%s"' % name)),
    'short',
    p.stacked,
    overrides=p.riskColours,
  );
  local paths(more) = q.of('defender_attack_path_info', more);
  local needed = ' Needs defender_attack_path_info, which is off until metrics.opt_in_list names it.';
  local level(name) = p.rows(q.named(q.sum(q.of('defender_attack_paths', 'risk_level="%s"' % name), 'subscription_id')));

  // --- the exposure graph ---------------------------------------------------------------------
  local nodes(more='') = q.once('defender_exposure_nodes', more);
  local exposed(more) = q.once('defender_exposure_nodes_at_risk', more);
  local critical = 'criticality=~"very_high|high"';
  local risks = {
    internet_exposed: 'Exposed to the internet',
    remote_code_execution: 'Vulnerable to code execution',
    both: 'Both',
  };
  local graded = [name for name in palette.criticalities if name != 'other'];
  local kind(name) = p.rows('sum by (node_label) (%s)' % q.once('defender_exposure_kind_nodes', 'criticality="%s"' % name));

  board.dashboard(
    config,
    'attack_paths',
    'Attack paths and exposure',
    'What somebody can walk now, from an entry to something of worth, and how exposed the assets of the tenant are.',
    board.subscriptions,
    [
      board.row(4, [
        [runbook(stat('Critical paths', 'Attack paths of risk level critical.', sum('defender_attack_paths', 'risk_level="critical"'))), 4],
        [runbook(stat('High paths', 'Attack paths of risk level high.', sum('defender_attack_paths', 'risk_level="high"'), p.falling(1, 1000))), 4],
        [stat('All paths', 'Attack paths of any risk level.', sum('defender_attack_paths'), p.plain), 4],
        [stat('Findings on a path', 'Open findings on at least one attack path: to fix them breaks it.', sum('defender_findings_on_attack_path'), p.falling(1, 100000)), 4],
        [stat('Findings exposed', 'Open findings with internet exposure among their risk factors.', sum('defender_findings_internet_exposed'), p.falling(1, 100000)), 4],
        [stat('Without Defender CSPM', 'Subscriptions where Defender CSPM is off: Azure looks for no attack paths there.', '%s - %s' % ['count(%s)' % q.of('defender_cspm_enabled'), sum('defender_cspm_enabled')], p.falling(1, 100000)), 4],
      ]),
      board.row(8, [
        [runbook(risk('Attack paths by risk', 'Attack paths by risk level.', 'defender_attack_paths')), 8],
        [risk('Findings on an attack path', 'Open findings on at least one attack path, by risk level.', 'defender_findings_on_attack_path'), 8],
        [risk('Findings exposed to the internet', 'Open findings with internet exposure among their risk factors, by risk level.', 'defender_findings_internet_exposed'), 8],
      ]),
      board.row(9, [
        [p.bargauge('Choke points', 'What most attack paths lead through: to fix it breaks all of them.' + needed, p.now('sort_desc(topk(10, count by (choke_point) (%s)))' % paths('choke_point!="none"'), '{{choke_point}}'), 'short', { color: { mode: 'fixed', fixedColor: palette.poor } }), 6],
        [p.bargauge('Targets', 'What most attack paths lead to.' + needed, p.now('sort_desc(topk(10, count by (target) (%s)))' % paths(''), '{{target}}'), 'short', { color: { mode: 'fixed', fixedColor: palette.bad } }), 6],
        [p.table('Attack paths by subscription', 'Attack paths of each subscription, by risk level.', [level(name) for name in palette.levels], [
          ['subscription_name', 'Subscription'],
        ] + [['Value #' + std.char(65 + i), palette.words[palette.levels[i]]] for i in std.range(0, 4)], [
          p.counted(palette.words[name], palette.risk[name])
          for name in palette.levels
        ] + [board.subscriptionLink(config)], 'Critical'), 12],
      ]),
      board.row(11, [[p.table('Attack paths', 'Attack paths, at most 200, step by step; a name leads to the portal.' + needed, p.rows('topk(200, %s)' % q.named(paths(''))), [
        ['name', 'Attack path'],
        ['chain', 'Steps'],
        ['choke_point', 'Choke point'],
        ['subscription_name', 'Subscription'],
        ['finding_id', 'Finding'],
      ], [
        p.link('Attack path', 'In the portal', '${exporter}/f/${__data.fields.Finding}/portal'),
        p.column('Choke point', { 'custom.width': 150 }),
        p.column('Subscription', { 'custom.width': 200 }),
        p.column('Finding', { 'custom.width': 160 }),
        p.column('Steps', { 'custom.width': 500 }),
      ], 'Attack path'), 24]]),
      board.heading('Exposure of assets, over the whole tenant'),
      board.row(8, [
        [p.timeseries('Assets by criticality', 'Nodes of the exposure graph, by criticality.', p.byWord(p.series, palette.criticalities, function(name) 'sum(%s)' % nodes('criticality="%s"' % name)), 'short', p.stacked, overrides=p.wordColours(palette.criticality)), 7],
        [p.timeseries('Critical assets at risk', 'Nodes of very high and high criticality that are exposed to the internet, that are vulnerable to remote code execution, and that are both.', [p.series('sum(%s)' % exposed('%s, risk="%s"' % [critical, name]), risks[name]) for name in ['internet_exposed', 'remote_code_execution', 'both']], 'short', overrides=p.colours({ [risks.internet_exposed]: palette.worth_a_look, [risks.remote_code_execution]: palette.poor, [risks.both]: palette.bad })), 7],
        [p.table('Assets at risk by criticality', 'Nodes of the exposure graph by criticality, and those of them that are exposed to the internet, vulnerable to remote code execution, and both.', [
          p.rows('sum by (criticality) (%s)' % nodes()),
        ] + [p.rows('sum by (criticality) (%s)' % exposed('risk="%s"' % name)) for name in ['internet_exposed', 'remote_code_execution', 'both']], [
          ['criticality', 'Criticality'],
          ['Value #A', 'Assets'],
          ['Value #B', 'Internet'],
          ['Value #C', 'Code run'],
          ['Value #D', 'Both'],
        ], [
          p.words('Criticality', palette.criticality),
          p.number('Assets'),
          p.number('Internet'),
          p.number('Code run'),
          p.counted('Both', palette.bad),
        ], 'Both'), 10],
      ]),
      board.row(10, [[p.table('Kinds of assets', 'What the nodes of the exposure graph are, by criticality.', [kind(name) for name in graded], [
        ['node_label', 'Kind'],
      ] + [['Value #' + std.char(65 + i), palette.word(graded[i])] for i in std.range(0, 4)], [
        p.counted('Very high', palette.criticality.very_high),
        p.counted('High', palette.criticality.high),
        p.number('Medium'),
        p.number('Low'),
        p.number('None'),
      ], 'Very high'), 24]]),
    ],
  )
