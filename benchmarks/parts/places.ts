/** Where a bus stands for one round: an empty directory, or an empty server of its own on loopback. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { RedisServer } from '../../src/rig/redis/server.js';

export const KINDS = ['journal', 'redis'] as const;
export type Kind = (typeof KINDS)[number];

export interface Place {
  readonly url: string;
  /** The server, where there is one. */
  readonly server: RedisServer | undefined;
  dispose(): Promise<void>;
}

export async function openPlace(kind: Kind): Promise<Place> {
  if (kind === 'redis') {
    const server = await RedisServer.start();
    return { url: server.url, server, dispose: () => server.dispose() };
  }
  const directory = mkdtempSync(join(tmpdir(), 'failflat-bench-'));
  return {
    url: `journal:${directory}/bus`,
    server: undefined,
    dispose: async () => rmSync(directory, { recursive: true, force: true }),
  };
}

/** What the server has used of a core since it was started, in ms; 0 where there is no server. */
export async function serverCpuMs(server: RedisServer | undefined): Promise<number> {
  if (server === undefined) return 0;
  const [user, system] = await Promise.all([server.info('used_cpu_user'), server.info('used_cpu_sys')]);
  return (Number(user) + Number(system)) * 1_000;
}
