import type { NewAuditEntry } from './rows.js';

/** What becomes of a write that changes something. */
export interface ChangeNotice {
  /** The change that listeners are told of once it is durable; none where it is left out. */
  readonly tell?: 'directory' | 'token keys';
  /** The entry that is written in the same transaction. */
  readonly audit?: NewAuditEntry;
}

/** What a write came to. */
export interface Outcome<Answer> {
  readonly answer: Answer;
  /** Where it is false there is nothing to tell, and nothing for the audit log. */
  readonly hasChanged: boolean;
}

export function changed(): Outcome<undefined>;
export function changed<Answer>(answer: Answer): Outcome<Answer>;
export function changed<Answer>(answer?: Answer): Outcome<Answer | undefined> {
  return { answer, hasChanged: true };
}

export function unchanged(): Outcome<undefined>;
export function unchanged<Answer>(answer: Answer): Outcome<Answer>;
export function unchanged<Answer>(answer?: Answer): Outcome<Answer | undefined> {
  return { answer, hasChanged: false };
}
