import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { KeptAssignment } from '../../../../client/connection/kept-assignment.js';
import { durableTexts } from '../../../../common/files/text-keeper.js';
import type { NamespaceName } from '../../../../common/ids.js';
import { AgentState } from '../../../../proto/gen/drystone/metadata/v1/account.js';
import { temporaryDirectory } from '../../../support/temporary-directory.js';

const docs = 'docs' as NamespaceName;
const candidate = { agentId: 'a'.repeat(32), premises: 'here', address: 'here:1', state: AgentState.ONLINE };
const assignment = { namespaceId: '0'.repeat(32), namespaceName: docs, epoch: 3n, candidates: [candidate] };

test('who holds the namespace is there again after a start, for that namespace alone', async () => {
  const directory = temporaryDirectory();
  await new KeptAssignment(directory, durableTexts).keep(assignment);
  const next = new KeptAssignment(directory, durableTexts);
  expect(await next.read(docs)).toEqual(assignment);
  expect(await next.read('other' as NamespaceName)).toBeUndefined();
});

test.each(['', '{"namespaceId":7}'])('what cannot be understood is as if it were not there: %j', async (text) => {
  const directory = temporaryDirectory();
  writeFileSync(join(directory, 'assignment.json'), text);
  expect(await new KeptAssignment(directory, durableTexts).read(docs)).toBeUndefined();
});
