import { describe, expect, it } from 'vitest';
import { BrokerRejectedError } from '../../src/broker/broker.js';
import { ConfigurationError } from '../../src/errors.js';
import { OrderRefusedError } from '../../src/shutdownGate/errors.js';
import { createShutdownGate } from '../../src/shutdownGate/gate.js';
import { guardOrderSubmission } from '../../src/shutdownGate/guard.js';
import { defaultOutcomeOf } from '../../src/shutdownGate/options.js';
import { refusalOf } from './support.js';

describe('guard options', () => {
  it.each<[string, Record<string, unknown>]>([
    ['intent = "sell": must be one of increase, reduce, cancel, or a function that answers one', { intent: 'sell' }],
    ['submissionTimeoutMs = 2147483648: must be a finite number between 1 and 2147483647', { submissionTimeoutMs: 2 ** 31 }],
    ['brokerTimeoutMs = 2147483648: must be a finite number between 1 and 2147483647', { brokerTimeoutMs: 2 ** 31 }],
    ['maxPositionAgeMs = 2147483648: must be a finite number between 1 and 2147483647', { maxPositionAgeMs: 2 ** 31 }],
    ['gate = undefined: must be a shutdown gate that speaks protocol version 1', { gate: undefined }],
    ['gate = null: must be a shutdown gate that speaks protocol version 1', { gate: null }],
    ['gate = "text": must be a shutdown gate that speaks protocol version 1', { gate: 'text' }],
    [': must be a shutdown gate that speaks protocol version 1', { gate: { protocol: null } }],
    ['lease = null: must be a permission: an object with a name and a check function', { lease: null }],
    [': must be a permission: an object with a name and a check function', { lease: { name: 'l' } }],
    [': must be an array of permissions', { permissions: {} }],
    ['label = "order": must be a function', { label: 'order' }],
    [
      'lease.brokerTimeoutMs = 0: must be a finite number between 1 and',
      { lease: { name: 'l', check: () => undefined, brokerTimeoutMs: 0 } },
    ],
    ['killswitch = 1: is not an option: one of killSwitch, lease, breakers, permissions, gate,', { killswitch: 1 }],
    ['intentLog.directory = undefined: ', { intentLog: null }],
    ['intentLog.directory = undefined: ', { intentLog: 'text' }],
    ['must be the path of a directory', { intentLog: { directory: 'a\0b' } }],
    ['intentLog.clientOrderId = undefined: must be a function that answers the id of an order', { intentLog: { directory: 'd' } }],
    ['intentLog.symbol = 7: must be a function', { intentLog: { directory: 'd', clientOrderId: () => 'a', symbol: 7 } }],
    ['is not an option: one of directory, clientOrderId, symbol, sendWithinMs, logger', { intentLog: { directroy: 'd' } }],
    ['intentLog.sendWithinMs = 0: must be', { intentLog: { directory: 'd', clientOrderId: () => 'a', sendWithinMs: 0 } }],
  ])('say field, value and bound: %s', (message, options) => {
    expect(() => guardOrderSubmission(() => 1, { gate: createShutdownGate(), ...options })).toThrow(
      expect.objectContaining({ name: ConfigurationError.name, message: expect.stringContaining(message) as unknown }),
    );
  });

  it.each<[string, Record<string, unknown>]>([
    ['intent', { intent: 'sell' }],
    ['intent', { intent: null }],
    ['submissionTimeoutMs', { submissionTimeoutMs: 0 }],
    ['submissionTimeoutMs', { submissionTimeoutMs: 2 ** 31 }],
    ['brokerTimeoutMs', { brokerTimeoutMs: Number.NaN }],
    ['maxPositionAgeMs', { maxPositionAgeMs: '1000' }],
    ['killSwitch', { killSwitch: () => undefined }],
    ['lease', { lease: undefined }],
    ['lease.brokerTimeoutMs', { lease: { name: 'l', check: () => undefined, brokerTimeoutMs: '5000' } }],
    ['breakers', { breakers: { name: 'b' } }],
    ['permissions', { permissions: undefined }],
    ['permissions[1]', { permissions: [{ name: 'a', check: () => undefined }, undefined] }],
    ['gate', { gate: undefined }],
    ['gate', { gate: { protocol: { version: 2 } } }],
    ['label', { label: 'order' }],
    ['observe', { observe: {} }],
    ['killswitch', { killswitch: {} }],
    ['intentLog.directory', { intentLog: {} }],
  ])('S3: %s that cannot hold is refused by name', (field, options) => {
    const build = (): unknown => guardOrderSubmission(() => 1, { gate: createShutdownGate(), ...options });
    expect(build).toThrow(ConfigurationError);
    expect(build).toThrow(expect.objectContaining({ field }));
  });

  it('only a function can be guarded', () => {
    const build = () => guardOrderSubmission(undefined as unknown as () => void);
    expect(build).toThrow(ConfigurationError);
    expect(build).toThrow('fn = undefined: must be the function that sends the order');
  });

  it('S2: only an error that says so itself was surely not sent', () => {
    const named = (code: string) => Object.assign(new Error('no'), { code });
    expect([new BrokerRejectedError('other', 'no'), new OrderRefusedError(refusalOf('lease_expired'))].map(defaultOutcomeOf)).toEqual([
      'refused',
      'refused',
    ]);
    for (const error of [
      named('broker_rejected'),
      named('lease_expired'),
      new ConfigurationError('a', 1, 'b'),
      'broker_rejected',
      undefined,
    ])
      expect(defaultOutcomeOf(error)).toBe('unknown');
  });
});
