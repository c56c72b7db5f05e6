/** The lint sees an order that nobody waits for, in every disguise planted for it. */
import { execFile } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';

const REPOSITORY = join(import.meta.dirname, '../..');
const FIXTURES = 'test/fixtures/lint';

const Report = z.object({
  diagnostics: z.array(
    z.object({
      code: z.string(),
      filename: z.string(),
      labels: z.array(z.object({ span: z.object({ line: z.number() }) })),
    }),
  ),
});

interface Finding {
  readonly place: string;
  readonly rule: string;
}

async function lint(path: string): Promise<{ exitCode: number; findings: Finding[] }> {
  const { exitCode, stdout } = await new Promise<{ exitCode: number; stdout: string }>((resolve) => {
    const child = execFile(process.execPath, ['node_modules/oxlint/bin/oxlint', '-f', 'json', path], { cwd: REPOSITORY }, (_, output) => {
      resolve({ exitCode: child.exitCode ?? -1, stdout: output });
    });
  });
  const findings = Report.parse(JSON.parse(stdout)).diagnostics.map(({ code, filename, labels }) => ({
    place: `${filename}:${labels[0]?.span.line ?? 0}`,
    rule: code.replace(/^.*\(|\)$/g, ''),
  }));
  return { exitCode, findings };
}

function planted(): Finding[] {
  return readdirSync(join(REPOSITORY, FIXTURES))
    .filter((name) => name.endsWith('.ts'))
    .flatMap((name) => {
      const lines = readFileSync(join(REPOSITORY, FIXTURES, name), 'utf8').split('\n');
      return lines.flatMap((line, index) => {
        const rule = /planted ([a-z-]+)$/.exec(line)?.[1];
        return rule === undefined ? [] : [{ place: `${FIXTURES}/${name}:${index + 1}`, rule }];
      });
    });
}

describe('the lint', () => {
  it('turns red on every planted line, by the rule meant for it', async () => {
    const expected = planted();
    expect(expected.length).toBeGreaterThan(20);
    const { exitCode, findings } = await lint(FIXTURES);
    expect(exitCode).toBe(1);
    const found = new Set(findings.map(({ place, rule }) => `${place} ${rule}`));
    expect(expected.map(({ place, rule }) => `${place} ${rule}`).filter((line) => !found.has(line))).toEqual([]);
  });

  it('has nothing to say of calls that are waited for', async () => {
    expect(await lint(`${FIXTURES}/awaited.ts`)).toEqual({ exitCode: 0, findings: [] });
  });
});
