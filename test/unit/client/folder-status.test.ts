import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { readStatus } from '../../../cli/fleet/fleet-status.js';
import { findSyncedFolder, readFolderStatus } from '../../../client/folder-status.js';
import { systemClock } from '../../../common/clock.js';
import { InProcessFleet } from '../../support/client/in-process-fleet.js';

test('a folder says what it is synced with and how far, also from below it, and its name while metadata is away', async () => {
  const fleet = await InProcessFleet.start();
  const root = fleet.folder('a');
  mkdirSync(join(root, 'sub'), { recursive: true });
  await fleet.syncOnce('a');
  expect(await readFolderStatus(join(root, 'sub'))).toMatchObject({
    root,
    namespace: 'docs',
    syncedBy: undefined,
    itemsProvisional: 0,
  });

  const settings = { metadata: fleet.metadata.address, home: await fleet.homeOf('a') };
  const status = () => readStatus(settings, root, systemClock, new AbortController().signal);
  expect(await status()).toMatchObject({ metadata: { reachable: true }, folder: { namespace: 'docs', behind: 0 } });
  await fleet.metadata.stop();
  expect(await status()).toMatchObject({
    metadata: { reachable: false },
    folder: { namespace: 'docs', behind: undefined },
  });
});

test('where nothing is synced, no folder is found', async () => {
  const fleet = await InProcessFleet.start();
  expect(await findSyncedFolder(join(fleet.folder('a'), 'not/there'))).toBeUndefined();
  expect(await readFolderStatus(fleet.dir)).toBeUndefined();
});
