import { join } from 'node:path';
import * as v from 'valibot';
import type { TextKeeper } from '../../common/files/text-keeper.js';
import type { TokenKey } from '../../common/identity/access-tokens.js';
import { parseNamespaceId, type NamespaceId } from '../../common/ids.js';
import { KeptJson } from './kept-json.js';

/** An access token as metadata issued it, with what others' tokens are verified with. */
export interface IssuedToken {
  readonly namespaceId: NamespaceId;
  readonly token: string;
  /** Milliseconds since 1970 UTC, by metadata's clock. */
  readonly expiresAtMs: number;
  readonly tokenKeys: readonly TokenKey[];
}

/** Where a folder's state keeps the last access token. */
export interface TokenKeeper {
  /** The last token that was kept, if any. */
  read(): Promise<IssuedToken | undefined>;
  /** Durable when the promise resolves. */
  keep(issued: IssuedToken): Promise<void>;
}

const fileSchema = v.object({
  namespaceId: v.string(),
  token: v.string(),
  expiresAtMs: v.pipe(v.number(), v.safeInteger()),
  tokenKeys: v.array(v.object({ id: v.string(), publicKey: v.string() })),
});

/** Keeps it in `stateDirectory` (docs/storage-format.md). */
export function tokenKeeperIn(stateDirectory: string, texts: TextKeeper): TokenKeeper {
  const file = new KeptJson(texts, join(stateDirectory, 'access-token.json'), (json): IssuedToken => {
    const { namespaceId, tokenKeys, ...rest } = v.parse(fileSchema, json);
    return {
      ...rest,
      namespaceId: parseNamespaceId('namespaceId', namespaceId),
      tokenKeys: tokenKeys.map(({ id, publicKey }) => ({ id, publicKey: Buffer.from(publicKey, 'base64') })),
    };
  });
  return {
    read: () => file.read(),
    keep({ tokenKeys, ...issued }) {
      const keys = tokenKeys.map(({ id, publicKey }) => ({
        id,
        publicKey: Buffer.from(publicKey).toString('base64'),
      }));
      return file.keep({ ...issued, tokenKeys: keys });
    },
  };
}
