/** What a heartbeat costs its sender, and how soon a reader in another process is awake, on each bus; beside the bare calls. */
import type { BudgetRow } from './budget.js';
import { journalRows } from './parts/journalCalls.js';
import { clusterRows, redisRows } from './parts/redisCalls.js';

export async function run(): Promise<readonly BudgetRow[]> {
  return [...(await journalRows()), ...(await redisRows()), ...(await clusterRows())];
}
