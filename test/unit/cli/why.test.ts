import { execFileSync } from 'node:child_process';
import { mkdirSync, readdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { onTestFinished, expect, test } from 'vitest';
import { memberRoles } from '../../../cli/fleet/roles.js';
import { diagnose } from '../../../client/why/diagnose.js';
import type { Blocker } from '../../../client/why/finding.js';
import { readFacts } from '../../../client/why/read-facts.js';
import type { ItemPath } from '../../../common/feed/item.js';
import { takeExclusiveLock } from '../../../common/files/exclusive-lock.js';
import { runCommand } from '../../support/client/command-line.js';
import { InProcessFleet, testContext } from '../../support/client/in-process-fleet.js';
import { ShiftedClock } from '../../support/shifted-clock.js';
import { waitUntil } from '../../support/wait-until.js';
import { writeAfter } from '../../support/write-after.js';

/** Every situation here is brought about with real programs, and then asked about with the command. */

interface Told {
  readonly blocker: Blocker;
  readonly sentence: string;
  readonly advice: string;
  readonly facts: { readonly service: { readonly state: string }; readonly folder: { readonly state: string } };
}

interface Asking {
  /** The folder that is asked about, and whose device asks. */
  readonly folder: string;
  readonly device?: string;
  readonly namespace?: string;
}

async function why(fleet: InProcessFleet, path: string, { folder, device, namespace = 'docs' }: Asking): Promise<Told> {
  const home = await fleet.homeOf(device ?? folder);
  const at = ['--dir', fleet.folder(folder), '--home', home, '--metadata', fleet.metadata.address];
  const { code, output, errors } = await runCommand(home, ['why', `${namespace}/${path}`, ...at, '--json']);
  expect(errors).toBe('');
  expect(code).toBe(0);
  return JSON.parse(output) as Told;
}

/** A fleet with the folders `a` and `b`, which hold a file that both have synced. */
async function sharing(
  file = 'notes.txt',
  premises?: readonly string[],
): Promise<{ fleet: InProcessFleet; a: string; b: string }> {
  const fleet = await InProcessFleet.start(premises);
  const [a, b] = [fleet.folder('a'), fleet.folder('b')];
  mkdirSync(a, { recursive: true });
  writeFileSync(join(a, file), 'as it was');
  for (const name of ['a', 'b']) await fleet.syncOnce(name);
  return { fleet, a, b };
}

/** As if a sync of the folder ran that has not come to look yet. */
async function pretendToSync(root: string): Promise<void> {
  const lock = await takeExclusiveLock(join(root, '.drystone/lock'));
  if ('heldBy' in lock) throw new Error('it is being synced');
  onTestFinished(() => lock.release());
}

test('nothing: it is here; and text says so in one line', async () => {
  const { fleet, b } = await sharing();
  expect(await why(fleet, 'notes.txt', { folder: 'b' })).toMatchObject({ blocker: 'nothing', advice: '' });
  const home = await fleet.homeOf('b');
  const args = ['why', 'docs/notes.txt', '--dir', b, '--home', home, '--metadata', fleet.metadata.address];
  expect(await runCommand(home, args)).toMatchObject({ output: 'notes.txt is here, as the namespace has it.\n' });
});

test('deleted: when, and by whom', async () => {
  const { fleet, a } = await sharing();
  rmSync(join(a, 'notes.txt'));
  expect(await why(fleet, 'notes.txt', { folder: 'a' })).toMatchObject({ blocker: 'deleted-here' });
  await fleet.syncOnce('a');
  const told = await why(fleet, 'notes.txt', { folder: 'a' });
  expect(told).toMatchObject({ blocker: 'deleted' });
  expect(told.sentence).toMatch(
    /^notes\.txt was deleted in docs by people \(.+\), at \d{4}-\d\d-\d\d \d\d:\d\d:\d\d UTC\.$/,
  );
  expect(await why(fleet, 'notes.txt', { folder: 'b' }), 'b still has it').toMatchObject({ blocker: 'not-syncing' });
});

test('ignored: by a pattern for it, or for a directory above it', async () => {
  const { fleet, b } = await sharing();
  writeFileSync(join(b, '.drystoneignore'), '*.tmp\n/private/\n');
  mkdirSync(join(b, 'private'));
  writeFileSync(join(b, 'x.tmp'), 'x');
  writeFileSync(join(b, 'private/diary.txt'), 'x');
  expect(await why(fleet, 'x.tmp', { folder: 'b' })).toMatchObject({ blocker: 'ignored' });
  const told = await why(fleet, 'private/diary.txt', { folder: 'b' });
  expect(told).toMatchObject({ blocker: 'ignored', sentence: expect.stringContaining(' private ') as string });
  const own = await why(fleet, '.drystone/lock', { folder: 'b' });
  expect(own).toMatchObject({
    blocker: 'ignored',
    sentence: expect.stringMatching(/^Drystone keeps its own/) as string,
  });
});

test('never-synced, other-namespace and no-member: not this folder, or not this account', async () => {
  const { fleet } = await sharing();
  mkdirSync(fleet.folder('c'));
  expect(await why(fleet, 'notes.txt', { folder: 'c', device: 'a' })).toMatchObject({ blocker: 'never-synced' });
  await fleet.createNamespace('letters', 1);
  const letters = { folder: 'a', namespace: 'letters' };
  expect(await why(fleet, 'notes.txt', letters)).toMatchObject({ blocker: 'other-namespace' });
  await fleet.homeOf('stranger', 'strangers');
  expect(await why(fleet, 'notes.txt', { folder: 'a', device: 'stranger' })).toMatchObject({ blocker: 'no-member' });
});

test('not-syncing: the folder has not been synced since it was changed, here or there', async () => {
  const { fleet, a, b } = await sharing();
  writeFileSync(join(a, 'new.txt'), 'by a');
  expect(await why(fleet, 'new.txt', { folder: 'a' })).toMatchObject({ blocker: 'not-syncing' });
  expect(await why(fleet, 'new.txt', { folder: 'b' }), 'nobody has heard of it').toMatchObject({ blocker: 'unknown' });
  await fleet.syncOnce('a');
  const told = await why(fleet, 'new.txt', { folder: 'b' });
  expect(told).toMatchObject({
    blocker: 'not-syncing',
    advice: expect.stringContaining(`drystone sync ${b}`) as string,
  });
});

test('not-scanned and not-heard: a sync runs and has not come so far', async () => {
  const { fleet, a, b } = await sharing();
  writeFileSync(join(a, 'new.txt'), 'by a');
  await fleet.syncOnce('a');
  await pretendToSync(b);
  expect(await why(fleet, 'new.txt', { folder: 'b' })).toMatchObject({ blocker: 'not-heard' });
  writeFileSync(join(b, 'newer.txt'), 'by b');
  expect(await why(fleet, 'newer.txt', { folder: 'b' })).toMatchObject({ blocker: 'not-scanned' });
});

test('blocks-missing: agents that have taken over do not have it', async () => {
  const { fleet, a } = await sharing('notes.txt', ['here']);
  writeFileSync(join(a, 'new.txt'), 'by a');
  await fleet.syncOnce('a');
  await fleet.startAgent('there');
  await fleet.admissions.ask(async ({ admin }) => {
    const { agents } = await admin.listAgents({ pageSize: 0, pageToken: '' });
    const there = agents.find(({ premises }) => premises === 'there')!;
    await admin.setAssignment({ namespaceName: 'docs', agentIds: [there.agentId] });
  });
  await fleet.agents[0]!.stop();
  await fleet.startClient('b', { once: false });
  await waitUntil('the sync has heard of it', async () => {
    return (await why(fleet, 'new.txt', { folder: 'b' })).blocker === 'blocks-missing';
  });
});

test('reader: what an account that may only read has changed stays where it is', async () => {
  const { fleet } = await sharing();
  await fleet.homeOf('r', 'readers');
  await fleet.admissions.ask(({ access }) =>
    access.shareNamespace({ namespaceName: 'docs', account: 'readers', role: memberRoles.reader }),
  );
  await fleet.syncOnce('r', { account: 'readers' });
  writeFileSync(join(fleet.folder('r'), 'mine.txt'), 'x');
  expect(await why(fleet, 'mine.txt', { folder: 'r' })).toMatchObject({ blocker: 'reader' });
});

test('name-refused: a path that this file system has no room for', async () => {
  const fleet = await InProcessFleet.start();
  const path = Array.from({ length: 7 }, () => 'd'.repeat(250)).join('/');
  const deep = Array.from({ length: 10 }, () => 'r'.repeat(250)).join('/');
  mkdirSync(join(fleet.folder('a'), path), { recursive: true });
  await fleet.syncOnce('a');
  await fleet.syncOnce(deep, { device: 'b' });
  expect(await why(fleet, path, { folder: deep, device: 'b' })).toMatchObject({ blocker: 'name-refused' });
});

test('case-twin and unknown: the namespace has none of that name', async () => {
  const { fleet } = await sharing('Notes.txt');
  const told = await why(fleet, 'notes.TXT', { folder: 'b' });
  expect(told).toMatchObject({ blocker: 'case-twin', sentence: expect.stringContaining('Notes.txt') as string });
  expect(await why(fleet, 'other.txt', { folder: 'b' })).toMatchObject({ blocker: 'unknown' });
});

test('case-twin: of two entries with one name in two Unicode forms one is left, and told from the other', async () => {
  const { fleet, a } = await sharing('caf\u00e9.txt');
  writeFileSync(join(a, 'cafe\u0301.txt'), 'the other');
  await fleet.syncOnce('a');
  for (const asked of ['caf\u00e9.txt', 'cafe\u0301.txt']) {
    expect(await why(fleet, asked, { folder: 'a' })).toMatchObject({
      blocker: 'case-twin',
      sentence: expect.stringContaining("'caf\\u00e9.txt', and this one is 'cafe\\u0301.txt'") as string,
      advice: 'Rename it to have it synced.',
    });
  }
  expect(await why(fleet, 'caf\u00e9.txt', { folder: 'b' })).toMatchObject({ blocker: 'nothing' });
});

test('conflicted-copy: what one has written lies beside what another has written', async () => {
  const { fleet, a, b } = await sharing();
  writeFileSync(join(a, 'notes.txt'), 'as a has it');
  writeAfter(join(a, 'notes.txt'), join(b, 'notes.txt'), 'as b has it');
  for (const name of ['a', 'b', 'a']) await fleet.syncOnce(name);
  const copy = readdirSync(a).find((name) => name.includes('conflicted'))!;
  const kept = { blocker: 'conflicted-copy', sentence: expect.stringContaining(copy) as string };
  expect(await why(fleet, 'notes.txt', { folder: 'a' })).toMatchObject(kept);
  rmSync(join(a, 'notes.txt'));
  await fleet.syncOnce('a');
  expect(await why(fleet, 'notes.txt', { folder: 'a' })).toMatchObject(kept);
});

test('unsyncable and in-the-way: something else stands there', async () => {
  const { fleet, a, b } = await sharing();
  mkdirSync(join(a, 'd'));
  writeFileSync(join(a, 'd/pipe'), 'a file at a');
  await fleet.syncOnce('a');
  writeFileSync(join(b, 'd'), 'a file at b');
  expect(await why(fleet, 'd/pipe', { folder: 'b' })).toMatchObject({ blocker: 'in-the-way' });
  renameSync(join(b, 'd'), join(b, 'moved'));
  mkdirSync(join(b, 'd'));
  execFileSync('mkfifo', [join(b, 'd/pipe')]);
  const told = await why(fleet, 'd/pipe', { folder: 'b' });
  expect(told).toMatchObject({ blocker: 'unsyncable', sentence: expect.stringContaining('named pipe') as string });
  writeFileSync(Buffer.concat([Buffer.from(join(b, 'caf')), Buffer.from([0xe9])]), 'in Latin-1');
  mkdirSync(Buffer.concat([Buffer.from(join(b, 'expos')), Buffer.from([0xe9])]));
  for (const [path, at] of [
    ['caf\uFFFD', 'caf\uFFFD'],
    ['expos\uFFFD/notes', 'expos\uFFFD'],
  ] as const) {
    const sentence = `${at} cannot be synced as it is here: its name is not valid UTF-8.`;
    expect(await why(fleet, path, { folder: 'b' })).toMatchObject({ blocker: 'unsyncable', sentence });
  }
});

test('metadata-unreachable: what the folder knows is said all the same', async () => {
  const { fleet, a } = await sharing();
  await fleet.metadata.stop();
  expect(await why(fleet, 'notes.txt', { folder: 'b' })).toMatchObject({ blocker: 'nothing' });
  expect(await why(fleet, 'other.txt', { folder: 'b' })).toMatchObject({ blocker: 'metadata-unreachable' });
  writeFileSync(join(a, 'notes.txt'), 'changed');
  expect(await why(fleet, 'notes.txt', { folder: 'a' })).toMatchObject({ blocker: 'not-syncing' });
});

test('clock-ahead: what a machine whose clock is wrong has changed is not taken', async () => {
  const { fleet, b } = await sharing();
  writeFileSync(join(b, 'new.txt'), 'by b');
  const clock = new ShiftedClock();
  clock.shiftMs = 10 * 60_000;
  const { namespace, metadata, premises, homeDir } = await fleet.configOf('b');
  const path = 'new.txt' as ItemPath;
  const nameOf = (): Promise<string> => Promise.resolve('');
  const question = { namespace, path, directory: b, metadata, premises, homeDir, nameOf };
  const finding = diagnose(await readFacts(question, { ...testContext(), clock }));
  expect(finding).toMatchObject({
    blocker: 'clock-ahead',
    sentence: expect.stringContaining(' 10 minutes ') as string,
  });
});

test('who has not logged in is told to', async () => {
  const asked = await runCommand('/nowhere', ['why', 'docs/x', '--home', '/nowhere', '--json']);
  expect(asked).toMatchObject({ code: 3, errors: expect.stringContaining('IDENTITY_MISSING') as string });
});
