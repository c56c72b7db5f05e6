import { rmSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { FROM_START } from '../../src/bus/bus.js';
import { openBus } from '../../src/bus/openBus.js';
import { ConfigurationError } from '../../src/errors.js';
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
