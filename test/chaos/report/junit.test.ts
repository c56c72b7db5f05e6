/** JUnit of a campaign: a build server must be able to read it, and must not take what was not played for a pass. */
import { expect, it } from 'vitest';
import { junitOf } from '../../../src/chaos/report/junit.js';
import type { NotRun } from '../../../src/chaos/run/runScenario.js';

const notRun = (why: string): NotRun => ({ ran: false, scenario: 'disk_full', summary: 'a disk that is full', why, timeline: [] });

it('a scenario that could not be played is an error, never a skipped test or a pass', () => {
  const xml = junitOf([notRun('no redis-server')]);
  expect(xml).toContain('<testsuites tests="1" failures="0" errors="1">');
  expect(xml).toContain('<error message="NOT RUN: no redis-server"/>');
});

it.each([
  ['characters that mark up', '<a b="c">&', '&lt;a b=&quot;c&quot;&gt;&amp;'],
  ['control characters', 'a\u0000b\u0008c\u000bd\u001fe\u007f', 'abcde\u007f'],
  ['white space', 'a\tb\nc\rd', 'a\tb\nc\rd'],
  ['what is no character', 'a\ufffeb\uffffc\ud800d', 'abcd'],
  ['characters beyond the first plane', 'a\u{1f4a5}b', 'a\u{1f4a5}b'],
])('%s are written so that XML can hold them', (_, why, written) => {
  expect(junitOf([notRun(why)])).toContain(`message="NOT RUN: ${written}"`);
});
