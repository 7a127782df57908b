import type { DrystoneError, ErrorCode } from '../../common/errors.js';

/** How the `drystone` command ends; docs/cli.md documents them, scripts rely on them. */
export const exitCodes = {
  ok: 0,
  failure: 1,
  usage: 2,
  refused: 3,
  unreachable: 4,
  interrupted: 130,
  terminated: 143,
} as const;

export type ExitCode = (typeof exitCodes)[keyof typeof exitCodes];

const byErrorCode: Readonly<Record<ErrorCode, ExitCode>> = {
  INVALID_ARGUMENT: exitCodes.usage,
  NOT_FOUND: exitCodes.refused,
  ALREADY_EXISTS: exitCodes.refused,
  FAILED_PRECONDITION: exitCodes.refused,
  OUT_OF_RANGE: exitCodes.refused,
  PERMISSION_DENIED: exitCodes.refused,
  UNAUTHENTICATED: exitCodes.refused,
  UNAVAILABLE: exitCodes.unreachable,
  DEADLINE_EXCEEDED: exitCodes.unreachable,
  RESOURCE_EXHAUSTED: exitCodes.unreachable,
  ABORTED: exitCodes.unreachable,
  CANCELLED: exitCodes.interrupted,
  DATA_LOSS: exitCodes.failure,
  INTERNAL: exitCodes.failure,
  UNIMPLEMENTED: exitCodes.failure,
  UNKNOWN: exitCodes.failure,
};

/** How the command ends that an error ended. */
export function exitCodeOf(error: DrystoneError): ExitCode {
  return byErrorCode[error.code];
}
