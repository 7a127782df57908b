import { metadataLimits, trustLimits } from '../../common/limits.js';
import type { EnrollmentStore, NewHolder } from './contract.js';
import type { LmdbAudit } from './lmdb-audit.js';
import { keysOf, type LmdbEnvironment } from './lmdb-environment.js';
import { decodeToken, decodeTokenKey, encodeToken, encodeTokenKey } from './lmdb-json-records.js';
import { expiryKey, idAtEnd, keysAfter, keysExpiredBy } from './lmdb-keys.js';
import type { LmdbRows } from './lmdb-rows.js';
import { changed, unchanged } from './outcome.js';
import { holderId, newAgent, newDevice, redeemable } from './redemption.js';
import { byActivation, type EnrollmentTokenRow, type NewAuditEntry, type TokenKeyRow } from './rows.js';
import { tooManyAgents, tooManyTokens } from './store-errors.js';

const NOTHING = Buffer.alloc(0);

/** One-time tokens and token keys of the LMDB engine. */
export class LmdbEnrollment implements EnrollmentStore {
  constructor(
    readonly environment: LmdbEnvironment,
    readonly rows: LmdbRows,
    readonly audit: LmdbAudit,
  ) {}

  createToken(token: EnrollmentTokenRow, audit: NewAuditEntry): Promise<void> {
    const { tokens, tokenExpiries } = this.environment.trees;
    return this.audit.change({ audit }, () => {
      if (token.subject.kind === 'device') this.rows.knownAccount(token.subject.account);
      this.#forgetExpired(audit.atMs);
      const waiting = this.rows.counter('waitingTokens');
      if (waiting >= trustLimits.enrollmentTokens) throw tooManyTokens();
      const key = tokenKey(token.id);
      void tokens.put(key, encodeToken(token));
      void tokenExpiries.put(expiryKey(token.expiresAtMs, key), NOTHING);
      this.rows.putCounter('waitingTokens', waiting + 1);
      return changed();
    });
  }

  getToken(id: string): Promise<EnrollmentTokenRow | undefined> {
    return this.environment.read(() => this.#token(id));
  }

  redeemToken(id: string, atMs: number, holder: NewHolder, audit: NewAuditEntry): Promise<void> {
    return this.audit.change({ tell: 'directory', audit }, () => {
      const token = redeemable(this.#token(id), holder, atMs);
      this.#makeKnown(holder, atMs);
      if (token.redeemedBy !== undefined) return unchanged();
      void this.environment.trees.tokens.put(tokenKey(id), encodeToken({ ...token, redeemedBy: holderId(holder) }));
      this.rows.putCounter('waitingTokens', this.rows.counter('waitingTokens') - 1);
      return changed();
    });
  }

  putTokenKey(key: TokenKeyRow, audit: NewAuditEntry): Promise<void> {
    const { tokenKeys } = this.environment.trees;
    return this.audit.change({ tell: 'token keys', audit }, () => {
      const id = Buffer.from(key.id);
      if (tokenKeys.doesExist(id)) return unchanged();
      void tokenKeys.put(id, encodeTokenKey(key));
      return changed();
    });
  }

  removeTokenKey(id: string): Promise<void> {
    const { tokenKeys } = this.environment.trees;
    return this.audit.change({ tell: 'token keys' }, () => {
      const key = Buffer.from(id);
      if (!tokenKeys.doesExist(key)) return unchanged();
      void tokenKeys.remove(key);
      return changed();
    });
  }

  listTokenKeys(): Promise<readonly TokenKeyRow[]> {
    const { tokenKeys } = this.environment.trees;
    return this.environment.read(() => {
      const rows = keysOf(tokenKeys, keysAfter(undefined)).flatMap((key) => {
        const value = tokenKeys.getBinaryFast(key);
        return value === undefined ? [] : [decodeTokenKey(Buffer.from(key).toString(), value)];
      });
      return rows.sort(byActivation);
    });
  }

  #token(id: string): EnrollmentTokenRow | undefined {
    const value = this.environment.trees.tokens.getBinaryFast(tokenKey(id));
    return value === undefined ? undefined : decodeToken(id, value);
  }

  #makeKnown(holder: NewHolder, atMs: number): void {
    if (holder.kind === 'device') {
      const row = newDevice(this.rows.device(holder.device.id), holder, atMs);
      if (row !== undefined) this.rows.putDevice(row);
      return;
    }
    const agent = newAgent(this.rows.agent(holder.agent.id)?.agent, holder, atMs);
    if (agent !== undefined) this.rows.putAgent({ number: this.#nextAgentNumber(), agent });
  }

  #nextAgentNumber(): number {
    const number = this.rows.counter('agents') + 1;
    if (number > metadataLimits.agents) throw tooManyAgents();
    this.rows.putCounter('agents', number);
    return number;
  }

  #forgetExpired(atMs: number): void {
    const { tokens, tokenExpiries } = this.environment.trees;
    let waiting = this.rows.counter('waitingTokens');
    for (const key of keysOf(tokenExpiries, keysExpiredBy(atMs))) {
      const id = idAtEnd<string>(key);
      if (this.#token(id)?.redeemedBy === undefined) waiting--;
      void tokens.remove(tokenKey(id));
      void tokenExpiries.remove(key);
    }
    this.rows.putCounter('waitingTokens', waiting);
  }
}

function tokenKey(id: string): Buffer {
  return Buffer.from(id, 'hex');
}
