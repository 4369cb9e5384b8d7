// Whether dashboards are of the types that Grafana publishes: judge.js BOARD.json...
// A line for each mistake, and a status of 1 when there is one.
const fs = require('fs');
const path = require('path');
const ts = require('typescript');

const SCHEMA = '@grafana/schema';
const config = (kind) => `${SCHEMA}/dist/esm/raw/composable/${kind.toLowerCase()}/panelcfg/x/${kind}PanelCfg_types.gen.js`;
// The types of a panel's options and of the custom part of its fields; no field config: anything.
const KINDS = {
  stat: { options: ['Stat', 'Options'] },
  bargauge: { options: ['BarGauge', 'Options'] },
  heatmap: { options: ['Heatmap', 'Options'], custom: ['Heatmap', 'FieldConfig'] },
  table: { options: ['Table', 'Options'], custom: ['Table', 'FieldConfig'] },
  timeseries: { options: ['TimeSeries', 'Options'], custom: ['TimeSeries', 'FieldConfig'] },
};
// JSON has words where the types have enumerations. What is not there has a default.
const HEAD = `import type { Dashboard } from '${SCHEMA}';
type Plain<T> = T extends string ? \`\${T}\` : T extends number | boolean | null | undefined ? T
  : T extends Array<infer Item> ? Array<Plain<Item>> : T extends object ? { [K in keyof T]: Plain<T[K]> } : T;
type Some<T> = T extends Array<infer Item> ? Array<Some<Item>> : T extends object ? { [K in keyof T]?: Some<T[K]> } : T;
`;

// What the types do not say: a query of annotations is of its data source, Grafana shows the definition
// of a variable, and a link of a panel needs less than one of a dashboard.
const LINK = { asDropdown: false, icon: '', includeVars: false, keepTime: false, tags: [], tooltip: '', type: 'link' };
const without = (value, ...names) => Object.fromEntries(Object.entries(value).filter(([name]) => !names.includes(name)));
const typed = (board) => ({
  ...board,
  annotations: { list: board.annotations.list.map((one) => without(one, 'expr', 'step', 'titleFormat', 'textFormat', 'tagKeys', 'useValueForTime')) },
  templating: { list: board.templating.list.map((one) => without(one, 'definition')) },
  panels: board.panels.map((panel) => panel.links ? { ...panel, links: panel.links.map((link) => ({ ...LINK, ...link })) } : panel),
});

function source(board) {
  const lines = [HEAD, `export const board: Plain<Dashboard> = ${JSON.stringify(typed(board), null, 1)};`];
  board.panels.filter((panel) => panel.type !== 'row').forEach((panel, i) => {
    const kind = KINDS[panel.type];
    if (!kind) throw new Error(`no types are known of a ${panel.type}`);
    const check = (name, [module, type], value) => lines.push(`// panel ${JSON.stringify(panel.title)}, ${name}`,
      `export const ${name}${i}: Some<Plain<import('${config(module)}').${type}>> = ${JSON.stringify(value, null, 1)};`);
    check('options', kind.options, panel.options);
    if (kind.custom) check('custom', kind.custom, panel.fieldConfig.defaults.custom);
  });
  return lines.join('\n');
}

const options = {
  noEmit: true, strict: true, skipLibCheck: true, types: [],
  target: ts.ScriptTarget.ES2022, module: ts.ModuleKind.NodeNext, moduleResolution: ts.ModuleResolutionKind.NodeNext,
};
const texts = new Map(process.argv.slice(2).map((file) => [
  path.join(__dirname, `${path.basename(file, '.json')}.board.ts`), source(JSON.parse(fs.readFileSync(file, 'utf8')))]));
const host = ts.createCompilerHost(options);
const { fileExists, readFile, getSourceFile } = host;
host.fileExists = (name) => texts.has(name) || fileExists(name);
host.readFile = (name) => texts.get(name) ?? readFile(name);
host.getSourceFile = (name, ...more) => texts.has(name)
  ? ts.createSourceFile(name, texts.get(name), options.target) : getSourceFile(name, ...more);

const found = ts.getPreEmitDiagnostics(ts.createProgram([...texts.keys()], options, host));
for (const { file, start, messageText } of found) {
  const before = file ? file.text.slice(0, start) : '';
  const where = before.slice(before.lastIndexOf('"title": "')).split('\n')[0];
  const panel = before.slice(before.lastIndexOf('// panel ')).split('\n')[0];
  const what = ts.flattenDiagnosticMessageText(messageText, ' ').slice(0, 600);
  console.log(`${path.basename(file?.fileName ?? '')}: ${panel.startsWith('// panel') ? panel : where}: ${what}`);
}
console.log(`${texts.size} dashboards, ${found.length} mistakes`);
process.exit(found.length ? 1 : 0);
