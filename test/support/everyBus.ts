/** The buses that processes of one system can share: what is promised holds on each of them. */
import { rmSync } from 'node:fs';
import type { Bus } from '../../src/bus/bus.js';
import { openBus } from '../../src/bus/openBus.js';
import { RedisServer } from '../../src/rig/redis/server.js';
import { fastTemporaryDirectory } from './temporaryDirectory.js';

export interface BusPlace {
  /** A handle of its own, as another process has it. */
  open(): Promise<Bus>;
  /** Closes every handle, and ends what was started for them. */
  remove(): Promise<void>;
}

export function placeOf(url: string, remove: () => Promise<void>): BusPlace {
  const opened: Bus[] = [];
  return {
    async open() {
      const bus = await openBus(url);
      opened.push(bus);
      return bus;
    },
    async remove() {
      await Promise.all(opened.map((bus) => bus.close()));
      await remove();
    },
  };
}

async function journalPlace(): Promise<BusPlace> {
  const directory = fastTemporaryDirectory();
  return placeOf(`journal:${directory}`, async () => rmSync(directory, { recursive: true }));
}

async function redisPlace(): Promise<BusPlace> {
  const server = await RedisServer.start();
  return placeOf(server.url, () => server.dispose());
}

export type BusName = 'a journal' | 'Redis';

export const EVERY_BUS: readonly (readonly [name: BusName, start: () => Promise<BusPlace>])[] = [
  ['a journal', journalPlace],
  ['Redis', redisPlace],
];
