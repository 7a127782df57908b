import { metadataLimits, trustLimits } from '../../common/limits.js';
import type { EnrollmentStore, NewHolder } from './contract.js';
import type { MemoryState } from './memory-state.js';
import { changed, unchanged } from './outcome.js';
import { holderId, newAgent, newDevice, redeemable } from './redemption.js';
import { byActivation, isForDeviceOf, type EnrollmentTokenRow, type NewAuditEntry, type TokenKeyRow } from './rows.js';
import { tooManyAgents, tooManyTokens, tooManyTokensOf } from './store-errors.js';

/** One-time tokens and token keys of the memory engine. */
export class MemoryEnrollment implements EnrollmentStore {
  constructor(readonly state: MemoryState) {}

  createToken(token: EnrollmentTokenRow, audit: NewAuditEntry): Promise<void> {
    const { tokens } = this.state;
    const { subject } = token;
    return this.state.change({ audit }, () => {
      const all = [...tokens.values()];
      const waiting = all.filter(({ expiresAtMs, redeemedBy }) => expiresAtMs > audit.atMs && redeemedBy === undefined);
      if (waiting.length >= trustLimits.enrollmentTokens) throw tooManyTokens();
      if (subject.kind === 'device') {
        this.state.knownAccount(subject.account);
        const ofAccount = waiting.filter((other) => isForDeviceOf(other, subject.account));
        if (ofAccount.length >= trustLimits.enrollmentTokensPerAccount) throw tooManyTokensOf(subject.account);
      }
      for (const { id, expiresAtMs } of all) if (expiresAtMs <= audit.atMs) tokens.delete(id);
      tokens.set(token.id, token);
      return changed();
    });
  }

  getToken(id: string): Promise<EnrollmentTokenRow | undefined> {
    return this.state.run(() => this.state.tokens.get(id));
  }

  redeemToken(id: string, atMs: number, holder: NewHolder, audit: NewAuditEntry): Promise<void> {
    const { tokens } = this.state;
    return this.state.change({ tell: 'directory', audit }, () => {
      const token = redeemable(tokens.get(id), holder, atMs);
      this.#makeKnown(holder, atMs);
      if (token.redeemedBy !== undefined) return unchanged();
      tokens.set(id, { ...token, redeemedBy: holderId(holder) });
      return changed();
    });
  }

  putTokenKey(key: TokenKeyRow, audit: NewAuditEntry): Promise<void> {
    const { tokenKeys } = this.state;
    return this.state.change({ tell: 'token keys', audit }, () => {
      if (tokenKeys.has(key.id)) return unchanged();
      tokenKeys.set(key.id, key);
      return changed();
    });
  }

  removeTokenKey(id: string): Promise<void> {
    return this.state.change({ tell: 'token keys' }, () => (this.state.tokenKeys.delete(id) ? changed() : unchanged()));
  }

  listTokenKeys(): Promise<readonly TokenKeyRow[]> {
    return this.state.run(() => [...this.state.tokenKeys.values()].sort(byActivation));
  }

  #makeKnown(holder: NewHolder, atMs: number): void {
    const { agents, devices } = this.state;
    if (holder.kind === 'device') {
      const row = newDevice(devices.get(holder.device.id), holder, atMs);
      if (row !== undefined) devices.set(row.id, row);
      return;
    }
    const row = newAgent(agents.get(holder.agent.id), holder, atMs);
    if (row === undefined) return;
    if (agents.size >= metadataLimits.agents) throw tooManyAgents();
    agents.set(row.id, row);
  }
}
