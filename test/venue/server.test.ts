/** The paper venue over real HTTP on loopback. */
import { connect } from 'node:net';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import {
  createPaperBroker,
  createVenueClient,
  type PaperBroker,
  type VenueClient,
  type VenueEvent,
} from '../../src/brokers/paper/index.js';
import { systemClock } from '../../src/clock.js';
import { hostIdentity } from '../../src/host.js';
import { type RunningVenue, runVenue } from '../../src/venue/command.js';
import { EVIDENCE_PAGE } from '../../src/venue/routes.js';
import { eventually } from '../support/eventually.js';

const AAPL = 'node_modules/@observablehq/sample-datasets/aapl.csv';

let venue: RunningVenue;
let client: VenueClient;
let broker: PaperBroker;

beforeEach(async () => {
  venue = await runVenue({ bars: AAPL, accounts: ['main', 'other'] });
  client = createVenueClient(venue.url);
  broker = createPaperBroker({ url: venue.url, account: 'main', source: 'strategy' });
});

afterEach(async () => {
  await broker.close();
  await client.close();
  await venue.close();
});

function order(clientOrderId: string) {
  return { clientOrderId, symbol: 'AAPL', positionSide: 'net', side: 'buy', type: 'market', quantity: 1, reduceOnly: false } as const;
}

function kindsOf(events: readonly VenueEvent[]): readonly string[] {
  return events.map(({ kind }) => kind);
}

async function post(path: string, body: string): Promise<{ status: number; text: string }> {
  const response = await fetch(`${venue.url}${path}`, { method: 'POST', body });
  return { status: response.status, text: await response.text() };
}

describe('evidence', () => {
  it('tells every order from its arrival to its fill, with sender, clock and boot', async () => {
    const beforeMs = systemClock.monotonicMs();
    await broker.submit(order('c1'));
    const afterMs = systemClock.monotonicMs();
    const { events, bootId } = await client.evidence();
    expect(bootId).toBe(hostIdentity().bootId);
    expect(kindsOf(events)).toEqual(['request', 'accepted', 'fill']);
    for (const event of events) {
      expect(event).toMatchObject({ account: 'main', source: 'strategy', clientOrderId: 'c1' });
      expect(event.atMs).toBeGreaterThanOrEqual(beforeMs);
      expect(event.atMs).toBeLessThanOrEqual(afterMs);
    }
    const [request] = events;
    if (request?.kind !== 'request') throw new Error('the first event is no request');
    expect(request.what).toBe('submit');
    expect(request.sentMs).toBeLessThanOrEqual(request.atMs);
    expect(events[2]).toMatchObject({ positionBefore: 0, positionAfter: 1 });
    await broker.positions();
    const later = await client.evidence(events.length);
    expect(later.events).toMatchObject([{ seq: 4, kind: 'read', what: 'positions', count: 1, outcome: 'answered' }]);
  });

  it('comes whole over several pages', async () => {
    const positions = Array.from({ length: EVIDENCE_PAGE + 10 }, (_, index) => ({ symbol: `S${index}`, quantity: 1 }));
    await client.seedPositions({ account: 'main', positions });
    const { events } = await client.evidence();
    expect(events).toHaveLength(EVIDENCE_PAGE + 10);
    expect(events.at(-1)?.seq).toBe(EVIDENCE_PAGE + 10);
    expect(await client.time()).toMatchObject({ lastSeq: EVIDENCE_PAGE + 10, bootId: hostIdentity().bootId });
  });

  it('keeps accounts apart', async () => {
    await client.seedPositions({ account: 'other', positions: [{ symbol: 'AAPL', quantity: -2 }] });
    expect(await broker.positions()).toEqual([]);
  });
});

describe('administration', () => {
  it('names field, value and bound of a wrong switch', async () => {
    expect((await post('/admin/switches', '{"rejects":{"next":-1}}')).text).toContain('rejects.next = -1: must be at least 0');
    expect((await post('/admin/switches', '{"latencyMs":"x"}')).text).toContain('latencyMs = \\"x\\": must be of type number');
    expect((await post('/admin/switches', '{"reduceOnly":"maybe"}')).text).toContain('must be one of enforced, ignored, rejected');
    expect((await post('/admin/switches', '{"warp":1}')).text).toContain('warp = 1: is not known here');
    const broken = await post('/admin/switches', '{');
    expect(broken.status).toBe(400);
    expect(broken.text).toContain('must be JSON');
    await expect(client.replay({ action: 'start', index: 9_999, intervalMs: 1 })).rejects.toMatchObject({
      code: 'configuration',
      message: 'index = 9999: must be at most 1259, the last bar',
    });
  });

  it('replaces the switches that are named and no other', async () => {
    await client.setSwitches({ latencyMs: 5, rejects: { next: 3 } });
    expect(await client.setSwitches({ rejects: { everyNth: 2 } })).toMatchObject({ latencyMs: 5, rejects: { next: 0, everyNth: 2 } });
    expect(await client.switches()).toMatchObject({ latencyMs: 5 });
  });

  it('a port in use is named', async () => {
    const port = Number(new URL(venue.url).port);
    await expect(runVenue({ port })).rejects.toMatchObject({
      code: 'configuration',
      message: `port = ${port}: must be free on 127.0.0.1: another process listens there`,
    });
    await expect(runVenue({ port: 70_000 })).rejects.toThrow('port = 70000: must be a finite number between 0 and 65535');
    await expect(runVenue({ accounts: ['a b'] })).rejects.toThrow('accounts.0 = "a b"');
  });
});

describe('bars', () => {
  it('replays from an index, holds at the end, and wakes those who wait', async () => {
    expect(await client.replay({ action: 'start', index: 570, intervalMs: 2, untilIndex: 573 })).toMatchObject({
      index: 570,
      running: true,
    });
    const seen: number[] = [];
    for (let since = 569; since < 573; ) {
      const { bars } = await client.bars(since);
      seen.push(...bars.map(({ index }) => index));
      since = seen.at(-1) ?? since;
    }
    expect(seen).toEqual([570, 571, 572, 573]);
    expect(await client.replayState()).toMatchObject({ index: 573, running: false, count: 1_260 });
    expect(await client.bars(573, { waitMs: 10 })).toMatchObject({ index: 573, bars: [] });
    expect(await client.replay({ action: 'step' })).toMatchObject({ index: 574 });
    await client.replay({ action: 'start', index: 10, intervalMs: 60_000 });
    expect(await client.replay({ action: 'hold' })).toMatchObject({ index: 10, running: false });
  });
});

describe('a frozen venue', () => {
  it('trap 40: takes connections, answers nothing but its administrator, and fills at the thaw what arrived meanwhile', async () => {
    await client.setSwitches({ frozen: true });
    const impatient = createPaperBroker({ url: venue.url, account: 'main', timeoutMs: 50 });
    await expect(impatient.submit(order('late'))).rejects.toMatchObject({ code: 'broker_unavailable' });
    await expect(impatient.positions()).rejects.toMatchObject({ code: 'broker_unavailable' });
    await expect(impatient.identity()).rejects.toMatchObject({ code: 'broker_unavailable' });
    expect((await client.evidence()).events.filter(({ kind }) => kind === 'fill')).toEqual([]);
    await client.setSwitches({ frozen: false });
    expect(await broker.positions()).toMatchObject([{ symbol: 'AAPL', quantity: 1 }]);
    await impatient.close();
  });

  it('does not answer a malformed request either', async () => {
    await client.setSwitches({ frozen: true });
    const answer = post('/v1/orders', '{"nonsense":1}').then((result) => ({ ...result, answeredMs: systemClock.monotonicMs() }));
    await systemClock.sleep(100);
    const thawMs = systemClock.monotonicMs();
    await client.setSwitches({ frozen: false });
    const { status, text, answeredMs } = await answer;
    expect(answeredMs).toBeGreaterThan(thawMs);
    expect(status).toBe(400);
    expect(text).toContain('"reason":"other"');
  });
});

describe('the server', () => {
  it('close ends calls that wait for an answer', async () => {
    await client.setSwitches({ latencyMs: 60_000 });
    const submitted = broker.submit(order('c1'));
    const outcome = expect(submitted).rejects.toMatchObject({ code: 'broker_unavailable' });
    await eventually(async () => (await client.evidence()).events.length > 1);
    await venue.close();
    await outcome;
    const port = Number(new URL(venue.url).port);
    await new Promise<void>((resolve, reject) => {
      connect(port, '127.0.0.1', () => reject(new Error('still listens'))).on('error', () => resolve());
    });
  });

  it('50 parallel orders do not wait for one another', async () => {
    const latencyMs = 50;
    await client.setSwitches({ latencyMs });
    const round = async (name: string) => {
      const startMs = systemClock.monotonicMs();
      await Promise.all(Array.from({ length: 50 }, (_, index) => broker.submit(order(`${name}${index}`))));
      return systemClock.monotonicMs() - startMs;
    };
    await round('cold');
    const rounds = [await round('a'), await round('b'), await round('c')];
    expect(Math.min(...rounds)).toBeLessThan((50 * latencyMs) / 2);
  });
});
