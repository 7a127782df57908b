import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { DrystoneError, errorCodes, errorReasons, toDrystoneError, type ErrorCode } from '../../../common/errors.js';

const catalogue = readFileSync(new URL('../../../docs/errors.md', import.meta.url), 'utf8');
/** The rows of the table of reasons: reason, codes, meaning, what to do. */
const rows = [...catalogue.matchAll(/^\| `([A-Z_]+)` +\| ([^|]+) \| ([^|]+) \| ([^|]+) \|$/gm)].map(
  ([, reason, codes, meaning, advice]) => ({ reason, codes: codes!, meaning: meaning!.trim(), advice: advice!.trim() }),
);

describe('docs/errors.md', () => {
  it('has every reason once, in alphabetical order, and no other', () => {
    expect(rows.map(({ reason }) => reason)).toEqual(errorReasons);
    expect([...errorReasons].sort()).toEqual(errorReasons);
  });

  it('gives each at least one code that there is, a meaning and an advice', () => {
    for (const { reason, codes, meaning, advice } of rows) {
      const named = [...codes.matchAll(/`([A-Z_]+)`/g)].map(([, code]) => code);
      const shown = reason === 'TRANSPORT' ? ['UNKNOWN'] : named;
      expect(shown, reason).not.toEqual([]);
      for (const code of shown) expect(errorCodes, reason).toContain(code);
      expect(meaning.length, reason).toBeGreaterThan(15);
      expect(advice.length, reason).toBeGreaterThan(3);
    }
  });
});

describe('DrystoneError', () => {
  it('knows what may succeed later without anyone’s doing', () => {
    const transient = errorCodes.filter((code: ErrorCode) => new DrystoneError(code, 'INTERNAL', '').isTransient);
    expect([...transient].sort()).toEqual(['ABORTED', 'DEADLINE_EXCEEDED', 'RESOURCE_EXHAUSTED', 'UNAVAILABLE']);
  });

  it('is made of anything that was thrown', () => {
    const own = new DrystoneError('NOT_FOUND', 'ITEM_UNKNOWN', 'no such item');
    expect(toDrystoneError(own)).toBe(own);
    expect(toDrystoneError(new DOMException('stopped', 'AbortError'))).toMatchObject({ reason: 'CANCELLED' });
    const fault = new TypeError('x');
    expect(toDrystoneError(fault)).toMatchObject({ code: 'INTERNAL', reason: 'INTERNAL', cause: fault });
    expect(toDrystoneError('text')).toMatchObject({ code: 'INTERNAL', message: 'internal error: text' });
  });
});
