/** Six ways in which an exit brain falls silent. */
import { systemClock } from '../../../clock.js';
import { processFileLimit, setProcessFileLimit } from '../../capabilities/fileLimit.js';
import type { Stage } from '../stage.js';
import { silentBrain } from './silentBrain.js';

const isGone = (state: string | undefined): boolean => state === undefined || state === 'Z';
const isStopped = (state: string | undefined): boolean => state === 'T' || state === 't';

/** The next life of a brain that has died. */
async function bornAgain({ conductor }: Stage): Promise<number> {
  await conductor.cast.brain();
  return systemClock.monotonicMs();
}

export const guardianProcessCrash = silentBrain({
  name: 'guardian_process_crash',
  summary: 'the exit brain is killed with positions open, and started again after the panic',
  needs: ['signals', 'proc'],
  begin: async (stage, { brain }) => {
    stage.conductor.strike(brain, 'SIGKILL');
    return stage.untilProcess(brain, isGone);
  },
  end: bornAgain,
});

export const frozenProcess = silentBrain({
  name: 'frozen_process',
  summary: 'the exit brain stands still with positions open, and goes on after the panic as if nothing had been',
  needs: ['signals', 'proc'],
  begin: async (stage, { brain }) => {
    stage.conductor.strike(brain, 'SIGSTOP');
    return stage.untilProcess(brain, isStopped);
  },
  end: async (stage, { brain }) => {
    stage.conductor.strike(brain, 'SIGCONT');
    return stage.untilProcess(brain, (state) => !isStopped(state));
  },
});

export const heartbeatRevocation = silentBrain({
  name: 'heartbeat_revocation',
  summary: 'the exit brain goes on deciding, and none of its heartbeats is taken any more',
  needs: [],
  variants: new Map([['exit-brain', { fault: 'revoked-beats' }]]),
  begin: ({ conductor }) => conductor.trigger('the right to beat is taken from the exit brain'),
  end: ({ conductor }) => conductor.calm('the exit brain may beat again'),
});

/** Beats that must have arrived and been told to be none. */
const CORRUPTED_BEATS = 2;

export const memoryCorruption = silentBrain({
  name: 'memory_corruption',
  summary: 'a bit of every character flips in what the exit brain says, and what arrives of its heartbeats makes no sense',
  needs: [],
  variants: new Map([['exit-brain', { fault: 'corrupted-beats' }]]),
  begin: ({ conductor }) => conductor.trigger('bits flip in the heartbeats of the exit brain'),
  measure: async ({ conductor, doses }) => {
    const measured = conductor.sight.unreadable.length;
    doses.push({ what: 'heartbeats that arrived and could not be understood', target: CORRUPTED_BEATS, measured, unit: 'beats' });
  },
  end: ({ conductor }) => conductor.calm('no bit flips any more'),
});

export const memoryExhaustion = silentBrain({
  name: 'memory_exhaustion',
  summary: 'the exit brain takes memory until there is none, and is ended by its own runtime',
  needs: ['memory-limit', 'proc'],
  sabotage: { name: 'no-worker', red: 'S6' },
  variants: new Map([['exit-brain', { fault: 'memory-full' }]]),
  begin: async (stage, { brain }) => {
    await stage.conductor.trigger('the exit brain takes all memory that it can have');
    return stage.untilProcess(brain, isGone);
  },
  measure: async ({ doses }, { brain }) => {
    const end = brain.end;
    const isByRuntime = end?.signal === 'SIGABRT' || (end?.code ?? 0) > 127;
    doses.push({ what: 'ends of the brain by its own runtime', target: 1, measured: isByRuntime ? 1 : 0, unit: 'ends' });
  },
  end: async (stage) => {
    await stage.conductor.calm('there is memory again');
    return bornAgain(stage);
  },
});

export const diskFull = silentBrain({
  name: 'disk_full',
  summary: 'the exit brain cannot write a byte to any file, as on a disk that is full',
  // On Redis it writes to no file.
  buses: ['journal'],
  needs: ['file-size-limit', 'proc'],
  begin: async ({ conductor }, { brain }) => {
    await setProcessFileLimit(brain.pid, 0);
    conductor.say('the exit brain may write nothing more to any file');
    return systemClock.monotonicMs();
  },
  measure: async ({ doses }, { brain }) => {
    const limit = await processFileLimit(brain.pid);
    doses.push({
      what: 'files to which the brain could write nothing, as the kernel says',
      target: 1,
      measured: limit === 0 ? 1 : 0,
      unit: 'limits',
    });
  },
  end: async ({ conductor }, { brain }) => {
    await setProcessFileLimit(brain.pid, undefined);
    conductor.say('the exit brain may write again');
    return systemClock.monotonicMs();
  },
});
