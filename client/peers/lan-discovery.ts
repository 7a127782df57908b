import { isIPv4 } from 'node:net';
import multicastDns, { type MulticastDNS } from 'multicast-dns';
import { isWildcardHost, parseHostPort } from '../../common/address.js';
import type { Clock } from '../../common/clock.js';
import type { DeviceId, NamespaceId } from '../../common/ids.js';
import { peerLimits } from '../../common/limits.js';
import type { Logger } from '../../common/logging.js';
import {
  announcementOf,
  readAnnouncement,
  SERVICE_NAME,
  type LanEndpoint,
  type LanRecord,
} from './lan-announcement.js';
import type { FoundPeer } from './peer-directory.js';

/** Finds endpoints on the local network without asking anybody else. */
export interface LanDiscovery {
  /**
   * Says on the network that this endpoint gives blocks at HOST:PORT, and tells `onFound` who else does, whole, whenever that
   * changes. Returns what ends it. Where the network does not carry it nothing is found; that is no error.
   */
  start(address: string, onFound: (found: readonly FoundPeer[]) => void): () => void;
}

export interface LanDiscoveryOptions {
  readonly namespaceId: NamespaceId;
  readonly deviceId: DeviceId;
  readonly clock: Clock;
  readonly logger: Pick<Logger, 'warn'>;
  /** UDP; that of multicast DNS unless a test has a network of its own. */
  readonly port?: number;
}

/** Discovery by multicast DNS (RFC 6762), over IPv4. */
export function multicastDiscovery(options: LanDiscoveryOptions): LanDiscovery {
  return { start: (address, onFound) => startAnnouncing(options, address, onFound) };
}

function startAnnouncing(
  options: LanDiscoveryOptions,
  listening: string,
  onFound: (found: readonly FoundPeer[]) => void,
): () => void {
  const { clock, logger, port } = options;
  const ended = new AbortController();
  const mdns = multicastDns({ ...networkOf(listening), ...(port === undefined ? {} : { port }) });
  const heard = new HeardEndpoints(options, onFound);
  const say = (ttl: number): void => mdns.respond(announcementOf({ ...options, listening, ttl }));
  mdns.on('error', (error: Error) => logger.warn({ err: error }, 'this network cannot be asked who gives blocks'));
  // A packet that cannot be read, or an interface that has gone: others are heard all the same.
  mdns.on('warning', () => undefined);
  mdns.on('query', ({ questions = [] }) => {
    if (questions.some(({ name }) => name === SERVICE_NAME)) say(peerLimits.lanTtlSeconds);
  });
  mdns.on('response', ({ answers = [], additionals = [] }, { address }) =>
    heard.take([...answers, ...additionals], address),
  );
  const keepAsking = async (): Promise<void> => {
    while (!ended.signal.aborted) {
      mdns.query(SERVICE_NAME, 'PTR');
      say(peerLimits.lanTtlSeconds);
      await clock.sleep(peerLimits.lanAskMs, ended.signal).catch(() => undefined);
      heard.forgetOld();
    }
  };
  mdns.on('ready', () => void keepAsking());
  return () => {
    ended.abort();
    leave(mdns, () => say(0));
  };
}

/** Every interface where it listens on all addresses, else the one that it listens on: that of the loopback says nothing abroad. */
function networkOf(listening: string): { readonly interface?: string; readonly bind?: string } {
  const { host } = parseHostPort('listen', listening);
  return isIPv4(host) && !isWildcardHost(host) ? { interface: host, bind: '0.0.0.0' } : {};
}

/** Takes back what was said, then closes the socket. */
function leave(mdns: MulticastDNS, sayLast: () => void): void {
  sayLast();
  // What is said goes out before this turn's timers.
  setImmediate(() => mdns.destroy());
}

interface Heard extends LanEndpoint {
  readonly untilMs: number;
}

/** Whom a network has told of, each for as long as it asked to be believed. */
class HeardEndpoints {
  readonly #heard = new Map<DeviceId, Heard>();

  constructor(
    private readonly options: LanDiscoveryOptions,
    private readonly onFound: (found: readonly FoundPeer[]) => void,
  ) {}

  take(records: readonly { readonly type: string }[], sender: string): void {
    const { namespaceId, deviceId: self, clock } = this.options;
    const found = readAnnouncement(records.flatMap(recordOf), sender, namespaceId);
    if (found === undefined || found.deviceId === self) return;
    const { deviceId, address, ttl } = found;
    const known = this.#heard.get(deviceId);
    const isNew = known?.address !== address;
    if (ttl === 0) {
      if (this.#heard.delete(deviceId)) this.#tell();
      return;
    }
    if (known === undefined && this.#heard.size >= peerLimits.known) return;
    const seconds = Math.min(ttl, peerLimits.lanTtlSeconds);
    this.#heard.set(deviceId, { deviceId, address, untilMs: clock.monotonicMs() + seconds * 1000 });
    if (isNew) this.#tell();
  }

  forgetOld(): void {
    const nowMs = this.options.clock.monotonicMs();
    const old = [...this.#heard.values()].filter(({ untilMs }) => untilMs <= nowMs);
    for (const { deviceId } of old) this.#heard.delete(deviceId);
    if (old.length > 0) this.#tell();
  }

  #tell(): void {
    this.onFound(
      [...this.#heard.values()].map(({ deviceId, address }) => ({ deviceId, addresses: [address], isNear: true })),
    );
  }
}

/** A record as it came off the network, where it is one that an announcement has. */
function recordOf(record: { readonly type: string }): LanRecord[] {
  if (record.type === 'TXT') {
    const { data, ...rest } = record as {
      type: 'TXT';
      name: string;
      ttl: number;
      data: string | Uint8Array | unknown[];
    };
    const words = Array.isArray(data) ? data : [data];
    return [{ ...rest, data: words.map((word) => Buffer.from(word as Uint8Array).toString('utf8')) }];
  }
  return record.type === 'PTR' || record.type === 'SRV' ? [record as LanRecord] : [];
}
