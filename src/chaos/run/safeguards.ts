/** Checks of the record that only chaos scenarios ask for: what must not have happened to a system in which nobody had to panic. */
import { check, type Evidence } from '../../drill/judge/evidence.js';

const since = (evidence: Evidence) => evidence.marks.armedMs;

export const noPanic = check('S8', 'nobody panics for a fault that everyone survives', (evidence) => {
  const panics = evidence.bus.panics.filter(({ atMs }) => atMs >= since(evidence));
  return {
    passed: panics.length === 0,
    evidence: `${panics.length} panics${panics[0] === undefined ? '' : `: ${panics[0].value.reason}`}`,
  };
});

export const noHalt = check('S7.none', 'trading is not halted by a fault that passes', (evidence) => {
  const halted = evidence.bus.states.find(({ atMs, value }) => atMs > since(evidence) && value.mode === 'HALTED');
  return {
    passed: halted === undefined,
    evidence: halted === undefined ? 'no halt' : `HALTED: ${halted.value.halts.map(({ reason }) => reason).join(', ')}`,
  };
});

/** What a close that came before any halt would be: the exit acted on nobody's word. */
export const noCloseUnasked = check('S4.unasked', 'the exit sends nothing unless it is asked to', (evidence) => {
  const closes = evidence.events.filter(
    (event) => event.kind === 'request' && event.what === 'submit' && event.source.startsWith('exit-worker'),
  );
  const asked = evidence.bus.panics[0]?.atMs ?? Infinity;
  const early = closes.filter(({ atMs }) => atMs < asked - 50).length;
  return { passed: early === 0, evidence: `${closes.length} closes, ${early} before the first panic` };
});

export const stateNeverGoesBack = check('S7.epoch', 'no server brings an older trading state back', (evidence) => {
  const epochs = evidence.bus.states.map(({ value }) => value.epoch);
  if (epochs.length === 0) return { missing: 'no trading state was seen' };
  const fallen = epochs.filter((epoch, index) => index > 0 && epoch < (epochs[index - 1] ?? 0)).length;
  return { passed: fallen === 0, evidence: `epochs ${[...new Set(epochs)].join(', ')}, ${fallen} steps back` };
});
