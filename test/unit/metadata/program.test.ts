import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { itemToWire } from '../../../common/feed/item-codec.js';
import { enrollingChannel } from '../../../common/rpc/transport-credentials.js';
import type { MetadataConfig } from '../../../metadata/program.js';
import { checkHealth } from '../../support/library-services.js';
import { itemAt, sampleAgent } from '../../support/metadata/samples.js';
import { startBareMetadata, TestMetadata } from '../../support/metadata/service.js';
import { temporaryDirectory } from '../../support/temporary-directory.js';

const ANY_PORT = '127.0.0.1:0';

function start(config: Partial<MetadataConfig>) {
  return startBareMetadata({ dataDir: temporaryDirectory(), engine: 'lmdb', ...config });
}

describe('the metadata program', () => {
  const running: TestMetadata[] = [];
  afterEach(async () => {
    for (const metadata of running.splice(0)) await metadata.stop();
  });
  async function run(config: Partial<MetadataConfig>): Promise<TestMetadata> {
    const metadata = await TestMetadata.start({ engine: 'lmdb', ...config });
    running.push(metadata);
    return metadata;
  }

  it('keeps everything from one run to the next', async () => {
    const dataDir = temporaryDirectory();
    const first = await run({ dataDir });
    const lisbon = sampleAgent('lisbon');
    const namespace = await first.namespace('shared', lisbon);
    await namespace.commit({ items: [itemToWire(itemAt('a'))], receipts: [namespace.receipt(lisbon, 'x')] });
    await first.stop();

    const second = await run({ dataDir });
    const { namespace: shown } = await second.calls.admin.getNamespace({ name: 'shared' });
    expect(shown).toMatchObject({ namespaceId: namespace.id, cursor: 1n, assignment: { epoch: 2n } });
    expect(await second.metric('drystone_metadata_presence_rows')).toBe(1);
  });

  it('forgets everything with the memory engine', async () => {
    const dataDir = temporaryDirectory();
    const first = await run({ dataDir, engine: 'memory' });
    await first.namespace('shared');
    await first.stop();
    const second = await run({ dataDir, engine: 'memory' });
    expect((await second.calls.admin.listNamespaces({ pageSize: 0, pageToken: '' })).namespaces).toEqual([]);
  });

  it('serves metrics, health and readiness, with every series from the start', async () => {
    const metadata = await run({ http: ANY_PORT });
    const get = (path: string) => fetch(`http://${metadata.program.httpAddress ?? ''}${path}`);
    expect((await get('/readyz')).status).toBe(200);
    expect((await get('/healthz')).status).toBe(200);
    const credentials = enrollingChannel(metadata.enrollment.trustedPem);
    expect(await checkHealth(metadata.program.address, credentials)).toBe('SERVING');
    const text = await (await get('/metrics')).text();
    for (const series of [
      'drystone_metadata_agents{state="online"} 0',
      'drystone_metadata_agents{state="draining"} 0',
      'drystone_metadata_agents{state="offline"} 0',
      'drystone_metadata_commit_items_total 0',
      'drystone_metadata_commit_conflicts_total 0',
      'drystone_metadata_merge_outcomes_total{outcome="taken"} 0',
      'drystone_metadata_merge_outcomes_total{outcome="merged"} 0',
      'drystone_metadata_merge_outcomes_total{outcome="known"} 0',
      'drystone_metadata_merge_outcomes_total{outcome="refused"} 0',
      'drystone_metadata_conflicts_open 0',
      'drystone_metadata_tombstones 0',
      'drystone_metadata_tombstones_forgotten_total 0',
      'drystone_metadata_replicas 0',
      'drystone_metadata_commit_seconds_count 0',
      'drystone_metadata_find_missing_hashes_total 0',
      'drystone_metadata_find_missing_missing_total 0',
      'drystone_metadata_feed_subscribers 0',
      'drystone_metadata_feed_lag_entries 0',
      'drystone_metadata_namespaces 0',
      'drystone_metadata_presence_rows 0',
      'drystone_metadata_tokens_issued_total{kind="agent"} 0',
      'drystone_metadata_tokens_issued_total{kind="access"} 0',
      'drystone_metadata_store_transaction_seconds_count{operation="commit"} 0',
      'grpc_server_started_total{grpc_service="drystone.feed.v1.FeedService",grpc_method="Push"} 0',
      'grpc_server_started_total{grpc_service="drystone.feed.v1.FeedService",grpc_method="Subscribe"} 0',
    ]) {
      expect(text).toContain(`${series}\n`);
    }
    expect(text).toMatch(/^drystone_metadata_build_info\{version="[^"]+"\} 1$/m);
  });

  it('refuses a directory of a newer format, and changes nothing in it', async () => {
    const dataDir = temporaryDirectory();
    const file = join(dataDir, 'FORMAT');
    writeFileSync(file, 'drystone metadata 3\n');
    await expect(start({ dataDir })).rejects.toMatchObject({
      code: 'FAILED_PRECONDITION',
      reason: 'DATA_FORMAT_NEWER',
    });
    expect(readFileSync(file, 'utf8')).toBe('drystone metadata 3\n');
  });

  it('refuses a directory of a pre-release, and changes nothing in it', async () => {
    const dataDir = temporaryDirectory();
    writeFileSync(join(dataDir, 'FORMAT'), 'drystone metadata 1\n');
    await expect(start({ dataDir })).rejects.toMatchObject({
      code: 'FAILED_PRECONDITION',
      reason: 'DATA_FORMAT_OLDER',
    });
    expect(readdirSync(dataDir)).toEqual(['FORMAT']);
  });

  it('refuses a directory that another one is using', async () => {
    const dataDir = temporaryDirectory();
    await run({ dataDir });
    await expect(start({ dataDir })).rejects.toMatchObject({ reason: 'DATA_DIRECTORY_BUSY' });
  });

  it.each(['listen', 'http'] as const)('refuses a port in use for --%s, and leaves nothing open', async (flag) => {
    const first = await run({});
    const dataDir = temporaryDirectory();
    const taken = start({ dataDir, [flag]: first.program.address });
    await expect(taken).rejects.toMatchObject({ code: 'FAILED_PRECONDITION', reason: 'PORT_IN_USE' });
    const second = await start({ dataDir, http: ANY_PORT });
    await second.stop();
  });

  it('stops once, however often it is told', async () => {
    const dataDir = temporaryDirectory();
    const program = await start({ dataDir });
    await Promise.all([program.stop(), program.stop()]);
    await program.stop();
    await (await start({ dataDir })).stop();
  });
});
