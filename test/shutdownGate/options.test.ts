import { describe, expect, it } from 'vitest';
import { ConfigurationError } from '../../src/errors.js';
import { createShutdownGate } from '../../src/shutdownGate/gate.js';
import { guardOrderSubmission } from '../../src/shutdownGate/guard.js';

describe('guard options', () => {
  it.each<[string, Record<string, unknown>]>([
    ['intent = "sell": must be one of increase, reduce, cancel, or a function that answers one', { intent: 'sell' }],
    ['submissionTimeoutMs = 2147483648: must be a finite number between 1 and 2147483647', { submissionTimeoutMs: 2 ** 31 }],
    ['brokerTimeoutMs = 2147483648: must be a finite number between 1 and 2147483647', { brokerTimeoutMs: 2 ** 31 }],
    ['maxPositionAgeMs = 2147483648: must be a finite number between 1 and 2147483647', { maxPositionAgeMs: 2 ** 31 }],
    ['gate = undefined: must be a shutdown gate that speaks protocol version 1', { gate: undefined }],
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
    expect(() => guardOrderSubmission(undefined as unknown as () => void)).toThrow(ConfigurationError);
  });
});
