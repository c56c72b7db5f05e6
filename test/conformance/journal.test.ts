import { appendFileSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { encodeName } from '../../src/bus/journal/names.js';
import { openJournal } from '../../src/bus/journal/openJournal.js';
import { temporaryDirectory } from '../support/temporaryDirectory.js';
import { busConformance } from './busConformance.js';

busConformance('the journal', async () => {
  const directory = temporaryDirectory();
  return {
    open: () => openJournal(directory),
    corrupt: async (stream) => {
      const folder = join(directory, 'streams', encodeName(stream));
      const [file] = readdirSync(folder);
      appendFileSync(join(folder, file ?? ''), '\n12 00000000 {"not":"ok"}\n');
    },
    spoilLatch: async (key) => {
      const folder = join(directory, 'latches', encodeName(key));
      const newest = readdirSync(folder).sort().at(-1) ?? '';
      const bytes = readFileSync(join(folder, newest));
      bytes[bytes.length - 5] = (bytes[bytes.length - 5] ?? 0) ^ 1;
      writeFileSync(join(folder, newest), bytes);
    },
    cutContact: async () => rmSync(directory, { recursive: true }),
    dispose: async () => rmSync(directory, { recursive: true, force: true }),
  };
});
