/** Runs the built `failflat chaos run --json` as a user's CI would, and reads its document and its folder. */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import { z } from 'zod';

const MAIN = join(import.meta.dirname, '../../../dist/cli/main.js');

const Check = z.object({ id: z.string(), passed: z.boolean(), missing: z.boolean(), evidence: z.string() });
const Result = z.object({
  ran: z.boolean(),
  scenario: z.string(),
  why: z.string().optional(),
  facts: z.object({ doses: z.array(z.unknown()), mustFire: z.array(Check), mustNotFire: z.array(Check) }).optional(),
  judgement: z.object({ verdict: z.string(), score: z.number(), problems: z.array(z.string()) }).optional(),
});
const Document = z.object({ verdicts: z.array(z.string()), results: z.array(Result), folder: z.string() });
export type ChaosDocument = z.infer<typeof Document>;

export interface ChaosRun {
  readonly status: number | null;
  readonly stderr: string;
  /** Undefined: the run was refused. */
  readonly document: ChaosDocument | undefined;
  /** Folders of campaigns that were written. */
  readonly campaigns: readonly string[];
  read(file: string): string;
}

export function chaosRun(...args: readonly string[]): ChaosRun {
  const reports = mkdtempSync(join(tmpdir(), 'failflat-chaos-run-'));
  onTestFinished(() => rmSync(reports, { recursive: true, force: true }));
  const run = spawnSync(process.execPath, [MAIN, 'chaos', 'run', ...args, '--json', '--output-dir', reports], {
    encoding: 'utf8',
    maxBuffer: 64 * 1024 * 1024,
  });
  const document = run.stdout === '' ? undefined : Document.parse(JSON.parse(run.stdout));
  return {
    status: run.status,
    stderr: run.stderr,
    document,
    campaigns: readdirSync(reports),
    read: (file) => readFileSync(join(document?.folder ?? '', file), 'utf8'),
  };
}

/** What to show of a run that did not go as it should. */
export function shown({ document, stderr }: ChaosRun): string {
  const said = document?.results.map(({ scenario, why, judgement }) => `${scenario}: ${why ?? judgement?.problems.join('\n') ?? ''}`) ?? [];
  return [...said, stderr].join('\n');
}
