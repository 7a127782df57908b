import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { wireLimits } from '../../../../common/limits.js';
import type { FindMissingRequest, FindMissingResponse } from '../../../../proto/gen/drystone/metadata/v1/presence.js';
import { collect, streamOf } from '../../../support/async-tools.js';
import { hashesNamed, namespaceIdNamed, sampleAgent } from '../../../support/metadata/samples.js';
import { TestMetadata, type TestNamespace } from '../../../support/metadata/service.js';

const lisbon = sampleAgent('lisbon');
const porto = sampleAgent('porto');

describe('PresenceService', () => {
  let metadata: TestMetadata;
  let namespace: TestNamespace;

  beforeEach(async () => {
    metadata = await TestMetadata.start();
    namespace = await metadata.namespace('shared', lisbon, porto);
  });
  afterEach(() => metadata.stop());

  function ask(...requests: readonly Partial<FindMissingRequest>[]): Promise<FindMissingResponse[]> {
    const filled = requests.map((request) => ({
      namespaceId: namespace.id,
      targetAgentId: '',
      hashes: Buffer.alloc(0),
      ...request,
    }));
    return collect(metadata.calls.presence.findMissing(streamOf(...filled)));
  }

  it('answers what the target lacks, request by request, in order', async () => {
    await namespace.commit({ receipts: [namespace.receipt(lisbon, 'a'), namespace.receipt(porto, 'a', 'b')] });
    const answers = await ask(
      { targetAgentId: lisbon.id, hashes: hashesNamed('c', 'b', 'a') },
      { namespaceId: '', hashes: hashesNamed('a') },
      { namespaceId: '', targetAgentId: lisbon.id, hashes: hashesNamed('d', 'a', 'd') },
    );
    const missing = answers.map(({ missingHashes }) => Buffer.from(missingHashes));
    expect(missing).toEqual([hashesNamed('c', 'b'), hashesNamed(), hashesNamed('d', 'd')]);
  });

  it('compares the candidates where there is no target', async () => {
    await namespace.commit({ receipts: [namespace.receipt(lisbon, 'a'), namespace.receipt(porto, 'a', 'b')] });
    const [first, second] = await ask({ hashes: hashesNamed('a', 'b', 'c') }, { hashes: hashesNamed('a') });
    expect(first).toEqual({
      missingHashes: new Uint8Array(0),
      candidates: [
        { agentId: lisbon.id, missingCount: 2 },
        { agentId: porto.id, missingCount: 1 },
      ],
    });
    expect(second?.candidates.map(({ missingCount }) => missingCount)).toEqual([0, 0]);
  });

  it('answers for one namespace what is held for it, and nothing of another', async () => {
    const other = await metadata.namespace('other', lisbon);
    await namespace.commit({ receipts: [namespace.receipt(lisbon, 'a')] });
    const [answer] = await ask({ namespaceId: other.id, targetAgentId: lisbon.id, hashes: hashesNamed('a') });
    expect(Buffer.from(answer!.missingHashes)).toEqual(hashesNamed('a'));
  });

  it('refuses a target that does not hold the namespace, also from one request to the next', async () => {
    const refusal = { code: 'FAILED_PRECONDITION', reason: 'AGENT_NOT_ASSIGNED' };
    const stranger = { targetAgentId: sampleAgent('stranger').id, hashes: hashesNamed('a') };
    await expect(ask(stranger)).rejects.toMatchObject(refusal);
    async function* requests() {
      yield { namespaceId: namespace.id, targetAgentId: porto.id, hashes: hashesNamed('a') };
      await metadata.calls.admin.setAssignment({ namespaceName: 'shared', agentIds: [lisbon.id] });
      yield { namespaceId: '', targetAgentId: '', hashes: hashesNamed('a') };
    }
    await expect(collect(metadata.calls.presence.findMissing(requests()))).rejects.toMatchObject(refusal);
  });

  it('knows no namespace that was not made', async () => {
    const refused = ask({ namespaceId: namespaceIdNamed('nowhere'), hashes: hashesNamed('a') });
    await expect(refused).rejects.toMatchObject({ code: 'NOT_FOUND', reason: 'NAMESPACE_UNKNOWN' });
  });

  it.each<[what: string, field: string, requests: () => Partial<FindMissingRequest>[]]>([
    ['an odd packed list', 'hashes', () => [{ targetAgentId: lisbon.id, hashes: Buffer.alloc(33) }]],
    ['too many hashes', 'hashes', () => [{ hashes: Buffer.alloc((wireLimits.hashesPerMessage + 1) * 32) }]],
    ['no namespace', 'namespace_id', () => [{ namespaceId: '' }]],
    ['a namespace that is no id', 'namespace_id', () => [{ namespaceId: 'shared' }]],
    ['another namespace', 'namespace_id', () => [{}, { namespaceId: namespaceIdNamed('other') }]],
    ['a target that is no id', 'target_agent_id', () => [{ targetAgentId: 'lisbon' }]],
    ['another target', 'target_agent_id', () => [{ targetAgentId: lisbon.id }, { targetAgentId: porto.id }]],
    ['a target that comes late', 'target_agent_id', () => [{}, { targetAgentId: porto.id }]],
  ])('refuses %s', async (_what, field, requests) => {
    await expect(ask(...requests())).rejects.toMatchObject({ code: 'INVALID_ARGUMENT', details: { field } });
  });

  it('counts what was asked and what was missing', async () => {
    expect(await metadata.metric('drystone_metadata_find_missing_hashes_total')).toBe(0);
    expect(await metadata.metric('drystone_metadata_find_missing_missing_total')).toBe(0);
    await namespace.commit({ receipts: [namespace.receipt(lisbon, 'a')] });
    await ask({ targetAgentId: lisbon.id, hashes: hashesNamed('a', 'b', 'c') });
    expect(await metadata.metric('drystone_metadata_find_missing_hashes_total')).toBe(3);
    expect(await metadata.metric('drystone_metadata_find_missing_missing_total')).toBe(2);
  });
});
