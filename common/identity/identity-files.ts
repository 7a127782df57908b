import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { DrystoneError } from '../errors.js';
import { writeFileDurably } from '../files/durable-file.js';
import { privateKeyOfPem } from '../receipt.js';
import { identityOfCertificate, readCertificate } from './certificate-facts.js';
import { credentialOf, HeldIdentity, type Credential } from './held-identity.js';

/** Whose identity a directory holds, and how its files are called: NAME.key, NAME.crt and fleet-ca.crt beside them. */
export type IdentityName = 'agent' | 'device';

const TRUSTED_FILE = 'fleet-ca.crt';

/** The path of the private key, PEM. */
export function identityKeyPath(dir: string, name: IdentityName): string {
  return join(dir, `${name}.key`);
}

/**
 * Reads an identity from its directory; undefined where it has no certificate yet. FAILED_PRECONDITION (KEY_UNREADABLE)
 * where its files cannot be read or do not belong together.
 */
export async function loadIdentity(dir: string, name: IdentityName): Promise<HeldIdentity | undefined> {
  const chain = await readIfThere(join(dir, `${name}.crt`));
  if (chain === undefined) return undefined;
  const [trusted, keyPem] = await Promise.all([
    readIfThere(join(dir, TRUSTED_FILE)),
    readIfThere(identityKeyPath(dir, name)),
  ]);
  if (trusted === undefined || keyPem === undefined) throw unreadable(dir, name, 'one of them is missing');
  try {
    const certificate = readCertificate(chain);
    const privateKey = privateKeyOfPem(keyPem);
    const identity = identityOfCertificate(certificate.raw);
    if (identity?.kind !== name || !certificate.checkPrivateKey(privateKey)) {
      throw new Error('the certificate is not that of the key');
    }
    readCertificate(trusted);
    return new HeldIdentity(identity, privateKey, credentialOf(chain, trusted));
  } catch (thrown) {
    throw unreadable(dir, name, thrown instanceof Error ? thrown.message : String(thrown), thrown);
  }
}

/**
 * Keeps a credential in the directory (0600), so that {@link loadIdentity} finds it from now on. Durable when the promise
 * resolves; after a crash the certificate is the old or the new one, whole.
 */
export async function storeCredential(dir: string, name: IdentityName, credential: Credential): Promise<void> {
  await writeFileDurably(join(dir, TRUSTED_FILE), credential.trustedCertificates, 0o600);
  await writeFileDurably(join(dir, `${name}.crt`), credential.certificateChain, 0o600);
}

async function readIfThere(path: string): Promise<string | undefined> {
  try {
    return await readFile(path, 'utf8');
  } catch (thrown) {
    if ((thrown as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw thrown;
  }
}

function unreadable(dir: string, name: IdentityName, problem: string, cause?: unknown): DrystoneError {
  const files = `${name}.key, ${name}.crt and ${TRUSTED_FILE} in ${dir}`;
  const advice = `restore them from a backup, or delete ${name}.crt and join again with a new one-time token`;
  const message = `${files} do not hold an identity (${problem}); ${advice}`;
  return new DrystoneError('FAILED_PRECONDITION', 'KEY_UNREADABLE', message, {}, { cause });
}
