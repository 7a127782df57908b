import type { NetworkInterfaceInfo } from 'node:os';
import { formatHostPort, isWildcardHost, parseHostPort } from '../../common/address.js';
import { wireLimits } from '../../common/limits.js';

/** The addresses of a machine, as `os.networkInterfaces` tells them. */
export type Interfaces = Readonly<Record<string, readonly NetworkInterfaceInfo[] | undefined>>;

/**
 * Where others reach a listener that is bound to `bound`, at most `wireLimits.addressesPerPeer`: the address itself, or,
 * where it is every one of the machine, those that lead to the machine from outside, IPv4 first; of the loopback only where
 * there are no others.
 */
export function reachableAddresses(bound: string, interfaces: Interfaces): string[] {
  const { host, port } = parseHostPort('listen', bound);
  if (!isWildcardHost(host)) return [bound];
  const isV4Only = host === '0.0.0.0';
  const all = Object.values(interfaces)
    .flatMap((addresses) => addresses ?? [])
    .filter(({ family, scopeid = 0 }) => family === 'IPv4' || (!isV4Only && scopeid === 0))
    .sort((a, b) => a.family.localeCompare(b.family));
  const outside = all.filter(({ internal }) => !internal);
  return (outside.length > 0 ? outside : all)
    .slice(0, wireLimits.addressesPerPeer)
    .map(({ address }) => formatHostPort({ host: address, port }));
}
