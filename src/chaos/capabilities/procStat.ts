/** What Linux says of processes and processors under /proc: plain numbers, read by whoever measures a dose. */
import { readFile } from 'node:fs/promises';

/** One letter of `ps`: R runs, S sleeps, T is stopped, Z has ended. Undefined where there is no such process, or no /proc. */
export async function processState(pid: number): Promise<string | undefined> {
  return (await statFields(pid))?.[0];
}

/** Ticks of the processor that the process has used in all; the kernel counts 100 of them a second. */
export async function cpuTicksOf(pid: number): Promise<number | undefined> {
  const fields = await statFields(pid);
  return fields === undefined ? undefined : Number(fields[11]) + Number(fields[12]);
}

/** Bytes in memory. */
export async function residentBytesOf(pid: number): Promise<number | undefined> {
  const text = await readText(`/proc/${pid}/status`);
  const [, kilobytes] = /^VmRSS:\s+(\d+) kB/m.exec(text ?? '') ?? [];
  return kilobytes === undefined ? undefined : Number(kilobytes) * 1_024;
}

/** When the process was started, in ticks since the boot: with the id it names one process for good. */
export async function startTicksOf(pid: number): Promise<number | undefined> {
  const fields = await statFields(pid);
  return fields === undefined ? undefined : Number(fields[19]);
}

/** With which directory for temporary files it was started. Undefined: none, no such process, or another user's. */
export async function temporaryDirectoryOf(pid: number): Promise<string | undefined> {
  const text = await readText(`/proc/${pid}/environ`);
  return text
    ?.split('\0')
    .find((line) => line.startsWith('TMPDIR='))
    ?.slice('TMPDIR='.length);
}

export interface MachineTicks {
  readonly busy: number;
  readonly total: number;
}

/** Of all processors together. */
export async function machineTicks(): Promise<MachineTicks | undefined> {
  const text = await readText('/proc/stat');
  const [line = ''] = text?.split('\n') ?? [];
  if (!line.startsWith('cpu ')) return undefined;
  const ticks = line.trim().split(/\s+/).slice(1, 9).map(Number);
  const total = ticks.reduce((sum, count) => sum + count, 0);
  const [, , , idle = 0, waiting = 0] = ticks;
  return { busy: total - idle - waiting, total };
}

/** Share of all processors that was in use between two readings, from 0 to 1. */
export function busyShare(from: MachineTicks, until: MachineTicks): number {
  const total = until.total - from.total;
  return total <= 0 ? 0 : (until.busy - from.busy) / total;
}

/** What follows the name: the name is in brackets and may hold anything, brackets as well. */
async function statFields(pid: number): Promise<readonly string[] | undefined> {
  const text = await readText(`/proc/${pid}/stat`);
  return text === undefined
    ? undefined
    : text
        .slice(text.lastIndexOf(')') + 2)
        .trim()
        .split(' ');
}

async function readText(path: string): Promise<string | undefined> {
  // Not there is an answer: the process has ended, or this is no Linux.
  return readFile(path, 'utf8').catch(() => undefined);
}
