import { leaveNothing } from './leave-nothing.ts';
import { WAIT_LIMIT_MS } from './limits.ts';

leaveNothing(WAIT_LIMIT_MS);
