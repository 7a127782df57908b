import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { TokenKey } from '../../../common/identity/access-tokens.js';
import type { HeldIdentity } from '../../../common/identity/held-identity.js';
import { identityKeyPath, storeCredential } from '../../../common/identity/identity-files.js';
import { openDataDirectory } from '../../../common/program/data-directory.js';
import type { NamespaceId } from '../../../common/ids.js';

/** What an agent has in its data directory when it has been part of a fleet. */
export interface PlantedAgent {
  readonly held: HeldIdentity;
  readonly tokenKeys?: readonly TokenKey[];
  readonly namespaces?: readonly NamespaceId[];
}

/** Makes the data directory of an agent that has joined, and that metadata has told this. */
export async function plantAgent(dir: string, { held, tokenKeys = [], namespaces = [] }: PlantedAgent): Promise<void> {
  const directory = await openDataDirectory({ path: dir, program: 'agent', formatVersion: 1 });
  await directory.release();
  writeFileSync(identityKeyPath(dir, 'agent'), held.privateKey.export({ type: 'pkcs8', format: 'pem' }));
  await storeCredential(dir, 'agent', held.credential);
  const keys = tokenKeys.map(({ id, publicKey }) => ({ id, publicKey: Buffer.from(publicKey).toString('base64url') }));
  writeFileSync(join(dir, 'token-keys.json'), JSON.stringify({ keys }));
  writeFileSync(join(dir, 'last-word.json'), JSON.stringify({ heardAtMs: Date.now() }));
  const assigned = namespaces.map((id) => ({ id, name: `n${id}`, epoch: 1 }));
  writeFileSync(join(dir, 'assignments.json'), JSON.stringify({ namespaces: assigned }));
}
