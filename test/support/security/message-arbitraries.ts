import { create, ScalarType, toBinary, type DescField, type DescMessage, type MessageShape } from '@bufbuild/protobuf';
import fc from 'fast-check';

/** Values that get further than random ones, by the name of their field in the contracts. */
export type Pools = Readonly<Record<string, readonly unknown[]>>;

const MAX_DEPTH = 4;

/** Messages of a type, encoded: well-formed protobuf, whatever their fields say. */
export function messageBytes(type: DescMessage, pools: Pools): fc.Arbitrary<Buffer> {
  return fieldsOf(type, pools, 0).map((fields) => Buffer.from(toBinary(type, create(type, fields as never))));
}

/** The same with some of the bytes changed, lost, added or repeated. */
export function mutatedBytes(type: DescMessage, pools: Pools): fc.Arbitrary<Buffer> {
  const mutation = fc.record({
    kind: fc.constantFrom('flip', 'cut', 'insert', 'repeat', 'end' as const),
    at: fc.double({ min: 0, max: 1, noNaN: true }),
    bytes: fc.uint8Array({ minLength: 1, maxLength: 12 }),
  });
  return fc
    .tuple(messageBytes(type, pools), fc.array(mutation, { minLength: 1, maxLength: 4 }))
    .map(([bytes, mutations]) => mutations.reduce(mutated, bytes));
}

interface Mutation {
  readonly kind: 'flip' | 'cut' | 'insert' | 'repeat' | 'end';
  readonly at: number;
  readonly bytes: Uint8Array;
}

function mutated(bytes: Buffer, { kind, at, bytes: other }: Mutation): Buffer {
  const place = Math.floor(at * bytes.length);
  const [before, after] = [bytes.subarray(0, place), bytes.subarray(place)];
  switch (kind) {
    case 'flip':
      return Buffer.concat([before, other.subarray(0, 1), after.subarray(1)]);
    case 'cut':
      return Buffer.concat([before, after.subarray(other.length)]);
    case 'insert':
      return Buffer.concat([before, other, after]);
    case 'repeat':
      return Buffer.concat([bytes, after]);
    case 'end':
      return Buffer.from(before);
  }
}

function fieldsOf(type: DescMessage, pools: Pools, depth: number): fc.Arbitrary<Record<string, unknown>> {
  const single = type.fields.filter((field) => field.oneof === undefined);
  const arbitraries: Record<string, fc.Arbitrary<unknown>> = {};
  for (const field of single) {
    if (isWithin(field, depth)) arbitraries[field.localName] = valueOf(field, pools, depth);
  }
  for (const { localName, fields } of type.oneofs) {
    const members = fields.filter((field) => isWithin(field, depth));
    const cases = members.map((field) =>
      valueOf(field, pools, depth).map((value) => ({ case: field.localName, value })),
    );
    if (cases.length > 0) arbitraries[localName] = fc.oneof(...cases);
  }
  // Most fields are set: a message that lacks one is refused for that alone.
  return fc
    .tuple(fc.record(arbitraries), fc.double({ min: 0, max: 1, noNaN: true }), fc.array(fc.nat(20), { maxLength: 3 }))
    .map(([values, chance, left]) => {
      const names = chance < 0.6 ? [] : left.map((index) => Object.keys(values)[index]);
      return Object.fromEntries(Object.entries(values).filter(([name]) => !names.includes(name)));
    });
}

function isWithin(field: DescField, depth: number): boolean {
  return depth < MAX_DEPTH || (field.fieldKind !== 'message' && field.fieldKind !== 'list');
}

function valueOf(field: DescField, pools: Pools, depth: number): fc.Arbitrary<unknown> {
  const pool = pools[field.name];
  const random = randomValue(field, pools, depth);
  if (pool === undefined || pool.length === 0) return random;
  const known = fc.constantFrom(...pool);
  const one = field.fieldKind === 'list' ? fc.array(known, { minLength: 1, maxLength: 3 }) : known;
  return fc.oneof({ weight: 6, arbitrary: one }, { weight: 1, arbitrary: random });
}

function randomValue(field: DescField, pools: Pools, depth: number): fc.Arbitrary<unknown> {
  switch (field.fieldKind) {
    case 'scalar':
      return scalar(field.scalar);
    case 'enum':
      return enumValue(field.enum.values.map(({ number }) => number));
    case 'message':
      return messageOf(field.message, pools, depth);
    case 'map':
      return fc.dictionary(fc.string(), fc.string(), { maxKeys: 3 });
    case 'list':
      return fc.array(listItem(field, pools, depth), { maxLength: 4 });
  }
}

type ListField = Extract<DescField, { readonly fieldKind: 'list' }>;

function listItem(field: ListField, pools: Pools, depth: number): fc.Arbitrary<unknown> {
  switch (field.listKind) {
    case 'scalar':
      return scalar(field.scalar);
    case 'enum':
      return enumValue(field.enum.values.map(({ number }) => number));
    case 'message':
      return messageOf(field.message, pools, depth);
  }
}

function messageOf(type: DescMessage, pools: Pools, depth: number): fc.Arbitrary<MessageShape<DescMessage>> {
  return fieldsOf(type, pools, depth + 1).map((fields) => create(type, fields as never));
}

const enumValue = (known: readonly number[]): fc.Arbitrary<number> =>
  fc.oneof({ weight: 5, arbitrary: fc.constantFrom(...known) }, fc.integer({ min: -1, max: 1000 }));

const text = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 40 }),
  fc.string({ maxLength: 3000 }),
  fc.constantFrom('', '..', 'a/../b', '\u0000', '\u202e', '%s', '__proto__', 'constructor', 'a'.repeat(70_000)),
);

/** Packed hashes, or any bytes. */
const bytes = fc.oneof(
  fc.nat(8).chain((count) => fc.uint8Array({ minLength: count * 32, maxLength: count * 32 })),
  fc.uint8Array({ maxLength: 300 }),
);

function scalar(type: ScalarType): fc.Arbitrary<unknown> {
  switch (type) {
    case ScalarType.STRING:
      return text.map((value) => value.toWellFormed());
    case ScalarType.BYTES:
      return bytes;
    case ScalarType.BOOL:
      return fc.boolean();
    case ScalarType.UINT32:
      return fc.oneof(fc.constantFrom(0, 1, 1000, 0xffff_ffff), fc.integer({ min: 0, max: 0xffff_ffff }));
    case ScalarType.INT32:
      return fc.integer();
    case ScalarType.SINT64:
    case ScalarType.INT64:
      return fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n });
    case ScalarType.UINT64:
      return fc.oneof(fc.constantFrom(0n, 1n, 2n ** 53n, 2n ** 64n - 1n), fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }));
    case ScalarType.DOUBLE:
    case ScalarType.FLOAT:
      return fc.float();
    case ScalarType.FIXED32:
      return fc.nat();
    case ScalarType.SINT32:
    case ScalarType.SFIXED32:
      return fc.integer();
    case ScalarType.FIXED64:
      return fc.bigInt({ min: 0n, max: 2n ** 64n - 1n });
    case ScalarType.SFIXED64:
      return fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n });
  }
}
