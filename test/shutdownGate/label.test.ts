import { expect, it } from 'vitest';
import { createShutdownGate } from '../../src/shutdownGate/gate.js';
import { guardOrderSubmission } from '../../src/shutdownGate/guard.js';
import { OrderSubmissionGuard } from '../../src/shutdownGate/orderSubmissionGuard.js';

const textless: readonly [string, unknown, string][] = [
  ['an object without a prototype', Object.create(null), 'order'],
  [
    'an object whose text throws',
    {
      toString: () => {
        throw new Error('no text');
      },
    },
    'order',
  ],
  ['a symbol', Symbol('a-1'), 'Symbol(a-1)'],
  ['undefined', undefined, 'undefined'],
];

it.each(textless)('a label that is %s decides of no order, whichever way it comes in', (_what, label, text) => {
  const gate = createShutdownGate();
  expect(gate.tryEnter(label as string)).toMatchObject({ ok: true });
  using permit = new OrderSubmissionGuard([], label as string, { gate });
  expect(permit.entryId).toBe(2);
  const admission = guardOrderSubmission(() => new Promise<void>(() => undefined), { gate, label: () => label as string }).trySubmit();
  expect(admission.ok).toBe(true);
  expect(gate.protocol.unfinished().map((entry) => entry.label)).toEqual([text, text, text]);
});
