/** The operator's day, on a journal bus with a real venue, watchdog, worker and brain. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createVenueClient, type VenueClient } from '../../src/brokers/paper/index.js';
import { openBus } from '../../src/bus/openBus.js';
import { decodeBrainBeat, EXIT_BRAIN_HEARTBEAT } from '../../src/messages/heartbeat.js';
import { createTradingLease } from '../../src/tradingLease/lease.js';
import { eventually } from '../support/eventually.js';
import { documentOf, type Running, Workspace } from './cli.js';

let workspace: Workspace;
let venue: VenueClient;
let broker: string;
const roles = new Map<string, Running>();
beforeAll(async () => {
  workspace = new Workspace();
  const { process, ready } = await workspace.role(['venue']);
  roles.set('venue', process);
  broker = `paper:${ready.url}`;
  venue = createVenueClient(ready.url ?? '');
  const started = await Promise.all([
    workspace.role(['watchdog', '--scale', '2']),
    workspace.role(['exit-worker', '--broker', broker, '--scale', '2']),
    workspace.role(['exit-brain', '--broker', broker, '--scale', '2']),
  ]);
  for (const { process: role, ready: said } of started) roles.set(said.ready, role);
});
afterAll(async () => {
  await venue.close();
  await workspace.remove();
});

const status = async () => documentOf(await workspace.run(['status', '--json', '--observe', '1s']));
const rearm = (...args: string[]) => workspace.run(['rearm', '--by', 'operator', '--reason', 'checked', '--scale', '4', ...args]);

describe('halt, status, rearm, panic', () => {
  it('S3: a system that was never armed is HALTED, and says who is at work', async () => {
    await eventually(async () => {
      expect(await status()).toMatchObject({
        state: { mode: 'HALTED', epoch: 0, halts: [] },
        brains: [{ name: 'exit-brain' }],
        watchdogs: [{ progress: true }],
        workers: [{ progress: true, beat: { worker: { account: 'default', identityMatches: true, positions: 0 } } }],
      });
      return true;
    });
  });

  it('S7: a re-arm that names nothing leaves a halt where it is, and says how to name it', async () => {
    const halted = await workspace.run(['halt', '--json', '--id', 'h1', '--reason', 'test']);
    expect({ code: halted.code, ...documentOf(halted) }).toMatchObject({ code: 0, outcome: 'committed', haltId: 'h1', epoch: 0 });
    const refused = await rearm();
    expect(refused.code).toBe(1);
    expect(refused.stdout).toContain('It will not');
    expect(refused.stderr).toContain('halt h1');
    expect(refused.stderr).toContain('--clear ID');
    expect(await status()).toMatchObject({ state: { mode: 'HALTED', epoch: 0 } });
  });

  it('a dry run prints the plan and changes nothing', async () => {
    const planned = await rearm('--dry-run', '--clear', 'h1', '--json');
    expect(planned.code, planned.stdout).toBe(0);
    expect(documentOf(planned)).toMatchObject({ armed: false, plan: { clearedHalts: ['h1'], accounts: ['default'], refusals: [] } });
    expect(await status()).toMatchObject({ state: { halts: [{ id: 'h1' }] } });
  });

  it('S7: a re-arm that names the halt arms in stages', async () => {
    const armed = await rearm('--clear', 'h1');
    expect(armed.code, armed.stderr).toBe(0);
    expect(armed.stdout).toMatch(/^ARMED\. Trading is ACTIVE at epoch 1\.$/m);
    expect(await status()).toMatchObject({ state: { mode: 'ACTIVE', epoch: 1, accounts: ['default'], services: ['exit-brain'] } });
  });

  it('a position that is not acknowledged keeps trading halted; one that is does not', async () => {
    await venue.seedPositions({ account: 'default', positions: [{ symbol: 'AAPL', quantity: 10 }] });
    await workspace.run(['halt', '--id', 'h2']);
    const refused = await rearm('--clear-all-shown', '--broker', broker);
    expect(refused.code).toBe(1);
    expect(refused.stderr).toContain('default AAPL 10 is open and not acknowledged');
    const armed = await rearm('--clear-all-shown', '--broker', broker, '--acknowledge', 'default:AAPL=10', '--json');
    expect({ code: armed.code, ...documentOf(armed) }).toMatchObject({ code: 0, armed: true, epoch: 2 });
  });

  it('names who may send orders, with what they last said, until they have said goodbye', async () => {
    const bus = await openBus(`journal:${workspace.path('var/failflat')}`);
    const inflight = { inflight: () => 2, unknownOutcomes: () => 1 };
    const lease = createTradingLease({ bus, holderId: 'strategy-7', account: 'default', inflight, closeTimeoutMs: 1 });
    try {
      await lease.ready;
      const holder = { holderId: 'strategy-7', account: 'default', pid: process.pid, inflight: 2, unknownOutcomes: 1 };
      await eventually(async () => {
        expect(await status()).toMatchObject({ holders: [{ ...holder, event: 'attested', epoch: 2 }] });
        return true;
      });
      const said = await workspace.run(['status', '--observe', '1s']);
      expect(said.stdout).toContain(`Holder: strategy-7 (default, pid ${process.pid} on `);
      expect(said.stdout).toMatch(/attested at epoch 2, 2 in flight, 1 ORDERS WITH UNKNOWN OUTCOME/);
    } finally {
      inflight.inflight = () => 0;
      inflight.unknownOutcomes = () => 0;
      await lease.close();
      await bus.close();
    }
    expect(await status()).toMatchObject({ holders: [] });
  });

  it('maintenance takes trading down to REDUCING before it says that the work may begin', async () => {
    const begun = await workspace.run([
      'maintenance',
      '--for',
      '60s',
      '--service',
      'exit-brain',
      '--by',
      'operator',
      '--reason',
      'upgrade',
      '--json',
    ]);
    expect({ code: begun.code, ...documentOf(begun) }).toMatchObject({
      code: 0,
      serviceId: 'exit-brain',
      durationMs: 60_000,
      epoch: 2,
    });
    expect(await status()).toMatchObject({ state: { mode: 'REDUCING' } });
  });

  it('L2: a panic ends flat, step by step before the eyes of the operator', async () => {
    const panic = await workspace.run(['panic', '--reason', 'test']);
    expect(panic.code, panic.stdout + panic.stderr).toBe(0);
    expect(panic.stdout).toContain('default@2 exit.close_attempt: sell 10 AAPL');
    expect(panic.stdout).toMatch(/^default: flat, 1 of 1 positions closed\.$/m);
    const state = { mode: 'HALTED', halts: [{ kind: 'exit', incident: 'default@2' }] };
    expect(await status()).toMatchObject({ state, openIncidents: [] });
  });

  it.each(['exit-brain', 'watchdog', 'exit-worker', 'venue'])('SIGTERM ends %s in order', async (name) => {
    const ended = await roles.get(name)?.stop('SIGTERM');
    expect(ended?.code, ended?.stderr).toBe(0);
    // Alerts are logged as warnings; an error would be one of the ending itself.
    expect(ended?.stderr).not.toContain('"level":50');
  });

  it('the brain has said goodbye', async () => {
    const bus = await openBus(`journal:${workspace.path('var/failflat')}`);
    const last = await bus.latest(EXIT_BRAIN_HEARTBEAT, 'exit-brain');
    await bus.close();
    expect(decodeBrainBeat(last?.fields ?? {})).toMatchObject({ ok: true, value: { status: 'GOODBYE' } });
  });
});
