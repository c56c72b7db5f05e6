/** Keeps every processor busy in threads of a process of its own: the load ends with that process. */

/** Program text of `node -e`: `processors` threads that count for `forMs`, then end. */
export function burnProgram(processors: number, forMs: number): string {
  const thread = `const until = process.hrtime.bigint() + ${Math.round(forMs)}n * 1000000n; let x = 0; while (process.hrtime.bigint() < until) for (let i = 0; i < 1e5; i++) x += Math.sqrt(i);`;
  return `const { Worker } = require('node:worker_threads'); for (let i = 0; i < ${processors}; i++) new Worker(${JSON.stringify(thread)}, { eval: true });`;
}
