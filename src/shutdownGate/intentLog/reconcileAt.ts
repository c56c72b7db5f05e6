/** The way to reconcile for whoever has only the directory: what a program does at its start, before its first order. */
import type { Broker } from '../../broker/broker.js';
import type { IntentLogOptions } from './intentLog.js';
import type { ReconcileOptions, ReconcileReport } from './reconcile.js';

/**
 * Asks the venue what became of each intent in `directory` that has no outcome, and records it. Sends nothing. Rejects with
 * `ConfigurationError` for an option that cannot hold, and as the file system does where the directory cannot be read.
 */
export async function reconcile(
  broker: Broker,
  { directory, ...options }: { readonly directory: string } & IntentLogOptions & ReconcileOptions,
): Promise<ReconcileReport> {
  const [{ IntentLog }, { reconcileIntents }] = await Promise.all([import('./intentLog.js'), import('./reconcile.js')]);
  return reconcileIntents(new IntentLog(directory, options), broker, options);
}
