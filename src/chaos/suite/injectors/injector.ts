/** What makes one kind of fault: it begins at once, ends by itself, and measures how much of it there was. */

import type { Scene } from '../scene.js';
import type { FaultOf, SuiteFault } from '../schema.js';

export type Injector<K extends SuiteFault['kind']> = (fault: FaultOf<K>, scene: Scene) => Promise<void>;
