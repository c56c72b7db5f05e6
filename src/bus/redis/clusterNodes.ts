/** What a node of a Cluster says of all nodes that it knows: `CLUSTER NODES`. */
import type { RedisAddress } from './address.js';

export interface ClusterNode {
  /** As it is announced. */
  readonly address: RedisAddress;
  readonly isMaster: boolean;
  /** Given up, or held for dead by the one that says so. */
  readonly failed: boolean;
  /** Of its configuration: the newest claim to a slot holds. */
  readonly epoch: number;
  readonly serves: (slot: number) => boolean;
}

/** Each line: id address flags master ping pong epoch state slot… A node that has not been met names itself without a host, and is left out. */
export function clusterNodesOf(reply: unknown): readonly ClusterNode[] {
  return String(reply)
    .split('\n')
    .flatMap((line): ClusterNode[] => {
      const [, where = '', flags = '', , , , epoch, , ...ranges] = line.split(' ');
      const match = /^(.+):(\d+)(?:@\d+)?/.exec(where);
      const [host, port] = [match?.[1], Number(match?.[2])];
      if (host === undefined || !(port > 0)) return [];
      return [
        {
          address: { host, port },
          isMaster: flags.split(',').includes('master'),
          failed: flags.includes('fail'),
          epoch: Number(epoch ?? 0),
          serves: (slot) => ranges.some((range) => holds(range, slot)),
        },
      ];
    });
}

function holds(range: string, slot: number): boolean {
  const match = /^(\d+)(?:-(\d+))?$/.exec(range);
  if (match === null) return false;
  const first = Number(match[1]);
  return slot >= first && slot <= Number(match[2] ?? first);
}
