import { expect, it } from 'vitest';
import { FollowedFeeds, type FollowedFeedsParts } from '../../../../client/sync/followed-feeds.js';
import { Inbox } from '../../../../client/sync/inbox.js';
import type { SyncProblem } from '../../../../client/progress.js';
import { MemoryTreeStore } from '../../../../client/state/memory-tree-store.js';
import type { ItemPath } from '../../../../common/feed/item.js';
import { item } from '../../../support/client/planned-trees.js';

it('people are told of items whose names no folder takes, and not of those that are gone', async () => {
  const store = new MemoryTreeStore();
  const problems: SyncProblem[] = [];
  const nothing = (): void => undefined;
  const parts = {
    store,
    inbox: new Inbox(),
    reach: { answered: nothing },
    standing: { caughtUp: nothing, online: nothing },
    metadata: { feed: undefined },
    reporter: { problem: (problem: SyncProblem) => problems.push(problem) },
  } as unknown as FollowedFeedsParts;
  const items = [
    item('plain', 1, { kind: 'directory' }),
    item('in/.DRYSTONE', 2, { kind: 'directory' }),
    item('in/.DRYSTONE/tmp', 3, { kind: 'directory' }),
    item('.Drystone', 4, { kind: 'deletion' }),
  ];
  await store.write({ remote: new Map(items.map((one) => [one.path, one])) });
  new FollowedFeeds(parts).atMetadata().onPage([...items.map(({ path }) => path), 'gone/.drystone' as ItemPath], true);
  const problem = 'it has the name of the directory that a client keeps in its folder; rename it where it was made';
  expect(new Set(problems.map((one) => JSON.stringify(one)))).toEqual(
    new Set([JSON.stringify({ name: 'in/.DRYSTONE', problem })]),
  );
});
