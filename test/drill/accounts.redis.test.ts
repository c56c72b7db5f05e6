/** Two accounts on two venues under one bus, all of them real processes: a panic closes what it is about, and nothing else. */
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { decodeCompletion, decodeEscalation, PANIC_COMPLETED, PANIC_ESCALATED } from '../../src/messages/completion.js';
import { decodePanicClose, PANIC_CLOSE, panicGroup } from '../../src/messages/panicClose.js';
import { readTradingState } from '../../src/tradingState/read.js';
import { DEFAULT_WORKER_MISSING_MS } from '../../src/watchdog/options.js';
import { AccountsRig, SCALE } from '../support/accountsRig.js';
import { eventually } from '../support/eventually.js';

let rig: AccountsRig;
afterEach(() => rig.close());

const completions = () => rig.decoded(PANIC_COMPLETED, decodeCompletion);
const completed = async () => (await completions()).map(({ incident, verdict }) => `${incident} ${verdict}`).sort();
const escalations = () => rig.decoded(PANIC_ESCALATED, decodeEscalation);

/** When a record came to stand on the bus, by the server's clock. */
const serverMs = ({ id }: { readonly id: string }): number => Number(id.split('-')[0]);

describe('two accounts on two venues', () => {
  beforeEach(async () => {
    rig = await AccountsRig.start([['a'], ['b']]);
    await rig.arm();
    await rig.open('a', { AAPL: 10, MSFT: -3 });
    await rig.open('b', { AAPL: -4 });
  }, 60_000);

  it('trap 33: S6: a panic for one account closes that one, and no order or cancel reaches the venue of the other', async () => {
    const panic = await rig.command('panic', '--account', 'a', '--reason', 'limit');
    expect(panic.code, panic.stdout + panic.stderr).toBe(0);
    expect(panic.stdout).toMatch(/^a: flat, 2 of 2 positions closed\.$/m);
    // The other worker has read the panic, and has found that it is not meant.
    await rig.settled(panicGroup('a'), panicGroup('b'));
    expect(await rig.left('a')).toEqual([]);
    expect(await rig.left('b')).toEqual(['AAPL/net -4', 'an order']);
    expect(await rig.requests('b')).toEqual([]);
    expect(await rig.strangers('a')).toBe(0);
    expect(await completed()).toEqual(['a@1 flat']);
    const { state } = await readTradingState(rig.bus);
    expect([state.mode, state.halts.map(({ incident }) => incident)]).toEqual(['HALTED', ['a@1']]);
  }, 60_000);

  it('trap 43: S6: S9: a panic for all closes both, each with its own group, worker, incident and completion', async () => {
    const panic = await rig.command('panic', '--reason', 'limit');
    expect(panic.code, panic.stdout + panic.stderr).toBe(0);
    await rig.settled(panicGroup('a'), panicGroup('b'));
    expect([await rig.left('a'), await rig.left('b')]).toEqual([[], []]);
    expect([await rig.strangers('a'), await rig.strangers('b')]).toEqual([0, 0]);
    expect([...(await rig.requests('a'))].sort()).toEqual(['worker-a cancel REST', 'worker-a submit AAPL', 'worker-a submit MSFT']);
    expect([...(await rig.requests('b'))].sort()).toEqual(['worker-b cancel REST', 'worker-b submit AAPL']);
    expect(await completed()).toEqual(['a@1 flat', 'b@1 flat']);
    const owners = (await completions()).map(({ account, worker, positionsClosed }) => `${account} ${worker} ${positionsClosed}`);
    expect(owners.sort()).toEqual(['a worker-a 2', 'b worker-b 1']);
    expect([...(await rig.groups()).keys()].sort()).toEqual(['emergency_exit_worker:a', 'emergency_exit_worker:b']);
    const [first] = await rig.decoded(PANIC_CLOSE, decodePanicClose);
    expect(first?.scope).toBeUndefined();
    expect(new Set((await completions()).map(({ eventId }) => eventId))).toEqual(new Set([first?.eventId]));
    const { state } = await readTradingState(rig.bus);
    expect(new Set(state.halts.map(({ incident }) => incident))).toEqual(new Set(['a@1', 'b@1']));
  }, 60_000);
});

describe('an account that was registered when trading was armed, and has no live worker', () => {
  beforeEach(async () => {
    rig = await AccountsRig.start([['a'], ['b', 'c']]);
    await rig.arm();
    for (const account of ['a', 'b', 'c']) await rig.open(account, { AAPL: 5 });
  }, 60_000);

  it('S6: it is escalated within a bounded time of a panic for all, the others are closed, and a worker that comes later closes it', async () => {
    await rig.desk('c').worker.stop('SIGKILL');
    const panic = await rig.command('panic', '--reason', 'limit', '--wait', '4s');
    expect(panic.code, panic.stdout + panic.stderr).toBe(1);
    expect(panic.stderr).toContain('c: no_worker. A person is needed.');
    expect(await completed()).toEqual(['a@1 flat', 'b@1 flat']);
    expect(await rig.left('c')).toEqual(['AAPL/net 5', 'an order']);

    expect((await escalations()).map(({ incident, verdict, worker }) => [incident, verdict, worker])).toEqual([
      ['c@1', 'no_worker', 'watchdog-1'],
    ]);
    const [asked] = await rig.records(PANIC_CLOSE);
    const [said] = await rig.records(PANIC_ESCALATED);
    if (asked === undefined || said === undefined) throw new Error('no panic or no escalation on the bus');
    // The tolerance is that of a machine on which nine processes share two cores.
    expect(serverMs(said) - serverMs(asked)).toBeLessThanOrEqual(DEFAULT_WORKER_MISSING_MS / SCALE + 1_000);
    const told = rig.alerts.received.map(({ body }) => body).filter(({ kind }) => kind === 'exit.no_worker');
    expect(told.map(({ account, severity, incident }) => [account, severity, incident])).toEqual([['c', 'critical', 'c@1']]);

    await rig.startWorker('c', 'worker-c-2');
    await eventually(async () => (await completed()).includes('c@1 flat'), { timeoutMs: 15_000, everyMs: 50 });
    expect([await rig.left('c'), await rig.left('b')]).toEqual([[], []]);
  }, 60_000);
});
