/** Planted bugs in what becomes of orders, of the record, and of those who are only told. */
import { MAX_TIMER_MS } from '../../clock.js';
import { STRATEGY } from '../world/ground.js';
import { intactWorld } from '../world/parts.js';
import { withoutDoubt, withoutNews, withoutRecord, withoutSecondTry } from './brokenBuses.js';
import { onlyTheLease, type SimulatedSabotage } from './sabotage.js';

export const OUTCOME_SABOTAGES: readonly SimulatedSabotage[] = [
  {
    name: 'forgets-in-flight',
    removes: 'the count of orders under way in what a holder reports',
    breaks: ['S2'],
    parts: () => ({ ...intactWorld, inflight: () => ({ inflight: () => 0, unknownOutcomes: () => 0 }) }),
    focus: 'orders under way',
  },
  {
    name: 'no-answer-is-refusal',
    removes: 'the difference between "no answer" and "not sent" at the order door',
    breaks: ['S2'],
    parts: () => ({ ...intactWorld, outcomeOf: () => 'refused' }),
    focus: 'told to end with orders under way',
  },
  {
    name: 'sends-again',
    removes: 'the rule that no guard retries',
    breaks: ['S2'],
    parts: () => ({ ...intactWorld, send: (send) => (order) => send(order).catch(() => send(order)) }),
  },
  {
    name: 'last-answer-stands',
    removes: 'the doubt about a state that nobody can read',
    breaks: ['S3'],
    parts: () => ({
      ...intactWorld,
      bus: (bus, process, clock) => (process === STRATEGY ? withoutDoubt(bus, clock) : bus),
      ...onlyTheLease,
    }),
    setup: { pace: 1 },
    focus: 'nobody can read the state',
  },
  {
    name: 'deaf-to-news',
    removes: 'the news of a halt',
    breaks: ['L3'],
    parts: () => ({
      ...intactWorld,
      bus: (bus, process, clock) => (process === STRATEGY ? withoutNews(bus, clock) : bus),
      ...onlyTheLease,
    }),
    setup: { ordersPerS: 4 },
  },
  {
    name: 'drains-for-ever',
    removes: 'the end of a drain, before a broker client whose calls may never end',
    breaks: ['L5'],
    parts: () => ({
      ...intactWorld,
      drainTimeoutMs: MAX_TIMER_MS,
      send: (send) => (order) => send(order).catch(() => new Promise(() => undefined)),
    }),
    focus: 'told to end with orders under way',
  },
  {
    name: 'nobody-takes-over',
    removes: 'the end of a claim whose owner is gone',
    breaks: ['L6'],
    parts: () => ({ ...intactWorld, workerTimings: { claimMs: 60_000 } }),
    setup: { workers: 2 },
    focus: 'worker dies in a close',
  },
  {
    name: 'keeps-no-record',
    removes: 'the record of an exit worker',
    breaks: ['S12'],
    parts: () => ({ ...intactWorld, bus: (bus, process) => (process.startsWith('worker') ? withoutRecord(bus) : bus) }),
  },
  {
    name: 'records-once',
    removes: 'the second try of an entry of the record',
    breaks: ['S12'],
    parts: () => ({ ...intactWorld, bus: withoutSecondTry }),
  },
  {
    name: 'listener-decides',
    removes: 'the wall between an order and whoever is told of it',
    breaks: ['S13'],
    parts: () => ({
      ...intactWorld,
      send:
        (send, { observers }) =>
        async (order) => {
          const report = await send(order);
          await observers.listen();
          return report;
        },
    }),
    setup: { hostileObservers: true },
  },
  {
    name: 'alerts-uncaught',
    removes: 'the end of an alert that could not be sent',
    breaks: ['S13'],
    parts: () => ({
      ...intactWorld,
      alerts: (sink) => ({
        send: (alert) => {
          void sink.send(alert);
          return Promise.resolve();
        },
      }),
    }),
    setup: { hostileObservers: true },
  },
];
