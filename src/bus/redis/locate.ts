/** Finds the server that takes writes now: the one of the URL, the master that sentinels name, or the master of the prefix's slot. */
import { callWithin } from '../../deadline.js';
import { messageOf } from '../../errors.js';
import { nameOf, type RedisAddress } from './address.js';
import { clusterNodesOf, masterOf, worthAsking } from './clusterNodes.js';
import { connectWithin, type Dialling, login, NotNowError } from './dialling.js';
import { type NatMap, reachedAt } from './natMap.js';
import type { RedisConnection } from './seam.js';
import { slotOf } from './slot.js';
import type { RedisCredentials } from './target.js';
import type { NamedMaster } from './whereabouts.js';

const ANSWER_MS = 500;
/** A Cluster can have a thousand nodes; a few of them know. */
const KNOWN_NODES_MAX = 12;

export async function locateMaster(dialling: Dialling): Promise<NamedMaster> {
  const { place, sentinelCredentials, natMap } = dialling.target;
  if (place.kind === 'server') return { address: place.address, epoch: 0 };
  if (place.kind === 'sentinel') {
    const answers = await askAll(dialling, place.sentinels, sentinelCredentials, (one) => masterNamedBy(one, place.master, natMap));
    // After a failover a sentinel that was cut off still names the old master, under an older epoch.
    const newest = answers.found.toSorted((a, b) => b.epoch - a.epoch)[0];
    if (newest !== undefined) return newest;
    throw new NotNowError(`no sentinel names a master ${place.master}: ${answers.problems.join('; ')}`);
  }
  return masterInCluster(dialling, place.nodes);
}

/** First those that the URL names are asked; where none of them answers, those that were once named by one that did. */
async function masterInCluster(dialling: Dialling, nodes: readonly RedisAddress[]): Promise<NamedMaster> {
  const { prefix, credentials, natMap } = dialling.target;
  const { known = { addresses: [] } } = dialling;
  const problems: string[] = [];
  const strangers = known.addresses.filter((address) => !nodes.some((node) => nameOf(node) === nameOf(address)));
  for (const addresses of [nodes, strangers]) {
    const answers = await askAll(dialling, addresses, credentials, (one) => viewOf(one, slotOf(prefix), natMap));
    const newest = answers.found.toSorted((a, b) => b.master.epoch - a.master.epoch)[0];
    if (newest !== undefined) {
      known.addresses = newest.others;
      return newest.master;
    }
    problems.push(...answers.problems);
  }
  throw new NotNowError(`no node of the Cluster names the master of ${prefix}: ${problems.join('; ')}`);
}

async function askAll<T>(
  dialling: Dialling,
  addresses: readonly RedisAddress[],
  credentials: RedisCredentials,
  ask: (connection: RedisConnection) => Promise<T | undefined>,
): Promise<{ readonly found: readonly T[]; readonly problems: readonly string[] }> {
  const { clock } = dialling;
  const found: T[] = [];
  const problems: string[] = [];
  const askOne = async (address: RedisAddress, hungUp: AbortSignal) => {
    const connection = await connectWithin(dialling, address);
    // An open connection to one that stands still would outlive the question, and hold up the end of this process.
    const hangUp = () => connection.drop();
    hungUp.addEventListener('abort', hangUp, { once: true });
    try {
      if (hungUp.aborted) return;
      await login(connection, credentials);
      const answer = await ask(connection);
      if (answer !== undefined) found.push(answer);
      else problems.push(`${nameOf(address)} names none`);
    } finally {
      hangUp();
    }
  };
  await Promise.all(
    addresses.map(async (address) => {
      try {
        const answered = await callWithin(clock, (signal) => askOne(address, signal), ANSWER_MS);
        if (!answered.settled) problems.push(`${nameOf(address)} does not answer`);
      } catch (error) {
        problems.push(messageOf(error));
      }
    }),
  );
  return { found, problems };
}

async function masterNamedBy(sentinel: RedisConnection, master: string, natMap: NatMap): Promise<NamedMaster | undefined> {
  const reply = await sentinel.send('SENTINEL', ['MASTER', master]);
  if (!Array.isArray(reply)) return undefined;
  const facts = new Map<string, string>();
  for (let index = 0; index + 1 < reply.length; index += 2) facts.set(String(reply[index]), String(reply[index + 1]));
  // In the middle of a failover MASTER shows the new epoch beside the address of the old master; this one knows better.
  const address = await sentinel.send('SENTINEL', ['GET-MASTER-ADDR-BY-NAME', master]);
  const [host = '', port = ''] = Array.isArray(address) ? address.map(String) : [];
  if (host === '' || !(Number(port) > 0)) return undefined;
  return { address: reachedAt(natMap, { host, port: Number(port) }), epoch: Number(facts.get('config-epoch') ?? 0) };
}

interface ClusterView {
  readonly master: NamedMaster;
  readonly others: readonly RedisAddress[];
}

async function viewOf(node: RedisConnection, slot: number, natMap: NatMap): Promise<ClusterView | undefined> {
  const nodes = clusterNodesOf(await node.send('CLUSTER', ['NODES']));
  const master = masterOf(slot, nodes);
  if (master === undefined) return undefined;
  const others = worthAsking(slot, nodes).slice(0, KNOWN_NODES_MAX);
  return {
    master: { address: reachedAt(natMap, master.address), epoch: master.epoch },
    others: others.map(({ address }) => reachedAt(natMap, address)),
  };
}
