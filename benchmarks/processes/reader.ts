/** A process that waits for records, and says when it saw each: through a bus, or by the bare calls below it. */
import { readFileSync, watch } from 'node:fs';
import { join } from 'node:path';
import { Redis } from 'ioredis';
import { openBus } from '../../src/bus/openBus.js';
import { systemClock } from '../../src/clock.js';
import { EXIT_BRAIN_HEARTBEAT } from '../../src/messages/heartbeat.js';
import { BARE_FILE, BARE_STREAM } from '../parts/bare.js';

const [, , kind = '', place = ''] = process.argv;
const BLOCK_MS = 2_000;

const saw = () => process.send?.(systemClock.monotonicMs());
const ready = () => process.send?.('ready');

function watchFile(directory: string): void {
  let known = '';
  watch(directory, () => {
    const content = readFileSync(join(directory, BARE_FILE), { encoding: 'utf8', flag: 'a+' });
    if (content === known || content === '') return;
    known = content;
    saw();
  });
  ready();
}

async function readStream(url: string): Promise<void> {
  const redis = new Redis(url);
  const [newest] = await redis.xrevrange(BARE_STREAM, '+', '-', 'COUNT', 1);
  let id = newest?.[0] ?? '0-0';
  ready();
  for (;;) {
    const reply = await redis.xread('BLOCK', BLOCK_MS, 'STREAMS', BARE_STREAM, id);
    const last = reply?.[0]?.[1].at(-1);
    if (last === undefined) continue;
    id = last[0];
    saw();
  }
}

async function readBus(url: string): Promise<void> {
  const bus = await openBus(url);
  let cursor = await bus.end(EXIT_BRAIN_HEARTBEAT);
  ready();
  for (;;) {
    const result = await bus.read(EXIT_BRAIN_HEARTBEAT, cursor, { blockMs: BLOCK_MS });
    cursor = result.cursor;
    if (result.records.length > 0) saw();
  }
}

const readers: Readonly<Record<string, (place: string) => unknown>> = { bus: readBus, file: watchFile, stream: readStream };
await readers[kind]?.(place);
