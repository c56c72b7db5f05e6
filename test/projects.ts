/**
 * Which tests run apart from all others, because their subject is real processes: beside a machine full of other tests they would
 * measure the machine. They are told apart by what they stand on, so that each part can be run, and its time be told, by itself.
 */

export const FIXTURES = 'test/fixtures/**';

/** On real Redis servers. */
export const REDIS = [
  'test/bus/redis.*.test.ts',
  'test/rig/redis*.test.ts',
  'test/conformance/redis*.test.ts',
  'test/drill/*redis*.test.ts',
  'test/incidents/*failover*.test.ts',
  'test/incidents/trap32-*.test.ts',
];

/** A service that stops: signals, hooks, drains, probes, the switch's file. */
export const STOP = [
  'test/{examples,http,killSwitch,process,shutdownGate}/**/*.processes.test.ts',
  'test/examples/strategyLoop.test.ts',
  'test/process/{intentKills,sharedGate.threads}.test.ts',
  'test/incidents/trap{15,16,27,28,29,51}[-.]*.test.ts',
];

/** The exit drill and what it stands on: brain, watchdog, worker, venue, the journal, the command line. */
export const DRILL = [
  'test/{bus,breakers,drill,rig,cli,supervisor}/**/*.processes.test.ts',
  'test/{drill,rig,cli}/**/*.test.ts',
  'test/incidents/trap{10,11,33,40,41,42,43,44,46,47,48}[-.]*.test.ts',
];

/** Faults in real processes, and what the host allows of them. */
export const CHAOS = ['test/chaos/**/*.processes.test.ts'];
