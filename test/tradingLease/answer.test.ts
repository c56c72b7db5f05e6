import { describe, expect, it } from 'vitest';
import type { IntentKind } from '../../src/permission.js';
import { leaseAnswer } from '../../src/tradingLease/answer.js';
import type { LeaseDecision } from '../../src/tradingLease/decideLease.js';

const exit = { id: 'e', kind: 'exit', by: 'w', reason: 'brain dead', sinceWallMs: 7 } as const;
const manual = { id: 'm', kind: 'manual', by: 'op', reason: 'enough', sinceWallMs: 3 } as const;
const held: LeaseDecision = { kind: 'held', untilMs: 9 };
const halted: LeaseDecision = { kind: 'halted', why: 'op: enough', sinceWallMs: 3, halts: [manual] };
const exiting: LeaseDecision = { ...halted, halts: [manual, exit] };
const others: readonly LeaseDecision[] = [
  { kind: 'reducing', why: 'trading is REDUCING', sinceWallMs: 4 },
  { kind: 'suspended', sinceMs: 1, overdue: true, why: 'no watchdog' },
  { kind: 'missing', why: 'not read' },
];
const every = [held, halted, exiting, ...others];
const door = { closed: false, venueEnforcesReduceOnly: false, exitDoubt: undefined };
const source = 'trading_lease';

describe('leaseAnswer', () => {
  it('tells an order that adds risk what stands against it, and since when where that is known', () => {
    const answers = every.map((decision) => leaseAnswer(decision, 'increase', door));
    expect(answers).toEqual([
      undefined,
      { code: 'trading_halted', source, reason: 'op: enough', sinceWallMs: 3 },
      { code: 'trading_halted', source, reason: 'op: enough', sinceWallMs: 3 },
      { code: 'trading_reducing', source, reason: 'trading is REDUCING', sinceWallMs: 4 },
      { code: 'lease_expired', source, reason: 'no watchdog' },
      { code: 'lease_missing', source, reason: 'not read' },
    ]);
    for (const [index, answer] of answers.entries())
      expect(answer !== undefined && 'sinceWallMs' in answer).toBe([1, 2, 3].includes(index));
  });

  it('S3: an intent that nobody knows adds risk', () => {
    const unknown = 'hedge' as IntentKind;
    for (const decision of every) expect(leaseAnswer(decision, unknown, door)).toEqual(leaseAnswer(decision, 'increase', door));
  });

  it('S10: a cancel passes whatever is decided, also once the lease is closed', () => {
    for (const decision of every) expect(leaseAnswer(decision, 'cancel', { ...door, closed: true, exitDoubt: 'doubt' })).toBeUndefined();
  });

  it('S10: a reduction passes in every state but that of an exit', () => {
    for (const decision of every) {
      const answer = leaseAnswer(decision, 'reduce', door);
      if (decision === exiting)
        expect(answer).toEqual({ code: 'exit_in_progress', source, reason: 'only the exit worker closes now: brain dead', sinceWallMs: 7 });
      else expect(answer).toBeUndefined();
    }
  });

  it('S4: a reduction does not pass while an exit may be under way, unless the venue itself keeps it from flipping', () => {
    const reason = 'an exit may be under way, and only its worker would close: not registered';
    const doubting = { ...door, exitDoubt: 'not registered' };
    for (const decision of [held, halted, ...others])
      expect(leaseAnswer(decision, 'reduce', doubting)).toEqual({ code: 'lease_expired', source, reason });
    expect(leaseAnswer(exiting, 'reduce', doubting)?.code).toBe('exit_in_progress');
    for (const decision of every) expect(leaseAnswer(decision, 'reduce', { ...doubting, venueEnforcesReduceOnly: true })).toBeUndefined();
  });

  it('S2: nothing but a cancel passes once the lease is closed, whatever the venue enforces', () => {
    const reason = 'the lease is closed: this holder has said that it sends nothing more';
    for (const decision of every)
      expect(leaseAnswer(decision, 'reduce', { ...door, closed: true, venueEnforcesReduceOnly: true })).toEqual({
        code: 'lease_missing',
        source,
        reason,
      });
  });
});
