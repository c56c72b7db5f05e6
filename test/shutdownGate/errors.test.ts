import { describe, expect, it } from 'vitest';
import { OrderOutcomeUnknownError, OrderRefusedError } from '../../src/shutdownGate/errors.js';

const REFUSAL = { code: 'not_reducing', source: 'verify_reduce', reason: 'it would flip' } as const;

describe('errors of the order door', () => {
  it('a refusal carries all that was said, and nothing else', () => {
    const full = { ...REFUSAL, sinceWallMs: 1, retryAfterMs: 2, maxQuantity: 3 };
    expect(new OrderRefusedError(full)).toMatchObject(full);
    const bare = new OrderRefusedError(REFUSAL);
    expect(bare.message).toBe('order refused (not_reducing) by verify_reduce: it would flip');
    for (const field of ['sinceWallMs', 'retryAfterMs', 'maxQuantity'] as const) {
      expect(bare).not.toHaveProperty(field);
      const one = new OrderRefusedError({ ...REFUSAL, [field]: 7 });
      expect(['sinceWallMs', 'retryAfterMs', 'maxQuantity'].filter((name) => name in one)).toEqual([field]);
      expect(one[field]).toBe(7);
    }
  });

  it('an unknown outcome says what to do', () => {
    const error = new OrderOutcomeUnknownError({ entryId: 4, label: 'AAPL', ageMs: 250.4, settled: Promise.resolve(undefined as never) });
    expect(error.message).toBe('the outcome of order AAPL is unknown after 250 ms: query it, do not send it again');
    expect([error.code, error.entryId, error.label, error.ageMs]).toEqual(['order_outcome_unknown', 4, 'AAPL', 250.4]);
  });
});
