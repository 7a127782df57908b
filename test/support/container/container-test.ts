import { test } from 'vitest';
import { ContainerFleet } from './container-fleet.js';

/** A test with a fleet of containers, removed after it; when the test fails, its programs' logs are shown. */
export const containerTest = test.extend<{ fleet: ContainerFleet }>({
  fleet: async ({ task }, use) => {
    const fleet = await ContainerFleet.start();
    try {
      await use(fleet);
    } finally {
      if (task.result?.state === 'fail') console.error(await fleet.log());
      await fleet.remove();
    }
  },
});
