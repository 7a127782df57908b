/** What can keep a file from being where somebody looks for it. docs/cli.md explains each. */
export const blockers = [
  'nothing',
  'agents-full',
  'agents-offline',
  'being-read',
  'blocks-missing',
  'case-twin',
  'clock-ahead',
  'conflict-waits',
  'conflicted-copy',
  'deleted',
  'deleted-here',
  'disk-full',
  'ignored',
  'in-the-way',
  'metadata-unreachable',
  'name-refused',
  'never-synced',
  'no-member',
  'not-heard',
  'not-scanned',
  'not-syncing',
  'other-namespace',
  'provisional',
  'reader',
  'underway',
  'unknown',
  'unsyncable',
] as const;

/** A stable word for programs. */
export type Blocker = (typeof blockers)[number];

/** What it is. */
export interface Finding {
  readonly blocker: Blocker;
  /** One sentence for people: what is in the way. */
  readonly sentence: string;
  /** What to do about it; empty where there is nothing to do. */
  readonly advice: string;
}

/** A finding. */
export function found(blocker: Blocker, sentence: string, advice: string): Finding {
  return { blocker, sentence, advice };
}
