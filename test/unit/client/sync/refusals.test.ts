import { existsSync, mkdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { listItems, readFile } from '../../../../client/reader.js';
import type { ItemPath } from '../../../../common/feed/item.js';
import { markPrivate } from '../../../../common/files/private-mark.js';
import { PassThrough } from 'node:stream';
import { folderOf } from '../../../support/client/folder.js';
import { InProcessFleet, testContext } from '../../../support/client/in-process-fleet.js';
import { seededRandom } from '../../../support/seeded-random.js';
import { waitUntil } from '../../../support/wait-until.js';

test('a folder belongs to one client at a time, and the second is told which has it', async () => {
  const fleet = await InProcessFleet.start();
  const { sync } = await fleet.startClient('a', { once: false });
  await expect(fleet.startClient('a')).rejects.toMatchObject({
    reason: 'FOLDER_BUSY',
    message: `${fleet.folder('a')} is being synced by process ${process.pid}; stop that one first`,
  });
  await sync.stop();
  await fleet.syncOnce('a');
});

test('a folder in a synced one is refused', async () => {
  const fleet = await InProcessFleet.start();
  mkdirSync(join(fleet.folder('a'), 'inside'), { recursive: true });
  writeFileSync(join(fleet.folder('a'), 'inside/file'), 'text');
  await fleet.syncOnce('a');
  symlinkSync(join(fleet.folder('a'), 'inside'), fleet.folder('way round'));
  for (const name of ['a/inside/deeper', 'way round/deeper', 'way round']) {
    await expect(fleet.syncOnce(name)).rejects.toMatchObject({
      code: 'FAILED_PRECONDITION',
      reason: 'FOLDER_NESTED',
      message: expect.stringContaining(fleet.folder('a')) as string,
    });
  }
  expect(existsSync(join(fleet.folder('a'), 'inside/deeper'))).toBe(false);
  await fleet.syncOnce('b');
  expect(Object.keys(folderOf(fleet.folder('b')))).toEqual(['inside', 'inside/file']);
});

test('what is synced by itself, or holds keys, is no part of the folder round it', async () => {
  const fleet = await InProcessFleet.start();
  await fleet.createNamespace('own', 1);
  mkdirSync(fleet.folder('a/own'), { recursive: true });
  writeFileSync(join(fleet.folder('a/own'), 'file'), 'text');
  await fleet.syncOnce('a/own', { namespace: 'own' });
  const home = join(fleet.folder('a'), 'home');
  mkdirSync(home);
  await markPrivate(home);
  writeFileSync(join(home, 'device.key'), 'secret');
  writeFileSync(join(fleet.folder('a'), 'synced'), 'text');
  const { sync, witness } = await fleet.startClient('a');
  await sync.finished;
  expect(witness.problems.map(({ name }) => name).sort()).toEqual(['home', 'own']);
  await fleet.syncOnce('b');
  expect(Object.keys(folderOf(fleet.folder('b')))).toEqual(['synced']);
  // The one inside goes on, though there is one round it by now.
  await fleet.syncOnce('a/own', { namespace: 'own' });
  mkdirSync(fleet.folder('keys'));
  await markPrivate(fleet.folder('keys'));
  await expect(fleet.syncOnce('keys')).rejects.toMatchObject({ reason: 'DIRECTORY_UNUSABLE' });
  await expect(markPrivate(fleet.folder('a/own'))).rejects.toMatchObject({ reason: 'DIRECTORY_UNUSABLE' });
});

test('a sync whose own directory was removed ends, and says so', async () => {
  const fleet = await InProcessFleet.start();
  const { sync, witness } = await fleet.startClient('a', { once: false });
  await waitUntil('the client is up', () => witness.phases.includes('quiet'));
  rmSync(join(fleet.folder('a'), '.drystone/tmp'), { recursive: true });
  writeFileSync(join(fleet.folder('a'), 'file'), 'text');
  await expect(sync.finished).rejects.toMatchObject({
    reason: 'FOLDER_UNREADABLE',
    message: expect.stringContaining('.drystone') as string,
  });
});

test('what is no directory, and where none can be made, is refused', async () => {
  const fleet = await InProcessFleet.start();
  writeFileSync(fleet.folder('file'), 'text');
  for (const name of ['file', 'file/below']) {
    await expect(fleet.syncOnce(name)).rejects.toMatchObject({
      reason: 'DIRECTORY_UNUSABLE',
      message: expect.stringContaining('choose another') as string,
    });
  }
});

test('a folder that is synced with one namespace is not mixed up with another', async () => {
  const fleet = await InProcessFleet.start();
  await fleet.createNamespace('other', 1);
  mkdirSync(fleet.folder('a'));
  writeFileSync(join(fleet.folder('a'), 'file'), 'text');
  await fleet.syncOnce('a');
  await expect(fleet.syncOnce('a', { namespace: 'other' })).rejects.toMatchObject({
    code: 'FAILED_PRECONDITION',
    reason: 'FOLDER_OF_OTHER_NAMESPACE',
  });
});

test('a namespace that is not there is named', async () => {
  const fleet = await InProcessFleet.start();
  await expect(fleet.syncOnce('a', { namespace: 'nowhere' })).rejects.toMatchObject({ reason: 'NAMESPACE_UNKNOWN' });
});

test('state of a newer format is refused, and left as it is', async () => {
  const fleet = await InProcessFleet.start();
  await fleet.syncOnce('a');
  const format = join(fleet.folder('a'), '.drystone/FORMAT');
  writeFileSync(format, 'drystone client 99\n');
  await expect(fleet.syncOnce('a')).rejects.toMatchObject({ reason: 'DATA_FORMAT_NEWER' });
  expect(readFileSync(format, 'utf8')).toBe('drystone client 99\n');
});

test('state of a pre-release is refused, and can be thrown away', async () => {
  const fleet = await InProcessFleet.start();
  await fleet.syncOnce('a');
  const state = join(fleet.folder('a'), '.drystone');
  writeFileSync(join(state, 'FORMAT'), 'drystone client 1\n');
  await expect(fleet.syncOnce('a')).rejects.toMatchObject({
    reason: 'DATA_FORMAT_OLDER',
    message: expect.stringContaining('remove it') as string,
  });
  rmSync(state, { recursive: true });
  expect(await fleet.syncOnce('a')).toMatchObject({ problems: 0 });
});

test('a namespace is read without being synced, from whichever agent has a block', async () => {
  const fleet = await InProcessFleet.start(['near', 'far']);
  const content = seededRandom('read').bytes(3_000_000);
  mkdirSync(join(fleet.folder('a'), 'd'), { recursive: true });
  writeFileSync(join(fleet.folder('a'), 'd/file'), content);
  await fleet.syncOnce('a', { premises: 'far' });
  const config = await fleet.configOf('reader', { premises: 'near' });
  const paths: string[] = [];
  for await (const { item } of listItems(config, testContext(), 'd' as ItemPath)) paths.push(item.path);
  expect(paths.sort()).toEqual(['d', 'd/file']);
  const sink = new PassThrough({ highWaterMark: 1024 });
  const received = sink.toArray() as Promise<Buffer[]>;
  const { sizeBytes } = await readFile(config, testContext(), 'd/file' as ItemPath, sink);
  sink.end();
  expect(sizeBytes).toBe(content.length);
  expect(Buffer.concat(await received).equals(content)).toBe(true);
  const missing = readFile(config, testContext(), 'd/none' as ItemPath, new PassThrough());
  await expect(missing).rejects.toMatchObject({ reason: 'ITEM_UNKNOWN' });
});

test('what cannot be read of a namespace is explained: a symlink, and a file that no agent gives', async () => {
  const fleet = await InProcessFleet.start();
  mkdirSync(fleet.folder('a'));
  writeFileSync(join(fleet.folder('a'), 'file'), 'text');
  symlinkSync('../elsewhere', join(fleet.folder('a'), 'link'));
  await fleet.syncOnce('a');
  const config = await fleet.configOf('reader');
  const reading = (path: string) => readFile(config, testContext(), path as ItemPath, new PassThrough());
  await expect(reading('link')).rejects.toThrow('link is a symlink to ../elsewhere; only files can be read');
  await fleet.agents[0]!.stop();
  await expect(reading('file')).rejects.toThrow(
    /^file cannot be read: .*'drystone namespace show docs' says how the agents are/,
  );
});

test('a target that goes away is replaced by another agent', async () => {
  const fleet = await InProcessFleet.start(['near', 'far']);
  mkdirSync(fleet.folder('a'));
  const { sync, witness } = await fleet.startClient('a', { once: false, premises: 'near' });
  await waitUntil('the client is up', () => witness.phases.includes('quiet'));
  await fleet.agents[0]?.stop();
  writeFileSync(join(fleet.folder('a'), 'file'), 'text');
  await waitUntil('the file is committed', () => sync.summary().itemsCommitted === 1);
  await sync.stop();
  await fleet.syncOnce('b', { premises: 'near' });
  expect(readFileSync(join(fleet.folder('b'), 'file'), 'utf8')).toBe('text');
});
