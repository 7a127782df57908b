import { Metadata, status as grpcCode, type StatusObject } from '@grpc/grpc-js';
import type { Any } from '../../proto/gen/google/protobuf/any.js';
import { BadRequest, ErrorInfo, RetryInfo, Status } from '../../proto/gen/google/rpc/status.js';
import { DrystoneError, toDrystoneError, type ErrorCode, type ErrorDetails, type ErrorReason } from '../errors.js';

/** The domain of our reasons in google.rpc.ErrorInfo. */
const ERROR_DOMAIN = 'drystone';
const DETAILS_KEY = 'grpc-status-details-bin';
const TYPE_PREFIX = 'type.googleapis.com/google.rpc.';
/** Trailers have a size limit in every HTTP/2 stack: long texts are cut. */
const MESSAGE_LENGTH = 2048;

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
  const message = error.message.slice(0, MESSAGE_LENGTH);
  const metadata = new Metadata();
  metadata.set(DETAILS_KEY, Buffer.from(Status.encode({ code, message, details: detailsOf(error, message) }).finish()));
  return { code, details: message, metadata };
}

function detailsOf(error: DrystoneError, message: string): Any[] {
  const { field, retryAfterMs, facts } = error.details;
  const info = ErrorInfo.encode({ reason: error.reason, domain: ERROR_DOMAIN, metadata: { ...facts } });
  const details: Any[] = [{ typeUrl: `${TYPE_PREFIX}ErrorInfo`, value: info.finish() }];
  if (field !== undefined) {
    const value = BadRequest.encode({ fieldViolations: [{ field, description: message }] }).finish();
    details.push({ typeUrl: `${TYPE_PREFIX}BadRequest`, value });
  }
  if (retryAfterMs !== undefined) {
    const retryDelay = { seconds: BigInt(Math.floor(retryAfterMs / 1000)), nanos: (retryAfterMs % 1000) * 1_000_000 };
    details.push({ typeUrl: `${TYPE_PREFIX}RetryInfo`, value: RetryInfo.encode({ retryDelay }).finish() });
  }
  return details;
}

/** The name of a status code; a number that gRPC does not define counts as UNKNOWN, as it demands. */
export function codeName(code: number): string {
  return (grpcCode as Readonly<Record<number, string | undefined>>)[code] ?? 'UNKNOWN';
}

/** The error that a status stands for, with what its details say; a status of another program has reason TRANSPORT. */
export function errorOfStatus(status: Pick<StatusObject, 'code' | 'details' | 'metadata'>): DrystoneError {
  const code = codeName(status.code) as ErrorCode;
  const [raw] = status.metadata.get(DETAILS_KEY);
  const parsed = raw instanceof Buffer ? parseDetails(raw) : undefined;
  if (parsed === undefined) return new DrystoneError(code, 'TRANSPORT', status.details);
  return new DrystoneError(code, parsed.reason, status.details, parsed.details);
}

function parseDetails(raw: Uint8Array): { reason: ErrorReason; details: ErrorDetails } | undefined {
  try {
    let reason: ErrorReason | undefined;
    let details: ErrorDetails = {};
    for (const { typeUrl, value } of Status.decode(raw).details) {
      if (typeUrl === `${TYPE_PREFIX}ErrorInfo`) {
        const info = ErrorInfo.decode(value);
        if (info.domain !== ERROR_DOMAIN) continue;
        reason = info.reason as ErrorReason;
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
