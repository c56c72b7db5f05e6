/** The reports are functions of what was seen: what was not seen is never made up, and nothing in them can be mistaken for markup. */
import { describe, expect, it } from 'vitest';
import { artifactOf } from '../../../src/chaos/report/artifact.js';
import { controlPlaneDumps, everyMs } from '../../../src/chaos/report/controlPlane.js';
import { htmlOf } from '../../../src/chaos/report/html/page.js';
import { incidentOf } from '../../../src/chaos/report/incident.js';
import { firstFailures } from '../../../src/chaos/report/lookFirst.js';
import { orderSamples, summaryOf } from '../../../src/chaos/run/recording.js';
import type { OrderAttempt } from '../../../src/drill/orderLog.js';
import { played, sampleAt, sent, taken } from './played.js';
import { schemaNamed } from './schemas.js';

const PLACE = { folder: 'var/chaos/campaign/guardian_process_crash', dumps: 3, samples: 3 };

describe('the flow of orders, every half second', () => {
  it('begins with the first attempt, and is healthy, degraded or critical by what the venue took', () => {
    const attempts: OrderAttempt[] = [sent(600, 'a'), sent(700, 'b'), sent(1_100, 'c'), { ...sent(1_200, 'd'), result: 'refused' }];
    const samples = orderSamples(attempts, [taken(620, 'a'), taken(1_460, 'b'), taken(1_130, 'c')], 0, 2_000);
    expect(samples.map(({ atMs, admitted, refused, health }) => ({ atMs, admitted, refused, health }))).toEqual([
      { atMs: 500, admitted: 2, refused: 0, health: 'degraded' },
      { atMs: 1_000, admitted: 1, refused: 1, health: 'critical' },
      { atMs: 1_500, admitted: 0, refused: 0, health: 'critical' },
    ]);
    expect(samples[0]?.throughputPerS).toBe(4);
  });

  it('of a metric without a sample there is no summary, and never a zero', () => {
    expect(summaryOf([undefined, undefined])).toBeUndefined();
    expect(summaryOf([1, undefined, 3])).toEqual({ min: 1, max: 3, avg: 2, samples: 2 });
  });
});

describe('an incident file', () => {
  it('fits its schema, and takes each of its figures from what was seen', () => {
    const incident = incidentOf(played(), PLACE);
    expect(schemaNamed('incident').parse(incident)).toEqual(incident);
    expect(incident).toMatchObject({
      faults_injected_at: { guardian_process_crash: '1970-01-01T00:00:03.000Z' },
      detected_at: '1970-01-01T00:00:05.900Z',
      detection_ms: 2_900,
      recovered_at: '1970-01-01T00:00:09.200Z',
      recovery_time_seconds: 1.2,
      success: true,
    });
    expect(incident.safeguards_triggered).toEqual([
      { event: 'state.halted', actor: 'exit-worker-1', cause: 'panic', at: '1970-01-01T00:00:05.950Z' },
    ]);
  });

  it('of what was not seen it says null, and that it failed', () => {
    const incident = incidentOf(played({ activatedMs: undefined, recoveredMs: undefined }), PLACE);
    expect(schemaNamed('incident').parse(incident)).toEqual(incident);
    expect(incident).toMatchObject({
      detected_at: null,
      detection_ms: null,
      recovered_at: null,
      recovery_time_seconds: null,
      success: false,
    });
    expect(incident.failure_reason).toMatch(/^L1 from the fault to the panic/);
  });
});

it('dumps of the control plane come at the interval, and tell ages of beats and lives of processes', () => {
  const run = played();
  expect(everyMs(run.samples, 1_000).map(({ atMs }) => atMs)).toEqual([0, 1_000, 2_000, 3_000, 4_000, 5_000, 6_000, 7_000, 8_000, 9_000]);
  const dumps = controlPlaneDumps(run, 4_000);
  expect(schemaNamed('control_plane_dumps').parse(dumps)).toEqual(dumps);
  expect(dumps[1]).toMatchObject({ system_state: 'ACTIVE', heartbeat_ages_ms: { 'exit-brain': 1_500, watchdog: 0, 'exit-worker': null } });
  expect(dumps.at(-1)).toMatchObject({ system_state: 'HALTED', restart_counts: { 'exit-brain': 1, watchdog: 0 } });
});

describe('what to look at first', () => {
  it('is a check that failed on what it saw, before those that lacked their evidence', () => {
    const [first, ...others] = firstFailures(played({ activatedMs: undefined, recoveredMs: undefined }));
    expect(first).toMatchObject({ text: 'L1 from the fault to the panic: no panic within 9000 ms' });
    expect(first?.hint).toMatch(/^The watchdog:/);
    expect(others.at(-1)?.text).toMatch(/^S5 .*no evidence/);
  });

  it('is nothing where the scenario passed', () => {
    expect(firstFailures(played())).toEqual([]);
  });
});

describe('the page', () => {
  const html = (...results: Parameters<typeof htmlOf>[0]) => htmlOf(results, artifactOf(results, 0));

  it('shows verdict, doses, bands, lanes and plots of a run, and fetches nothing', () => {
    const page = html(played());
    expect(page).toContain('<span class="pill good">PASSED</span>');
    expect(page).toContain('5,000 ms, 3,000 needed');
    for (const label of ['fault', 'recovery', 'trading', 'exit-brain-1', 'exit-brain-2', 'orders per s', 'latency, 95 %'])
      expect(new RegExp(`<text[^>]*>${label}</text>`).test(page), label).toBe(true);
    expect(/<(script|link|img|iframe)|https?:|url\(/.exec(page)?.[0]).toBeUndefined();
  });

  it('a failed run opens with what to look at first', () => {
    const page = html(played({ activatedMs: undefined, recoveredMs: undefined }));
    expect(page).toContain('<b>Look at this first</b><ol><li>L1 from the fault to the panic: no panic within 9000 ms');
    expect(page).toContain('never recovered');
  });

  it('a run that was not played is told as such, with its reason', () => {
    const why = 'no redis-server <set REDIS_SERVER>';
    const page = html({ ran: false, scenario: 'redis_failover', summary: 'a failover', why, timeline: [] });
    expect(page).toContain('<span class="pill warn">NOT RUN</span>');
    expect(page).toContain('no redis-server &lt;set REDIS_SERVER&gt;');
    expect(page).not.toContain('PASSED');
  });

  it('text from outside never becomes markup', () => {
    const evil = '<script>alert("x")</script>';
    const run = {
      ...played(),
      summary: evil,
      bus: evil,
      timeline: [{ atMs: 4_000, text: evil }],
      samples: [sampleAt(0, evil), sampleAt(500, evil)],
    };
    expect(html(run)).not.toContain('<script>');
  });
});
