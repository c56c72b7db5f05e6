/** Load that others make: on the processors, in the memory and on the disk, each by a process of its own that ends by itself. */
import { readFile } from 'node:fs/promises';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { systemClock } from '../../../clock.js';
import { RigError } from '../../../rig/child.js';
import { burnProgram } from '../../capabilities/burn.js';
import { busyShare, machineTicks, residentBytesOf } from '../../capabilities/procStat.js';
import { runNode } from '../../capabilities/run.js';
import type { Scene } from '../scene.js';
import type { Injector } from './injector.js';

/** Beyond its time, before it is killed. */
const END_MS = 10_000;
/** A load has begun when it has had so long. */
const BEGUN_MS = 500;
const BYTES_PER_MEBIBYTE = 1_048_576;
const PERCENT = 100;

/** Runs the program for the time of the fault, has it measured before its end, and waits until it has ended. */
async function besieged(
  scene: Scene,
  { program, forMs }: { readonly program: string; readonly forMs: number },
  measure: (pid: number, heldMs: number) => Promise<void>,
): Promise<void> {
  let pid: number | undefined;
  const running = runNode(program, { limitMs: forMs + END_MS, onStart: (started) => (pid = started) });
  await scene.conductor.waitFor(BEGUN_MS * 4, () => pid !== undefined);
  if (pid === undefined) throw new RigError('the load could not be started');
  const fromMs = scene.began();
  await scene.conductor.sleep(BEGUN_MS);
  await measure(pid, systemClock.monotonicMs() - fromMs);
  if (scene.isStopped) process.kill(pid, 'SIGKILL');
  await running;
  scene.ended();
}

/** The last part of a load is not measured: its program may have come to its end. */
const heldOf = (forMs: number, scene: Scene): number => Math.max(0, forMs - BEGUN_MS * 2 * scene.scale);

export const burnCpu: Injector<'burn_cpu'> = async ({ for_ms: forMs, busy_share: target }, scene) => {
  const lastsMs = forMs / scene.scale;
  await besieged(scene, { program: burnProgram(availableParallelism(), lastsMs), forMs: lastsMs }, async () => {
    const from = await machineTicks();
    await scene.hold(heldOf(forMs, scene));
    const until = await machineTicks();
    const share = from === undefined || until === undefined ? 0 : busyShare(from, until);
    scene.dose({
      what: `processors that were busy for ${Math.round(lastsMs)} ms`,
      target: Math.round(target * PERCENT),
      measured: Math.round(share * PERCENT),
      unit: '%',
    });
  });
};

/** Takes so much and touches it over and over, so that it stays in memory. */
const takeProgram = (mebibytes: number, forMs: number): string =>
  `const held = []; for (let i = 0; i < ${mebibytes}; i++) held.push(Buffer.alloc(${BYTES_PER_MEBIBYTE}, 1)); const until = Date.now() + ${Math.round(forMs)}; const touch = () => { for (const block of held) block[0] ^= 1; if (Date.now() < until) setTimeout(touch, 50); }; touch();`;

export const takeMemory: Injector<'take_memory'> = async ({ for_ms: forMs, mebibytes }, scene) => {
  const lastsMs = forMs / scene.scale;
  await besieged(scene, { program: takeProgram(mebibytes, lastsMs), forMs: lastsMs }, async (pid) => {
    let largest = 0;
    const look = async () => {
      largest = Math.max(largest, (await residentBytesOf(pid)) ?? 0);
    };
    const fromMs = systemClock.monotonicMs();
    const heldMs = heldOf(forMs, scene) / scene.scale;
    while (systemClock.monotonicMs() - fromMs < heldMs && !scene.isStopped) {
      await look();
      await scene.conductor.sleep(200);
    }
    scene.dose({
      what: 'memory that the kernel says was held',
      target: mebibytes,
      measured: Math.round(largest / BYTES_PER_MEBIBYTE),
      unit: 'MiB',
    });
  });
};

const WRITE_BYTES = 4_096;

/** Each write is on the disk before the next one: of a file on the run's own ground that begins anew when it is large. */
const writeProgram = (file: string, forMs: number): string =>
  `const fs = require('node:fs'); const file = fs.openSync(${JSON.stringify(file)}, 'w'); const bytes = Buffer.alloc(${WRITE_BYTES}, 1); const until = Date.now() + ${Math.round(forMs)}; for (let i = 0; Date.now() < until; i++) { fs.writeSync(file, bytes, 0, ${WRITE_BYTES}, (i % 4096) * ${WRITE_BYTES}); fs.fdatasyncSync(file); }`;

/** Calls that wrote, as the kernel counts them. */
async function writesOf(pid: number): Promise<number> {
  const text = await readFile(`/proc/${pid}/io`, 'utf8').catch(() => '');
  return Number(/^syscw: (\d+)$/m.exec(text)?.[1] ?? 0);
}

export const writeDisk: Injector<'write_disk'> = async ({ for_ms: forMs, writes_per_s: perS }, scene) => {
  const lastsMs = forMs / scene.scale;
  const file = join(scene.conductor.workspace.directory, 'siege');
  await besieged(scene, { program: writeProgram(file, lastsMs), forMs: lastsMs }, async (pid) => {
    const before = await writesOf(pid);
    const heldMs = await scene.hold(heldOf(forMs, scene));
    const made = Math.max(0, (await writesOf(pid)) - before);
    scene.dose({
      what: 'writes that were synced to the disk, as the kernel counts them',
      target: perS,
      measured: Math.round((made * 1_000) / heldMs),
      unit: 'a second',
    });
  });
};
