/** `failflat chaos suite` behind its options: loads the suite, and plays its scenarios as one campaign. */

import { ConfigurationError } from '../../errors.js';
import type { ExitCode } from '../../process/exit.js';
import { type ChaosRunContext, playAll } from '../run/command.js';
import { type ChaosRunOptions, checkChaosRunOptions } from '../run/options.js';
import { composed } from './compose.js';
import { loadSuite } from './load.js';
import type { SuiteScenario } from './schema.js';

/** Some of them by their ids, with commas between. Undefined: all. Throws {@link ConfigurationError} for an id that is none. */
function chosen(scenarios: readonly SuiteScenario[], only: string | undefined): readonly SuiteScenario[] {
  if (only === undefined) return scenarios;
  const ids = only.split(',').map((id) => id.trim());
  const unknown = ids.find((id) => !scenarios.some((scenario) => scenario.id === id));
  if (unknown !== undefined) throw new ConfigurationError('only', unknown, `must be one of ${scenarios.map(({ id }) => id).join(', ')}`);
  return scenarios.filter(({ id }) => ids.includes(id));
}

/** `suite`: the name of a shipped one, or a file. Throws {@link ConfigurationError} naming field, value and bound. */
export async function chaosSuite(
  suite: string,
  given: Partial<ChaosRunOptions> & { readonly only?: string },
  context: ChaosRunContext,
): Promise<ExitCode> {
  const { only, ...options } = given;
  const { title, scenarios } = await loadSuite(suite);
  if (!context.json) context.output.out(`${title}.`);
  return playAll(chosen(scenarios, only).map(composed), checkChaosRunOptions(options), context);
}
