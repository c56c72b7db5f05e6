/** A panic for an account that no exit worker is alive for is escalated, by whichever watchdog sees it, within a bounded time. */
import { afterEach, describe, expect, it } from 'vitest';
import { FROM_START } from '../../src/bus/bus.js';
import { AUDIT } from '../../src/messages/audit.js';
import { decodeEscalation, type Escalation, PANIC_ESCALATED } from '../../src/messages/completion.js';
import { encodePanicClose, PANIC_CLOSE, type PanicClose } from '../../src/messages/panicClose.js';
import { EXIT_WORKER_HEARTBEAT, encodePeerBeat } from '../../src/messages/peerBeat.js';
import { DEFAULT_WORKER_MISSING_MS } from '../../src/watchdog/options.js';
import { type BusFaults, faultyBus, type Scene, scene } from './scene.js';

const BEAT_MS = 125;
const ACCOUNTS = ['a', 'b', 'c'];

let s: Scene;
let sequence = 0;
afterEach(() => s.end());

const panic = (change: Partial<PanicClose> = {}) =>
  s.bus.append(
    PANIC_CLOSE,
    encodePanicClose({ eventId: 'e1', reason: 'limit', issuedBy: 'ops', by: 'operator', wallMs: 0, epoch: 1, resend: 0, ...change }),
  );

async function escalations(): Promise<readonly Escalation[]> {
  const { records } = await s.bus.read(PANIC_ESCALATED, FROM_START);
  return records.map(({ fields }) => {
    const decoded = decodeEscalation(fields);
    if (!decoded.ok) throw new Error(decoded.problem);
    return decoded.value;
  });
}

const escalated = async (): Promise<readonly string[]> => (await escalations()).map(({ incident, verdict }) => `${incident} ${verdict}`);
const told = (): readonly (string | undefined)[] =>
  s.alerts.filter(({ kind }) => kind === 'exit.no_worker').map(({ incident }) => incident);

/** A worker is a beat, and nothing else: its sequence advances unless it is a stuck one. */
async function beat(account: string, advances = true): Promise<void> {
  if (advances) sequence += 1;
  const worker = { account, identityMatches: true };
  const fields = encodePeerBeat({ peerId: `w-${account}`, generation: 'g', sequence, host: 'h', bootId: 'b', pid: 1, epoch: 1, worker });
  await s.bus.append(EXIT_WORKER_HEARTBEAT, fields);
}

async function pass(ms: number, alive: readonly string[], advances = true): Promise<void> {
  for (let passedMs = 0; passedMs < ms; passedMs += BEAT_MS) {
    for (const account of alive) await beat(account, advances);
    await s.clock.advance(BEAT_MS);
  }
}

async function begin(faults: BusFaults = {}): Promise<void> {
  s = scene();
  await s.arm({ accounts: ACCOUNTS });
  s.watchdog({ bus: faultyBus(s.newHandle(), faults) });
  await pass(1_000, ACCOUNTS);
}

describe('an account that a panic is about and nobody works for', () => {
  it('S6: of a panic without scope, the account without a live worker is escalated in time, and no other', async () => {
    await begin();
    await panic();
    await pass(DEFAULT_WORKER_MISSING_MS - 2 * BEAT_MS, ['a', 'b']);
    expect([told(), await escalated()]).toEqual([[], []]);
    await pass(4 * BEAT_MS, ['a', 'b']);
    expect([told(), await escalated()]).toEqual([['c@1'], ['c@1 no_worker']]);
    await pass(10_000, ['a', 'b']);
    expect([told(), await escalated()]).toEqual([['c@1'], ['c@1 no_worker']]);
    const [said] = await escalations();
    expect(said).toMatchObject({ eventId: 'e1', account: 'c', epoch: 1, worker: 'w1' });
    expect(said?.residue[0]?.why).toBe('no exit worker of c has beaten for 2000 ms');
    const audited = (await s.bus.read(AUDIT, FROM_START, { limit: 10_000 })).records.map(({ fields }) => fields);
    expect(audited.filter(({ event }) => event === 'exit.no_worker').map(({ incident }) => incident)).toEqual(['c@1']);
  });

  it('S6: a panic with a scope is about its account alone', async () => {
    await begin();
    await panic({ scope: 'b' });
    await pass(5_000, []);
    expect(await escalated()).toEqual(['b@1 no_worker']);
  });

  it('a worker that beats is left to speak for itself, a beat that does not advance is none', async () => {
    await begin();
    await panic({ scope: 'c' });
    await pass(5_000, ['c']);
    expect(await escalated()).toEqual([]);
    await pass(5_000, ['c'], false);
    expect(await escalated()).toEqual(['c@1 no_worker']);
  });

  it('an account that is completed needs no worker any more', async () => {
    await begin();
    await panic();
    const complete = (scope: string) =>
      s.complete({ eventId: 'e1', reason: 'limit', issuedBy: 'ops', by: 'o', wallMs: 0, epoch: 1, resend: 0, scope });
    for (const account of ['a', 'b']) await complete(account);
    await pass(10_000, ['c']);
    await complete('c');
    await pass(10_000, []);
    expect(await escalated()).toEqual([]);
  });

  it('S9: three watchdogs write one record, and each tells people', async () => {
    await begin();
    s.watchdog();
    s.watchdog();
    await panic({ scope: 'c' });
    await pass(10_000, []);
    expect(await escalated()).toEqual(['c@1 no_worker']);
    expect(told()).toEqual(['c@1', 'c@1', 'c@1']);
  });

  it('S8: a watchdog that cannot reach the bus escalates nobody for what it could not hear', async () => {
    const faults: BusFaults = {};
    await begin(faults);
    await panic({ scope: 'c' });
    await pass(500, ['c']);
    faults.out = true;
    await pass(30_000, ['c']);
    expect(told()).toEqual([]);
    faults.out = false;
    await pass(5_000, ['c']);
    expect([told(), await escalated()]).toEqual([[], []]);
  });

  it('a record that the bus did not take is written later', async () => {
    const faults: BusFaults = {
      append: (stream, write) =>
        stream === PANIC_ESCALATED ? Promise.resolve({ outcome: 'refused', reason: 'no_space', detail: 'full' }) : write(),
    };
    await begin(faults);
    await panic({ scope: 'c' });
    await pass(5_000, []);
    expect([told(), await escalated()]).toEqual([['c@1'], []]);
    delete faults.append;
    await pass(500, []);
    expect([told(), await escalated()]).toEqual([['c@1'], ['c@1 no_worker']]);
  });
});
