import * as v from 'valibot';
import type { AccessTokenVerifier, TokenKey } from '../common/identity/access-tokens.js';
import type { TextKeeper } from '../common/files/text-keeper.js';
import { KeptFile } from './kept-file.js';

const fileSchema = v.object({ keys: v.array(v.object({ id: v.string(), publicKey: v.string() })) });

/**
 * The keys with which access tokens are signed, as metadata last said, kept in a file: an agent that starts while metadata
 * is away still knows whom to believe.
 */
export class KeptTokenKeys {
  private constructor(
    private readonly file: KeptFile,
    private readonly verifier: Pick<AccessTokenVerifier, 'replaceKeys'>,
  ) {}

  /**
   * Reads the file at `path`, where there is one, and puts its keys in force at `verifier`. INTERNAL (STORE_FAILED) where
   * it cannot be understood.
   */
  static async load(
    path: string,
    verifier: Pick<AccessTokenVerifier, 'replaceKeys'>,
    keeper?: TextKeeper,
  ): Promise<KeptTokenKeys> {
    const putInForce = (json: unknown): void => {
      const { keys } = v.parse(fileSchema, json);
      verifier.replaceKeys(keys.map(({ id, publicKey }) => ({ id, publicKey: Buffer.from(publicKey, 'base64url') })));
    };
    const { file } = await KeptFile.load(path, 'them', putInForce, keeper);
    return new KeptTokenKeys(file, verifier);
  }

  get path(): string {
    return this.file.path;
  }

  /**
   * Takes over what metadata says now, at once; durable when the promise resolves. Where it cannot be written it is in
   * force all the same, and the next call tries again. INVALID_ARGUMENT where they are too many or no keys; then those
   * before them stay in force. To be called one at a time.
   */
  async replace(keys: readonly TokenKey[]): Promise<void> {
    this.verifier.replaceKeys(keys);
    await this.file.keep({
      keys: keys.map(({ id, publicKey }) => ({ id, publicKey: Buffer.from(publicKey).toString('base64url') })),
    });
  }
}
