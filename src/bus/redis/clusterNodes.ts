/** What a node of a Cluster says of all nodes that it knows: `CLUSTER NODES`. */
import type { RedisAddress } from './address.js';

export interface ClusterNode {
  readonly id: string;
  /** Of a replica: the id of its master. */
  readonly masterId: string;
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
      const [id = '', where = '', flags = '', masterId = '', , , epoch, , ...ranges] = line.split(' ');
      const match = /^(.+):(\d+)(?:@\d+)?/.exec(where);
      const [host, port] = [match?.[1], Number(match?.[2])];
      if (host === undefined || !(port > 0)) return [];
      return [
        {
          id,
          masterId,
          address: { host, port },
          isMaster: flags.split(',').includes('master'),
          failed: flags.includes('fail'),
          epoch: Number(epoch ?? 0),
          serves: (slot) => ranges.some((range) => holds(range, slot)),
        },
      ];
    });
}

/** The master of a slot, as the one that was asked sees it. */
export function masterOf(slot: number, nodes: readonly ClusterNode[]): ClusterNode | undefined {
  return nodes.find(({ isMaster, failed, serves }) => isMaster && !failed && serves(slot));
}

/** Nodes worth asking of a slot when nobody else answers: those that may become its master first, then those that choose it. */
export function worthAsking(slot: number, nodes: readonly ClusterNode[]): readonly ClusterNode[] {
  const master = masterOf(slot, nodes);
  const rank = (node: ClusterNode) => (node === master || node.masterId === master?.id ? 0 : node.isMaster ? 1 : 2);
  return nodes.filter(({ failed }) => !failed).toSorted((a, b) => rank(a) - rank(b));
}

function holds(range: string, slot: number): boolean {
  const match = /^(\d+)(?:-(\d+))?$/.exec(range);
  if (match === null) return false;
  const first = Number(match[1]);
  return slot >= first && slot <= Number(match[2] ?? first);
}
