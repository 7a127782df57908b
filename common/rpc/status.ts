import { Metadata, status as grpcCode, type StatusObject } from '@grpc/grpc-js';
import type { Any } from '../../proto/gen/google/protobuf/any.js';
import { BadRequest, ErrorInfo, RetryInfo, Status } from '../../proto/gen/google/rpc/status.js';
import {
  DrystoneError,
  errorCodes,
  errorReasons,
  toDrystoneError,
  type ErrorCode,
  type ErrorDetails,
  type ErrorReason,
} from '../errors.js';
import { wireLimits } from '../limits.js';
import { isHostUnknown, unknownHostMessage } from './unknown-host.js';
import { UntrustedServer, untrustedServerMessage } from './untrusted-server.js';

/** The domain of our reasons in google.rpc.ErrorInfo. */
const ERROR_DOMAIN = 'drystone';
const DETAILS_KEY = 'grpc-status-details-bin';
const TYPE_PREFIX = 'type.googleapis.com/google.rpc.';

/** What grpc-js sends as the end of a call. */
export interface WireStatus {
  readonly code: grpcCode;
  readonly details: string;
  readonly metadata: Metadata;
}

/** An error as a gRPC status whose details carry reason, field and retry delay (docs/errors.md). */
export function statusOfError(thrown: unknown): WireStatus {
  const error = toDrystoneError(thrown);
  const code = grpcCode[error.code];
  const message = cutText(error.message, wireLimits.errorMessageBytes);
  const metadata = new Metadata();
  metadata.set(DETAILS_KEY, Buffer.from(Status.encode({ code, message, details: detailsOf(error, message) }).finish()));
  return { code, details: message, metadata };
}

function detailsOf(error: DrystoneError, message: string): Any[] {
  const { field, retryAfterMs, facts } = error.details;
  const cutFacts = Object.entries(facts ?? {})
    .slice(0, wireLimits.errorFacts)
    .map(([name, fact]) => [name, cutText(fact, wireLimits.errorFactBytes)]);
  const metadata = Object.fromEntries(cutFacts) as Record<string, string>;
  const info = ErrorInfo.encode({ reason: error.reason, domain: ERROR_DOMAIN, metadata });
  const details: Any[] = [{ typeUrl: `${TYPE_PREFIX}ErrorInfo`, value: info.finish() }];
  if (field !== undefined) {
    const violation = { field: cutText(field, wireLimits.errorFactBytes), description: message };
    const value = BadRequest.encode({ fieldViolations: [violation] }).finish();
    details.push({ typeUrl: `${TYPE_PREFIX}BadRequest`, value });
  }
  if (retryAfterMs !== undefined) {
    const retryDelay = { seconds: BigInt(Math.floor(retryAfterMs / 1000)), nanos: (retryAfterMs % 1000) * 1_000_000 };
    details.push({ typeUrl: `${TYPE_PREFIX}RetryInfo`, value: RetryInfo.encode({ retryDelay }).finish() });
  }
  return details;
}

/**
 * At most `maxBytes` of UTF-8. Trailers have a size limit in every HTTP/2 stack. Always well-formed: half a surrogate
 * pair, which cutting can leave, would make grpc-js raise where nobody catches.
 */
function cutText(text: string, maxBytes: number): string {
  const bytes = Buffer.from(text);
  if (bytes.length <= maxBytes) return text.toWellFormed();
  let end = maxBytes;
  // Bytes of the form 10xxxxxx continue a character.
  while (((bytes[end] ?? 0) & 0xc0) === 0x80) end--;
  return bytes.toString('utf8', 0, end);
}

/**
 * The error that a status from `peer` stands for, with what its details say. A status of another program, or of the
 * transport, has reason TRANSPORT and says in its message whom it came from.
 */
export function errorOfStatus(
  status: Pick<StatusObject, 'code' | 'details' | 'metadata'>,
  peer: string,
): DrystoneError {
  const code = errorCodes.find((known) => grpcCode[known] === status.code) ?? 'UNKNOWN';
  const [raw] = status.metadata.get(DETAILS_KEY);
  const parsed = raw instanceof Buffer ? parseDetails(raw) : undefined;
  if (parsed === undefined) return transportError(code, peer, status.details);
  return new DrystoneError(code, parsed.reason, status.details, parsed.details);
}

/** How grpc-js tells that nobody answers, with whatever it last heard of the system. */
const NO_CONNECTION = /^No connection established\. Last error: (?:Error: )?(.*)\. Resolution note: /;

/** How it ends calls that wait for the connection of a client that is closed. */
const GIVEN_UP = 'Channel closed before call started';

/** How it ends one whose connection went away: a server that is there always ends a call with a status. */
const CUT_SHORT = 'Received RST_STREAM with code 0 (Call ended without gRPC status)';

function transportError(code: ErrorCode, peer: string, details: string): DrystoneError {
  if (details === CUT_SHORT) return new DrystoneError('UNAVAILABLE', 'TRANSPORT', `${peer} went away in mid-call`);
  if (details === GIVEN_UP) return new DrystoneError(code, 'TRANSPORT', `nothing answers at ${peer} in time`);
  if (isHostUnknown(details)) return new DrystoneError(code, 'TRANSPORT', unknownHostMessage(peer));
  const cause = NO_CONNECTION.exec(details)?.[1];
  if (cause === undefined) return new DrystoneError(code, 'TRANSPORT', `${peer}: ${details}`);
  const problem = UntrustedServer.problemIn(cause);
  if (problem === undefined) return new DrystoneError(code, 'TRANSPORT', `nothing answers at ${peer} (${cause})`);
  return new DrystoneError(code, 'SERVER_UNTRUSTED', untrustedServerMessage(peer, problem));
}

function parseDetails(raw: Uint8Array): { reason: ErrorReason; details: ErrorDetails } | undefined {
  try {
    let reason: ErrorReason | undefined;
    let details: ErrorDetails = {};
    for (const { typeUrl, value } of Status.decode(raw).details) {
      if (typeUrl === `${TYPE_PREFIX}ErrorInfo`) {
        const info = ErrorInfo.decode(value);
        if (info.domain !== ERROR_DOMAIN) continue;
        reason = errorReasons.find((known) => known === info.reason) ?? 'TRANSPORT';
        if (Object.keys(info.metadata).length > 0) details = { ...details, facts: info.metadata };
      } else if (typeUrl === `${TYPE_PREFIX}BadRequest`) {
        const [violation] = BadRequest.decode(value).fieldViolations;
        if (violation !== undefined) details = { ...details, field: violation.field };
      } else if (typeUrl === `${TYPE_PREFIX}RetryInfo`) {
        const { retryDelay } = RetryInfo.decode(value);
        if (retryDelay !== undefined) {
          details = { ...details, retryAfterMs: Number(retryDelay.seconds) * 1000 + retryDelay.nanos / 1_000_000 };
        }
      }
    }
    return reason === undefined ? undefined : { reason, details };
  } catch {
    // Details that cannot be read are another program's; code and message still stand.
    return undefined;
  }
}
