import { credentials, ServerCredentials, type ChannelCredentials } from '@grpc/grpc-js';
import { loadIdentity, type IdentityName } from '../../../common/identity/identity-files.js';

/** The credentials of grpc-js itself: none, or mutual TLS with the identities in a directory. */
export async function rawServerCredentials(identityDir: string | undefined): Promise<ServerCredentials> {
  if (identityDir === undefined) return ServerCredentials.createInsecure();
  const { trusted, key, chain } = await pemsOf(identityDir, 'agent');
  return ServerCredentials.createSsl(trusted, [{ private_key: key, cert_chain: chain }], true);
}

/** The same, of the calling half; of the server it verifies the chain and nothing else. */
export async function rawChannelCredentials(identityDir: string | undefined): Promise<ChannelCredentials> {
  if (identityDir === undefined) return credentials.createInsecure();
  const { trusted, key, chain } = await pemsOf(identityDir, 'device');
  return credentials.createSsl(trusted, key, chain, { checkServerIdentity: () => undefined });
}

async function pemsOf(dir: string, name: IdentityName): Promise<Record<'trusted' | 'key' | 'chain', Buffer>> {
  const held = await loadIdentity(dir, name);
  if (held === undefined) throw new Error(`there is no ${name} in ${dir}`);
  return {
    trusted: Buffer.from(held.credential.trustedCertificates),
    key: Buffer.from(held.privateKey.export({ type: 'pkcs8', format: 'pem' })),
    chain: Buffer.from(held.credential.certificateChain),
  };
}
