/** What is shipped for Kubernetes says what its comments say, and halts. */
import { readdirSync, readFileSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { parseAllDocuments } from 'yaml';
import { z } from 'zod';
import { fileSource } from '../../src/killSwitch/fileSource.js';
import { createKillSwitch } from '../../src/killSwitch/killSwitch.js';
import { parseWord } from '../../src/killSwitch/parse.js';
import { ConfigMapVolume } from '../killSwitch/support.js';
import { REPOSITORY } from '../package/packed.js';
import { temporaryDirectory } from '../support/temporaryDirectory.js';

const DIRECTORY = join(REPOSITORY, 'deploy/kubernetes');
const KEY = 'EXECUTION_HALTED';

const text = (file: string): string => readFileSync(join(DIRECTORY, file), 'utf8');

/** The version of the language does not matter to what is written in quotes: read as the older one, in which `on` is a boolean. */
function objectsOf(file: string): unknown[] {
  return parseAllDocuments(text(file), { version: '1.1', strict: true }).map((document) => {
    expect(document.errors).toEqual([]);
    return document.toJS() as unknown;
  });
}

const ConfigMap = z.object({
  kind: z.literal('ConfigMap'),
  metadata: z.object({ name: z.string() }),
  data: z.record(z.string(), z.string()),
});
const Deployment = z.object({
  kind: z.literal('Deployment'),
  spec: z.object({
    template: z.object({
      spec: z.object({
        containers: z.tuple([
          z.object({
            env: z.array(z.object({ name: z.string(), value: z.string() })),
            volumeMounts: z.tuple([z.object({ name: z.string(), mountPath: z.string(), readOnly: z.boolean() }).strict()]),
          }),
        ]),
        volumes: z.tuple([z.object({ name: z.string(), configMap: z.object({ name: z.string(), optional: z.boolean() }).strict() })]),
      }),
    }),
  }),
});

const configMap = () => ConfigMap.parse(objectsOf('kill-switch.yaml')[0]);

describe('deploy/kubernetes', () => {
  it('S3: ships halted, by a word and not by a doubt', async () => {
    expect(objectsOf('kill-switch.yaml')).toHaveLength(1);
    const { data } = configMap();
    expect(Object.keys(data)).toEqual([KEY]);
    expect(parseWord(data[KEY] ?? '')).toMatchObject({ says: 'halted' });

    const directory = temporaryDirectory();
    const killSwitch = createKillSwitch({ sources: [fileSource(new ConfigMapVolume(directory, data).path(KEY))] });
    await killSwitch.ready;
    expect(killSwitch.state().reason).toMatch(/says "1"$/);
    await killSwitch.close();
    rmSync(directory, { recursive: true });
  });

  it('the words of its comments do what they say', () => {
    const patches = [...text('kill-switch.yaml').matchAll(/--patch '(.+)' +# (release|halt)$/gm)];
    expect(patches.map(([, , what]) => what)).toEqual(['release', 'halt']);
    for (const [, patch = '', what] of patches) {
      const { data } = JSON.parse(patch) as { data: Record<string, string> };
      expect(parseWord(data[KEY] ?? '').says).toBe(what === 'release' ? 'off' : 'halted');
    }
  });

  it('mounts the directory, and names the file in it', () => {
    const [deployment] = objectsOf('strategy.yaml').map((object) => Deployment.parse(object));
    const pod = deployment?.spec.template.spec;
    const container = pod?.containers[0];
    const mount = container?.volumeMounts[0];
    const file = container?.env.find(({ name }) => name === 'EXECUTION_HALTED_FILE')?.value ?? '';
    expect([dirname(file), file.slice(dirname(file).length + 1)]).toEqual([mount?.mountPath, KEY]);
    expect(pod?.volumes[0]).toEqual({ name: mount?.name, configMap: { name: configMap().metadata.name, optional: false } });
    expect(container?.env.map(({ name }) => name)).not.toContain(KEY);
  });

  it('never mounts a single file', () => {
    const written = readdirSync(DIRECTORY).map((file) => [file, objectsOf(file)]);
    expect(written.length).toBeGreaterThan(1);
    expect(JSON.stringify(written)).not.toContain('subPath');
  });
});
