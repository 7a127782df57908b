import type { AccountName } from '../../common/ids.js';
import { metadataLimits, trustLimits } from '../../common/limits.js';
import { keysAfter } from '../../common/store/keys.js';
import { keysOf } from '../../common/store/lmdb-environment.js';
import type { EnrollmentStore, NewHolder } from './contract.js';
import type { LmdbAudit } from './lmdb-audit.js';
import type { MetadataEnvironment } from './lmdb-environment.js';
import { decodeTokenKey, encodeTokenKey } from './lmdb-json-records.js';
import type { LmdbRows } from './lmdb-rows.js';
import type { LmdbTokens } from './lmdb-tokens.js';
import { changed, unchanged } from './outcome.js';
import { holderId, newAgent, newDevice, redeemable } from './redemption.js';
import { byActivation, type EnrollmentTokenRow, type NewAuditEntry, type TokenKeyRow } from './rows.js';
import { tooManyAgents, tooManyTokens, tooManyTokensOf } from './store-errors.js';

/** One-time tokens and token keys of the LMDB engine. */
export class LmdbEnrollment implements EnrollmentStore {
  constructor(
    readonly environment: MetadataEnvironment,
    readonly rows: LmdbRows,
    readonly tokens: LmdbTokens,
    readonly audit: LmdbAudit,
  ) {}

  createToken(token: EnrollmentTokenRow, audit: NewAuditEntry): Promise<void> {
    const { subject } = token;
    return this.audit.change({ audit }, () => {
      this.tokens.forgetExpired(audit.atMs);
      if (this.tokens.waiting >= trustLimits.enrollmentTokens) throw tooManyTokens();
      if (subject.kind === 'device') this.#requireRoomFor(subject.account);
      this.tokens.add(token);
      return changed();
    });
  }

  getToken(id: string): Promise<EnrollmentTokenRow | undefined> {
    return this.environment.read(() => this.tokens.get(id));
  }

  redeemToken(id: string, atMs: number, holder: NewHolder, audit: NewAuditEntry): Promise<void> {
    return this.audit.change({ tell: 'directory', audit }, () => {
      const token = redeemable(this.tokens.get(id), holder, atMs);
      this.#makeKnown(holder, atMs);
      if (token.redeemedBy !== undefined) return unchanged();
      this.tokens.redeem(token, holderId(holder));
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

  /** NOT_FOUND (ACCOUNT_UNKNOWN), RESOURCE_EXHAUSTED (OVERLOADED). */
  #requireRoomFor(account: AccountName): void {
    this.rows.knownAccount(account);
    if (this.tokens.waitingOf(account) >= trustLimits.enrollmentTokensPerAccount) throw tooManyTokensOf(account);
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
}
