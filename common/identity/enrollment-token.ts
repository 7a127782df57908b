import { invalidArgument } from '../errors.js';
import { parseAccountName, parsePremisesName, type AccountName, type PremisesName } from '../ids.js';
import { trustLimits } from '../limits.js';

/** What a one-time token lets somebody become. */
export type EnrollmentSubject =
  | { readonly kind: 'agent'; readonly premises: PremisesName }
  | { readonly kind: 'device'; readonly account: AccountName };

/** A one-time token, as proto/drystone/metadata/v1/enrollment.proto says. */
export interface EnrollmentToken {
  readonly subject: EnrollmentSubject;
  /** 16 bytes: by this metadata knows it. */
  readonly id: Buffer;
  /** 32 bytes: by this it is redeemed. */
  readonly secret: Buffer;
  /** SHA-256 of the CA certificate's DER encoding, 32 bytes: by this the holder knows metadata. */
  readonly caFingerprint: Buffer;
}

/** Bytes of the parts of a token's secret text, in their order. */
export const enrollmentTokenBytes = { id: 16, secret: 32, caFingerprint: 32 } as const;

const SECRET_BYTES = enrollmentTokenBytes.id + enrollmentTokenBytes.secret + enrollmentTokenBytes.caFingerprint;
const FORM = /^(agent|device):([^:]{1,64}):([A-Za-z0-9_-]{107})$/;

/** The token as it is handed on: KIND:SUBJECT:SECRET. */
export function formatEnrollmentToken({ subject, id, secret, caFingerprint }: EnrollmentToken): string {
  const name = subject.kind === 'agent' ? subject.premises : subject.account;
  return `${subject.kind}:${name}:${Buffer.concat([id, secret, caFingerprint]).toString('base64url')}`;
}

/** Reads a token; white space around it is ignored. INVALID_ARGUMENT, which does not repeat it, where it is none. */
export function parseEnrollmentToken(field: string, text: string): EnrollmentToken {
  const match = text.length <= trustLimits.enrollmentTokenLength ? FORM.exec(text.trim()) : null;
  const [, kind, name, encoded] = match ?? [];
  const bytes = Buffer.from(encoded ?? '', 'base64url');
  if (name === undefined || bytes.length !== SECRET_BYTES) {
    throw invalidArgument(field, 'must be a one-time token, such as `drystone agent token` prints; paste it whole');
  }
  const { id, secret } = enrollmentTokenBytes;
  return {
    subject:
      kind === 'agent'
        ? { kind, premises: parsePremisesName(field, name) }
        : { kind: 'device', account: parseAccountName(field, name) },
    id: bytes.subarray(0, id),
    secret: bytes.subarray(id, id + secret),
    caFingerprint: bytes.subarray(id + secret),
  };
}
