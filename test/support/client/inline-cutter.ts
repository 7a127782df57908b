import { createInlineCutter } from '../../../client/observe/inline-cutter.js';
import { systemClock } from '../../../common/clock.js';

/** One for all clients of a test process: the memory that each has would make V8 collect garbage at every start of a client. */
export const inlineCutter = createInlineCutter(systemClock);
