import { createHmac } from 'node:crypto';
import { formatHostPort, isWildcardHost, parseHostPort } from '../../common/address.js';
import { idBytes, parseDeviceId, type DeviceId, type NamespaceId } from '../../common/ids.js';

/** What endpoints call themselves on a local network (RFC 6763). */
export const SERVICE_NAME = '_drystone._tcp.local';

/** Bytes of the tag: enough that two namespaces do not meet by chance. */
const TAG_BYTES = 16;
const TAG_PURPOSE = 'drystone lan v1\0';

/** One record of multicast DNS, of those that an announcement is made of. */
export type LanRecord =
  | { readonly type: 'PTR'; readonly name: string; readonly ttl: number; readonly data: string }
  | {
      readonly type: 'SRV';
      readonly name: string;
      readonly ttl: number;
      readonly data: { readonly port: number; readonly target: string };
    }
  | { readonly type: 'TXT'; readonly name: string; readonly ttl: number; readonly data: string[] };

/** An endpoint of a namespace on a local network. */
export interface LanEndpoint {
  readonly deviceId: DeviceId;
  /** HOST:PORT. */
  readonly address: string;
}

export interface AnnouncedEndpoint {
  readonly namespaceId: NamespaceId;
  readonly deviceId: DeviceId;
  /** HOST:PORT at which it listens. */
  readonly listening: string;
  /** Seconds for which others may believe it; 0 when it leaves. */
  readonly ttl: number;
}

/**
 * What an endpoint says of itself on the network: its device's id, its port, and a tag that tells members of the namespace,
 * who know its id, that it is theirs. To anybody else it tells of no namespace, nor whether two endpoints share one.
 */
export function announcementOf({ namespaceId, deviceId, listening, ttl }: AnnouncedEndpoint): LanRecord[] {
  const { host, port } = parseHostPort('listen', listening);
  const tag = tagOf(namespaceId, deviceId);
  const name = `${tag}.${SERVICE_NAME}`;
  // Where it listens on all addresses, the one from which this is heard is the right one.
  const at = isWildcardHost(host) ? [] : [`a=${host}`];
  return [
    { type: 'PTR', name: SERVICE_NAME, ttl, data: name },
    { type: 'SRV', name, ttl, data: { port, target: `${deviceId}.local` } },
    { type: 'TXT', name, ttl, data: [`d=${deviceId}`, ...at] },
  ];
}

/** What is heard from `sender`, as far as it is of the namespace: who, where, and for how many seconds it is to be believed. */
export function readAnnouncement(
  records: readonly LanRecord[],
  sender: string,
  namespaceId: NamespaceId,
): (LanEndpoint & { readonly ttl: number }) | undefined {
  for (const record of records) {
    if (record.type !== 'TXT' || !record.name.endsWith(`.${SERVICE_NAME}`)) continue;
    const words = new Map(record.data.map((word) => [word.slice(0, 2), word.slice(2)]));
    const deviceId = deviceIdOf(words.get('d='));
    if (deviceId === undefined || record.name !== `${tagOf(namespaceId, deviceId)}.${SERVICE_NAME}`) continue;
    const service = records.find((other) => other.type === 'SRV' && other.name === record.name);
    if (service?.type !== 'SRV') continue;
    const { port } = service.data;
    return { deviceId, address: formatHostPort({ host: words.get('a=') ?? sender, port }), ttl: record.ttl };
  }
  return undefined;
}

function tagOf(namespaceId: NamespaceId, deviceId: DeviceId): string {
  const tag = createHmac('sha256', idBytes(namespaceId)).update(TAG_PURPOSE).update(idBytes(deviceId)).digest();
  return tag.subarray(0, TAG_BYTES).toString('hex');
}

function deviceIdOf(text: string | undefined): DeviceId | undefined {
  try {
    return parseDeviceId('d', text ?? '');
  } catch {
    return undefined;
  }
}
