import { rmSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { FROM_START } from '../../src/bus/bus.js';
import { openBus } from '../../src/bus/openBus.js';
import { parseRedisUrl } from '../../src/bus/redis/target.js';
import { withoutSecrets } from '../../src/bus/withoutSecrets.js';
import { ConfigurationError, messageOf } from '../../src/errors.js';
import { fcSeed } from '../support/seed.js';
import { temporaryDirectory } from '../support/temporaryDirectory.js';

describe('openBus', () => {
  it('names field, value and bound for a URL that it cannot read', async () => {
    for (const url of [
      '',
      'journal',
      'journal:',
      'journal:  ',
      './var/failflat',
      'redis://',
      'redis://a,b',
      'redis://localhost:99999',
      'redis://localhost?db=1',
      'rediss://x/y',
      'redis+sentinel://x',
      'redis+cluster://x',
      'file:x',
    ]) {
      const error = await openBus(url).catch((reason: unknown) => reason);
      expect(error).toBeInstanceOf(ConfigurationError);
      expect(error).toMatchObject({ field: 'bus', code: 'configuration' });
    }
    await expect(openBus('file:x')).rejects.toThrow('must be journal:<directory>, redis://');
    await expect(openBus('redis+cluster://x')).rejects.toThrow('must give a key prefix with a hash tag');
  });

  it('keeps passwords out of the message', async () => {
    await expect(openBus('redis://user:hunter2@localhost')).rejects.toThrow(/^(?!.*hunter2)/);
  });

  it('keeps every part of a password out, also of one that was not percent-encoded', () => {
    const text = fc.string({ unit: fc.constantFrom(...'/@?#&=:%[],.a1 '), maxLength: 6 });
    const template = fc.constantFrom(
      (secret: string) => `redis://user:${secret}@host:1/2`,
      (secret: string) => `redis://${secret}@host`,
      (secret: string) => `REDIS://:${secret}@host`,
      (secret: string) => `redis+sentinels://user:${secret}@host/name`,
      (secret: string) => `redis+sentinel://user:${secret}@host/name?prefix=a:`,
      (secret: string) => `redis+sentinel://host/name?sentinelPassword=${secret}&prefix=a:`,
      (secret: string) => `rediss+cluster://:x@host?prefix={a}:&password=${secret}`,
    );
    const said = (url: string): string => {
      try {
        return parseRedisUrl(url).url;
      } catch (error) {
        return `${messageOf(error)} ${withoutSecrets(url)}`;
      }
    };
    fc.assert(
      fc.property(text, text, template, (before, after, write) => {
        expect(said(write(`${before}hunter2${after}`))).not.toContain('hunter2');
      }),
      { seed: fcSeed, numRuns: 2_000 },
    );
    expect(withoutSecrets('redis://user:x@host:1/2?prefix=a:')).toBe('redis://…@host:1/2?prefix=a:');
    expect(withoutSecrets('journal:./a@b?c')).toBe('journal:./a@b?c');
  });

  it('refuses a user without a password, who would not be the one that connects', () => {
    expect(() => parseRedisUrl('redis://user@host')).toThrow('a user needs a password');
    expect(parseRedisUrl('redis://user:@host').credentials).toEqual({ username: 'user', password: '' });
  });

  it('opens one in-process bus for each name', async () => {
    const [one, same, other] = [await openBus('memory:a'), await openBus('memory:a'), await openBus('memory:b')];
    await one.append('s', { v: '1' });
    expect((await same.read('s', FROM_START)).records).toHaveLength(1);
    expect((await other.read('s', FROM_START)).records).toHaveLength(0);
    for (const bus of [one, same, other]) await bus.close();
  });

  it('opens one journal for each directory', async () => {
    const directory = temporaryDirectory();
    const [one, same] = [await openBus(`journal:${directory}`), await openBus(`journal:${directory}`)];
    await one.append('s', { v: '1' });
    expect((await same.read('s', FROM_START)).records).toHaveLength(1);
    expect(one.url).toBe(`journal:${directory}`);
    await one.close();
    await same.close();
    rmSync(directory, { recursive: true });
  });
});
