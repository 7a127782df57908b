import { spawnSync } from 'node:child_process';
import { expect, it } from 'vitest';
import { compileLaterFlag } from '../../../../common/program/compiling.js';

it('sets a flag that this V8 knows', () => {
  expect(spawnSync(process.execPath, [compileLaterFlag, '-e', '0'], { encoding: 'utf8' })).toMatchObject({ status: 0 });
});
