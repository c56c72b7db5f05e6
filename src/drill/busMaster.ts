/** The Redis server that holds a drill's bus: struck by its process id, and brought back where that is ours to do. */
import { FoundServer } from '../rig/redis/foundServer.js';
import type { RedisServer } from '../rig/redis/server.js';
import type { DrillSignal } from './options.js';
import type { Workspace } from './workspace.js';

export interface BusMaster {
  readonly pid: number;
  /** For people: process and port. */
  readonly shown: string;
  /** Whether the bus needs this server back: there is no other, or another one has taken its place by now and may need it as a replica. */
  needsIt(): Promise<boolean>;
  strike(signal: DrillSignal): Promise<void>;
  /** Goes on where it was stopped; one that the drill itself started and killed is started again. */
  comeBack(): Promise<void>;
}

export async function findBusMaster({ server, busUrl }: Pick<Workspace, 'server' | 'busUrl'>): Promise<BusMaster> {
  return server === undefined ? foreign(await FoundServer.masterOf(busUrl), busUrl) : own(server);
}

function own(server: RedisServer): BusMaster {
  return {
    pid: server.pid,
    shown: `process ${server.pid}, port ${server.port}`,
    needsIt: () => Promise.resolve(true),
    strike: (signal) => (signal === 'SIGSTOP' ? server.freeze() : server.kill()),
    comeBack: () => (server.end === undefined ? server.thaw() : server.restart()),
  };
}

function foreign(server: FoundServer, busUrl: string): BusMaster {
  let isStopped = false;
  return {
    pid: server.pid,
    shown: `process ${server.pid}, port ${server.address.port}`,
    needsIt: async () => {
      const now = await FoundServer.masterOf(busUrl).catch(() => undefined);
      return now !== undefined && now.pid !== server.pid;
    },
    strike: async (signal) => {
      isStopped = signal === 'SIGSTOP';
      server.signal(signal);
    },
    comeBack: async () => {
      if (isStopped) server.signal('SIGCONT');
      isStopped = false;
    },
  };
}
