import { parseHostPort } from '../address.js';

/** What grpc-js and Node say of a name for which nobody knows an address; grpc-js hands on nothing but that. */
const UNRESOLVED = /^Name resolution failed for target |^getaddrinfo (?:ENOTFOUND|EAI_AGAIN) /;

/** Whether a connection has failed since its host has no address, or nobody could be asked for it. */
export function isHostUnknown(message: string): boolean {
  return UNRESOLVED.test(message);
}

/** What a person reads of a server at `address` whose host cannot be found. */
export function unknownHostMessage(address: string): string {
  const { host } = parseHostPort('address', address);
  return `cannot find host ${host} (${address})`;
}
