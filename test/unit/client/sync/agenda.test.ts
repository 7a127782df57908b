import { expect, test } from 'vitest';
import { Agenda } from '../../../../client/sync/agenda.js';
import type { ItemPath } from '../../../../common/feed/item.js';
import { clientLimits } from '../../../../common/limits.js';

const RESTLESS = 'log.bin' as ItemPath;
const NOTHING = {
  again: new Set<ItemPath>(),
  lookAgain: new Set<ItemPath>(),
  refused: new Set<ItemPath>(),
  later: new Set<ItemPath>(),
};

function tryInVain(agenda: Agenda): ItemPath[] {
  agenda.takeScope();
  agenda.takeLookAgain();
  return agenda.absorb({ ...NOTHING, lookAgain: new Set([RESTLESS]) });
}

test('what keeps changing is tried a few times and then waits for its time', () => {
  const agenda = new Agenda();
  for (let attempt = 1; attempt < clientLimits.unstableFileAttempts; attempt++) {
    expect(tryInVain(agenda)).toEqual([]);
    expect(agenda.isLater).toBe(false);
  }
  expect(tryInVain(agenda)).toEqual([RESTLESS]);
  expect([...agenda.takeScope()]).toEqual([]);
  agenda.retryLater();
  expect([...agenda.takeScope()]).toEqual([RESTLESS]);
});

test('what has been given up is not taken up again, however often it changes', () => {
  const agenda = new Agenda();
  for (let attempt = 0; attempt < clientLimits.unstableFileAttempts; attempt++) tryInVain(agenda);
  expect(agenda.dropLater()).toEqual([RESTLESS]);
  agenda.takeLookAgain();
  agenda.add([RESTLESS, 'other.txt' as ItemPath]);
  expect([...agenda.takeScope()]).toEqual(['other.txt']);
  expect(agenda.isDue).toBe(false);
});
