/** Short programs that use the built package, each a process of its own that the test ends. */
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { TestChild } from '../support/childProcess.js';

export const DIST = join(import.meta.dirname, '../../dist');

/** What every script begins with. `say` writes one line; `order(ms)` sends a guarded order that is answered after so long, or never. */
export function preludeOf(dist: string): string {
  return `
    import { writeSync } from 'node:fs';
    import * as failflat from ${JSON.stringify(pathToFileURL(join(dist, 'index.js')).href)};
    const { handleSignals, onShutdown, runUntilShutdown, requestShutdown, guardOrderSubmission, shutdownGate } = failflat;
    const say = (line) => { try { writeSync(1, line + '\\n'); } catch {} };
    const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
    const submit = guardOrderSubmission((label, ms) => new Promise((resolve) => ms === undefined ? 0 : setTimeout(resolve, ms)), { label: (label) => label });
    const order = (label, ms) => submit(label, ms).then(() => say('answered ' + label));
  `;
}

const running = new Set<TestChild>();

export function script(code: string, options: { readonly dist?: string; readonly node?: readonly string[] } = {}): TestChild {
  const { dist = DIST, node = [] } = options;
  const child = new TestChild(process.execPath, [...node, '--input-type=module', '--eval', preludeOf(dist) + code]);
  running.add(child);
  return child;
}

/** For programs that are started otherwise. */
export function started(child: TestChild): TestChild {
  running.add(child);
  return child;
}

/** Ends what a failed test has left running. */
export async function endScripts(): Promise<void> {
  await Promise.all([...running].map((child) => child.kill()));
  running.clear();
}
