/**
 * Parts of Node that are loaded when they are first used. Together they would be a third of what an import of this package costs,
 * and a service that only guards its orders needs none of them.
 */

export const nodeCrypto = (): typeof import('node:crypto') => process.getBuiltinModule('node:crypto');
export const nodeChildProcess = (): typeof import('node:child_process') => process.getBuiltinModule('node:child_process');
export const nodeWorkerThreads = (): typeof import('node:worker_threads') => process.getBuiltinModule('node:worker_threads');
