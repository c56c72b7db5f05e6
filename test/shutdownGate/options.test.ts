import { describe, expect, it } from 'vitest';
import { BrokerRejectedError } from '../../src/broker/broker.js';
import { ConfigurationError } from '../../src/errors.js';
import { OrderRefusedError } from '../../src/shutdownGate/errors.js';
import { createShutdownGate } from '../../src/shutdownGate/gate.js';
import { guardOrderSubmission } from '../../src/shutdownGate/guard.js';
import { defaultOutcomeOf } from '../../src/shutdownGate/options.js';
import { refusalOf } from './support.js';

const PERMISSION = { name: 'p', check: () => undefined };

describe('what a rejection means', () => {
  it.each<[unknown, 'refused' | 'unknown']>([
    [new BrokerRejectedError('too_small', 'min notional'), 'refused'],
    [new OrderRefusedError(refusalOf('lease_expired')), 'refused'],
    [new ConfigurationError('x', 1, 'no'), 'unknown'],
    [Object.assign(new Error('forged'), { code: 'broker_rejected' }), 'unknown'],
    [undefined, 'unknown'],
    [null, 'unknown'],
  ])('S2: of %s: %s', (error, outcome) => {
    expect(defaultOutcomeOf(error)).toBe(outcome);
  });
});

describe('guard options', () => {
  it.each<[string, Record<string, unknown>]>([
    ['intent = "sell": must be one of increase, reduce, cancel, or a function that answers one', { intent: 'sell' }],
    ['submissionTimeoutMs = 2147483648: must be a finite number between 1 and 2147483647', { submissionTimeoutMs: 2 ** 31 }],
    ['brokerTimeoutMs = 2147483648: must be a finite number between 1 and 2147483647', { brokerTimeoutMs: 2 ** 31 }],
    ['maxPositionAgeMs = 2147483648: must be a finite number between 1 and 2147483647', { maxPositionAgeMs: 2 ** 31 }],
    ['gate = undefined: must be a shutdown gate that speaks protocol version 1', { gate: undefined }],
    ['killSwitch = null: must be a permission: an object with a name and a check function', { killSwitch: null }],
    ['permissions = an object: must be an array of permissions', { permissions: {} }],
    ['lease.brokerTimeoutMs = 0: must be a finite number between 1 and 2147483647', { lease: { ...PERMISSION, brokerTimeoutMs: 0 } }],
    ['label = "order": must be a function', { label: 'order' }],
    [
      'killswitch = an object: is not an option: one of killSwitch, lease, breakers, permissions, gate, maxPositionAgeMs, brokerTimeoutMs, ' +
        'observe, clock, verifyReduce, label, outcomeOf, submissionTimeoutMs, intent, intentLog',
      { killswitch: {} },
    ],
    ['gate = null: must be a shutdown gate that speaks protocol version 1', { gate: null }],
    ['gate = "gate": must be a shutdown gate that speaks protocol version 1', { gate: 'gate' }],
    ['gate = an object: must be a shutdown gate that speaks protocol version 1', { gate: {} }],
    ['gate = an object: must be a shutdown gate that speaks protocol version 1', { gate: { protocol: null } }],
    ['gate = an object: must be a shutdown gate that speaks protocol version 1', { gate: { protocol: 1 } }],
    ['gate = an object: must be a shutdown gate that speaks protocol version 1', { gate: { protocol: {} } }],
    ['intentLog.directory = undefined: must be a text that is not empty', { intentLog: null }],
    ['intentLog.directory = undefined: must be a text that is not empty', { intentLog: 5 }],
    ['intentLog.directory = undefined: must be a text that is not empty', { intentLog: undefined }],
    ['intentLog.directory = "x\\u0000": must be the path of a directory', { intentLog: { directory: 'x\0' } }],
    [
      'intentLog.dir = an object: is not an option: one of directory, clientOrderId, symbol, sendWithinMs, logger',
      { intentLog: { dir: 'x' } },
    ],
    ['intentLog.clientOrderId = undefined: must be a function that answers the id of an order', { intentLog: { directory: 'x' } }],
    ['intentLog.symbol = "AAPL": must be a function', { intentLog: { directory: 'x', clientOrderId: () => '', symbol: 'AAPL' } }],
    [
      'intentLog.sendWithinMs = 0: must be a finite number between 1 and 2147483647',
      { intentLog: { directory: 'x', clientOrderId: () => '', sendWithinMs: 0 } },
    ],
  ])('say field, value and bound: %s', (message, options) => {
    expect(() => guardOrderSubmission(() => 1, { gate: createShutdownGate(), ...options })).toThrow(
      expect.objectContaining({ name: ConfigurationError.name, message }),
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
});
