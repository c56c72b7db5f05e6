/** What is read from Redis is what its checksum was made of, whatever text was written. */
import { describe, expect, it } from 'vitest';
import { decodeEntry, encodeEntry } from '../../src/bus/redis/wire.js';
import { encodePanicClose } from '../../src/messages/panicClose.js';

/** As a client sends it and a server keeps it: bytes of UTF-8. */
const asBytes = (parts: readonly string[]): readonly string[] => parts.map((part) => Buffer.from(part).toString());

describe('records in Redis', () => {
  it.each([
    ['whole characters', 'a cut \u{1f4a5} here', 'a cut \u{1f4a5} here'],
    ['half a character', 'a cut here \u{1f4a5}'.slice(0, -1), 'a cut here \u{fffd}'],
  ])('S6: a panic whose reason holds %s is delivered', (_what, reason, read) => {
    const panic = { eventId: 'e', reason, issuedBy: 'ops', by: 'b', wallMs: 1, epoch: 1, resend: 0 } as const;
    const entry = encodeEntry(encodePanicClose(panic), undefined);
    expect(decodeEntry(['1-0', asBytes(entry ?? [])])).toMatchObject({ kind: 'record', fields: { reason: read } });
  });
});
