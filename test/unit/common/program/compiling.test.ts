import { spawnSync } from 'node:child_process';
import { expect, it } from 'vitest';
import { compileLaterFlags } from '../../../../common/program/compiling.js';

it('sets no flag that this V8 does not know', () => {
  const flags = compileLaterFlags(process.versions.v8);
  const { status, stderr } = spawnSync(process.execPath, [...flags, '-e', '0'], { encoding: 'utf8' });
  expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
});

it('has one for the V8 of Node 20, and none for later ones', () => {
  expect(compileLaterFlags('11.3.244.8-node.30')).toHaveLength(1);
  expect(compileLaterFlags('12.4.254.21-node.33')).toEqual([]);
  expect(compileLaterFlags('13.6.233.17-node.37')).toEqual([]);
});
