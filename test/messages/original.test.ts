/** Records in the original wire format, as plain values: units, epochs, and that nothing whatever makes a decoder throw. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { decodeBrainBeat, encodeBrainBeat, ORIGINAL_STAMP_TOLERANCE_MS } from '../../src/messages/heartbeat.js';
import { decodePanicClose, decodeWrittenPanic, type WrittenPanic, withEpoch } from '../../src/messages/panicClose.js';
import { fcSeed } from '../support/seed.js';

/** Between the year 2001 and the year 2286: what fits ten digits of seconds and thirteen of milliseconds. */
const wallMs = fc.integer({ min: 1_000_000_000_000, max: 9_999_999_999_999 });
const NAMES = ['schema', 'service_id', 'status', 'active_positions', 'last_decision_ts', 'latency_ms', 'ts', 'issued_by', 'event_id'];
const anything = fc.oneof(fc.constantFrom('', '0', '1', '-1', 'OK', 'ops', 'NaN', '1e999', ' 5 ', '1700000000000'), fc.string());
const anyFields = fc.dictionary(fc.constantFrom(...NAMES), anything);

const beat = (stampMs: number, change: Readonly<Record<string, string>> = {}) => ({
  service_id: 'exit_brain',
  status: 'OK',
  active_positions: '1',
  last_decision_ts: String(stampMs),
  latency_ms: '1',
  ts: String(stampMs),
  ...change,
});

describe('records in the original format', () => {
  it('trap 8: seconds and milliseconds are told apart by their size, and mean the same moment', () => {
    fc.assert(
      fc.property(wallMs, (atMs) => {
        const seconds = { ts: String(atMs / 1_000), last_decision_ts: String(atMs / 1_000) };
        const inMs = decodeBrainBeat(beat(atMs), atMs);
        expect(inMs).toMatchObject({ ok: true, value: { wallMs: atMs, sequence: atMs, decisionSequence: atMs } });
        expect(decodeBrainBeat(beat(atMs, seconds), atMs)).toEqual(inMs);
        const panic = decodeWrittenPanic({ issued_by: 'ops', ts: seconds.ts }, 1);
        expect(panic).toMatchObject({ ok: true, value: { wallMs: atMs } });
      }),
      { seed: fcSeed },
    );
  });

  it('S11: a beat counts exactly where its stamp is close to the moment at which the bus took it', () => {
    fc.assert(
      fc.property(wallMs, fc.integer({ min: -20_000, max: 20_000 }), (atMs, offMs) => {
        expect(decodeBrainBeat(beat(atMs + offMs), atMs).ok).toBe(Math.abs(offMs) <= ORIGINAL_STAMP_TOLERANCE_MS);
      }),
      { seed: fcSeed },
    );
  });

  it('a beat without the time of the bus, and a panic for who wants ours alone, are refused as before', () => {
    expect(decodeBrainBeat(beat(1_700_000_000_000))).toEqual({ ok: false, problem: 'schema is missing' });
    expect(decodePanicClose({ issued_by: 'ops' })).toEqual({ ok: false, problem: 'schema is missing' });
  });

  it('a beat of our own is read as before, whenever the bus took it', () => {
    const ours = {
      serviceId: 's',
      account: 'a',
      generation: 'g',
      sequence: 1,
      decisionSequence: 1,
      status: 'GOODBYE',
      activePositions: 0,
      lastDecisionWallMs: 1,
      latencyMs: 0,
      wallMs: 1,
    } as const;
    expect(decodeBrainBeat(encodeBrainBeat(ours), 1_700_000_000_000)).toEqual({ ok: true, value: ours });
  });

  it('S6: a panic is refused for its issuer and for nothing else', () => {
    fc.assert(
      fc.property(anyFields, fc.constantFrom('risk_kernel', 'exit_brain', 'ops', 'watchdog'), wallMs, (fields, issuer, atMs) => {
        const { schema: _schema, issued_by: _issuer, ...rest } = fields;
        expect(decodeWrittenPanic({ ...rest, issued_by: issuer }, atMs).ok).toBe(true);
        expect(decodeWrittenPanic({ ...rest, issued_by: `${issuer}_2` }, atMs).ok).toBe(false);
        expect(decodeWrittenPanic(rest, atMs).ok).toBe(false);
      }),
      { seed: fcSeed },
    );
  });

  it('S9: a panic without an id has the same one for every reader, and another one than its neighbour', () => {
    const idOf = (atMs: number) => {
      const decoded = decodeWrittenPanic({ issued_by: 'ops' }, atMs);
      return decoded.ok ? decoded.value.eventId : '';
    };
    expect(idOf(5)).toBe(idOf(5));
    expect(idOf(5)).not.toBe(idOf(6));
  });

  it('nothing that stands in a record makes a decoder throw', () => {
    fc.assert(
      fc.property(anyFields, wallMs, (fields, atMs) => {
        expect([typeof decodeBrainBeat(fields, atMs).ok, typeof decodeWrittenPanic(fields, atMs).ok]).toEqual(['boolean', 'boolean']);
      }),
      { seed: fcSeed, numRuns: 500 },
    );
  });
});

describe('the epoch of a panic that names none', () => {
  const written = (appendedWallMs: number, epoch?: number): WrittenPanic => ({
    eventId: 'e',
    reason: 'r',
    issuedBy: 'ops',
    by: 'ops',
    wallMs: 0,
    resend: 0,
    epoch,
    appendedWallMs,
  });

  it('S6: is that of now, unless it was known when that was armed; one that names its own keeps it', () => {
    expect(withEpoch(written(10), { epoch: 3, panicsUntilMs: 9 }).epoch).toBe(3);
    expect(withEpoch(written(9), { epoch: 3, panicsUntilMs: 9 }).epoch).toBe(2);
    expect(withEpoch(written(9), { epoch: 3 }).epoch).toBe(3);
    expect(withEpoch(written(9), { epoch: 0 }).epoch).toBe(0);
    expect(withEpoch(written(9, 7), { epoch: 3, panicsUntilMs: 9 }).epoch).toBe(7);
  });
});
