import type { AccountName, AgentId, DeviceId } from '../../common/ids.js';
import { keysWithPrefix } from '../../common/store/keys.js';
import { keysOf } from '../../common/store/lmdb-environment.js';
import type { Trees } from './lmdb-environment.js';
import { decodeToken, encodeToken } from './lmdb-json-records.js';
import { expiryKey, idAtEnd, keyOfAccount, keysExpiredBy } from './lmdb-keys.js';
import type { LmdbRows } from './lmdb-rows.js';
import type { EnrollmentTokenRow } from './rows.js';

const NOTHING = Buffer.alloc(0);

/** One-time tokens of the LMDB engine with the indexes that go with them: all of it for use inside a read or a write. */
export class LmdbTokens {
  constructor(
    readonly trees: Trees,
    readonly rows: LmdbRows,
  ) {}

  get(id: string): EnrollmentTokenRow | undefined {
    const value = this.trees.tokens.getBinaryFast(keyOf(id));
    return value === undefined ? undefined : decodeToken(id, value);
  }

  /** Tokens that nobody has redeemed. */
  get waiting(): number {
    return this.rows.counter('waitingTokens');
  }

  /** Those of them that are for devices of an account. */
  waitingOf(account: AccountName): number {
    return this.#keysOf(account).length;
  }

  /** Keeps one that nobody has redeemed. */
  add(token: EnrollmentTokenRow): void {
    const { tokens, tokenExpiries, accountTokens } = this.trees;
    const { subject } = token;
    const key = keyOf(token.id);
    void tokens.put(key, encodeToken(token));
    void tokenExpiries.put(expiryKey(token.expiresAtMs, key), NOTHING);
    if (subject.kind === 'device') void accountTokens.put(keyOfAccount(subject.account, key), NOTHING);
    this.rows.putCounter('waitingTokens', this.waiting + 1);
  }

  /** From now on it is known by whom. */
  redeem(token: EnrollmentTokenRow, redeemedBy: AgentId | DeviceId): void {
    void this.trees.tokens.put(keyOf(token.id), encodeToken({ ...token, redeemedBy }));
    this.#waitsNoMore(token);
  }

  forgetExpired(atMs: number): void {
    for (const key of keysOf(this.trees.tokenExpiries, keysExpiredBy(atMs))) this.#forget(idAtEnd(key));
  }

  /** Forgets those that wait for devices of an account. */
  forgetWaitingOf(account: AccountName): void {
    for (const key of this.#keysOf(account)) this.#forget(idAtEnd(key));
  }

  #keysOf(account: AccountName): Uint8Array[] {
    return keysOf(this.trees.accountTokens, keysWithPrefix(keyOfAccount(account)));
  }

  #forget(id: string): void {
    const token = this.get(id);
    if (token === undefined) throw new Error(`an index names the one-time token ${id}, which is not there`);
    void this.trees.tokens.remove(keyOf(id));
    void this.trees.tokenExpiries.remove(expiryKey(token.expiresAtMs, keyOf(id)));
    if (token.redeemedBy === undefined) this.#waitsNoMore(token);
  }

  #waitsNoMore({ id, subject }: EnrollmentTokenRow): void {
    if (subject.kind === 'device') void this.trees.accountTokens.remove(keyOfAccount(subject.account, keyOf(id)));
    this.rows.putCounter('waitingTokens', this.waiting - 1);
  }
}

function keyOf(id: string): Buffer {
  return Buffer.from(id, 'hex');
}
