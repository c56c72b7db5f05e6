/**
 * Lets every promise that can settle do so between two events. Node offers no such call, so there are two ways: an undocumented
 * function of its own that a macrotask may call as often as it likes, and a macrotask for each event, which is ten times slower.
 */

/** `fast` where this Node has the function and it does what is needed; `immediate` works everywhere. */
export type DrainKind = 'fast' | 'immediate';

type TickCallback = () => void;

function tickCallback(): TickCallback | undefined {
  const found: unknown = Reflect.get(process, '_tickCallback');
  return typeof found === 'function' ? () => void Reflect.apply(found, process, []) : undefined;
}

/** Behind everything that has been asked for by now. */
export function nextMacrotask(): Promise<void> {
  return new Promise((resolve) => {
    setImmediate(resolve);
  });
}

/** Chains as deep as any that a class of ours builds, with a tick in their middle. */
async function probe(reached: { end: boolean }): Promise<void> {
  for (let hop = 0; hop < 50; hop += 1) await Promise.resolve();
  await new Promise<void>((resolve) => process.nextTick(resolve));
  for (let hop = 0; hop < 50; hop += 1) await Promise.resolve();
  reached.end = true;
}

let known: Promise<TickCallback | undefined> | undefined;

async function fastDrain(): Promise<TickCallback | undefined> {
  const drain = tickCallback();
  await nextMacrotask();
  if (drain === undefined) return undefined;
  const reached = { end: false };
  return new Promise((resolve) => {
    setImmediate(() => {
      void probe(reached);
      drain();
      resolve(reached.end ? drain : undefined);
    });
  });
}

/** Which way is used where none is asked for. */
export async function bestDrain(): Promise<DrainKind> {
  known ??= fastDrain();
  return (await known) === undefined ? 'immediate' : 'fast';
}

/** Calls `step` until it says false, with all promises settled after each call. Rejects with what `step` throws. */
export async function runDrained(step: () => boolean, kind?: DrainKind): Promise<void> {
  known ??= fastDrain();
  const drain = kind === 'immediate' ? undefined : await known;
  if (drain === undefined) {
    if (kind === 'fast') throw new Error('this Node has no fast drain');
    await nextMacrotask();
    while (step()) await nextMacrotask();
    return;
  }
  await new Promise<void>((resolve, reject) => {
    // Within a microtask a nested drain would do nothing.
    setImmediate(() => {
      try {
        drain();
        while (step()) drain();
        resolve();
      } catch (error) {
        reject(error);
      }
    });
  });
}
