import { EventEmitter } from 'node:events';
import { type FSWatcher, mkdirSync, renameSync, rmSync, symlinkSync, unlinkSync, utimesSync, writeFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { isMainThread } from 'node:worker_threads';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type HintParts, intactHintParts } from '../../src/killSwitch/directoryHint.js';
import { assembleFileSource, fileSource } from '../../src/killSwitch/fileSource.js';
import { createKillSwitch, type KillSwitch } from '../../src/killSwitch/killSwitch.js';
import type { KillSwitchSource } from '../../src/killSwitch/source.js';
import { eventually } from '../support/eventually.js';
import { temporaryDirectory } from '../support/temporaryDirectory.js';
import { ConfigMapVolume, recordingLogger } from './support.js';

/** Polls so seldom that whatever is seen in time was hinted at. */
const HINTED = { maxStalenessMs: 60_000, pollMs: 30_000 };

describe('a file as a source', () => {
  let directory: string;
  let path: string;
  const open: KillSwitch[] = [];
  const logged: { level: string; details: object; message: string }[] = [];
  beforeEach(() => {
    directory = temporaryDirectory();
    path = join(directory, 'halted');
    logged.length = 0;
  });
  afterEach(async () => {
    await Promise.all(open.splice(0).map((killSwitch) => killSwitch.close()));
    rmSync(directory, { recursive: true, force: true });
  });

  async function follow(source: KillSwitchSource, options: object = HINTED): Promise<KillSwitch> {
    const killSwitch = createKillSwitch({ sources: [source], logger: recordingLogger(logged), ...options });
    open.push(killSwitch);
    await killSwitch.ready;
    return killSwitch;
  }

  const until = (killSwitch: KillSwitch, reason: string | RegExp | undefined) =>
    eventually(() => {
      const said = killSwitch.state().reason;
      return reason instanceof RegExp ? reason.test(String(said)) : said === reason;
    });

  const says = (text: string) => `file:${path} says "${text}"`;

  it('S3: is known when the switch is ready, whatever it is', async () => {
    const missing = await follow(fileSource(path));
    expect(missing.state()).toMatchObject({ halted: true, source: `file:${path}`, reason: `file:${path} is missing` });
    writeFileSync(path, '0');
    const off = await follow(fileSource(path));
    expect(off.isHalted()).toBe(false);
  });

  // A worker thread, in which mutants are judged, cannot change the directory that it stands in.
  it.skipIf(!isMainThread)(
    'S3: is the one that the path named when it was given, wherever the process stands later, and wherever a link leads',
    async () => {
      const from = process.cwd();
      writeFileSync(path, '0');
      mkdirSync(join(directory, 'a/b'), { recursive: true });
      writeFileSync(join(directory, 'a/halted'), '1');
      symlinkSync('a/b', join(directory, 'link'));
      try {
        process.chdir(directory);
        const here = fileSource('halted');
        // By the letter this would be the same file; where the link leads there is another one.
        const beside = fileSource('link/../halted');
        process.chdir(join(directory, 'a'));
        expect((await follow(here)).isHalted()).toBe(false);
        expect((await follow(beside)).state().reason).toBe('file:link/../halted says "1"');
      } finally {
        process.chdir(from);
      }
    },
  );

  it('S3: is found by a path from where the process stands', async () => {
    writeFileSync(path, '0');
    const relativePath = relative(process.cwd(), path);
    const killSwitch = await follow(fileSource(relativePath));
    expect(killSwitch.isHalted()).toBe(false);
    writeFileSync(path, '1');
    await until(killSwitch, `file:${relativePath} says "1"`);
  });

  it('follows writes in place, replacements, removal and return', async () => {
    writeFileSync(path, '0');
    const killSwitch = await follow(fileSource(path));
    writeFileSync(path, '1');
    await until(killSwitch, says('1'));
    writeFileSync(path, 'off\n');
    await until(killSwitch, undefined);
    writeFileSync(join(directory, 'new'), 'on');
    renameSync(join(directory, 'new'), path);
    await until(killSwitch, says('on'));
    writeFileSync(path, '0');
    await until(killSwitch, undefined);
    unlinkSync(path);
    await until(killSwitch, `file:${path} is missing`);
    mkdirSync(path);
    await until(killSwitch, `file:${path} is a directory`);
    rmSync(path, { recursive: true });
    writeFileSync(path, '0');
    await until(killSwitch, undefined);
  });

  it('follows a link that is swapped in its directory', async () => {
    writeFileSync(join(directory, 'off'), '0');
    writeFileSync(join(directory, 'on'), '1');
    symlinkSync('off', path);
    const killSwitch = await follow(fileSource(path));
    for (let round = 0; round < 5; round += 1) {
      for (const [target, reason] of [
        ['on', says('1')],
        ['off', undefined],
      ] as const) {
        symlinkSync(target, join(directory, 'new'));
        renameSync(join(directory, 'new'), path);
        await until(killSwitch, reason);
      }
    }
  });

  it('follows a link whose target changes in another directory, and a directory that is a link, by its poll', async () => {
    const real = join(directory, 'real');
    const other = join(directory, 'other');
    for (const [place, text] of [
      [real, '0'],
      [other, '1'],
    ] as const) {
      mkdirSync(place);
      writeFileSync(join(place, 'halted'), text);
    }
    const link = join(directory, 'link');
    symlinkSync('real', link);
    symlinkSync(join('real', 'halted'), path);
    const byLink = await follow(fileSource(path), {});
    const throughLink = await follow(fileSource(join(link, 'halted')), {});
    expect([byLink.isHalted(), throughLink.isHalted()]).toEqual([false, false]);
    symlinkSync('other', join(directory, 'new'));
    renameSync(join(directory, 'new'), link);
    writeFileSync(join(real, 'halted'), 'yes');
    await until(byLink, says('yes'));
    await until(throughLink, `file:${link}/halted says "1"`);
  });

  it('watches the directory to which a link leads now', async () => {
    for (const place of ['real', 'other']) {
      mkdirSync(join(directory, place));
      writeFileSync(join(directory, place, 'halted'), '0');
    }
    const link = join(directory, 'link');
    symlinkSync('real', link);
    const watched: string[] = [];
    const parts: HintParts = {
      watch: (place, options, changed) => {
        // A process must not live on for a watch.
        expect(options).toEqual({ persistent: false });
        watched.push(place);
        return intactHintParts.watch(place, options, changed);
      },
    };
    const killSwitch = await follow(assembleFileSource(join(link, 'halted'), parts), { pollMs: 20 });
    await eventually(() => killSwitch.state().checkedAgeMs > 0 && watched.length === 1);
    symlinkSync('other', join(directory, 'new'));
    renameSync(join(directory, 'new'), link);
    await eventually(() => watched.length === 2);
    expect(killSwitch.isHalted()).toBe(false);
  });

  it('S3: halts while its directory is gone, and follows the one that takes its place', async () => {
    const inner = join(directory, 'inner');
    const file = join(inner, 'halted');
    mkdirSync(inner);
    writeFileSync(file, '0');
    const killSwitch = await follow(fileSource(file), {});
    for (let round = 0; round < 3; round += 1) {
      rmSync(inner, { recursive: true });
      await until(killSwitch, `file:${file} is missing`);
      mkdirSync(inner);
      writeFileSync(file, '0');
      await until(killSwitch, undefined);
      renameSync(inner, join(directory, `moved-${round}`));
      await until(killSwitch, `file:${file} is missing`);
      mkdirSync(inner);
      writeFileSync(file, '1');
      await until(killSwitch, `file:${file} says "1"`);
      writeFileSync(file, '0');
      await until(killSwitch, undefined);
    }
  });

  it('watches the directory that took the place of a removed one, although it may bear the same inode number', async () => {
    const inner = join(directory, 'inner');
    const file = join(inner, 'halted');
    mkdirSync(inner);
    writeFileSync(file, '0');
    const heard: number[] = [];
    const parts: HintParts = {
      watch: (place, options, changed) => {
        const index = heard.push(0) - 1;
        return intactHintParts.watch(place, options, (event, name) => {
          heard[index] = (heard[index] ?? 0) + 1;
          changed(event, name);
        });
      },
    };
    const killSwitch = await follow(assembleFileSource(file, parts), { maxStalenessMs: 10_000, pollMs: 50 });
    rmSync(inner, { recursive: true });
    mkdirSync(inner);
    writeFileSync(file, 'yes');
    await until(killSwitch, `file:${file} says "yes"`);
    await eventually(() => heard.length >= 2);
    writeFileSync(file, 'no');
    await until(killSwitch, undefined);
    await eventually(() => (heard.at(-1) ?? 0) > 0);
  });

  it('watches the directory that took the place of a removed one, although the watch of the old one said nothing', async () => {
    const inner = join(directory, 'inner');
    const file = join(inner, 'halted');
    const fill = (text: string) => {
      mkdirSync(inner);
      writeFileSync(file, text);
    };
    fill('0');
    let [watches, closes] = [0, 0];
    const parts: HintParts = {
      watch: () => {
        watches += 1;
        const close = () => {
          closes += 1;
        };
        return Object.assign(new EventEmitter(), { close }) as unknown as FSWatcher;
      },
    };
    const killSwitch = await follow(assembleFileSource(file, parts), { pollMs: 20 });
    rmSync(inner, { recursive: true });
    fill('yes');
    await until(killSwitch, `file:${file} says "yes"`);
    expect([watches, closes]).toEqual([2, 1]);
  });

  it('S3: says no more than that it is missing where its directory is, and watches that once it is there', async () => {
    const inner = join(directory, 'inner');
    const file = join(inner, 'halted');
    const killSwitch = await follow(fileSource(file), { pollMs: 20 });
    expect(killSwitch.state().reason).toBe(`file:${file} is missing`);
    mkdirSync(inner);
    writeFileSync(file, '0');
    await until(killSwitch, undefined);
    expect(logged.filter(({ message }) => message.startsWith('no watch'))).toEqual([]);
  });

  it('a volume of Kubernetes: one link is swapped, and every file behind it is another', async () => {
    const volume = new ConfigMapVolume(directory, { EXECUTION_HALTED: '1' });
    const file = volume.path('EXECUTION_HALTED');
    const killSwitch = await follow(fileSource(file));
    expect(killSwitch.state().reason).toBe(`file:${file} says "1"`);
    volume.write({ EXECUTION_HALTED: '0' });
    await until(killSwitch, undefined);
    volume.write({ EXECUTION_HALTED: '1' });
    await until(killSwitch, `file:${file} says "1"`);
    volume.write({});
    await until(killSwitch, `file:${file} is missing`);
  });

  it('reads no more than it must: other files of its directory are none of its business', async () => {
    writeFileSync(path, '0');
    const killSwitch = await follow(fileSource(path));
    const ageMs = () => killSwitch.state().checkedAgeMs;
    await eventually(() => ageMs() > 50);
    for (let count = 0; count < 20; count += 1) writeFileSync(join(directory, `other-${count}`), 'x');
    const before = ageMs();
    await eventually(() => ageMs() > before + 100);
    utimesSync(path, 1, 1);
    await eventually(() => ageMs() < before);
  });

  it('S3: is read at each poll where no watch is to be had, and says so once', async () => {
    writeFileSync(path, '0');
    const parts: HintParts = {
      watch: () => {
        throw new Error('ENOSPC: no watch left');
      },
    };
    const killSwitch = await follow(assembleFileSource(path, parts), {});
    for (const text of ['1', '0', 'yes', 'no']) {
      writeFileSync(path, text);
      await until(killSwitch, text === '0' || text === 'no' ? undefined : says(text));
    }
    expect(logged.filter(({ message }) => message.startsWith('no watch'))).toEqual([
      {
        level: 'warn',
        details: { directory, problem: 'ENOSPC: no watch left' },
        message: 'no watch is to be had: the kill switch is polled alone',
      },
    ]);
  });

  it('S3: a watch that fails later is begun again, and polls go on meanwhile', async () => {
    writeFileSync(path, '0');
    const watchers: (FSWatcher & { closed: boolean })[] = [];
    const parts: HintParts = {
      watch: () => {
        const watcher = Object.assign(new EventEmitter(), {
          closed: false,
          close(this: { closed: boolean }) {
            this.closed = true;
          },
        });
        watchers.push(watcher as unknown as (typeof watchers)[number]);
        return watcher as unknown as FSWatcher;
      },
    };
    const killSwitch = await follow(assembleFileSource(path, parts), { pollMs: 20 });
    watchers[0]?.emit('error', new Error('lost'));
    await eventually(() => watchers.length === 2);
    expect(watchers.map(({ closed }) => closed)).toEqual([true, false]);
    writeFileSync(path, '1');
    await until(killSwitch, says('1'));
    expect(watchers).toHaveLength(2);
    await killSwitch.close();
    expect(watchers.map(({ closed }) => closed)).toEqual([true, true]);
  });

  it.each<[string | null, boolean]>([
    ['halted', true],
    ['..data', true],
    [null, true],
    ['inner', true],
    ['..data_tmp', false],
    ['halted.swp', false],
    ['other', false],
  ])('a change of %j is a hint: %s', async (name, isHint) => {
    const inner = join(directory, 'inner');
    mkdirSync(inner);
    writeFileSync(join(inner, 'halted'), '0');
    let change: (event: string, name: string | null) => void = () => undefined;
    let watches = 0;
    const parts: HintParts = {
      watch: (_place, _options, changed) => {
        watches += 1;
        change = changed;
        return Object.assign(new EventEmitter(), { close: () => undefined }) as unknown as FSWatcher;
      },
    };
    const killSwitch = await follow(assembleFileSource(join(inner, 'halted'), parts));
    writeFileSync(join(inner, 'halted'), '1');
    change('rename', name);
    if (isHint) {
      await until(killSwitch, `file:${inner}/halted says "1"`);
    } else {
      await eventually(() => killSwitch.state().checkedAgeMs > 100);
      expect(killSwitch.isHalted()).toBe(false);
    }
    // Its own name: the directory itself was moved or deleted, and what is there now must be watched.
    expect(watches).toBe(name === 'inner' ? 2 : 1);
  });

  it('begins no watch once it is closed, and leaves none behind', async () => {
    writeFileSync(path, '0');
    let watches = 0;
    let closes = 0;
    const parts: HintParts = {
      watch: () => {
        watches += 1;
        return Object.assign(new EventEmitter(), {
          close: () => {
            closes += 1;
          },
        }) as unknown as FSWatcher;
      },
    };
    const early = createKillSwitch({ sources: [assembleFileSource(path, parts)] });
    await early.close();
    const late = await follow(assembleFileSource(path, parts), { pollMs: 5 });
    await eventually(() => late.state().checkedAgeMs > 0);
    await late.close();
    await late.close();
    expect(watches).toBe(closes);
    expect(watches).toBe(1);
  });
});
