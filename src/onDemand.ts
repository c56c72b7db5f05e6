/**
 * Parts of Node that are loaded when they are first used. Together they would be a third of what an import of this package costs,
 * and a service that only guards its orders needs none of them.
 */
import type * as childProcess from 'node:child_process';
import type * as crypto from 'node:crypto';
import type * as workerThreads from 'node:worker_threads';

export const nodeCrypto = (): typeof crypto => process.getBuiltinModule('node:crypto');
export const nodeChildProcess = (): typeof childProcess => process.getBuiltinModule('node:child_process');
export const nodeWorkerThreads = (): typeof workerThreads => process.getBuiltinModule('node:worker_threads');
