// Panels: what Grafana wants of each kind, said once. A panel is made of a title, a description and
// targets; more is merged into it.
local palette = import 'palette.libsonnet';
{
  local panels = self,
  local source = { type: 'prometheus', uid: '${datasource}' },

  // --- targets --------------------------------------------------------------------------------
  // A range of values, one instant, and rows of a table.
  series(expr, legend='', more={}):: {
    datasource: source,
    expr: expr,
    legendFormat: if legend == '' then '__auto' else legend,
    range: true,
    instant: false,
    editorMode: 'code',
  } + more,
  now(expr, legend='', more={})::
    panels.series(expr, legend, { range: false, instant: true } + more),
  rows(expr, more={})::
    panels.now(expr, '', { format: 'table' } + more),
  // The same with a step: what is counted over a day is not asked for each minute.
  every(step):: function(expr, legend) panels.series(expr, legend, { interval: step }),
  // One target a risk level, from the worst down. expr: a function of the level.
  byRisk(target, expr)::
    [target(expr(level), palette.words[level]) for level in palette.levels],
  // One target each of words like those, as legends name them.
  byWord(target, words, expr)::
    [target(expr(word), palette.word(word)) for word in words],

  // --- thresholds -----------------------------------------------------------------------------
  // steps: [[value, colour], ...], the first without a value.
  thresholds(steps):: {
    mode: 'absolute',
    steps: [{ value: step[0], color: step[1] } for step in steps],
  },
  plain:: panels.thresholds([[null, palette.plain]]),
  // Any is bad; high is good; high is bad.
  none:: panels.thresholds([[null, palette.good], [1, palette.bad]]),
  rising(poor, good)::
    panels.thresholds([[null, palette.bad], [poor, palette.worth_a_look], [good, palette.good]]),
  falling(warning, bad)::
    panels.thresholds([[null, palette.good], [warning, palette.worth_a_look], [bad, palette.bad]]),

  // --- overrides ------------------------------------------------------------------------------
  override(name, properties):: {
    matcher: { id: 'byName', options: name },
    properties: [{ id: id, value: properties[id] } for id in std.objectFields(properties)],
  },
  colour(name, colour)::
    panels.override(name, { color: { mode: 'fixed', fixedColor: colour } }),
  // Colours of words: {word: colour}; of risk levels by the words of their legends.
  colours(of):: [panels.colour(name, of[name]) for name in std.objectFields(of)],
  riskColours:: panels.colours({
    [palette.words[level]]: palette.risk[level]
    for level in palette.levels
  }),
  wordColours(of):: panels.colours({ [palette.word(name)]: of[name] for name in std.objectFields(of) }),
  // A column of such words, each on its colour.
  words(name, of):: panels.override(name, {
    'custom.width': 120,
    'custom.cellOptions': { type: 'color-background', mode: 'basic' },
    mappings: [{
      type: 'value',
      options: { [word]: { text: palette.word(word), color: of[word], index: 0 } for word in std.objectFields(of) },
    }],
  }),
  // A column: its unit and width, and cells that show how bad a number is.
  column(name, properties):: panels.override(name, properties),
  // Numbers, in a column so wide that the title and the sign for sorting fit: nobody filters by them.
  wide(name):: std.max(76, 8 * std.length(name) + 40),
  number(name, properties={}):: panels.override(name, {
    'custom.width': panels.wide(name),
    'custom.filterable': false,
  } + properties),
  narrow(names):: [panels.number(name) for name in names],
  counted(name, colour):: panels.number(name, {
    'custom.cellOptions': { type: 'color-background', mode: 'basic' },
    thresholds: panels.thresholds([[null, 'transparent'], [1, colour]]),
  }),
  // What others are found by, and nobody reads.
  hidden(name):: panels.override(name, { 'custom.hidden': true }),
  bar(name, colour):: panels.override(name, {
    'custom.cellOptions': { type: 'gauge', mode: 'basic', valueDisplayMode: 'text' },
    color: { mode: 'fixed', fixedColor: colour },
    min: 0,
  }),
  link(name, title, url):: panels.override(name, {
    links: [{ title: title, url: url, targetBlank: true }],
  }),

  // What is null is as if it were not said.
  local said(fields) = { [name]: fields[name] for name in std.objectFields(fields) if fields[name] != null },

  // --- kinds ----------------------------------------------------------------------------------
  // Targets get their letters here.
  panel(kind, title, description, targets, more={}):: {
    type: kind,
    title: title,
    description: description,
    datasource: source,
    targets: std.mapWithIndex(
      function(i, target) target { refId: std.char(std.codepoint('A') + i) },
      if std.isArray(targets) then targets else [targets]
    ),
  } + more,

  // fields: of fieldConfig.defaults.
  stat(title, description, targets, unit, fields={}, options={}, more={})::
    panels.panel('stat', title, description, targets, {
      fieldConfig: {
        defaults: {
          unit: unit,
          color: { mode: 'thresholds' },
          thresholds: panels.plain,
          noValue: '-',
          // What is not told is neither good nor bad.
          mappings: [{ type: 'special', options: { match: 'null+nan', result: { index: 9, color: palette.none } } }],
        } + fields,
        overrides: [],
      },
      options: {
        colorMode: 'value',
        graphMode: 'area',
        justifyMode: 'auto',
        orientation: 'auto',
        textMode: 'auto',
        wideLayout: true,
        reduceOptions: { calcs: ['lastNotNull'], fields: '', values: false },
      } + options,
    } + more),

  timeseries(title, description, targets, unit, custom={}, fields={}, overrides=[], more={})::
    panels.panel('timeseries', title, description, targets, {
      fieldConfig: {
        defaults: said({
          unit: unit,
          color: { mode: 'palette-classic' },
          min: 0,
          custom: said({
            drawStyle: 'line',
            lineInterpolation: 'stepAfter',
            lineWidth: 2,
            fillOpacity: 0,
            showPoints: 'never',
            spanNulls: false,
            axisSoftMin: 0,
            stacking: { mode: 'none', group: 'A' },
          } + custom),
        } + fields),
        overrides: overrides,
      },
      options: {
        legend: { displayMode: 'list', placement: 'bottom', showLegend: true, calcs: [] },
        tooltip: { mode: 'multi', sort: 'desc' },
      },
    } + more),
  stacked:: { stacking: { mode: 'normal', group: 'A' }, fillOpacity: 60, lineWidth: 1 },
  // More lines than a legend holds: the tooltip names them.
  unlabelled:: {
    options: {
      legend: { displayMode: 'hidden', placement: 'bottom', showLegend: false, calcs: [] },
      tooltip: { mode: 'multi', sort: 'desc' },
    },
  },
  bars:: { drawStyle: 'bars', fillOpacity: 80, lineWidth: 0 },

  // columns: {field: title} in the order they are shown; what is not named is left out.
  table(title, description, targets, columns, overrides=[], sort=null, more={})::
    panels.panel('table', title, description, targets, {
      fieldConfig: {
        defaults: {
          unit: 'short',
          custom: { align: 'auto', cellOptions: { type: 'auto' }, filterable: true, inspect: true },
          thresholds: panels.plain,
        },
        overrides: overrides,
      },
      options: {
        showHeader: true,
        cellHeight: 'sm',
        footer: { show: false, reducer: ['sum'], countRows: false },
        sortBy: if sort == null then [] else [{ displayName: sort, desc: true }],
      },
      transformations: [
        { id: 'merge', options: {} },
        {
          id: 'filterFieldsByName',
          options: { include: { names: [column[0] for column in columns] } },
        },
        {
          id: 'organize',
          options: {
            excludeByName: {},
            indexByName: { [columns[i][0]]: i for i in std.range(0, std.length(columns) - 1) },
            renameByName: { [column[0]]: column[1] for column in columns },
          },
        },
      ],
    } + more),

  bargauge(title, description, targets, unit, fields={}, overrides=[], options={})::
    panels.panel('bargauge', title, description, targets, {
      fieldConfig: {
        defaults: {
          unit: unit,
          min: 0,
          color: { mode: 'thresholds' },
          thresholds: panels.plain,
        } + fields,
        overrides: overrides,
      },
      options: {
        displayMode: 'basic',
        orientation: 'horizontal',
        showUnfilled: true,
        valueMode: 'text',
        // Names are long: each above its bar.
        namePlacement: 'top',
        minVizHeight: 36,
        maxVizHeight: 44,
        minVizWidth: 8,
        sizing: 'manual',
        text: { titleSize: 13, valueSize: 13 },
        reduceOptions: { calcs: ['lastNotNull'], fields: '', values: false },
        legend: { displayMode: 'list', placement: 'bottom', showLegend: false, calcs: [] },
      } + options,
    }),

  // Buckets of a classic histogram over time. targets: sum by (le) (increase(..._bucket[...])).
  heatmap(title, description, targets, unit)::
    panels.panel('heatmap', title, description, targets, {
      fieldConfig: { defaults: { unit: unit, custom: { hideFrom: { legend: false, tooltip: false, viz: false } } }, overrides: [] },
      options: {
        calculate: false,
        cellGap: 1,
        color: { mode: 'scheme', scheme: 'Viridis', steps: 64, fill: 'dark-orange', exponent: 0.5, reverse: false },
        exemplars: { color: 'rgba(255,0,255,0.7)' },
        filterValues: { le: 1e-9 },
        legend: { show: true },
        rowsFrame: { layout: 'auto' },
        tooltip: { mode: 'single', yHistogram: false, showColorScale: true },
        yAxis: { axisPlacement: 'left', reverse: false, unit: unit },
      },
    }),

  // --- additions ------------------------------------------------------------------------------
  linked(panel, title, url):: panel {
    links+: [{ title: title, url: url, targetBlank: true }],
  },
}
