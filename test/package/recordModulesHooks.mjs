/** Runs on the loader's own thread, where only a synchronous write surely arrives. */
import { writeSync } from 'node:fs';

export async function load(url, context, nextLoad) {
  writeSync(1, `loaded ${url}\n`);
  return nextLoad(url, context);
}
