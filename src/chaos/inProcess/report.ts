/** The Markdown report of a run: what was injected, what recovered, how to read it and how to make it again. */
import type { ChaosInjection } from './injection.js';
import type { ChaosResult } from './result.js';

const percent = (share: number | undefined): string =>
  share === undefined ? 'none: nothing was injected' : `${(share * 100).toFixed(1)} %`;
const seconds = (ms: number): string => `${(ms / 1_000).toFixed(2)} s`;
/** In a table a bar would end the cell. */
const cell = (text: string): string => text.replaceAll('|', '\\|').replaceAll(/\s+/g, ' ');

/** What a recovery rate means, as the standards of chaos testing put it. */
export function gradeOf(recoveryRate: number | undefined, crashCount: number): string {
  if (recoveryRate === undefined) return 'no grade: nothing was injected';
  if (crashCount > 0) return 'not fit for production: it crashed';
  if (recoveryRate > 0.95) return 'excellent';
  return recoveryRate >= 0.8 ? 'good: fit for production' : 'needs work: below 80 %';
}

function statusOf({ failureInjected, systemRecovered, recoveryMs }: ChaosInjection): string {
  if (!failureInjected) return 'did not take place';
  if (systemRecovered === true) return `recovered after ${Math.round(recoveryMs ?? 0)} ms`;
  return systemRecovered === false ? 'NOT RECOVERED' : 'nobody looked';
}

/** Where the long part begins. */
export const INJECTION_DETAILS = '## Injection Details';

export interface ReportContext {
  readonly subject: string;
  /** The command that makes the same run again. */
  readonly again?: string;
}

export function chaosReport(result: ChaosResult, { subject, again }: ReportContext): string {
  const types = Object.entries(result.injectionsByType).map(([type, count]) => `${type} ${count}`);
  const crashes = result.crashes.map(
    ({ round, errorMessage, injections }) => `- round ${round}: ${errorMessage} (injections ${injections.join(', ') || 'none'})`,
  );
  return [
    '# Chaos Test Report',
    '',
    `Subject: ${subject}. Started ${result.startedAt}, seed ${result.seed}, failure rate ${percent(result.failureRate)}.`,
    '',
    '## Summary',
    '',
    `- **Verdict**: ${result.verdict}${result.problems.length === 0 ? '' : `: ${result.problems.join('; ')}`}`,
    `- **Duration**: ${seconds(result.durationMs)}`,
    `- **Calls**: ${result.calls}`,
    `- **Total Injections**: ${result.totalInjections}${types.length === 0 ? '' : ` (${types.join(', ')})`}`,
    `- **Successful Recoveries**: ${result.successfulRecoveries}`,
    `- **Failed Recoveries**: ${result.failedRecoveries}`,
    `- **Crashes**: ${result.crashCount}`,
    `- **Recovery Rate**: ${percent(result.recoveryRate)}, with 95 % confidence at least ${percent(result.recoveryRateAtLeast)}`,
    '',
    '## Interpretation',
    '',
    `${gradeOf(result.recoveryRate, result.crashCount)}.`,
    'Below 80 % needs work, 80 to 95 % is good, above 95 % excellent; crashes must be 0. A recovery counts when it was seen after its fault.',
    '',
    ...(crashes.length === 0 ? [] : ['## Crashes', '', ...crashes, '']),
    INJECTION_DETAILS,
    '',
    '| # | time | type | behaviour | target | call | recovery | error |',
    '| --- | --- | --- | --- | --- | --- | --- | --- |',
    ...result.injections.map((injection) => {
      const { number, timestamp, chaosType, behaviour, targetFunction, call, errorMessage = '' } = injection;
      return `| ${number} | ${timestamp} | ${chaosType} | ${behaviour} | ${cell(targetFunction)} | ${call} | ${statusOf(injection)} | ${cell(errorMessage)} |`;
    }),
    '',
    ...(again === undefined ? [] : ['## Again', '', '```sh', again, '```', '']),
  ].join('\n');
}
