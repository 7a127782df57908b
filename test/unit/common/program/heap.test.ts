import { spawnSync } from 'node:child_process';
import { expect, it } from 'vitest';
import { heapGrowthFlag } from '../../../../common/program/heap.js';

it('sets a flag that this V8 knows', () => {
  expect(spawnSync(process.execPath, [heapGrowthFlag, '-e', '0'], { encoding: 'utf8' })).toMatchObject({ status: 0 });
});
