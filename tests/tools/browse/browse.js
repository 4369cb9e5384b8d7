// Walks all pages that links lead to, as people with wide and narrow windows, light and dark, with the
// keyboard alone and without scripts:
//   browse.js URL FOLDER CHROMIUM PROFILE NAME [PATH...]
// begins at / and at the paths, writes FOLDER/NAME-PAGE-WIDTH-THEME.png, and prints what is wrong where,
// and which pages it saw.
const fs = require('fs');
const path = require('path');
const puppeteer = require('puppeteer-core');

const [origin, folder, chromium, profile, name, ...more] = process.argv.slice(2);
const AXE = fs.readFileSync(require.resolve('axe-core/axe.min.js'), 'utf8');
const WIDTHS = [1400, 400], THEMES = ['light', 'dark'];
const A_KIND = 2;        // pages of one kind that are looked at
const TABS_MAX = 120;    // keys pressed on a page; of longer ones those at both ends
const RULES = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'];

const wrong = [];
const complain = (page, what) => wrong.push(`${page}: ${what}`);

// "/recommendations/*?by&filter": pages that differ in what they are about are of one kind, but for words.
const WORDS = /^[a-z_-]{1,24}$/;
function kindOf(url) {
  const { pathname, searchParams } = new URL(url);
  const parts = pathname.split('/').map((part, i) => (i < 2 || WORDS.test(part) ? part : '*'));
  const asked = [...searchParams.keys()];
  return parts.join('/') + (asked.length ? `?${asked.sort().join('&')}` : '');
}

const fileOf = (kind, width, theme) => path.join(folder, `${name}-${kind.replace(/\*/g, 'one').replace(/[^\w]+/g, '_').replace(/^_|_$/g, '') ||
  'overview'}-${width}-${theme}.png`);

// The page as it is, with everything that went wrong on the way.
async function visit(page, where) {
  const noted = [];
  const onConsole = (message) => ['error', 'warn'].includes(message.type()) && noted.push(`console: ${message.text()}`);
  const onError = (error) => noted.push(`error: ${error.message}`);
  const onRequest = (request) => {
    if (!request.url().startsWith(origin) && !request.url().startsWith('data:')) noted.push(`asks ${request.url()}`);
  };
  page.on('console', onConsole).on('pageerror', onError).on('request', onRequest);
  const answer = await page.goto(origin + where, { waitUntil: 'load' });
  page.off('console', onConsole).off('pageerror', onError).off('request', onRequest);
  const status = answer.status();
  return { status, noted: noted.filter((line) => status < 400 || !line.includes('the server responded with')) };
}

const html = (page) => page.evaluate(() => document.documentElement.outerHTML);

// Links of ours on a page, that are pages.
const linksOf = (page) => page.evaluate(() => [...document.querySelectorAll('a[href]')]
  .filter((a) => a.origin === location.origin).map((a) => a.pathname + a.search));

async function axe(page) {
  await page.evaluate(AXE);
  const found = await page.evaluate((values) => window.axe.run(document, { runOnly: { type: 'tag', values } }), RULES);
  return found.violations.map((one) => `axe ${one.id}: ${one.help}: ${one.nodes[0].html.slice(0, 200)} ` +
    `(${one.nodes.length}; ${(one.nodes[0].any[0] || one.nodes[0].all[0] || one.nodes[0].none[0] || {}).message})`);
}

// What is wider than the window, or cut.
const tooWide = (page, width) => page.evaluate((narrow) => {
  const found = [], root = document.documentElement;
  const say = (element, what) => found.push(`${what}: ${element.outerHTML.slice(0, 120)}`);
  if (root.scrollWidth > root.clientWidth)
    found.push(`it scrolls sideways: ${root.scrollWidth} of ${root.clientWidth}`);
  for (const element of document.querySelectorAll('body *')) {
    const box = element.getBoundingClientRect();
    if (box.width && box.right > root.clientWidth + 1 && !element.closest('.skip') && !element.closest('pre'))
      say(element, `reaches to ${Math.round(box.right)}`);
  }
  if (narrow) for (const card of document.querySelectorAll('.card'))
    if (card.scrollWidth > card.clientWidth + 1) say(card, 'a card scrolls sideways');
  return found.slice(0, 3);
}, width < 600);

// Everything one can act on, in the order of the document; each must be met by Tab and be seen then.
async function keyboard(page) {
  const count = await page.evaluate(() => {
    const list = [...document.querySelectorAll('a[href],button,input:not([type=hidden]),select,textarea,summary,[tabindex]')]
      .filter((element) => !element.disabled && (element.offsetParent !== null || element.classList.contains('skip')));
    window.actions = list;
    return list.length;
  });
  const problems = [];
  const bad = await page.evaluate(() => [...document.querySelectorAll('[tabindex]')]
    .filter((element) => Number(element.getAttribute('tabindex')) !== 0).map((element) => element.outerHTML.slice(0, 100)));
  bad.forEach((element) => problems.push(`tabindex changes the order: ${element}`));
  const check = (wanted) => page.evaluate((index) => {
    const at = document.activeElement, style = getComputedStyle(at), box = at.getBoundingClientRect();
    if (at !== window.actions[index] && !window.lost) {
      window.lost = true;
      return `Tab leads to ${at.outerHTML.slice(0, 100)}, not ${window.actions[index].outerHTML.slice(0, 100)}`;
    }
    if (style.outlineStyle === 'none' || parseFloat(style.outlineWidth) < 2) return `no focus is seen: ${at.outerHTML.slice(0, 100)}`;
    if (box.bottom < 1 || box.right < 1 || box.top > innerHeight) return `focus is outside: ${at.outerHTML.slice(0, 100)}`;
    return null;
  }, wanted);
  const press = async (from, to, step) => {
    for (let index = from; index !== to; index += step) {
      await (step > 0 ? page.keyboard.press('Tab') : page.keyboard.down('Shift').then(() => page.keyboard.press('Tab'))
        .then(() => page.keyboard.up('Shift')));
      const problem = await check(index);
      if (problem) problems.push(problem);
      if (problems.length > 5) return;
    }
  };
  await page.evaluate(() => { document.activeElement.blur(); window.scrollTo(0, 0); });
  await press(0, Math.min(count, TABS_MAX), 1);
  if (count > TABS_MAX) {
    await page.evaluate((last) => window.actions[last].focus(), count - 1);
    await press(count - 2, Math.max(count - 40, TABS_MAX - 1), -1);
  }
  return problems;
}

// All kinds of pages, breadth first, with some of each.
async function walk(page) {
  const seen = new Map(), queue = ['/', ...more], asked = new Set(queue);
  const pages = [];
  while (queue.length) {
    const where = queue.shift(), kind = kindOf(origin + where);
    const known = seen.get(kind) || 0;
    if (known >= A_KIND) continue;
    const answer = await visit(page, where);
    const type = await page.evaluate(() => document.contentType);
    if (type !== 'text/html') continue;  // metrics, JSON
    seen.set(kind, known + 1);
    pages.push({ where, kind: known ? `${kind}_${known + 1}` : kind, first: !known });
    if (answer.status >= 400 && !more.includes(where)) complain(where, `answers ${answer.status}`);
    for (const link of await linksOf(page))
      if (!asked.has(link) && !/^\/f\/[^/]*\/portal/.test(link)) { asked.add(link); queue.push(link); }
  }
  return pages;
}

async function look(page, one, width, theme) {
  const where = `${one.where} at ${width}, ${theme}`;
  const answer = await visit(page, one.where);
  answer.noted.forEach((line) => complain(where, line));
  (await tooWide(page, width)).forEach((line) => complain(where, line));
  await page.screenshot({ path: fileOf(one.kind, width, theme), fullPage: true });
  (await axe(page)).forEach((line) => complain(where, line));
  if (theme === 'light') (await keyboard(page)).forEach((line) => complain(where, line));
}

// Without scripts a page is the same, a link leads on and a form is sent.
async function plain(browser, pages) {
  const page = await browser.newPage();
  await page.setJavaScriptEnabled(false);
  for (const one of pages.filter(({ first }) => first)) {
    await visit(page, one.where);
    if (await page.$('script')) complain(one.where, 'has a script');
    if (!(await page.$('main h1'))) complain(one.where, 'shows nothing without scripts');
  }
  await visit(page, '/recommendations');
  await page.focus('#filter');
  await page.keyboard.type('risk_level="high"');
  await Promise.all([page.waitForNavigation(), page.keyboard.press('Enter')]);
  if (!new URL(page.url()).searchParams.get('filter')) complain('/recommendations', 'its form is not sent without scripts');
  await visit(page, '/');
  await page.focus('header nav a[href="/recommendations"]');
  await Promise.all([page.waitForNavigation(), page.keyboard.press('Enter')]);
  if (new URL(page.url()).pathname !== '/recommendations') complain('/', 'its links lead nowhere without scripts');
  await page.close();
}

async function main() {
  const browser = await puppeteer.launch({ executablePath: chromium, headless: true, userDataDir: profile,
    args: ['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking',
      '--disable-component-update', '--disable-sync'] });
  const page = await browser.newPage();
  const pages = await walk(page);
  for (const width of WIDTHS)
    for (const theme of THEMES) {
      await page.setViewport({ width, height: 900 });
      await page.emulateMediaFeatures([{ name: 'prefers-color-scheme', value: theme }]);
      for (const one of pages) await look(page, one, width, theme);
    }
  await plain(browser, pages);
  await browser.close();
  console.log(JSON.stringify({ wrong, pages: pages.map(({ where, kind }) => ({ where, kind })) }));
}

main().catch((error) => { console.error(error.stack); process.exit(1); });
