import { describe, expect, it } from 'vitest';
import {
  formatEnrollmentToken,
  parseEnrollmentToken,
  type EnrollmentToken,
} from '../../../../common/identity/enrollment-token.js';
import type { AccountName, PremisesName } from '../../../../common/ids.js';
import { trustLimits } from '../../../../common/limits.js';

const parts = { id: Buffer.alloc(16, 1), secret: Buffer.alloc(32, 0xfe), caFingerprint: Buffer.alloc(32, 3) };
const device: EnrollmentToken = { subject: { kind: 'device', account: 'ana' as AccountName }, ...parts };
const agent: EnrollmentToken = { subject: { kind: 'agent', premises: 'l'.repeat(64) as PremisesName }, ...parts };

describe('a one-time token', () => {
  it.each([device, agent])('is read as it was written', (token) => {
    const text = formatEnrollmentToken(token);
    expect(text.length).toBeLessThan(trustLimits.enrollmentTokenLength);
    expect(parseEnrollmentToken('token', text)).toEqual(token);
    expect(parseEnrollmentToken('token', `  ${text}\r\n`)).toEqual(token);
  });

  const text = formatEnrollmentToken(device);
  it.each([
    ['nothing', ''],
    ['another kind', text.replace('device', 'metadata')],
    ['no subject', text.replace('ana', '')],
    ['a subject that is no name', text.replace('ana', 'Ana!')],
    ['less than all of it', text.slice(0, -1)],
    ['more than all of it', `${text}A`],
    ['a secret that is not base64url', `${text.slice(0, -3)}+/=`],
    ['two lines', `${text}\n${text}`],
    ['far too much', text.padEnd(trustLimits.enrollmentTokenLength + 1)],
  ])('is not %s: INVALID_ARGUMENT, and it is not repeated', (_, wrong) => {
    let thrown: unknown;
    try {
      parseEnrollmentToken('token', wrong);
    } catch (error) {
      thrown = error;
    }
    expect(thrown).toMatchObject({ code: 'INVALID_ARGUMENT', details: { field: 'token' } });
    expect((thrown as Error).message).not.toContain(text.slice(-40, -10));
  });
});
