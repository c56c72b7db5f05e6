/** Faults of the way to the bus, and of what the bus keeps. */
import { cp, readdir, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { systemClock } from '../../../clock.js';
import { RigError } from '../../../rig/child.js';
import { SilentProbe } from '../../run/silentProbe.js';
import type { Injector } from './injector.js';

export const partition: Injector<'partition'> = async ({ who, for_ms: forMs }, scene) => {
  const { conductor } = scene;
  const fromMs = conductor.partition(true);
  scene.began(fromMs);
  // On the same way, and with no part in the fault.
  const probe = await SilentProbe.through(conductor.cast.proxyPorts());
  await scene.hold(forMs);
  const untilMs = conductor.partition(false);
  const heardMs = probe.close() ?? untilMs;
  scene.ended(untilMs);
  conductor.marks.outage = { fromMs, untilMs };
  scene.dose({
    what: `silence between ${who.join(' and ')} and the bus`,
    target: Math.round(forMs / scene.scale),
    measured: Math.round(heardMs - fromMs),
    unit: 'ms',
  });
};

/** How long trading may take to be active, and then to be halted behind the copy. */
const BEHIND_MS = 20_000;
/** Longer than anyone who watches the state needs to see a change of it. */
const SEEN_MS = 500;

async function bytesIn(directory: string): Promise<number> {
  const names = await readdir(directory, { recursive: true });
  const sizes = await Promise.all(
    names.map(async (name) => stat(join(directory, name)).then((found) => (found.isFile() ? found.size : 0))),
  );
  return sizes.reduce((sum, size) => sum + size, 0);
}

/** The server's directory is copied; when a halt has been made behind that and everyone has seen it, the server gets the old copy back. */
export const rollBackBus: Injector<'roll_back_bus'> = async (_, scene) => {
  const { conductor } = scene;
  const { server, directory } = conductor.workspace;
  if (server === undefined) throw new RigError("the bus is not on the run's own server, so its data must not be rolled back");
  const kept = join(directory, 'kept');
  const isActive = () => conductor.sight.states.at(-1)?.value.mode === 'ACTIVE';
  await conductor.waitFor(BEHIND_MS, isActive);
  await cp(server.directory, kept, { recursive: true });
  const copiedMs = systemClock.monotonicMs();
  conductor.say('the data of the bus are copied, with trading active');
  const halted = () => conductor.sight.states.filter(({ atMs, value }) => atMs > copiedMs && value.mode === 'HALTED').length;
  await conductor.waitFor(BEHIND_MS, () => halted() > 0);
  await conductor.sleep(SEEN_MS);
  const forgotten = halted();
  const before = await bytesIn(server.directory);
  const fromMs = scene.began();
  await server.kill();
  for (const name of await readdir(server.directory)) await rm(join(server.directory, name), { recursive: true, force: true });
  await cp(kept, server.directory, { recursive: true });
  const after = await bytesIn(server.directory);
  await server.restart();
  scene.ended();
  conductor.say(`the server of the bus has its old data again, ${before - after} bytes fewer`);
  scene.dose({ what: 'halts that were seen and are not in the data', target: 1, measured: forgotten, unit: 'halts' });
  scene.dose({ what: 'bytes of the data that are gone', target: 1, measured: before - after, unit: 'bytes' });
  conductor.marks.outage = { fromMs, untilMs: systemClock.monotonicMs() };
};
