import { existsSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeEach, describe, expect, it } from 'vitest';
import { DrystoneError } from '../../../common/errors.js';
import { identityKeyPath, loadIdentity } from '../../../common/identity/identity-files.js';
import type { PremisesName } from '../../../common/ids.js';
import {
  agentConfig,
  agentToken,
  joiningConfig,
  programContext,
  runAgent,
  runMetadata,
} from '../../support/agent/agent-under-test.js';
import { rejection } from '../../support/async-tools.js';
import { agentIdOf } from '../../support/blocks/block-fleet.js';
import { plantAgent } from '../../support/blocks/plant-agent.js';
import { temporaryDirectory } from '../../support/temporary-directory.js';
import { TestAuthority, validity } from '../../support/trust/test-authority.js';
import { waitUntil } from '../../support/wait-until.js';

const PORTO = 'porto' as PremisesName;
let dataDir: string;

beforeEach(() => {
  dataDir = join(temporaryDirectory(), 'agent');
});

describe('an agent that has not joined', () => {
  it('does not start without a token, and says how to get one', async () => {
    const error = await rejection(runAgent(agentConfig(dataDir)));
    expect(error).toMatchObject({ code: 'FAILED_PRECONDITION', reason: 'IDENTITY_MISSING' });
    expect((error as Error).message).toMatch(/`drystone agent token --premises NAME`.*--join/s);
    expect(existsSync(identityKeyPath(dataDir, 'agent'))).toBe(false);
  });

  it('joins by its token, once: from then on its identity is in its directory', async () => {
    const metadata = await runMetadata();
    const config = await joiningConfig(metadata, dataDir, { premises: 'lisbon' as PremisesName });
    const agent = await runAgent(config);
    const held = await loadIdentity(dataDir, 'agent');
    expect(held?.identity).toMatchObject({ kind: 'agent', premises: 'lisbon' });
    for (const name of ['agent.key', 'agent.crt', 'fleet-ca.crt']) {
      expect(statSync(join(dataDir, name)).mode & 0o777).toBe(0o600);
    }
    const agentId = agentIdOf(held!);
    await waitUntil('metadata knows the agent', async () => {
      const { agents } = await metadata.calls.admin.listAgents({ pageSize: 0, pageToken: '' });
      return agents.some((known) => known.agentId === agentId && known.address === agent.address);
    });
    await agent.stop();
    await metadata.stop();
    // A unit file may go on naming the token, and metadata may be away.
    for (const again of [config, { ...config, join: undefined, premises: undefined }]) {
      await (await runAgent(again)).stop();
    }
    expect((await loadIdentity(dataDir, 'agent'))?.identity).toEqual(held?.identity);
  });

  it('can be started again with the same token where metadata was away', async () => {
    const metadata = await runMetadata();
    const config = await joiningConfig(metadata, dataDir);
    const error = await rejection(runAgent({ ...config, metadata: '127.0.0.1:1' }, programContext({ clock: hasty() })));
    expect(error).toMatchObject({ code: 'UNAVAILABLE' });
    expect(await loadIdentity(dataDir, 'agent')).toBeUndefined();
    await runAgent(config);
  });

  it('can be started again with the same token where its port was taken', async () => {
    const metadata = await runMetadata();
    const config = await joiningConfig(metadata, dataDir);
    const { address } = metadata.program;
    expect(await rejection(runAgent({ ...config, listen: address }))).toMatchObject({
      reason: 'PORT_IN_USE',
      message: expect.stringContaining('--listen') as string,
    });
    expect(await rejection(runAgent({ ...config, http: address }))).toMatchObject({
      reason: 'PORT_IN_USE',
      message: expect.stringContaining('--http') as string,
    });
    expect(await loadIdentity(dataDir, 'agent')).toBeUndefined();
    await runAgent(config);
  });

  it('does not join with the token of another', async () => {
    const metadata = await runMetadata();
    const config = await joiningConfig(metadata, dataDir);
    await runAgent(config);
    const second = agentConfig(temporaryDirectory(), { metadata: metadata.program.address, join: config.join });
    expect(await rejection(runAgent(second))).toMatchObject({ code: 'UNAUTHENTICATED', reason: 'TOKEN_INVALID' });
  });
});

describe('a token that is no agent’s', () => {
  it('is refused before anything is touched, and never repeated', async () => {
    const metadata = await runMetadata();
    const { token } = await metadata.calls.access.issueDeviceToken({ account: 'admin', validSeconds: 0 });
    for (const wrong of [token, token.slice(0, -9), token.replace('device:', 'agent!')]) {
      const error = await rejection(runAgent(agentConfig(dataDir, { join: wrong })));
      expect(error).toMatchObject({ code: 'INVALID_ARGUMENT', details: { field: 'join' } });
      expect(JSON.stringify(error) + String(error)).not.toContain(token.slice(-60, -10));
      expect(existsSync(dataDir)).toBe(false);
    }
  });
});

describe('the premises', () => {
  it('must be those of the token, which is then not redeemed', async () => {
    const metadata = await runMetadata();
    const config = await joiningConfig(metadata, dataDir);
    const error = await rejection(runAgent({ ...config, premises: PORTO }));
    expect(error).toMatchObject({
      code: 'FAILED_PRECONDITION',
      reason: 'FIELD_INVALID',
      details: { field: 'premises' },
    });
    expect((error as Error).message).toMatch(/porto.*lisbon/);
    expect(existsSync(dataDir)).toBe(false);
    await runAgent(config);
  });

  it('must be those of the certificate, be they configured or in another token', async () => {
    const authority = await TestAuthority.create();
    await plantAgent(dataDir, { held: await authority.agent('lisbon') });
    const refusal = { code: 'FAILED_PRECONDITION', reason: 'FIELD_INVALID' };
    const config = agentConfig(dataDir);
    expect(await rejection(runAgent({ ...config, premises: PORTO }))).toMatchObject({
      ...refusal,
      details: { field: 'premises' },
    });
    const token = await agentToken(await runMetadata(), 'porto');
    expect(await rejection(runAgent({ ...config, join: token }))).toMatchObject({
      ...refusal,
      details: { field: 'join' },
    });
    await runAgent({ ...config, premises: 'lisbon' as PremisesName });
  });
});

describe('an identity that has ended', () => {
  it('does not serve: a token gives the same agent a new certificate', async () => {
    const authority = await TestAuthority.create();
    const ended = await authority.agent('lisbon', validity.past);
    await plantAgent(dataDir, { held: ended });
    const error = await rejection(runAgent(agentConfig(dataDir)));
    expect(error).toMatchObject({ code: 'FAILED_PRECONDITION', reason: 'CERTIFICATE_EXPIRED' });
    await runAgent(await joiningConfig(await runMetadata(), dataDir));
    const renewed = await loadIdentity(dataDir, 'agent');
    expect(renewed?.identity).toEqual(ended.identity);
    expect(renewed?.credential.expiresAtMs).toBeGreaterThan(Date.now());
  });

  it('that cannot be read is for a person to decide about', async () => {
    const authority = await TestAuthority.create();
    await plantAgent(dataDir, { held: await authority.agent('lisbon') });
    const other = await authority.agent('lisbon');
    const pem = other.privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();
    writeFileSync(identityKeyPath(dataDir, 'agent'), pem);
    const error = await rejection(runAgent(agentConfig(dataDir)));
    expect(error).toMatchObject({ code: 'FAILED_PRECONDITION', reason: 'KEY_UNREADABLE' });
    expect(error).toBeInstanceOf(DrystoneError);
    expect(readFileSync(identityKeyPath(dataDir, 'agent'), 'utf8')).toBe(pem);
  });
});

/** A clock whose sleeps are over at once. */
function hasty() {
  return { nowMs: () => Date.now(), monotonicMs: () => performance.now(), sleep: () => Promise.resolve() };
}
