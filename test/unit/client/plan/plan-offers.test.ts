import { beforeEach, expect, test } from 'vitest';
import type { Item } from '../../../../common/feed/item.js';
import { feedLimits } from '../../../../common/limits.js';
import { HERE, item, localFile, NOW_MS, PlannedTrees, text, THERE } from '../../../support/client/planned-trees.js';
import { DELETION } from '../../../support/feed/sample-states.js';

let here: PlannedTrees;
beforeEach(() => {
  here = new PlannedTrees();
});

test('what was said and not answered is said again as it was, whatever the namespace holds by now', async () => {
  await here.agreed({ file: 'old' });
  await here.folderHas(localFile('file', 'ours'));
  const offer = await here.offered('file', 1, text('ours'));
  await here.namespaceHas('file', text('theirs'));
  expect(here.planned().operations).toMatchObject([{ kind: 'commit-item', path: 'file', offer, again: offer }]);
});

test('what was said and not answered while the clock was ahead is said anew, with the time of now', async () => {
  await here.agreed({ file: 'old' });
  await here.folderHas(localFile('file', 'ours'));
  const offer = await here.offered('file', 1, text('ours'));
  const ahead = { ...offer, at: { wallMs: NOW_MS + feedLimits.changeAheadMs + 1, logical: 0 } };
  await here.trees.write({ offered: new Map([[offer.path, ahead]]) });
  expect(here.planned().operations).toMatchObject([
    { kind: 'commit-item', offer: { change: { counter: 2 }, at: { wallMs: 1 } }, again: undefined },
  ]);
});

test('what was said and not answered is what the folder was made from, once the namespace knows of it', async () => {
  await here.agreed({ file: 'old', gone: 'old' });
  const offer = await here.offered('file', 4, text('ours'));
  const deletion = await here.offered('gone', 4, DELETION);
  await here.folderHas(localFile('file', 'ours'));
  await here.folderLacks('gone');
  await here.trees.write({ remote: new Map([offer, deletion].map((one) => [one.path, one])) });
  expect(here.planned().operations).toEqual([
    { kind: 'adopt', path: 'file', item: expect.objectContaining({ content: offer.content }) as Item },
    { kind: 'adopt', path: 'gone', item: undefined },
  ]);
});

test('what was said and not answered is replaced by what the folder holds since, under a number of its own', async () => {
  await here.agreed({ file: 'old' });
  const offer = await here.offered('file', 4, text('ours'));
  await here.folderHas(localFile('file', 'ours, later'));
  const change = { replicaId: HERE, counter: 5 };
  const version = [change, { replicaId: THERE, counter: 1 }];
  expect(here.planned().operations).toMatchObject([
    { kind: 'commit-item', offer: { version, change }, again: undefined },
  ]);
  await here.trees.write({ remote: new Map([[offer.path, offer]]) });
  expect(here.planned().operations).toMatchObject([{ kind: 'commit-item', offer: { change } }]);
});

test('what was said and not answered is not done again where it was replaced while we were away', async () => {
  await here.agreed({ file: 'old' });
  const { path, change } = await here.offered('file', 1, text('ours'));
  await here.folderHas(localFile('file', 'ours'));
  const theirs = item('file', 2, text('theirs'));
  await here.trees.write({ remote: new Map([[path, { ...theirs, version: [change, ...theirs.version] }]]) });
  expect(here.planned().operations).toMatchObject([
    { kind: 'fetch-file', path: 'file', item: { content: theirs.content } },
  ]);
});

test('what was said and not answered keeps its number where the folder has gone on without it', async () => {
  await here.agreed({ file: 'old' });
  await here.offered('file', 4, text('ours'));
  await here.namespaceHas('file', text('theirs'));
  await here.agreed({ file: 'theirs' });
  await here.folderHas(localFile('file', 'ours, later'));
  expect(here.planned().operations).toMatchObject([{ offer: { change: { replicaId: HERE, counter: 5 } } }]);
});
