import { trustLimits } from '../../common/limits.js';
import { withDefault } from './setting.js';
import { duration } from './values.js';

const DAY_MS = 24 * 60 * 60 * 1000;

/** How long a one-time token can be redeemed, in milliseconds. */
export const validity = withDefault(
  duration(trustLimits.enrollmentTokenMaxMs / DAY_MS),
  'how long it can be used',
  trustLimits.enrollmentTokenMs,
  '1h',
);
