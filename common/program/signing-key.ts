import { generateKeyPairSync, type KeyObject } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { DrystoneError } from '../errors.js';
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

/**
 * Reads the private key at `path` (PEM), or makes one there (mode 0600, durable) on the first start. Raises
 * FAILED_PRECONDITION (KEY_UNREADABLE) where the file is there and holds no Ed25519 private key: its holder would become
 * somebody else, so that is for a person to decide.
 */
export async function loadOrCreateSigningKey<Id extends AgentId | DeviceId>(path: string): Promise<SigningKey<Id>> {
  let pem: string;
  try {
    pem = await readFile(path, 'utf8');
  } catch (thrown) {
    if ((thrown as NodeJS.ErrnoException).code !== 'ENOENT') throw thrown;
    pem = generateKeyPairSync('ed25519').privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();
    await writeFileDurably(path, pem, 0o600);
  }
  const privateKey = parsePrivateKey(path, pem);
  const publicKey = rawPublicKey(privateKey);
  return { id: idOfPublicKey<Id>(publicKey), privateKey, publicKey };
}

function parsePrivateKey(path: string, pem: string): KeyObject {
  let key: KeyObject | undefined;
  let cause: unknown;
  try {
    key = privateKeyOfPem(pem);
  } catch (thrown) {
    cause = thrown;
  }
  if (key?.asymmetricKeyType === 'ed25519') return key;
  const message = `${path} holds no Ed25519 private key; restore it from a backup, or delete it to start as somebody new`;
  throw new DrystoneError('FAILED_PRECONDITION', 'KEY_UNREADABLE', message, {}, { cause });
}
