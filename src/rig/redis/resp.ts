/** The rig's own Redis client: one command, one reply, on a connection of its own, so that no client under test gives the evidence. */
import { connect } from 'node:net';
import type { Clock } from '../../clock.js';
import { RigError } from '../child.js';

export type Reply = string | number | null | readonly Reply[];

/** The server's own refusal. */
export class RedisError extends RigError {}

const DEADLINE_MS = 3_000;

/** Sends each command in turn and answers with the last reply. Rejects with {@link RedisError} for an error reply. */
export function askRedis(
  clock: Clock,
  port: number,
  commands: readonly (readonly (string | number)[])[],
  timeoutMs = DEADLINE_MS,
): Promise<Reply> {
  return new Promise((resolve, reject) => {
    const socket = connect({ port, host: '127.0.0.1' });
    let received = Buffer.alloc(0);
    let replies = 0;
    const end = (settle: () => void) => {
      timer.cancel();
      socket.destroy();
      settle();
    };
    const timer = clock.setTimer(timeoutMs, () =>
      end(() => reject(new RigError(`redis on port ${port}: no answer within ${timeoutMs} ms`))),
    );
    socket.on('error', (error) => end(() => reject(new RigError(`redis on port ${port}: ${error.message}`))));
    socket.on('close', () => end(() => reject(new RigError(`redis on port ${port}: closed the connection`))));
    socket.on('connect', () => socket.write(commands.map(encode).join('')));
    socket.on('data', (bytes) => {
      received = Buffer.concat([received, bytes]);
      for (;;) {
        const parsed = parse(received, 0);
        if (parsed === undefined) return;
        received = received.subarray(parsed.next);
        replies += 1;
        const { value } = parsed;
        if (value instanceof RedisError) return end(() => reject(value));
        if (replies === commands.length) return end(() => resolve(value));
      }
    });
  });
}

function encode(command: readonly (string | number)[]): string {
  return `*${command.length}\r\n${command.map((part) => `$${Buffer.byteLength(String(part))}\r\n${part}\r\n`).join('')}`;
}

interface Parsed {
  readonly value: Reply | RedisError;
  readonly next: number;
}

/** Undefined: not all of it is here yet. */
function parse(bytes: Buffer, from: number): Parsed | undefined {
  const lineEnd = bytes.indexOf('\r\n', from);
  if (lineEnd < 0) return undefined;
  const line = bytes.toString('utf8', from + 1, lineEnd);
  const next = lineEnd + 2;
  switch (String.fromCharCode(bytes[from] ?? 0)) {
    case '+':
      return { value: line, next };
    case '-':
      return { value: new RedisError(line), next };
    case ':':
      return { value: Number(line), next };
    case '$':
      return parseText(bytes, Number(line), next);
    case '*':
      return parseList(bytes, Number(line), next);
    default:
      return { value: new RedisError(`a reply of an unknown form: ${line}`), next };
  }
}

function parseText(bytes: Buffer, length: number, from: number): Parsed | undefined {
  if (length < 0) return { value: null, next: from };
  if (bytes.length < from + length + 2) return undefined;
  return { value: bytes.toString('utf8', from, from + length), next: from + length + 2 };
}

function parseList(bytes: Buffer, count: number, from: number): Parsed | undefined {
  if (count < 0) return { value: null, next: from };
  const list: Reply[] = [];
  let next = from;
  for (let index = 0; index < count; index += 1) {
    const parsed = parse(bytes, next);
    if (parsed === undefined) return undefined;
    if (parsed.value instanceof RedisError) return parsed;
    list.push(parsed.value);
    next = parsed.next;
  }
  return { value: list, next };
}
