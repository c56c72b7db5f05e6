/** How processes end, and what they leave behind. */
import { writeFileSync } from 'node:fs';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createPaperBroker, createVenueClient } from '../../src/brokers/paper/index.js';
import { documentOf, Workspace } from './cli.js';

let workspace: Workspace;
beforeEach(() => {
  workspace = new Workspace();
});
afterEach(() => workspace.remove());

/** A broker of the operator's own, with one method replaced. */
function brokerModule(replaced: string): string {
  const methods = ['identity', 'capabilities', 'positions', 'openOrders', 'submit', 'cancel', 'orderByClientId', 'close'];
  const body = methods.map((name) => `  async ${name}() { return []; },`).join('\n');
  writeFileSync(workspace.path('broker.mjs'), `export default () => ({\n${body}\n${replaced}\n});\n`);
  return './broker.mjs';
}

describe('panic --direct', () => {
  it('flattens the account with no bus at all', async () => {
    const { ready } = await workspace.role(['venue']);
    const url = ready.url ?? '';
    const venue = createVenueClient(url);
    const broker = createPaperBroker({ url, account: 'default' });
    await venue.seedPositions({
      account: 'default',
      positions: [
        { symbol: 'AAPL', quantity: 10 },
        { symbol: 'MSFT', quantity: -5 },
      ],
    });
    const args = ['panic', '--direct', '--broker', `paper:${url}`, '--account', 'default', '--scale', '10', '--json'];
    const ended = await workspace.run([...args, '--bus', 'journal:/dev/null/nowhere']);
    expect(ended.code, ended.stderr).toBe(0);
    expect(documentOf(ended)).toMatchObject({ account: 'default', verdict: 'flat_unconfirmed', progress: { total: 2, closed: 2 } });
    expect(await broker.positions()).toEqual([]);
    const { events } = await venue.evidence();
    expect(events.length).toBeGreaterThan(0);
    await broker.close();
    await venue.close();
  });

  it('S5: a venue that cannot be read is no flat book: exit code 3', async () => {
    const ended = await workspace.run([
      'panic',
      '--direct',
      '--broker',
      'paper:http://127.0.0.1:9',
      '--account',
      'default',
      '--scale',
      '10',
    ]);
    expect(ended.code, ended.stdout).toBe(3);
    expect(ended.stderr).toContain('account = default');
  });
});

describe('a panic that nobody carries out', () => {
  it('S6: stands on the bus, and the exit code says that nothing is proven', async () => {
    const ended = await workspace.run(['panic', '--wait', '300ms']);
    expect(ended.code).toBe(1);
    expect(ended.stdout).toMatch(/^Panic [0-9a-f-]+ stands/);
    expect(ended.stderr).toContain('No verdict within 300ms. The panic stands');
    const status = documentOf(await workspace.run(['status', '--json', '--observe', '1ms']));
    expect(status['openIncidents']).toHaveLength(1);
  });
});

describe('kill -9', () => {
  it('leaves a bus that a new process reads, and a name that is free at once', async () => {
    const { process: first } = await workspace.role(['watchdog', '--id', 'w1']);
    const halted = await workspace.run(['halt', '--id', 'h1']);
    expect(halted.code, halted.stderr).toBe(0);
    expect(await first.stop('SIGKILL')).toMatchObject({ signal: 'SIGKILL' });
    const status = documentOf(await workspace.run(['status', '--json', '--observe', '1ms']));
    expect(status['state']).toMatchObject({ mode: 'HALTED', halts: [{ id: 'h1' }] });
    const { process: second, ready } = await workspace.role(['watchdog', '--id', 'w1']);
    expect(ready.id).toBe('w1');
    expect((await second.stop()).code).toBe(0);
  });
});

describe('a name', () => {
  it('S9: that another process works under is refused', async () => {
    await workspace.role(['watchdog', '--id', 'w1']);
    const ended = await workspace.run(['watchdog', '--id', 'w1']);
    expect(ended.code).toBe(2);
    expect(ended.stderr).toMatch(/^failflat: --id = "w1": must be a name of its own: process \d+ on /);
  });
});

describe('signals', () => {
  it('a process that hangs while it ends is ended by a second signal', async () => {
    const broker = brokerModule('  close() { setInterval(() => {}, 1_000); console.error("closing"); return new Promise(() => {}); },');
    const { process: worker } = await workspace.role(['exit-worker', '--broker', broker]);
    let ended = false;
    void worker.ended.then(() => {
      ended = true;
    });
    worker.send('SIGTERM');
    await expect.poll(() => worker.stderr, { timeout: 10_000 }).toContain('closing');
    await new Promise((resolve) => setTimeout(resolve, 1_100));
    expect(ended).toBe(false);
    expect(await worker.stop('SIGTERM')).toMatchObject({ code: null, signal: 'SIGTERM' });
  });

  it('S13: an end in the middle of the work is no success, and a crash no verdict: exit code 3', async () => {
    const hangs = await workspace.role(['exit-worker', '--broker', brokerModule('  close() { return new Promise(() => {}); },')]);
    expect((await hangs.process.stop('SIGTERM')).code).toBe(3);
    const crashing = brokerModule('  identity() { queueMicrotask(() => { throw new Error("a bug"); }); return new Promise(() => {}); },');
    const crashed = await workspace.run(['exit-worker', '--broker', crashing, '--log-level', 'silent']);
    expect(crashed.code).toBe(3);
    expect(crashed.stderr).toContain('a bug');
  });
});
