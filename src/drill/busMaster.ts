/** The Redis server that holds a drill's bus: struck by its process id, and brought back where that is ours to do. */
import { FoundServer } from '../rig/redis/foundServer.js';
import type { RedisServer } from '../rig/redis/server.js';
import type { DrillSignal } from './options.js';
import type { Workspace } from './workspace.js';

export interface BusMaster {
  /** For people: process and port. */
  readonly shown: string;
  /** Another server takes its place. Otherwise the bus is away until this one comes back. */
  readonly isReplaced: boolean;
  strike(signal: DrillSignal): Promise<void>;
  /** Goes on where it was stopped; one that the drill itself started and killed is started again. */
  comeBack(): Promise<void>;
}

export async function findBusMaster({ server, busUrl }: Pick<Workspace, 'server' | 'busUrl'>): Promise<BusMaster> {
  return server === undefined ? foreign(await FoundServer.masterOf(busUrl)) : own(server);
}

function own(server: RedisServer): BusMaster {
  return {
    shown: `process ${server.pid}, port ${server.port}`,
    isReplaced: false,
    strike: (signal) => (signal === 'SIGSTOP' ? server.freeze() : server.kill()),
    comeBack: () => (server.end === undefined ? server.thaw() : server.restart()),
  };
}

function foreign(server: FoundServer): BusMaster {
  let isStopped = false;
  return {
    shown: `process ${server.pid}, port ${server.address.port}`,
    isReplaced: true,
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
