import { peerLimits } from '../../../common/limits.js';

/** The weight of the newest measurement. */
const NEWEST_SHARE = 0.5;

/** How fast a source sends while it owes something; recent measurements count more. */
export class TransferRate {
  #bytesPerSecond: number | undefined;
  #sinceMs = 0;
  #bytes = 0;

  /** Undefined until enough has come. */
  get bytesPerSecond(): number | undefined {
    return this.#bytesPerSecond;
  }

  /** It has begun to owe something. */
  begin(nowMs: number): void {
    this.#sinceMs = nowMs;
    this.#bytes = 0;
  }

  /** So much has come. */
  received(bytes: number, nowMs: number): void {
    this.#bytes += bytes;
    const tookMs = nowMs - this.#sinceMs;
    if (tookMs < peerLimits.rateMs || this.#bytes < peerLimits.rateBytes) return;
    const measured = (this.#bytes / tookMs) * 1000;
    this.#bytesPerSecond =
      this.#bytesPerSecond === undefined
        ? measured
        : NEWEST_SHARE * measured + (1 - NEWEST_SHARE) * this.#bytesPerSecond;
    this.begin(nowMs);
  }
}
