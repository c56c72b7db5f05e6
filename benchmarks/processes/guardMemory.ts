/** Prints what an order in flight keeps in memory, in bytes, behind the wrapper that is named. Needs `--expose-gc`. */
import { openDoor } from '../parts/door.js';
import * as peers from '../parts/guardPeers.js';

const IN_FLIGHT = 20_000;

const door = await openDoor();
await door.fresh();

const WRAPPERS: Readonly<Record<string, (send: peers.Send) => peers.Call>> = {
  byHand: peers.byHand,
  guarded: (send) => peers.guarded(send, door),
  cockatielBreaker: peers.cockatielBreaker,
  opossum: peers.opossum,
  limited: peers.limited,
  queued: peers.queued,
};

function heapBytes(): number {
  for (let again = 0; again < 3; again += 1) globalThis.gc?.();
  return process.memoryUsage().heapUsed;
}

/** A queue calls later. */
async function allCalled(count: number): Promise<void> {
  while (ends.length < count) await Promise.resolve();
}

const wrapper = WRAPPERS[process.argv[2] ?? ''];
if (wrapper === undefined || globalThis.gc === undefined) throw new Error('needs --expose-gc and the name of a wrapper');
const ends: ((value: number) => void)[] = [];
const call = wrapper(() => new Promise((resolve) => ends.push(resolve)));
void call();
await allCalled(1);
const before = heapBytes();
const calls = Array.from({ length: IN_FLIGHT }, () => call());
await allCalled(IN_FLIGHT + 1);
console.log((heapBytes() - before) / IN_FLIGHT);
for (const end of ends) end(1);
await Promise.all(calls);
await door.close();
