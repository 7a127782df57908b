import { AbortableWaits } from '../common/concurrency/abortable-waits.js';
import type { StreamAccess } from './block-access.js';

/** A stream's requests, until its access token ends: then UNAUTHENTICATED (TOKEN_EXPIRED) is raised, even in mid-wait. */
export async function* whileValid<T>(
  access: StreamAccess,
  requests: AsyncIterable<T>,
): AsyncGenerator<T, void, undefined> {
  const expired = new AbortController();
  const waits = new AbortableWaits(expired.signal);
  const source = requests[Symbol.asyncIterator]();
  const endWatch = access.whenExpired((error) => expired.abort(error));
  try {
    for (;;) {
      const next = await waits.until(source.next());
      if (next === undefined) throw expired.signal.reason;
      if (next.done === true) return;
      yield next.value;
    }
  } finally {
    waits.end();
    endWatch();
    // Not waited for: a source that has nothing to give would keep the stream open.
    source.return?.().catch(() => undefined);
  }
}
