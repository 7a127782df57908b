import { generateKeyPairSync, type KeyObject } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { idOfPublicKey, type AgentId, type DeviceId } from '../ids.js';
import { writeFileDurably } from '../files/durable-file.js';
import { privateKeyOfPem, rawPublicKey } from '../receipt.js';

/** An Ed25519 key pair and the id that follows from it. */
export interface SigningKey<Id extends AgentId | DeviceId> {
  readonly id: Id;
  readonly privateKey: KeyObject;
  /** Raw, 32 bytes. */
  readonly publicKey: Buffer;
}

/** Reads the private key at `path` (PEM), or makes one there (mode 0600, durable) on the first start. */
export async function loadOrCreateSigningKey<Id extends AgentId | DeviceId>(path: string): Promise<SigningKey<Id>> {
  let pem: string;
  try {
    pem = await readFile(path, 'utf8');
  } catch (thrown) {
    if ((thrown as NodeJS.ErrnoException).code !== 'ENOENT') throw thrown;
    pem = generateKeyPairSync('ed25519').privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();
    await writeFileDurably(path, pem, 0o600);
  }
  const privateKey = privateKeyOfPem(pem);
  const publicKey = rawPublicKey(privateKey);
  return { id: idOfPublicKey<Id>(publicKey), privateKey, publicKey };
}
