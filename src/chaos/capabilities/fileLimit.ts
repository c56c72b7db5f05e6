/** How large a file of a live process may grow: set to 0, each of its writes to a file fails. It ends with the process. */
import { readFile } from 'node:fs/promises';
import { RigError } from '../../rig/child.js';
import { runProgram } from './run.js';

/** Bytes; undefined: no limit. The hard limit stays, so that it can be taken back without root. */
export async function setProcessFileLimit(pid: number, bytes: number | undefined): Promise<void> {
  const end = await runProgram('prlimit', ['--pid', String(pid), `--fsize=${bytes ?? 'unlimited'}:unlimited`]);
  if (end.code !== 0) throw new RigError(`the file limit of process ${pid} cannot be set: ${end.complaint}`);
}

/** As the kernel says. Undefined: none, or no such process. */
export async function processFileLimit(pid: number): Promise<number | undefined> {
  const text = await readFile(`/proc/${pid}/limits`, 'utf8').catch(() => '');
  const [, bytes] = /^Max file size\s+(\d+)/m.exec(text) ?? [];
  return bytes === undefined ? undefined : Number(bytes);
}
