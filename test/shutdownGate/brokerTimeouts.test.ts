/** How long a call may take, as guards say it, leases have registered it, and a shutdown has promised to wait for it. */
import { describe, expect, it } from 'vitest';
import { ConfigurationError } from '../../src/errors.js';
import type { Permission } from '../../src/permission.js';
import { createShutdownGate } from '../../src/shutdownGate/gate.js';
import { guardOrderSubmission } from '../../src/shutdownGate/guard.js';
import type { DoorOptions } from '../../src/shutdownGate/options.js';

const MARGIN_MS = 500;

const answersFor = (brokerTimeoutMs: number | undefined, name = 'lease'): Permission => ({
  name,
  ...(brokerTimeoutMs === undefined ? {} : { brokerTimeoutMs }),
  check: () => undefined,
});

function guarded(options: DoorOptions, gate = createShutdownGate()) {
  guardOrderSubmission(() => 1, { gate, ...options });
  return gate;
}

const longestMs = (gate: ReturnType<typeof createShutdownGate>) => [gate.status().longestBrokerTimeoutMs, gate.longestBrokerTimeoutMs()];

describe('L5: what a permission answers for', () => {
  it('a guard may say as much, and no more', () => {
    expect(longestMs(guarded({ brokerTimeoutMs: 4_000, lease: answersFor(4_000) }))).toEqual([4_000, 4_000]);
    expect(longestMs(guarded({ brokerTimeoutMs: 3_999, lease: answersFor(4_000) }))).toEqual([3_999, 3_999]);
    expect(() => guarded({ brokerTimeoutMs: 4_001, lease: answersFor(4_000) })).toThrow(
      new ConfigurationError('brokerTimeoutMs', 4_001, 'must be at most 4000: lease answers for calls of no more'),
    );
  });

  it('one that says nothing is held to the first that answers, and one that answers for nothing asks nothing', () => {
    expect(longestMs(guarded({ lease: answersFor(4_000), permissions: [answersFor(9_000, 'other')] }))).toEqual([4_000, 4_000]);
    expect(longestMs(guarded({ permissions: [answersFor(undefined, 'a'), answersFor(4_000, 'b')] }))).toEqual([4_000, 4_000]);
    expect(longestMs(guarded({ lease: answersFor(undefined) }))).toEqual([undefined, undefined]);
    expect(longestMs(guarded({ brokerTimeoutMs: 7, lease: answersFor(undefined) }))).toEqual([7, 7]);
    expect(longestMs(guarded({}))).toEqual([undefined, undefined]);
  });

  it('every permission is heard', () => {
    const permissions = [answersFor(undefined, 'a'), answersFor(9_000, 'b'), answersFor(3_000, 'c')];
    expect(() => guarded({ brokerTimeoutMs: 5_000, permissions })).toThrow('must be at most 3000: c answers');
  });
});

describe('L5: what a shutdown promises', () => {
  it('covers the longest call of its guards and half a second, or is refused', () => {
    const gate = guarded({ brokerTimeoutMs: 3_000 });
    guarded({ brokerTimeoutMs: 2_000 }, gate);
    expect(() => gate.protocol.promiseDrain(3_499)).toThrow(
      new ConfigurationError(
        'drainTimeoutMs',
        3_499,
        `must be at least 3500: a broker call may take 3000 ms, and ${MARGIN_MS} ms are needed besides`,
      ),
    );
    gate.protocol.promiseDrain(3_500);
    guarded({ brokerTimeoutMs: 3_000 }, gate);
    expect(() => guarded({ brokerTimeoutMs: 3_001 }, gate)).toThrow(
      new ConfigurationError(
        'brokerTimeoutMs',
        3_001,
        `must be at most 3000: a shutdown drains for 3500 ms, and needs ${MARGIN_MS} ms of them`,
      ),
    );
    expect(longestMs(gate)).toEqual([3_000, 3_000]);
    // A promise that is refused changes nothing of the one that holds.
    expect(() => gate.protocol.promiseDrain(3_499)).toThrow('must be at least 3500');
    expect(() => guarded({ brokerTimeoutMs: 3_001 }, gate)).toThrow('drains for 3500 ms');
  });

  it('binds nobody before it is given and after it is taken back', () => {
    const gate = createShutdownGate();
    gate.protocol.promiseDrain(1);
    gate.protocol.promiseDrain(undefined);
    guarded({ brokerTimeoutMs: 60_000 }, gate);
    expect(longestMs(gate)).toEqual([60_000, 60_000]);
    gate.protocol.promiseDrain(undefined);
  });

  it('asks for nothing where no guard has said anything', () => {
    const gate = createShutdownGate();
    gate.protocol.promiseDrain(1);
    expect(() => guarded({ brokerTimeoutMs: 1 }, gate)).toThrow('must be at most -499');
  });
});

describe('L5: what a holder of a lease has registered', () => {
  it('limits the guards of its gate until it is lifted; of several the least counts', () => {
    const gate = createShutdownGate();
    const [long, short] = [{}, {}];
    gate.limitBrokerTimeout(long, 5_000);
    gate.limitBrokerTimeout(short, 3_000);
    guarded({ brokerTimeoutMs: 3_000 }, gate);
    expect(() => guarded({ brokerTimeoutMs: 3_001 }, gate)).toThrow(
      new ConfigurationError(
        'brokerTimeoutMs',
        3_001,
        'must be at most 3000: a trading lease over this gate has registered calls of no more',
      ),
    );
    gate.limitBrokerTimeout(short, undefined);
    guarded({ brokerTimeoutMs: 5_000 }, gate);
    expect(() => guarded({ brokerTimeoutMs: 5_001 }, gate)).toThrow('must be at most 5000');
    gate.limitBrokerTimeout(long, undefined);
    expect(longestMs(guarded({ brokerTimeoutMs: 5_001 }, gate))).toEqual([5_001, 5_001]);
  });
});
