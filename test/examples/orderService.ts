/** The order service of the examples as a process beside a real venue, and the venue's books to judge it by. */
import { join } from 'node:path';
import { createVenueClient, type VenueClient } from '../../src/brokers/paper/index.js';
import { Workspace } from '../cli/cli.js';
import { REPOSITORY } from '../structure/source.js';
import { TestChild } from '../support/childProcess.js';

const MAIN = 'examples/order-service/main.mjs';
/** A process that starts on a busy machine says nothing until it is there. */
const START_MS = 60_000;

export interface OrderServiceScene extends AsyncDisposable {
  readonly workspace: Workspace;
  readonly venue: VenueClient;
  readonly child: TestChild;
  readonly port: number;
  /** What the venue has of the service, whatever the service says. */
  books(): Promise<Books>;
}

export interface Books {
  readonly arrived: readonly { readonly id: string; readonly sentMs: number; readonly quantity: number }[];
  readonly filled: readonly { readonly id: string; readonly quantity: number }[];
  readonly resting: number;
}

async function booksOf(venue: VenueClient): Promise<Books> {
  const { events } = await venue.evidence();
  const accepted = new Set<string>();
  const ended = new Set<string>();
  const filled = new Map<string, number>();
  const wanted = new Map<string, number>();
  for (const event of events) {
    if (event.kind === 'accepted') {
      accepted.add(event.orderId);
      wanted.set(event.orderId, event.quantity);
    } else if (event.kind === 'canceled' || event.kind === 'expired') ended.add(event.orderId);
    else if (event.kind === 'fill') {
      filled.set(event.clientOrderId ?? '', (filled.get(event.clientOrderId ?? '') ?? 0) + event.quantity);
      const left = (wanted.get(event.orderId) ?? 0) - event.quantity;
      wanted.set(event.orderId, left);
      if (left === 0) ended.add(event.orderId);
    }
  }
  return {
    arrived: events.flatMap((event) => {
      if (event.kind !== 'request' || event.what !== 'submit') return [];
      const { clientOrderId: id = '', sentMs = Number.NaN, quantity = Number.NaN } = event;
      return [{ id, sentMs, quantity }];
    }),
    filled: [...filled].map(([id, quantity]) => ({ id, quantity })),
    resting: [...accepted].filter((orderId) => !ended.has(orderId)).length,
  };
}

/** Starts both, in a directory whose file `halted` says what `word` is. */
export async function startOrderService(word: string, latencyMs = 0): Promise<OrderServiceScene> {
  const workspace = new Workspace();
  const { ready } = await workspace.role(['venue']);
  const url = ready.url ?? '';
  const venue = createVenueClient(url);
  await venue.setSwitches({ latencyMs });
  // As the README has it: in the directory that holds the file.
  const command = `printf '%s' "$1" > halted && exec "$2" "$3" "$4" halted 0`;
  const args = ['-c', `cd "$0" && ${command}`, workspace.directory, word, process.execPath, join(REPOSITORY, MAIN), url];
  const child = new TestChild('sh', args);
  const scene = { workspace, venue, child, port: Number((await child.line(/^listening /, START_MS)).split(' ')[1]) };
  return {
    ...scene,
    books: () => booksOf(venue),
    async [Symbol.asyncDispose]() {
      await child.kill();
      await venue.close();
      await workspace.remove();
    },
  };
}
