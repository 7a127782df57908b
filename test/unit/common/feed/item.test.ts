import { expect, it } from 'vitest';
import { hashBlockSync } from '../../../../common/block-hash.js';
import { NO_BLOCKS, sameContent, type FileContent, type ItemContent } from '../../../../common/feed/item.js';

const file: FileContent = {
  kind: 'file',
  sizeBytes: 1,
  modifiedAtMs: 1000,
  executable: false,
  blocks: { hashes: hashBlockSync(Buffer.from('x')), sizes: [1] },
};
const empty: FileContent = { ...file, sizeBytes: 0, blocks: NO_BLOCKS };
const other = { hashes: hashBlockSync(Buffer.from('y')), sizes: [1] };
const different: ItemContent[] = [
  file,
  empty,
  { ...file, executable: true },
  { ...file, blocks: other },
  { kind: 'directory' },
  { kind: 'deletion' },
  { kind: 'symlink', target: 'a' },
  { kind: 'symlink', target: 'b' },
];

it('contents are the same as themselves and as nothing else', () => {
  different.forEach((a, i) =>
    different.forEach((b, j) => {
      expect(sameContent(a, b), `${i} and ${j}`).toBe(i === j);
      expect(sameContent(a, structuredClone(b)), `${i} and a copy of ${j}`).toBe(i === j);
    }),
  );
});

it('contents are the same whenever they were written', () => {
  expect(sameContent(file, { ...file, modifiedAtMs: 2000 })).toBe(true);
});
