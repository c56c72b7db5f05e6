/** `failflat doctor` behind its options: what this host lets a chaos run do, for people or for programs. */
import type { Clock } from '../../clock.js';
import { EXIT_CODES, type ExitCode } from '../../process/exit.js';
import type { Output } from '../../process/output.js';
import { leftJournals, undoLeft } from '../undo/journal.js';
import type { Capability, CapabilityStatus } from './capability.js';
import { examineHost } from './examine.js';

const WORDS: Readonly<Record<CapabilityStatus, string>> = {
  works: 'works',
  needs_root: 'needs root',
  absent: 'not here',
  failed: 'FAILED',
};

export function capabilityTable(found: readonly Capability[]): string {
  const width = Math.max(...found.map(({ name }) => name.length));
  const rows = found.map(({ name, status, fault, root, detail }) => {
    const head = `  ${WORDS[status].padEnd(10)}  ${name.padEnd(width)}  ${fault}`;
    const indent = ' '.repeat(width + 16);
    return [head, `${indent}${detail}`, ...(root === 'no' ? [] : [`${indent}root: ${root}`])].join('\n');
  });
  return ['What this host lets a chaos run do:', ...rows].join('\n');
}

export interface DoctorContext {
  readonly output: Output;
  readonly clock: Clock;
  readonly json: boolean;
}

/** Code 0 whatever is missing: a host that lacks something is not sick, and a scenario that needs it says NOT RUN. */
export async function doctor({ output, clock, json }: DoctorContext): Promise<ExitCode> {
  const capabilities = await examineHost(clock);
  const left = (await leftJournals()).reduce((sum, { open }) => sum + open.length, 0);
  if (json)
    output.out(JSON.stringify({ platform: process.platform, node: process.version, root: process.geteuid?.() === 0, capabilities, left }));
  else {
    output.out(capabilityTable(capabilities));
    if (left > 0) output.out(`${left} things of a chaos run that was killed are left: failflat doctor --undo`);
  }
  return EXIT_CODES.ok;
}

/** Takes back, the last fault first, what runs that were killed have left. */
export async function undoWhatIsLeft({ output, json }: Pick<DoctorContext, 'output' | 'json'>): Promise<ExitCode> {
  const undone = await undoLeft();
  if (json) output.out(JSON.stringify({ undone }));
  else if (undone.length === 0) output.out('Nothing is left.');
  else for (const { outcome, detail } of undone) output.out(`${outcome === 'failed' ? 'FAILED' : 'done'}  ${detail}`);
  return undone.some(({ outcome }) => outcome === 'failed') ? EXIT_CODES.couldNotRun : EXIT_CODES.ok;
}
