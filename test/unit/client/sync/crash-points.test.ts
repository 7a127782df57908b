import { mkdirSync, readdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { createInlineDisk } from '../../../../client/act/disk/inline-disk.js';
import { openLmdbTreeStore } from '../../../../client/state/lmdb-tree-store.js';
import type { StateChanges, TreeStore } from '../../../../client/state/tree-store.js';
import { ProgressReporter } from '../../../../client/sync/progress-reporter.js';
import { runSession } from '../../../../client/sync/session.js';
import { SyncTally } from '../../../../client/tally.js';
import { unlimited } from '../../../../client/connection/limited-block-client.js';
import { connectOver } from '../../../../client/connection/connect.js';
import { openDevice } from '../../../../client/connection/device.js';
import { diskSight } from '../../../../client/observe/folder-sight.js';
import { durableTexts } from '../../../../common/files/text-keeper.js';
import { systemClock } from '../../../../common/clock.js';
import { AccessTokenVerifier } from '../../../../common/identity/access-tokens.js';
import { folderOf } from '../../../support/client/folder.js';
import { InProcessFleet, testContext, Witness, type ClientOptions } from '../../../support/client/in-process-fleet.js';
import { seededRandom } from '../../../support/seeded-random.js';
import { inlineCutter } from '../../../support/client/inline-cutter.js';

class Crash extends Error {}

/** Counts durable steps and ends the client at one of them; from then on nothing it does has an effect. */
class CrashPoint {
  readonly steps: string[] = [];

  constructor(private readonly at: number) {}

  get isReached(): boolean {
    return this.steps.length > this.at;
  }

  readonly step = (name: string): void => {
    if (!this.isReached) this.steps.push(name);
    if (this.steps.length > this.at) throw new Crash(`after ${name}`);
  };
}

/** A store whose writes are steps: the crash comes before or after one. */
function crashing(store: TreeStore, point: CrashPoint): TreeStore {
  const write = async (changes: StateChanges): Promise<void> => {
    point.step('before a write of the state');
    await store.write(changes);
    point.step('after a write of the state');
  };
  return new Proxy(store, {
    get: (target, name) => {
      if (name === 'write') return write;
      const value: unknown = Reflect.get(target, name, target);
      return typeof value === 'function' ? (value.bind(target) as unknown) : value;
    },
  });
}

/** Syncs until the crash, or to the end where the point is beyond it. Returns the steps that were taken. */
async function syncUntilCrash(fleet: InProcessFleet, name: string, namespace: string, at: number): Promise<string[]> {
  const point = new CrashPoint(at);
  const config = await fleet.configOf(name, optionsOf(name, namespace));
  mkdirSync(join(config.root, '.drystone/tmp'), { recursive: true });
  const context = testContext();
  const device = await openDevice(config.homeDir);
  const tally = new SyncTally();
  const store = openLmdbTreeStore(join(config.root, '.drystone/trees'));
  const session = runSession(
    {
      ...config,
      bandwidth: unlimited,
      peers: undefined,
      root: config.root,
      deviceId: device.id,
      signingKey: device.held.privateKey,
      texts: durableTexts,
      host: 'here',
      stateOrigin: '',
      connect: connectOver(device.transport),
      verifierAt: (time) => new AccessTokenVerifier(systemClock, time),
      sight: diskSight(config.root, systemClock),
      store: crashing(store, point),
      cutter: inlineCutter,
      disk: createInlineDisk(point.step),
      tally,
      reporter: new ProgressReporter(new Witness(), tally, systemClock),
      context,
    },
    new AbortController().signal,
  );
  await session.catch((thrown: unknown) => {
    if (!point.isReached) throw thrown;
  });
  await store.close();
  return point.steps;
}

/** The folders at the one end are all synced by one device, those at the other by another. */
function optionsOf(name: string, namespace: string): ClientOptions {
  return { namespace, device: name.startsWith('near') ? 'near' : 'far' };
}

const big = (seed: string): Buffer => seededRandom(seed).bytes(600_000);

/** What stands in the files before and after the changes: nothing else may ever be seen in a file. */
const TEXTS = [
  'old',
  'new',
  'moved along',
  'theirs',
  'ours',
  big('old').toString('latin1'),
  big('new').toString('latin1'),
];

function furnish(root: string): void {
  mkdirSync(join(root, 'directory'), { recursive: true });
  for (const name of ['changed', 'contested', 'deleted', 'directory/inside']) writeFileSync(join(root, name), 'old');
  writeFileSync(join(root, 'directory/moving'), 'moved along');
  writeFileSync(join(root, 'big'), big('old'));
}

/** Changes at the one end, which the other end then has to follow. */
function change(root: string): void {
  writeFileSync(join(root, 'changed'), 'new');
  writeFileSync(join(root, 'big'), big('new'));
  writeFileSync(join(root, 'contested'), 'theirs');
  rmSync(join(root, 'deleted'));
  mkdirSync(join(root, 'made'));
  writeFileSync(join(root, 'made/added'), 'new');
  renameSync(join(root, 'directory/moving'), join(root, 'made/moved'));
  rmSync(join(root, 'directory'), { recursive: true });
}

/** Each case has a namespace and two equal folders of its own. */
async function prepare(fleet: InProcessFleet, namespace: string): Promise<{ near: string; far: string }> {
  await fleet.createNamespace(namespace, 1);
  const [near, far] = [`near ${namespace}`, `far ${namespace}`];
  furnish(fleet.folder(near));
  await fleet.syncOnce(near, optionsOf(near, namespace));
  await fleet.syncOnce(far, optionsOf(far, namespace));
  return { near, far };
}

function checkNothingHalf(root: string, when: string): void {
  for (const [path, entry] of Object.entries(folderOf(root))) {
    const text = entry.slice(entry.indexOf(' ') + 1);
    if (entry !== 'directory') expect(TEXTS.includes(text), `${path} ${when} holds a whole content`).toBe(true);
  }
}

async function checkCrashes(
  run: (fleet: InProcessFleet, namespace: string, at: number) => Promise<readonly string[]>,
  expectedSteps: readonly string[],
  isOfInterest: (step: string) => boolean = () => true,
): Promise<void> {
  const fleet = await InProcessFleet.start();
  const all = await run(fleet, 'uncrashed', Infinity);
  for (const step of expectedSteps) expect(all).toContain(step);
  for (const [at, step] of all.entries()) if (isOfInterest(step)) await run(fleet, `crash-${at}`, at);
}

test(
  'a client that is ended at any durable step of a download goes on where it was',
  { timeout: 300_000 },
  async () => {
    const run = async (fleet: InProcessFleet, namespace: string, at: number): Promise<readonly string[]> => {
      const { near, far } = await prepare(fleet, namespace);
      change(fleet.folder(near));
      writeFileSync(join(fleet.folder(far), 'contested'), 'ours');
      await fleet.syncOnce(near, optionsOf(near, namespace));

      const steps = await syncUntilCrash(fleet, far, namespace, at);
      checkNothingHalf(
        fleet.folder(far),
        `after a crash ${steps.length} steps in, at '${steps.at(-1) ?? 'the start'}'`,
      );
      const { problems } = await fleet.syncOnce(far, optionsOf(far, namespace));
      await fleet.syncOnce(near, optionsOf(near, namespace));

      const found = folderOf(fleet.folder(far));
      expect(found).toEqual(folderOf(fleet.folder(near)));
      expect(problems).toBe(0);
      const texts = Object.values(found).map((entry) => entry.slice(entry.indexOf(' ') + 1));
      for (const text of ['new', 'theirs', 'ours', 'moved along']) expect(texts).toContain(text);
      expect(Object.keys(found).filter((path) => path.includes('conflicted'))).toHaveLength(1);
      expect(readdirSync(join(fleet.folder(far), '.drystone/tmp'))).toEqual([]);
      return steps;
    };
    const steps = ['temporary-written', 'temporary-synced', 'file-placed', 'directories-synced', 'folder-changed'];
    await checkCrashes(run, [...steps, 'before a write of the state', 'after a write of the state']);
  },
);

test(
  'a client that is ended at any durable step of an upload brings the rest when it comes back',
  { timeout: 300_000 },
  async () => {
    const run = async (fleet: InProcessFleet, namespace: string, at: number): Promise<readonly string[]> => {
      const { near, far } = await prepare(fleet, namespace);
      change(fleet.folder(near));
      const steps = await syncUntilCrash(fleet, near, namespace, at);
      await fleet.syncOnce(near, optionsOf(near, namespace));
      await fleet.syncOnce(far, optionsOf(far, namespace));
      expect(folderOf(fleet.folder(far))).toEqual(folderOf(fleet.folder(near)));
      expect(Object.keys(folderOf(fleet.folder(far))).join()).not.toContain('conflicted');
      return steps;
    };
    await checkCrashes(run, ['before a write of the state', 'after a write of the state']);
  },
);

test(
  'what a client had fetched when it ended is no change of its own, whatever became of it meanwhile',
  { timeout: 300_000 },
  async () => {
    const run = async (fleet: InProcessFleet, namespace: string, at: number): Promise<readonly string[]> => {
      const { near, far } = await prepare(fleet, namespace);
      change(fleet.folder(near));
      await fleet.syncOnce(near, optionsOf(near, namespace));
      const steps = await syncUntilCrash(fleet, far, namespace, at);
      for (const path of ['changed', 'big', 'made/added', 'made/moved']) {
        writeFileSync(join(fleet.folder(near), path), 'theirs');
      }
      await fleet.syncOnce(near, optionsOf(near, namespace));
      await fleet.syncOnce(far, optionsOf(far, namespace));
      expect(folderOf(fleet.folder(far)), `after a crash at '${steps.at(-1) ?? 'the start'}'`).toEqual(
        folderOf(fleet.folder(near)),
      );
      expect(Object.keys(folderOf(fleet.folder(far))).join()).not.toContain('conflicted');
      return steps;
    };
    const steps = ['file-placed', 'folder-changed', 'directories-synced'];
    await checkCrashes(run, steps, (step) => steps.includes(step));
  },
);
