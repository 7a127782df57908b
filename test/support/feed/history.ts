import fc from 'fast-check';
import { hashBlockSync } from '../../../common/block-hash.js';
import { conflictsOf } from '../../../common/feed/conflicts.js';
import { statesOf, type FileContent, type Item, type ItemContent, type ItemPath } from '../../../common/feed/item.js';
import { compareStates } from '../../../common/feed/state-order.js';
import { Endpoint, type Merge } from './endpoint.js';

const NAMES = ['1', '2', '3', '4', '5', '6'];
const PATHS = ['a', 'b.txt'];
/** What several write alike. */
export const SAME_TEXT = 'what many write';

/** One step of a history. Numbers choose among what there is at that moment. */
const steps = fc.oneof(
  { weight: 6, arbitrary: fc.record({ step: fc.constant('write' as const), who: fc.nat(5), path: fc.nat(9) }) },
  { weight: 1, arbitrary: fc.record({ step: fc.constant('same' as const), who: fc.nat(5), path: fc.nat(9) }) },
  { weight: 2, arbitrary: fc.record({ step: fc.constant('delete' as const), who: fc.nat(5), path: fc.nat(9) }) },
  { weight: 2, arbitrary: fc.record({ step: fc.constant('directory' as const), who: fc.nat(5), path: fc.nat(9) }) },
  { weight: 2, arbitrary: fc.record({ step: fc.constant('settle' as const), who: fc.nat(5), path: fc.nat(9) }) },
  { weight: 1, arbitrary: fc.record({ step: fc.constant('make way' as const), who: fc.nat(5), path: fc.nat(9) }) },
  {
    weight: 8,
    arbitrary: fc.record({ step: fc.constant('tell' as const), who: fc.nat(5), path: fc.nat(9), whom: fc.nat(5) }),
  },
);
export type Step = typeof steps extends fc.Arbitrary<infer T> ? T : never;

/** What six endpoints do over some time, in parts of the network that meet now and then. */
export const histories: fc.Arbitrary<readonly Step[]> = fc.array(steps, { maxLength: 60, size: 'max' });

/** A file that holds a text, which stands for its bytes. */
export function textFile(text: string): FileContent {
  const blocks = { hashes: hashBlockSync(Buffer.from(text)), sizes: [text.length] };
  return { kind: 'file', sizeBytes: text.length, modifiedAtMs: 0, executable: false, blocks };
}

/** A history that has been played. */
export class PlayedHistory {
  /** Every item that anyone made, oldest first. */
  readonly made: Item[] = [];
  readonly endpoints: readonly Endpoint[];
  /** The contents of files that were written, and those in whose place somebody put something else, having seen them. */
  readonly written = new Set<string>();
  readonly replaced = new Set<string>();
  #nowMs = 1_700_000_000_000;

  constructor(history: readonly Step[], merge?: Merge) {
    this.endpoints = NAMES.map((name) => new Endpoint(name, (item) => this.made.push(item), merge));
    history.forEach((step, index) => this.#play(step, `text ${index}`));
  }

  /** Everyone tells everyone everything, settling what there is to settle, until there is nothing new. */
  heal(): void {
    for (let round = 0; round < 20; round++) {
      this.#gossip();
      const open = this.endpoints.flatMap((endpoint) =>
        [...endpoint.items.values()].filter((item) => conflictsOf(item).length > 0).map((item) => ({ endpoint, item })),
      );
      if (open.length === 0) return;
      // All at once, none knowing of the others.
      for (const { endpoint, item } of open) endpoint.settle(item.path);
    }
    throw new Error('conflicts without end');
  }

  #gossip(): void {
    for (let times = 0; times < 2; times++) {
      for (const from of this.endpoints) {
        for (const to of this.endpoints) for (const item of from.items.values()) if (from !== to) to.learn(item);
      }
    }
  }

  #play(step: Step, text: string): void {
    const endpoint = this.#endpoint(step.who);
    this.#nowMs += step.path;
    // Also paths that this endpoint has never heard of: it may come by a name that others have made up.
    const paths = [...new Set([...PATHS, ...this.made.map((item) => item.path)])] as ItemPath[];
    const path = paths[step.path % paths.length]!;
    switch (step.step) {
      case 'write': {
        this.#change(endpoint, path, textFile(text));
        return;
      }
      case 'same': {
        this.#change(endpoint, path, textFile(SAME_TEXT));
        return;
      }
      case 'delete':
        if (endpoint.items.has(path)) this.#change(endpoint, path, { kind: 'deletion' });
        return;
      case 'directory': {
        this.#change(endpoint, path, { kind: 'directory' });
        return;
      }
      case 'settle': {
        endpoint.settle(path);
        return;
      }
      case 'make way': {
        endpoint.settle(path, true);
        return;
      }
      case 'tell': {
        const item = endpoint.items.get(path);
        if (item !== undefined) this.#endpoint(step.whom).learn(item);
      }
    }
  }

  /** A change as people make it: of what they see, and what they do not see is settled first. */
  #change(endpoint: Endpoint, path: ItemPath, content: ItemContent): void {
    endpoint.settle(path);
    const seen = endpoint.items.get(path);
    if (seen?.content.kind === 'file') this.replaced.add(keyOf(seen.content));
    endpoint.change(path, content, this.#nowMs);
    if (content.kind === 'file') this.written.add(keyOf(content));
  }

  #endpoint(number: number): Endpoint {
    return this.endpoints[number % this.endpoints.length]!;
  }
}

/** A file's content by its blocks. */
export function keyOf({ blocks }: FileContent): string {
  return Buffer.from(blocks.hashes).toString('hex');
}

/** Everything that some items say, in one order and one form: equal where they say the same. */
export function shownItems(items: Iterable<Item>): string[] {
  return [...items].map(shownItem).sort();
}

function shownItem(item: Item): string {
  const states = [...statesOf(item)].sort(compareStates).map(({ change, at, author, content }) => {
    const what = content.kind === 'file' ? keyOf(content) : content.kind;
    return `${change.replicaId} ${change.counter} ${at.wallMs} ${at.logical} ${author} ${what}`;
  });
  return JSON.stringify([item.path, item.version, item.content.kind, states]);
}
