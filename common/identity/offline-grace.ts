import type { Clock } from '../clock.js';
import { trustLimits } from '../limits.js';

/** As of when a verifier of access tokens judges whether they have ended. */
export interface TokenTime {
  /** Milliseconds since 1970 UTC; undefined where no token, and no key that signs them, counts any more. */
  readonly judgedAtMs: number | undefined;
}

/** When metadata was last heard. */
export interface LastWord {
  /** Milliseconds since 1970 UTC, by our clock; undefined where it never was. */
  readonly atMs: number | undefined;
}

/** Judges tokens as of now. */
export function judgedNow(clock: Clock): TokenTime {
  return {
    get judgedAtMs() {
      return clock.nowMs();
    },
  };
}

/**
 * Judges tokens as of the last word from metadata: who is cut off from it goes on taking those that had not ended when it
 * was last heard, because their holders can get no others, and whoever was heard just now takes none that have ended.
 * `trustLimits.offlineGraceMs` after the last word that is over, for keys and tokens alike: by then somebody may have been
 * shut out for long.
 */
export function judgedAtLastWord(clock: Clock, lastWord: LastWord): TokenTime {
  return {
    get judgedAtMs() {
      const { atMs } = lastWord;
      const nowMs = clock.nowMs();
      if (atMs === undefined || nowMs - atMs > trustLimits.offlineGraceMs) return undefined;
      return Math.min(atMs, nowMs);
    },
  };
}
