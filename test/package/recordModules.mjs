/** Preloaded into a child process: prints the address of each module that it loads. */
import { register } from 'node:module';

register('./recordModulesHooks.mjs', import.meta.url);
