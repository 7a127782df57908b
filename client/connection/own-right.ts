import { DrystoneError } from '../../common/errors.js';
import { includesRight } from '../../common/identity/access-right.js';
import { grantIn } from '../../common/identity/access-tokens.js';
import type { NamespaceId } from '../../common/ids.js';
import type { AccessTokens } from './access-tokens.js';

/**
 * This device's access token, where it gives the right to change the namespace; PERMISSION_DENIED (ROLE_INSUFFICIENT) where it
 * does not. Raises the errors of `tokenFor`.
 */
export async function writersToken(tokens: Pick<AccessTokens, 'tokenFor'>, namespaceId: NamespaceId): Promise<string> {
  const token = await tokens.tokenFor(namespaceId);
  if (includesRight(grantIn(token).namespaces.get(namespaceId), 'write')) return token;
  const message =
    'this device may only read the namespace: its word is not for others to go by; ask an owner to make you an editor';
  throw new DrystoneError('PERMISSION_DENIED', 'ROLE_INSUFFICIENT', message);
}
