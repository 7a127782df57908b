import { mkdirSync, writeFileSync } from 'node:fs';
import type { HeldIdentity } from '../../../common/identity/held-identity.js';
import { identityKeyPath, storeCredential } from '../../../common/identity/identity-files.js';

/** Makes `home` the home of a device, as if it had logged in. */
export async function furnishHome(home: string, held: HeldIdentity): Promise<void> {
  mkdirSync(home, { recursive: true });
  writeFileSync(identityKeyPath(home, 'device'), held.privateKey.export({ type: 'pkcs8', format: 'pem' }));
  await storeCredential(home, 'device', held.credential);
}
