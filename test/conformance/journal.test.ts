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
      const path = join(folder, readdirSync(folder)[0] ?? '');
      // A whole record of the right form in which one letter was changed: only the checksum can tell.
      appendFileSync(path, `${readFileSync(path, 'utf8').replace('"before"', '"bef0re"')}\n`);
    },
    spoilLatch: async (key) => {
      const folder = join(directory, 'latches', encodeName(key));
      const newest = readdirSync(folder).sort().at(-1) ?? '';
      const bytes = readFileSync(join(folder, newest));
      bytes[bytes.length - 4] = (bytes[bytes.length - 4] ?? 0) ^ 1;
      writeFileSync(join(folder, newest), bytes);
    },
    cutContact: async () => rmSync(directory, { recursive: true }),
    dispose: async () => rmSync(directory, { recursive: true, force: true }),
  };
});
