// Draws dashboards from a live Prometheus, as all of their panels are in the last HOURS:
//   draw.js PROMETHEUS FOLDER CHROMIUM HOURS BOARD.json...
// Writes FOLDER/NAME-light.png and -dark.png, and prints what is to be seen on each: the errors of the
// page, panels without data, titles that are cut.
const fs = require('fs');
const path = require('path');
const esbuild = require('esbuild');
const puppeteer = require('puppeteer-core');

const [prometheus, folder, chromium, hours, ...boards] = process.argv.slice(2);
const WIDTH = 1400, MARGIN = 16;
const PAGE = 'http://board.test/';

// Default imports of CommonJS packages inside Grafana's are wrapped once too often by bundlers.
const unwrap = {
  name: 'unwrap',
  setup: (build) => build.onLoad({ filter: /@grafana\/.*\/dist\/esm\/.*\.m?js$/ }, (args) => ({
    loader: 'js',
    contents: fs.readFileSync(args.path, 'utf8').replace(
      /^import (\w+)(, \{[^}]*\})? from '([^.'][^']*)';$/gm,
      (_, name, more, from) => `import * as ns_${name} from '${from}';` +
        (more ? `import ${more.slice(2)} from '${from}';` : '') +
        `const ${name} = ns_${name}.default && ns_${name}.default.default || ns_${name}.default;`),
  })),
};

async function ask(what, parameters) {
  const answer = await fetch(`${prometheus}/api/v1/${what}`, { method: 'POST', body: new URLSearchParams(parameters) });
  const told = await answer.json();
  if (told.status !== 'success') throw new Error(`${told.error}: ${parameters.query}`);
  return told.data.result;
}

const SECONDS = { m: 60, h: 3600, d: 86400 };
const seconds = (text) => Number(text.slice(0, -1)) * SECONDS[text.slice(-1)];

async function gather(board) {
  const end = Math.floor(Date.now() / 1000);
  const begin = end - Number(hours) * 3600;
  const every = Object.fromEntries(board.templating.list.map((v) => [v.name, v.allValue ?? v.query]));
  const panels = {};
  for (const panel of board.panels) {
    if (panel.type === 'row') continue;
    panels[panel.id] = [];
    for (const target of panel.targets) {
      const least = Math.max(3, (end - begin) / 250);
      const step = Math.ceil(Math.max(least, target.interval ? Math.min(seconds(target.interval), (end - begin) / 20) : 0));
      const own = { __rate_interval: `${Math.max(60, step)}s`, __interval: `${step}s`, __range: `${end - begin}s` };
      const query = target.expr.replace(/\$\{?([a-z_]\w*)\}?/g, (_, name) => own[name] ?? every[name]);
      const begun = Math.floor(begin / step) * step;
      const result = target.instant ? await ask('query', { query, time: end })
        : await ask('query_range', { query, start: begun, end, step });
      panels[panel.id].push({ target: { ...target, step }, result });
    }
  }
  return { begin, end, panels };
}

// What the page is made of: one text, with everything in it but the icons.
async function bundled() {
  const built = await esbuild.build({
    entryPoints: [path.join(__dirname, 'page.jsx')], bundle: true, write: false, outdir: 'out', minify: false,
    define: { global: 'window', 'process.env.NODE_ENV': '"production"' }, plugins: [unwrap], logLevel: 'error',
    loader: { '.ttf': 'dataurl', '.svg': 'dataurl', '.woff2': 'dataurl', '.woff': 'dataurl', '.png': 'dataurl' },
  });
  const part = (end) => built.outputFiles.find((file) => file.path.endsWith(end))?.text ?? '';
  const script = part('.js').replace(/<\/script/g, '<\\/script');
  return `<!doctype html><meta charset="utf-8"><style>${part('.css')}</style><div id="root"></div><script>${script}</script>`;
}

// A page that asks nobody: the icons of Grafana lie beside its code.
async function opened(browser) {
  const html = await bundled();
  const files = path.join(path.dirname(require.resolve('@grafana/ui/package.json')), 'dist');
  const page = await browser.newPage();
  await page.setViewport({ width: WIDTH + 2 * MARGIN, height: 900 });
  await page.setRequestInterception(true);
  page.on('request', (request) => {
    const asked = path.join(files, new URL(request.url()).pathname);
    if (request.url().startsWith('data:')) request.continue();
    else if (request.url() === PAGE) request.respond({ contentType: 'text/html', body: html });
    else if (fs.existsSync(asked)) request.respond({ contentType: 'image/svg+xml', body: fs.readFileSync(asked) });
    else request.respond({ status: 404 });
  });
  await page.goto(PAGE);
  return page;
}

(async () => {
  const browser = await puppeteer.launch({ executablePath: chromium, args: ['--no-sandbox', '--disable-gpu'] });
  const page = await opened(browser);
  let errors = [];
  page.on('pageerror', (error) => errors.push(error.message.slice(0, 500)));
  const report = [];
  for (const file of boards) {
    const board = JSON.parse(fs.readFileSync(file, 'utf8'));
    const answers = await gather(board);
    for (const theme of ['dark', 'light']) {
      errors = [];
      const height = await page.evaluate((b, a, t) => window.draw(b, a, t), board, answers, theme);
      await page.waitForNetworkIdle({ idleTime: 200 });
      await page.evaluate(() => window.settled());
      const panels = await page.evaluate((b) => window.looked(b), board);
      const name = path.basename(file, '.json');
      await page.screenshot({ path: path.join(folder, `${name}-${theme}.png`), fullPage: true });
      report.push({ board: name, theme, height, errors, panels });
    }
  }
  await browser.close();
  console.log(JSON.stringify(report));
})();
