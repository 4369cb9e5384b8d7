// judge.js WHAT < requests: what a receiver's own library says of our requests. Prints one line per
// request, "ok ..." or "FAILED ...", and exits 1 when any failed. The first thing each judge does is
// to show that it refuses something wrong.
'use strict';
const fs = require('fs');
const path = require('path');
const assert = require('assert');
const { execFileSync } = require('child_process');

const SECRETS = ['whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSwMfKQ9r8GKYo=',
                 'whsec_AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8='];
const WEBHOOKS = ['standard', 'alertmanager', 'cloudevents', 'cloudevents_binary'];

function lower(headers) {
  return Object.fromEntries(Object.entries(headers).map(([k, v]) => [k.toLowerCase(), v]));
}

function signature(request) {
  const { Webhook } = require('standardwebhooks');
  for (const secret of SECRETS) {
    const webhook = new Webhook(secret);
    const headers = lower(request.headers);
    webhook.verify(request.body, headers);
    assert.throws(() => webhook.verify(request.body + ' ', headers), /No matching signature/);
    const old = { ...headers, 'webhook-timestamp': '1614265330' };
    assert.throws(() => webhook.verify(request.body, old), /too old/);
    const other = { ...headers, 'webhook-id': headers['webhook-id'] + 'x' };
    assert.throws(() => webhook.verify(request.body, other), /No matching signature/);
  }
}

function envelope(request) {
  const { CloudEvent, HTTP } = require('cloudevents');
  assert.throws(() => new CloudEvent({ id: '1', source: '/', type: 't', specversion: '1.0',
                                       time: 'yesterday' }, true));
  const event = HTTP.toEvent({ headers: request.headers, body: request.body });
  const members = request.variant === 'cloudevents' ? JSON.parse(request.body)
                                                    : { ...event, data: JSON.parse(request.body) };
  const strict = new CloudEvent(members, true);
  assert.ok(strict.validate());
  assert.deepStrictEqual(event.data, strict.data);
  for (const name of ['id', 'source', 'type', 'specversion', 'subject'])
    assert.strictEqual(event[name], strict[name], name);
  assert.strictEqual(Date.parse(event.time), Date.parse(strict.time));
  assert.match(strict.type, /^io\.defender-exporter\.[a-z_.]+\.v1$/);
  assert.ok(Buffer.byteLength(request.body) <= 64 * 1024);
}

function parsed(content) {
  const cards = require('adaptivecards/dist/adaptivecards.js');
  const context = new cards.SerializationContext(cards.Versions.v1_4);
  const card = new cards.AdaptiveCard();
  card.parse(content, context);
  const complaints = [];
  for (let i = 0; i < context.eventCount; i++)
    complaints.push(context.getEventAt(i).message);
  for (const event of card.validateProperties().validationEvents)
    complaints.push(event.message);
  return { card, complaints };
}

function adaptiveCard(request) {
  const wrong = { type: 'AdaptiveCard', version: '1.4', body: [{ type: 'TextBlok' }] };
  assert.notStrictEqual(parsed(wrong).complaints.length, 0);
  const message = JSON.parse(request.body);
  assert.deepStrictEqual(Object.keys(message), ['type', 'attachments']);
  assert.strictEqual(message.type, 'message');
  assert.strictEqual(message.attachments.length, 1);
  const [attachment] = message.attachments;
  assert.deepStrictEqual(Object.keys(attachment), ['contentType', 'contentUrl', 'content']);
  assert.strictEqual(attachment.contentType, 'application/vnd.microsoft.card.adaptive');
  assert.strictEqual(attachment.contentUrl, null);
  const { card, complaints } = parsed(attachment.content);
  assert.deepStrictEqual(complaints, []);
  assert.strictEqual(card.getItemCount(), attachment.content.body.length);
  assert.strictEqual(card.getActionCount(), attachment.content.actions.length);
  assert.ok(Buffer.byteLength(request.body) <= 18 * 1024);
}

// All pages at once: starting the compiler takes longer than checking.
function blocks(requests, folder) {
  const compile = (name, values) => {
    const file = path.join(folder, name);
    const lines = values.map((value, i) => `export const page${i}: Message = ${value};`);
    fs.writeFileSync(file, [
      "import type { KnownBlock } from '@slack/types';",
      'interface Message { text: string; blocks: KnownBlock[];',
      '                    unfurl_links: boolean; unfurl_media: boolean }', ...lines].join('\n'));
    execFileSync(process.execPath, [path.join(__dirname, 'node_modules/typescript/bin/tsc'),
                                    '--noEmit', '--strict', '--skipLibCheck', '--module', 'node16',
                                    file], { stdio: 'pipe' });
  };
  const wrong = '{ text: "x", unfurl_links: false, unfurl_media: false, blocks: ' +
                '[{ type: "header", text: { type: "mrkdwn", text: "x" } }] }';
  assert.throws(() => compile('wrong.ts', [wrong]));
  try {
    compile('pages.ts', requests.map((request) => request.body));
  } catch (error) {
    throw new Error(String(error.stdout || error));
  }
}

const judges = {
  standardwebhooks: [signature, WEBHOOKS],
  cloudevents: [envelope, ['cloudevents', 'cloudevents_binary']],
  adaptivecards: [adaptiveCard, ['teams']],
};

function main(what) {
  const requests = fs.readFileSync(0, 'utf8').trim().split('\n').map((line) => JSON.parse(line));
  let failed = 0;
  const tell = (name, action) => {
    try {
      action();
      console.log(`ok     ${name}`);
    } catch (error) {
      console.log(`FAILED ${name}: ${error.message}`);
      failed++;
    }
  };
  if (what === 'slack') {
    const ours = requests.filter((request) => request.variant === 'slack');
    const folder = fs.mkdtempSync(path.join(__dirname, 'types-'));
    tell(`slack, ${ours.length} pages`, () => blocks(ours, folder));
    fs.rmSync(folder, { recursive: true });
  } else {
    const [judge, variants] = judges[what];
    const ours = requests.filter((request) => variants.includes(request.variant));
    assert.ok(ours.length);
    for (const request of ours)
      tell(`${request.variant} ${request.page}`, () => judge(request));
  }
  process.exit(failed ? 1 : 0);
}

main(process.argv[2]);
