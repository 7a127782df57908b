import { test } from 'vitest';
import { Fleet } from './fleet.js';

/** A test with a fleet of its own, ended and removed after it; when the test fails, its programs' logs are shown. */
export const fleetTest = test.extend<{ fleet: Fleet }>({
  fleet: async ({ onTestFailed }, use) => {
    const fleet = new Fleet();
    onTestFailed(() => console.error(fleet.log));
    await use(fleet);
    await fleet.remove();
  },
});
