import { expect, onTestFinished, test } from 'vitest';
import type { FeedHistory } from '../../../../common/feed/feed-history.js';
import { idBytes } from '../../../../common/ids.js';
import { feedLimits } from '../../../../common/limits.js';
import { openLmdbEnvironment } from '../../../../common/store/lmdb-environment.js';
import { LmdbHistories } from '../../../../common/store/lmdb-histories.js';
import { cursor, namespaceIdNamed } from '../../../support/metadata/samples.js';
import { temporaryDirectory } from '../../../support/temporary-directory.js';

const MiB = 1024 * 1024;

function historyNamed(number: number): FeedHistory {
  return number.toString(16).padStart(16, '0') as FeedHistory;
}

test('each cursor has the history of who has added it, in each namespace for itself, and old ones are forgotten', async () => {
  const treeNames = ['histories'] as const;
  const options = { path: temporaryDirectory(), treeNames, mapBytes: 64 * MiB, what: 'the store' };
  const environment = await openLmdbEnvironment(options);
  onTestFinished(() => environment.close());
  const { histories: tree } = environment.trees;
  const namespaces = ['one', 'two', 'three'].map((name) => idBytes(namespaceIdNamed(name))).sort(Buffer.compare);
  const [before, between, behind] = namespaces as [Buffer, Buffer, Buffer];
  const add = (namespace: Buffer, number: number, first: number): Promise<void> =>
    environment.write(() => new LmdbHistories(tree, historyNamed(number)).added(namespace, cursor(first)));
  const at = (namespace: Buffer, place: number): Promise<FeedHistory | undefined> =>
    environment.read(() => new LmdbHistories(tree, historyNamed(0)).at(namespace, cursor(place)));

  await add(before, 1, 1);
  await add(behind, 1, 5);
  expect([await at(between, 9), await at(behind, 4), await at(behind, 0)]).toEqual([undefined, undefined, undefined]);
  for (let number = 1; number <= feedLimits.histories + 1; number++) {
    await add(between, number, number * 10);
    await add(between, number, number * 10 + 5);
  }
  expect([await at(between, 19), await at(between, 20)]).toEqual([undefined, historyNamed(2)]);
  expect([await at(between, 39), await at(between, 1e9)]).toEqual([historyNamed(3), historyNamed(1001)]);
  expect([await at(before, 1e9), await at(behind, 5)]).toEqual([historyNamed(1), historyNamed(1)]);
});
