import { createHash } from 'node:crypto';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { peerLimits } from '../../common/limits.js';
import { pull } from '../../client/act/download/rendezvous.js';
import {
  chooseSource,
  isFirst,
  orderFor,
  sourceKinds,
  type RankedSource,
  type SourceState,
} from '../../client/act/download/source-order.js';

const anyHash = fc.uint8Array({ minLength: 32, maxLength: 32 });
const anyId = fc.uint8Array({ minLength: 16, maxLength: 16 }).map((bytes) => Buffer.from(bytes).toString('hex'));
const anySource: fc.Arbitrary<RankedSource> = fc.record({
  id: anyId,
  kind: fc.constantFrom(...sourceKinds),
  tier: fc.nat(3),
});
const anySources = fc.uniqueArray(anySource, { maxLength: 30, selector: ({ id }) => id });
const peersOf = (ids: readonly string[]): RankedSource[] => ids.map((id) => ({ id, kind: 'site-peer', tier: 0 }));

it('asks each source at most once, every agent among them, and remote endpoints last', () => {
  fc.assert(
    fc.property(anyHash, anyId, anySources, fc.nat(29), (hash, self, sources, holder) => {
      const holders = new Set([sources[holder]?.id ?? '']);
      const { sources: order } = orderFor(hash, self, sources, holders);
      expect(new Set(order).size).toBe(order.length);
      const kinds = order.map(({ kind }) => kind);
      for (const { id, kind } of sources) {
        if (kind.endsWith('-agent')) expect(order.map((one) => one.id)).toContain(id);
      }
      const remote = kinds.indexOf('remote-peer');
      if (remote >= 0) expect(new Set(kinds.slice(remote))).toEqual(new Set(['remote-peer']));
      const firstAgent = kinds.findIndex((kind) => kind.endsWith('-agent'));
      if (firstAgent >= 0) expect(firstAgent).toBeLessThanOrEqual(peerLimits.triedBeforeAgents);
      const tiers = order.filter(({ kind }) => kind.endsWith('-agent')).map(({ tier }) => tier);
      expect(tiers).toEqual([...tiers].sort((a, b) => a - b));
    }),
  );
});

it('of the endpoints of a site that know each other exactly one is the first for a block, and the others ask it first', () => {
  fc.assert(
    fc.property(anyHash, fc.uniqueArray(anyId, { minLength: 1, maxLength: 20 }), (hash, ids) => {
      const orders = ids.map((self) => ({ self, ...orderFor(hash, self, peersOf(ids.filter((id) => id !== self))) }));
      const firsts = orders.filter(({ isFirstHere }) => isFirstHere);
      expect(firsts).toHaveLength(1);
      for (const { self, isFirstHere, sources } of orders) {
        expect(isFirst(hash, self, peersOf(ids.filter((id) => id !== self)))).toBe(isFirstHere);
        if (!isFirstHere) expect(sources[0]?.id).toBe(firsts[0]?.self);
      }
    }),
  );
});

it('an endpoint that holds the block comes first, whoever is the first to ask an agent', () => {
  fc.assert(
    fc.property(anyHash, anyId, fc.uniqueArray(anyId, { minLength: 1, maxLength: 20 }), (hash, self, ids) => {
      const agent: RankedSource = { id: '0'.repeat(32), kind: 'site-agent', tier: 0 };
      const [holder = ''] = ids;
      expect(orderFor(hash, self, [agent, ...peersOf(ids)], new Set([holder])).sources[0]?.id).toBe(holder);
    }),
  );
});

it('spreads blocks evenly over those who are drawn to them', () => {
  const ids = Array.from({ length: 20 }, (_, index) => sha256(`endpoint ${index}`).subarray(0, 16).toString('hex'));
  const counts = new Map(ids.map((id) => [id, 0]));
  for (let block = 0; block < 20_000; block++) {
    const hash = sha256(`block ${block}`);
    const [first = ''] = [...ids].sort((a, b) => pull(hash, b) - pull(hash, a));
    counts.set(first, (counts.get(first) ?? 0) + 1);
  }
  expect(Math.min(...counts.values())).toBeGreaterThan(850);
  expect(Math.max(...counts.values())).toBeLessThan(1150);
});

it('passes over a source that owes more than it sends in time, as long as another does not', () => {
  const anyState: fc.Arbitrary<SourceState> = fc.record({
    owedBytes: fc.nat(100_000_000),
    bytesPerSecond: fc.option(fc.nat(100_000_000), { nil: undefined }),
    patienceMs: fc.constantFrom(peerLimits.patienceMs, peerLimits.sitePatienceMs),
    isDown: fc.boolean(),
  });
  const waitMs = ({ owedBytes, bytesPerSecond }: SourceState): number =>
    bytesPerSecond === undefined || owedBytes === 0 ? 0 : (owedBytes / Math.max(1, bytesPerSecond)) * 1000;
  fc.assert(
    fc.property(fc.array(anyState, { maxLength: 8 }), (states) => {
      const chosen = chooseSource(states);
      const up = states.filter(({ isDown }) => !isDown);
      if (chosen === undefined) {
        expect(up).toEqual([]);
        return;
      }
      const state = states[chosen]!;
      expect(state.isDown).toBe(false);
      const inTime = states.findIndex((one) => !one.isDown && waitMs(one) <= one.patienceMs);
      if (inTime >= 0) expect(chosen).toBe(inTime);
      else expect(waitMs(state)).toBe(Math.min(...up.map(waitMs)));
    }),
  );
});

function sha256(text: string): Buffer {
  return createHash('sha256').update(text).digest();
}
