import type { ByteBudget } from '../common/concurrency/byte-budget.js';
import { overloaded } from '../common/errors.js';
import type { AccountName, DeviceId } from '../common/ids.js';
import { blockServerLimits } from '../common/limits.js';
import type { BlockMethod } from './block-metrics.js';

/** A stream's place among those that a server has open. */
export interface OpenStream {
  /** Gives the place back. Idempotent. */
  leave(): void;
}

/** Whose a stream is. */
export interface StreamHolder {
  readonly account: AccountName;
  readonly device: DeviceId;
}

/** Why a stream was refused: all places are taken, or all that one account or device may have. */
export type StreamRefusal = 'streams' | 'streams_of_account' | 'streams_of_device';

interface TakenPlace {
  readonly account: AccountName;
  readonly device: DeviceId;
  readonly budget: ByteBudget;
}

/** Knows the streams that a block server has open, refuses more than it can serve, and sums up what they have in flight. */
export class OpenStreams {
  readonly #places = { put: new Set<TakenPlace>(), get: new Set<TakenPlace>(), has: new Set<TakenPlace>() };

  /** @param onRefusal told of each stream refused. */
  constructor(readonly onRefusal: (cause: StreamRefusal) => void) {}

  /**
   * Takes a place for a stream with this budget; RESOURCE_EXHAUSTED (OVERLOADED) where all are taken, or all that the
   * holder's account or device may have.
   */
  enter(method: BlockMethod, { account, device }: StreamHolder, budget: ByteBudget): OpenStream {
    const places = this.#places[method];
    const { streamsPerMethod, streamsPerAccount, streamsPerDevice } = blockServerLimits;
    const count = (isOf: (place: TakenPlace) => boolean): number => [...places].filter(isOf).length;
    if (places.size >= streamsPerMethod)
      this.#refuse('streams', `this server has ${places.size} ${method} streams open`);
    if (count((place) => place.account === account) >= streamsPerAccount) {
      this.#refuse('streams_of_account', `account ${account} has ${streamsPerAccount} ${method} streams open here`);
    }
    if (count((place) => place.device === device) >= streamsPerDevice) {
      this.#refuse('streams_of_device', `this device has ${streamsPerDevice} ${method} streams open here`);
    }
    const place = { account, device, budget };
    places.add(place);
    return { leave: () => void places.delete(place) };
  }

  /** Streams open now. */
  count(method: BlockMethod): number {
    return this.#places[method].size;
  }

  /** What the budgets of the open streams have granted. */
  bytesInFlight(method: BlockMethod): number {
    let bytes = 0;
    for (const { budget } of this.#places[method]) bytes += budget.usedBytes;
    return bytes;
  }

  #refuse(cause: StreamRefusal, why: string): never {
    this.onRefusal(cause);
    throw overloaded(why, blockServerLimits.overloadedRetryMs);
  }
}
