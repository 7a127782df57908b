import { beforeEach, expect, it } from 'vitest';
import { KeptAssignment } from '../../../../client/connection/kept-assignment.js';
import type { MetadataCalls } from '../../../../client/connection/metadata-calls.js';
import { MemoryTreeStore } from '../../../../client/state/memory-tree-store.js';
import { openNamespace, type OpenNamespace } from '../../../../client/sync/open-namespace.js';
import { MetadataReach } from '../../../../client/upstream/metadata-reach.js';
import { DrystoneError } from '../../../../common/errors.js';
import type { NamespaceName } from '../../../../common/ids.js';
import { clientLimits } from '../../../../common/limits.js';
import { systemRandom } from '../../../../common/random.js';
import type { Assignment } from '../../../../proto/gen/drystone/metadata/v1/account.js';
import { ManualClock } from '../../../support/manual-clock.js';
import { waitUntil } from '../../../support/wait-until.js';

const AWAY = new DrystoneError('UNAVAILABLE', 'TRANSPORT', 'nobody answers');
const namespace = 'docs' as NamespaceName;
const of = (digit: string): Assignment => {
  return { namespaceId: digit.repeat(32), namespaceName: namespace, epoch: 1n, candidates: [] };
};

let clock: ManualClock;
let texts: Map<string, string>;
let store: MemoryTreeStore;
let ended: AbortController;

beforeEach(() => {
  clock = new ManualClock();
  texts = new Map();
  store = new MemoryTreeStore();
  ended = new AbortController();
});

function keptTexts(): KeptAssignment {
  return new KeptAssignment('/folder/.drystone', {
    read: (path) => Promise.resolve(texts.get(path)),
    write: (path, text) => Promise.resolve(void texts.set(path, text)),
  });
}

function open(answer: () => Assignment, kept: KeptAssignment | undefined): Promise<OpenNamespace> {
  const getAssignments = async (): Promise<{ assignments: Assignment[] }> => ({ assignments: [answer()] });
  const { signal } = ended;
  return openNamespace(
    {
      root: '/folder',
      host: 'here',
      stateOrigin: '',
      namespace,
      store,
      metadata: { account: { getAssignments } as unknown as MetadataCalls['account'] },
      random: systemRandom,
      reach: new MetadataReach(clock),
      kept,
      retrying: { clock, random: systemRandom, signal, attempts: Infinity },
    },
    signal,
  );
}

function away(): never {
  throw AWAY;
}

async function letTimePass(): Promise<void> {
  await waitUntil('it waits for the next attempt', () => clock.sleepingMs.length > 0);
  clock.advance(clientLimits.metadataAwayMs);
}

it('while metadata is away a sync goes by what that said last', async () => {
  await keptTexts().keep(of('1'));
  const opening = open(away, keptTexts());
  await letTimePass();
  expect(await opening).toMatchObject({ namespaceId: '1'.repeat(32), assignment: of('1') });
});

it('metadata that answers is believed, not what it said last', async () => {
  await keptTexts().keep(of('1'));
  expect((await open(() => of('2'), keptTexts())).namespaceId).toBe('2'.repeat(32));
});

it('where nothing was kept it waits until metadata is back', async () => {
  let answer: () => Assignment = away;
  const opening = open(() => answer(), keptTexts());
  await letTimePass();
  await waitUntil('that has failed as well', () => clock.sleepingMs.length > 0);
  answer = () => of('2');
  await letTimePass();
  expect((await opening).namespaceId).toBe('2'.repeat(32));
});

it('the folder is the same one that changes items at every start', async () => {
  const { replica } = await open(() => of('2'), undefined);
  expect((await open(() => of('2'), undefined)).replica).toBe(replica);
  await expect(open(() => of('3'), undefined)).rejects.toMatchObject({ reason: 'FOLDER_OF_OTHER_NAMESPACE' });
});
