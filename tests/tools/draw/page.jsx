// Draws one dashboard with Grafana's own components: window.draw(board, answers, theme).
// answers: {panel id: [{target, result}]} as Prometheus gave them. Then window.settled(), window.looked(board).
import React from 'react';
import { createRoot } from 'react-dom/client';
import {
  applyFieldOverrides, createTheme, dateTime, FieldType, getFieldDisplayValues, ThemeContext,
  standardEditorsRegistry, standardFieldConfigEditorRegistry, standardTransformers,
  standardTransformersRegistry, toDataFrame, transformDataFrame, FieldConfigOptionsRegistry, getValueFormat,
} from '@grafana/data';
import {
  BarGauge, BigValue, GlobalStyles, PanelChrome, Table, TimeSeries, VizRepeater,
} from '@grafana/ui';
import 'uplot/dist/uPlot.min.css';

const STANDARD = ['unit', 'decimals', 'min', 'max', 'color', 'thresholds', 'mappings', 'links', 'displayName', 'noValue'];
const option = (path, isCustom) => ({
  id: isCustom ? 'custom.' + path : path, path, name: path, isCustom, editor: () => null, override: () => null,
  process: (value) => value, shouldApply: () => true, settings: {},
});
standardEditorsRegistry.setInit(() => []);
standardFieldConfigEditorRegistry.setInit(() => STANDARD.map((path) => option(path, false)));
standardTransformersRegistry.setInit(() => ['merge', 'filterFieldsByName', 'organize'].map((id) => Object.values(standardTransformers).find((one) => one.id === id)).map((one) => ({
  id: one.id, name: one.name, transformation: one, editor: () => null,
})));

const UNIT = 30, GAP = 8, WIDTH = 1400;
const pick = (text, labels) => text.replace(/{{\s*(\w+)\s*}}/g, (_, name) => labels[name] ?? name);

const series = ({ target, result }) => result.map(({ metric, value, values = [value] }) => toDataFrame({
  refId: target.refId,
  name: pick(target.legendFormat, metric),
  fields: [
    { name: 'Time', type: FieldType.time, values: values.map((v) => v[0] * 1000), config: {} },
    { name: 'Value', type: FieldType.number, values: values.map((v) => Number(v[1])), labels: metric,
      config: { displayNameFromDS: pick(target.legendFormat, metric), interval: target.step * 1000 } },
  ],
}));

const rows = ({ target, result }, several) => {
  const names = [...new Set(result.flatMap(({ metric }) => Object.keys(metric)))].sort();
  return toDataFrame({
    refId: target.refId,
    fields: [
      { name: 'Time', type: FieldType.time, values: result.map((r) => r.value[0] * 1000), config: {} },
      ...names.map((name) => ({ name, type: FieldType.string, values: result.map((r) => r.metric[name] ?? ''), config: {} })),
      { name: several ? 'Value #' + target.refId : 'Value', type: FieldType.number, values: result.map((r) => Number(r.value[1])), config: {} },
    ],
  });
};

const CUSTOM = ['drawStyle', 'lineInterpolation', 'lineWidth', 'fillOpacity', 'showPoints', 'spanNulls',
  'stacking', 'transform', 'axisSoftMin', 'axisPlacement', 'scaleDistribution', 'cellOptions', 'width',
  'align', 'filterable', 'hideFrom', 'thresholdsStyle', 'lineStyle', 'gradientMode', 'barAlignment', 'hidden', 'inspect', 'minWidth'];
const registry = new FieldConfigOptionsRegistry(() => [
  ...STANDARD.map((path) => option(path, false)), ...CUSTOM.map((path) => option(path, true)),
]);

function overridden(panel, frames, theme) {
  return applyFieldOverrides({
    data: frames, fieldConfig: panel.fieldConfig, fieldConfigRegistry: registry, theme,
    replaceVariables: (text) => text, timeZone: 'utc',
  });
}

const transformed = (panel, frames) => new Promise((resolve) =>
  transformDataFrame(panel.transformations ?? [], frames, { interpolate: (x) => x }).subscribe(resolve));

function Heatmap({ frames, width, height, theme }) {
  const ordered = [...frames].sort((a, b) => le(a) - le(b));
  const times = [...new Set(ordered.flatMap((f) => f.fields[0].values))].sort((a, b) => a - b);
  const at = ordered.map((f) => new Map(f.fields[0].values.map((t, i) => [t, f.fields[1].values[i]])));
  const cells = times.map((t) => at.map((m, i) => Math.max(0, (m.get(t) ?? 0) - (i ? at[i - 1].get(t) ?? 0 : 0))));
  const most = Math.max(1e-9, ...cells.flat());
  const w = (width - 70) / Math.max(1, times.length), h = height / Math.max(1, ordered.length);
  const hue = (v) => theme.visualization.getColorByName(['#440154', '#3b528b', '#21918c', '#5ec962', '#fde725'][Math.min(4, Math.floor(5 * Math.sqrt(v / most)))]);
  return <svg width={width} height={height}>
    {ordered.map((f, i) => <text key={i} x={64} y={height - (i + 0.3) * h} textAnchor="end" fontSize="11" fill={theme.colors.text.primary}>{f.label}</text>)}
    {cells.map((column, x) => column.map((v, y) => v > 1e-9 &&
      <rect key={x + '/' + y} x={70 + x * w} y={height - (y + 1) * h} width={Math.max(1, w - 1)} height={h - 1} fill={hue(v)} />))}
  </svg>;
}
const le = (frame) => { const v = frame.fields[1].labels.le; return v === '+Inf' ? Infinity : Number(v); };

// Neither rows nor series with a number.
const isEmpty = (frames) => !frames.some((frame) => frame.length && frame.fields.some((field) =>
  field.type === FieldType.string || (field.type === FieldType.number && field.values.some(Number.isFinite))));

function Body({ panel, frames, width, height, theme, range }) {
  if (panel.type !== 'stat' && isEmpty(frames))
    return <div data-empty style={{ color: theme.colors.text.secondary, textAlign: 'center', paddingTop: height / 2 - 10 }}>
      {panel.fieldConfig.defaults.noValue ?? 'No data'}
    </div>;
  const shown = () => getFieldDisplayValues({
    fieldConfig: panel.fieldConfig, reduceOptions: panel.options.reduceOptions, replaceVariables: (x) => x,
    theme, data: frames, sparkline: panel.options.graphMode !== 'none', timeZone: 'utc',
  });
  if (panel.type === 'timeseries')
    return <TimeSeries frames={frames} width={width} height={height} timeRange={range} timeZone="utc"
      legend={{ ...panel.options.legend, calcs: [] }} structureRev={1} />;
  if (panel.type === 'table')
    return <Table data={frames[0]} width={width} height={height} cellHeight="sm" showTypeIcons={false}
      initialSortBy={panel.options.sortBy} timeRange={range} footerOptions={panel.options.footer} />;
  if (panel.type === 'heatmap') {
    for (const f of frames) f.label = panel.formatted(le(f));
    return <Heatmap {...{ frames, width, height, theme }} />;
  }
  const values = shown();
  const one = panel.type === 'stat'
    ? ({ value, width, height }) => <BigValue value={value.display} sparkline={value.sparkline} width={width} height={height}
        theme={theme} colorMode={panel.options.colorMode} graphMode={panel.options.graphMode} textMode={values.length > 1 ? 'value_and_name' : 'value'} justifyMode="auto" />
    : ({ value, width, height, alignmentFactors }) => <BarGauge value={value.display} field={value.field} width={width} height={height} theme={theme}
        orientation="horizontal" displayMode={panel.options.displayMode} showUnfilled valueDisplayMode={panel.options.valueMode}
        alignmentFactors={alignmentFactors} namePlacement={panel.options.namePlacement} text={panel.options.text} display={value.view?.getFieldDisplayProcessor(value.colIndex)} />;
  const factors = values.reduce((f, v) => ({ text: (v.display.text ?? '').length > (f.text ?? '').length ? v.display.text : f.text,
    title: (v.display.title ?? '').length > (f.title ?? '').length ? v.display.title : f.title, suffix: f.suffix ?? v.display.suffix, prefix: f.prefix ?? v.display.prefix }), {});
  return <VizRepeater getValues={() => values} getAlignmentFactors={() => factors} width={width} height={height}
    orientation={panel.type === 'stat' ? 'auto' : 'horizontal'} itemSpacing={8} minVizHeight={panel.options.minVizHeight} maxVizHeight={panel.options.maxVizHeight} source={frames} renderCounter={1} autoGrid
    renderValue={one} />;
}

function Panel({ panel, frames, theme, range }) {
  const column = (WIDTH + GAP) / 24;
  const box = {
    position: 'absolute', left: panel.gridPos.x * column, top: panel.gridPos.y * (UNIT + GAP),
    width: panel.gridPos.w * column - GAP, height: panel.gridPos.h * (UNIT + GAP) - GAP,
  };
  if (panel.type === 'row')
    return <div style={{ ...box, fontWeight: 500, fontSize: 16, color: theme.colors.text.primary }}>{panel.title}</div>;
  return <div style={box} id={'panel-' + panel.id}>
    <PanelChrome title={panel.title} description={panel.description} width={box.width} height={box.height}>
      {(width, height) => <Body {...{ panel, frames, width, height, theme, range }} />}
    </PanelChrome>
  </div>;
}

const root = createRoot(document.getElementById('root'));

window.draw = async (board, answers, mode) => {
  const theme = createTheme({ colors: { mode } });
  document.body.style.cssText = `margin:16px;background:${theme.colors.background.canvas};font-family:${theme.typography.fontFamily};font-size:14px`;
  const range = { from: dateTime(answers.begin * 1000), to: dateTime(answers.end * 1000), raw: { from: '', to: '' } };
  const panels = [];
  for (const panel of board.panels) {
    let frames = [];
    if (panel.type !== 'row') {
      const got = answers.panels[panel.id];
      frames = panel.type === 'table' ? got.map((one) => rows(one, got.length > 1)).filter((f) => f.length) : got.flatMap(series);
      frames = overridden(panel, await transformed(panel, frames), theme);
      panel.formatted = (v) => { if (v === Infinity) return '+Inf'; const f = getValueFormat(panel.fieldConfig.defaults.unit)(v, 0); return f.text + (f.suffix ?? ''); };
    }
    panels.push(<Panel key={panel.id} {...{ panel, frames, theme, range }} />);
  }
  const height = Math.max(...board.panels.map((p) => p.gridPos.y + p.gridPos.h)) * (UNIT + GAP);
  document.getElementById('root').style.cssText = `position:relative;width:${WIDTH}px;height:${height}px`;
  root.render(<ThemeContext.Provider key={board.uid + mode} value={theme}><GlobalStyles />{panels}</ThemeContext.Provider>);
  return height;
};

// When ten pictures in a row are made of the same: all has been drawn.
window.settled = async () => {
  await document.fonts.ready;
  for (let same = 0, before = ''; same < 10;) {
    await new Promise(requestAnimationFrame);
    const now = document.getElementById('root').innerHTML;
    same = now && now === before ? same + 1 : 0;
    before = now;
  }
};

// A text is cut when it is wider than what shows it. Cells may be: a title may not.
function isCut(leaf, panel) {
  if (leaf.getBoundingClientRect().right > panel.getBoundingClientRect().right) return true;
  if (getComputedStyle(leaf).overflowX === 'hidden' && leaf.scrollWidth > leaf.clientWidth + 1) return true;
  for (let box = leaf.parentElement, level = 0; level < 4 && box; box = box.parentElement, level++)
    if (getComputedStyle(box).overflowX === 'hidden' &&
        leaf.getBoundingClientRect().right > box.getBoundingClientRect().right + 1)
      return true;
  return false;
}

window.looked = (board) => board.panels.filter((panel) => panel.type !== 'row').map((panel) => {
  const box = document.getElementById('panel-' + panel.id);
  const leaves = [...box.querySelectorAll('*')].filter((one) => !one.childElementCount && one.textContent.trim() &&
    !one.closest('[role=cell], svg, style'));
  const texts = leaves.map((one) => one.textContent.trim());
  return {
    title: panel.title,
    empty: Boolean(box.querySelector('[data-empty]')) || (panel.type === 'stat' && texts.includes('-')),
    cut: leaves.filter((one) => isCut(one, box)).map((one) => one.textContent.trim()),
  };
});
