import { invalidArgument } from './errors.js';
import { wireLimits } from './limits.js';

/** Where a server listens or is reached. */
export interface HostPort {
  /** A name, an IPv4 address, or an IPv6 address without brackets. */
  readonly host: string;
  /** 0 to 65,535; 0 where a listener is to take a free port. */
  readonly port: number;
}

const HOST_PORT = /^(?:\[([0-9A-Fa-f:.]+)\]|([^\s:[\]/]+)):(\d{1,5})$/;

/** Reads HOST:PORT or [IPV6]:PORT; INVALID_ARGUMENT that names `field` where it is neither. */
export function parseHostPort(field: string, text: string): HostPort {
  const match = text.length <= wireLimits.addressLength ? HOST_PORT.exec(text) : null;
  const host = match?.[1] ?? match?.[2];
  const port = Number(match?.[3]);
  if (host === undefined || port > 65_535) {
    const shown = JSON.stringify(text.slice(0, 80));
    throw invalidArgument(field, `must be HOST:PORT or [IPV6]:PORT, such as 192.0.2.10:7411, not ${shown}`);
  }
  return { host, port };
}

/** HOST:PORT, with brackets where the host is an IPv6 address. */
export function formatHostPort({ host, port }: HostPort): string {
  return host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`;
}

/** Whether a listener on `host` takes connections on every address of the machine, so that `host` names none of them. */
export function isWildcardHost(host: string): boolean {
  return host === '0.0.0.0' || /^[0:]+$/.test(host);
}
