import { describe, expect, it } from 'vitest';
import { exitCodeOf } from '../../../../cli/output/exit-codes.js';
import { DrystoneError, type ErrorCode } from '../../../../common/errors.js';

describe('exitCodeOf', () => {
  it.each<[ErrorCode, number]>([
    ['INVALID_ARGUMENT', 2],
    ['NOT_FOUND', 3],
    ['ALREADY_EXISTS', 3],
    ['FAILED_PRECONDITION', 3],
    ['PERMISSION_DENIED', 3],
    ['UNAUTHENTICATED', 3],
    ['UNAVAILABLE', 4],
    ['RESOURCE_EXHAUSTED', 4],
    ['DEADLINE_EXCEEDED', 4],
    ['CANCELLED', 130],
    ['DATA_LOSS', 1],
    ['INTERNAL', 1],
  ])('%s ends with %i', (code, exitCode) => {
    expect(exitCodeOf(new DrystoneError(code, 'INTERNAL', ''))).toBe(exitCode);
  });
});
