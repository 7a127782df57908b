/**
 * The one error type of Drystone. It is raised where something goes wrong, crosses the wire as a google.rpc.Status with
 * details, and comes back as the same type on the other side (common/rpc/status.ts).
 */

/** The gRPC status codes that Drystone uses, by name. */
export const errorCodes = [
  'CANCELLED',
  'UNKNOWN',
  'INVALID_ARGUMENT',
  'DEADLINE_EXCEEDED',
  'NOT_FOUND',
  'ALREADY_EXISTS',
  'PERMISSION_DENIED',
  'RESOURCE_EXHAUSTED',
  'FAILED_PRECONDITION',
  'ABORTED',
  'OUT_OF_RANGE',
  'UNIMPLEMENTED',
  'INTERNAL',
  'UNAVAILABLE',
  'DATA_LOSS',
  'UNAUTHENTICATED',
] as const;

export type ErrorCode = (typeof errorCodes)[number];

/** Stable words for programs, in alphabetical order; docs/errors.md says what each means and what to do. */
export const errorReasons = [
  'ACCOUNT_EXISTS',
  'ACCOUNT_UNKNOWN',
  'ADDRESS_UNUSABLE',
  'AGENTS_TOO_FEW',
  'AGENT_NOT_ASSIGNED',
  'AGENT_UNKNOWN',
  'BLOCKS_UNAVAILABLE',
  'BLOCK_HASH_MISMATCH',
  'CANCELLED',
  'CERTIFICATE_EXPIRED',
  'CERTIFICATE_INVALID',
  'CERTIFICATE_MISSING',
  'CLOCK_AHEAD',
  'CONFLICT_UNKNOWN',
  'CONFLICT_UNSETTLED',
  'CURSOR_AHEAD',
  'CURSOR_FORGOTTEN',
  'DATA_DIRECTORY_BUSY',
  'DATA_FORMAT_NEWER',
  'DATA_FORMAT_OLDER',
  'DATA_FORMAT_UNKNOWN',
  'DEVICE_UNKNOWN',
  'DIRECTORY_UNUSABLE',
  'DISK_FULL',
  'DRAINING',
  'ENDORSEMENT_INVALID',
  'FIELD_INVALID',
  'FILE_UNREADABLE',
  'FILE_UNSTABLE',
  'FOLDER_BUSY',
  'FOLDER_NESTED',
  'FOLDER_OF_OTHER_NAMESPACE',
  'FOLDER_UNREADABLE',
  'HEARTBEAT_REPLACED',
  'IDENTITY_MISSING',
  'IDENTITY_REVOKED',
  'INTERNAL',
  'ITEM_UNKNOWN',
  'KEY_UNREADABLE',
  'LAST_ADMINISTRATOR',
  'LAST_OWNER',
  'NAMESPACE_EXISTS',
  'NAMESPACE_NOT_ASSIGNED',
  'NAMESPACE_UNKNOWN',
  'OVERLOADED',
  'PORT_IN_USE',
  'RATE_LIMITED',
  'RECEIPT_INVALID',
  'ROLE_INSUFFICIENT',
  'SERVER_UNTRUSTED',
  'STATE_NOT_ALONE',
  'STORE_FAILED',
  'TOKEN_EXPIRED',
  'TOKEN_INVALID',
  'TOKEN_MISSING',
  'TRANSPORT',
] as const;

export type ErrorReason = (typeof errorReasons)[number];

/** What a program may want to know beside code and reason. */
export interface ErrorDetails {
  /** The request's field that was refused, as a path: `items[3].path`. */
  readonly field?: string;
  /** Do not try again before this many milliseconds have passed. */
  readonly retryAfterMs?: number;
  /** Further facts, each a short string. Never a secret. */
  readonly facts?: Readonly<Record<string, string>>;
}

/** An error with a code and reason for programs and a message for people that says what to do next. */
export class DrystoneError extends Error {
  override readonly name = 'DrystoneError';

  constructor(
    readonly code: ErrorCode,
    readonly reason: ErrorReason,
    message: string,
    readonly details: ErrorDetails = {},
    options?: ErrorOptions,
  ) {
    super(message, options);
  }

  /** Whether the same attempt may succeed later without anyone's doing. */
  get isTransient(): boolean {
    return (
      this.code === 'UNAVAILABLE' ||
      this.code === 'RESOURCE_EXHAUSTED' ||
      this.code === 'ABORTED' ||
      this.code === 'DEADLINE_EXCEEDED'
    );
  }
}

/** INVALID_ARGUMENT for one field of a request or setting. */
export function invalidArgument(field: string, problem: string): DrystoneError {
  return new DrystoneError('INVALID_ARGUMENT', 'FIELD_INVALID', `${field}: ${problem}`, { field });
}

/** A refusal under load: nothing was done, try again after the delay. */
export function overloaded(what: string, retryAfterMs: number): DrystoneError {
  return new DrystoneError('RESOURCE_EXHAUSTED', 'OVERLOADED', `${what}; try again in ${retryAfterMs} ms`, {
    retryAfterMs,
  });
}

/**
 * Why a server cannot listen on `address`, which `setting` chooses where that is known: FAILED_PRECONDITION, PORT_IN_USE or
 * ADDRESS_UNUSABLE.
 */
export function listenFailure(address: string, cause: Error, setting?: string): DrystoneError {
  const inUse = cause.message.includes('EADDRINUSE');
  const by = setting === undefined ? '' : ` with ${setting}`;
  const advice = inUse
    ? `another program uses it; stop that, or choose another port${by}`
    : `choose another address${by}`;
  const message = `cannot listen on ${address}: ${advice} (${cause.message})`;
  return new DrystoneError('FAILED_PRECONDITION', inUse ? 'PORT_IN_USE' : 'ADDRESS_UNUSABLE', message, {}, { cause });
}

/** The caller, or a shutdown, ended the work. */
export function cancelled(what: string): DrystoneError {
  return new DrystoneError('CANCELLED', 'CANCELLED', `${what} was cancelled`);
}

/** Any thrown value as a DrystoneError; what is not one already becomes INTERNAL with the original as its cause. */
export function toDrystoneError(thrown: unknown): DrystoneError {
  if (thrown instanceof DrystoneError) return thrown;
  if (thrown instanceof Error && thrown.name === 'AbortError') return cancelled('the operation');
  const message = thrown instanceof Error ? thrown.message : String(thrown);
  return new DrystoneError('INTERNAL', 'INTERNAL', `internal error: ${message}`, {}, { cause: thrown });
}
