import { writeFile } from 'node:fs/promises';
import {
  identityKeyPath,
  loadIdentity,
  storeCredential,
  type IdentityName,
} from '../../../common/identity/identity-files.js';
import { mutualTls, type TransportCredentials } from '../../../common/rpc/transport-credentials.js';
import { loopbackCredentials } from '../../support/trust/loopback-credentials.js';
import { TestAuthority } from '../../support/trust/test-authority.js';
import type { AgentId } from '../../../common/ids.js';

/** Makes an agent that serves and a device that calls, of one fleet, and puts both into `dir`. */
export async function createStreamIdentities(dir: string): Promise<void> {
  const authority = await TestAuthority.create();
  for (const name of ['agent', 'device'] as const) {
    const held = await authority[name]();
    await writeFile(identityKeyPath(dir, name), held.privateKey.export({ type: 'pkcs8', format: 'pem' }));
    await storeCredential(dir, name, held.credential);
  }
}

/** The credentials of one of them through common/rpc; without a directory, those of nobody, without TLS. */
export async function streamTransport(dir: string | undefined, name: IdentityName): Promise<TransportCredentials> {
  return dir === undefined ? loopbackCredentials() : mutualTls(await identityIn(dir, name));
}

/** Whom a caller expects to find. */
export async function streamServerId(dir: string | undefined): Promise<AgentId | 'metadata'> {
  if (dir === undefined) return 'metadata';
  const { identity } = await identityIn(dir, 'agent');
  return identity.kind === 'agent' ? identity.agentId : 'metadata';
}

async function identityIn(dir: string, name: IdentityName) {
  const held = await loadIdentity(dir, name);
  if (held === undefined) throw new Error(`there is no ${name} in ${dir}`);
  return held;
}
