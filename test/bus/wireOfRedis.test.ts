/** What is read from Redis is what its checksum was made of, whatever text was written. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { decodeEntry, encodeEntry } from '../../src/bus/redis/wire.js';
import { encodePanicClose } from '../../src/messages/panicClose.js';
import { fcSeed } from '../support/seed.js';

/** As a client sends it and a server keeps it: bytes of UTF-8. */
const asBytes = (parts: readonly string[]): readonly string[] => parts.map((part) => Buffer.from(part).toString());

const text = fc.oneof(fc.string({ unit: 'grapheme' }), fc.constantFrom('', '\r\n', '\0', '\u{1f4a5}', '__proto__', 'toString', '1'));
const OURS = ['crc', 'bus_key'];
const fields = fc
  .uniqueArray(fc.tuple(text, text), { selector: ([name]) => name, maxLength: 8 })
  .map((pairs) => pairs.filter(([name]) => !OURS.includes(name)));

describe('records in Redis', () => {
  it('come back as they were written, whatever their names and values', () => {
    fc.assert(
      fc.property(fields, fc.option(text, { nil: undefined }), (pairs, key) => {
        const entry = encodeEntry(Object.fromEntries(pairs), key);
        const read = decodeEntry(['1-0', asBytes(entry ?? [])]);
        expect(read).toMatchObject({ kind: 'record', id: '1-0', wallMs: 1 });
        expect(read.kind === 'record' && [read.key, Object.entries(read.fields)]).toEqual([key, Object.entries(Object.fromEntries(pairs))]);
      }),
      { seed: fcSeed },
    );
  });

  it('S3: are reported, not read, when any one part of them is damaged', () => {
    fc.assert(
      fc.property(fields, text, fc.nat(), text, (pairs, key, at, other) => {
        const entry = [...(encodeEntry(Object.fromEntries(pairs), key) ?? [])];
        // Without its name the checksum is none: such a record counts as another program's.
        const places = entry.map((_, index) => index).filter((index) => index !== entry.length - 2);
        const place = places[at % places.length] ?? 0;
        fc.pre(entry[place] !== other && !OURS.includes(other));
        entry[place] = other;
        expect(decodeEntry(['1-0', entry])).toMatchObject({ kind: 'corrupt', problem: 'bad checksum' });
      }),
      { seed: fcSeed },
    );
  });

  it.each([
    ['whole characters', 'a cut \u{1f4a5} here', 'a cut \u{1f4a5} here'],
    ['half a character', 'a cut here \u{1f4a5}'.slice(0, -1), 'a cut here \u{fffd}'],
  ])('S6: a panic whose reason holds %s is delivered', (_what, reason, read) => {
    const panic = { eventId: 'e', reason, issuedBy: 'ops', by: 'b', wallMs: 1, epoch: 1, resend: 0 } as const;
    const entry = encodeEntry(encodePanicClose(panic), undefined);
    expect(decodeEntry(['1-0', asBytes(entry ?? [])])).toMatchObject({ kind: 'record', fields: { reason: read } });
  });
});
