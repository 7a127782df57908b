import { createPrivateKey, generateKeyPairSync, type KeyObject } from 'node:crypto';
import type { Clock } from '../../common/clock.js';
import { trustLimits } from '../../common/limits.js';
import type { Random } from '../../common/random.js';
import { rawPublicKey } from '../../common/receipt.js';
import type { MetadataStore } from '../store/contract.js';
import type { TokenKeyRow } from '../store/rows.js';
import { auditEntry } from './audit-entry.js';

const KEY_ID_BYTES = 8;

/** A key that signs access tokens, ready to be used. */
export interface SigningTokenKey {
  readonly id: string;
  readonly privateKey: KeyObject;
  /** Raw, 32 bytes. */
  readonly publicKey: Uint8Array;
  /** Milliseconds since 1970 UTC from which it signs. */
  readonly activeFromMs: number;
}

export interface TokenKeysParts {
  readonly store: Pick<MetadataStore, 'enrollment' | 'onChange'>;
  readonly clock: Clock;
  readonly random: Random;
  /** Called when `all` has changed. */
  readonly onChange: () => void;
}

/**
 * The keys that sign access tokens. One signs for `trustLimits.tokenKeyMs`. The next is made, and told to agents,
 * `trustLimits.tokenKeyNoticeMs` before it takes over, and the last is forgotten when no token that it has signed counts
 * any more: an agent that listens knows the key of every token it can be shown.
 */
export class TokenKeys {
  /** By the time from which they are active. */
  #keys: readonly SigningTokenKey[] = [];
  #lastRead: Promise<void> = Promise.resolve();

  private constructor(readonly parts: TokenKeysParts) {}

  /** Reads the keys, and makes the first. */
  static async open(parts: TokenKeysParts): Promise<TokenKeys> {
    const keys = new TokenKeys(parts);
    await keys.#read();
    parts.store.onChange(({ kind }) => {
      // What cannot be read now is read with the next change; what is here still signs.
      if (kind === 'token keys') keys.#read().catch(() => undefined);
    });
    await keys.rotate();
    return keys;
  }

  /** All that sign or will, or whose tokens still count. */
  get all(): readonly SigningTokenKey[] {
    return this.#keys;
  }

  /** The one that signs now. */
  get current(): SigningTokenKey {
    const nowMs = this.parts.clock.nowMs();
    // A clock that was set back may stand before the first: it signs all the same.
    const current = this.#keys.findLast(({ activeFromMs }) => activeFromMs <= nowMs) ?? this.#keys[0];
    if (current === undefined) throw new Error('there is no key that signs access tokens');
    return current;
  }

  /** Makes the next key when it is time, and forgets those whose tokens no longer count. */
  async rotate(): Promise<void> {
    const { store, clock } = this.parts;
    const nowMs = clock.nowMs();
    const newest = this.#keys.at(-1);
    if (newest === undefined) await this.#make(nowMs);
    else {
      const endsAtMs = newest.activeFromMs + trustLimits.tokenKeyMs;
      const noticedAtMs = nowMs + trustLimits.tokenKeyNoticeMs;
      if (noticedAtMs >= endsAtMs) await this.#make(Math.max(noticedAtMs, endsAtMs));
    }
    for (const [index, { id }] of this.#keys.entries()) {
      const successor = this.#keys[index + 1];
      if (successor !== undefined && lastTokenEndedAtMs(successor) < nowMs) await store.enrollment.removeTokenKey(id);
    }
    await this.#read();
  }

  /** Rotates the keys as time passes, until `signal` aborts. */
  async keepWatch(signal: AbortSignal, onFailure: (thrown: unknown) => void): Promise<void> {
    while (!signal.aborted) {
      await this.rotate().catch(onFailure);
      // A sleep that is interrupted is the end of the watch.
      await this.parts.clock.sleep(trustLimits.renewCheckMs, signal).catch(() => undefined);
    }
  }

  async #make(activeFromMs: number): Promise<void> {
    const { store, clock, random } = this.parts;
    const { privateKey } = generateKeyPairSync('ed25519');
    const id = random.bytes(KEY_ID_BYTES).toString('hex');
    const row: TokenKeyRow = {
      id,
      privateKey: privateKey.export({ type: 'pkcs8', format: 'der' }),
      createdAtMs: clock.nowMs(),
      activeFromMs,
    };
    const facts = { activeFrom: new Date(activeFromMs).toISOString() };
    const audit = auditEntry(clock, { kind: 'metadata' }, { action: 'token-key.create', subject: id, facts });
    await store.enrollment.putTokenKey(row, audit);
    await this.#read();
  }

  /** Readings take turns, so that the last to begin is the last to say what there is. */
  #read(): Promise<void> {
    const read = async (): Promise<void> => {
      const known = new Map(this.#keys.map((key) => [key.id, key]));
      const rows = await this.parts.store.enrollment.listTokenKeys();
      this.#keys = rows.map((row) => known.get(row.id) ?? signingKeyOf(row));
      if (rows.length !== known.size || rows.some(({ id }) => !known.has(id))) this.parts.onChange();
    };
    this.#lastRead = this.#lastRead.catch(() => undefined).then(read);
    return this.#lastRead;
  }
}

/** By when all have stopped to believe in the last token that was signed before `successor` took over. */
function lastTokenEndedAtMs(successor: SigningTokenKey): number {
  return successor.activeFromMs + trustLimits.accessTokenMs + trustLimits.accessTokenSkewMs;
}

function signingKeyOf({ id, privateKey, activeFromMs }: TokenKeyRow): SigningTokenKey {
  const key = createPrivateKey({ key: Buffer.from(privateKey), format: 'der', type: 'pkcs8' });
  return { id, privateKey: key, publicKey: rawPublicKey(key), activeFromMs };
}
