/** Seeds of the simulation that have found something, and what. They are run with every test run. */
export const regressions: readonly { readonly seed: number; readonly found: string }[] = [
  {
    seed: 73,
    found: 'a file that a killed client had fetched and not noted became a copy where its item was replaced',
  },
  { seed: 11124, found: 'a file that was moved here became a conflicted copy where its item was replaced at once' },
  {
    seed: 1795647789,
    found:
      'metadata was told that a rival is gone before the copy came that an agent had taken of it, and took no copy',
  },
  {
    seed: 1795647782,
    found: 'the same, where the item had become a directory meanwhile: the site kept a copy that nobody else had',
  },
  { seed: 200032, found: 'what metadata had known before the agent was told of it was for ever waiting to go up' },
  { seed: 300228, found: 'the same as 73, where the old text stood and the newer one became the copy' },
  {
    seed: 301823,
    found: 'what others put below a directory that a scan could not see was not fetched when it could be seen',
  },
  {
    seed: 410187,
    found: 'a conflict was settled at metadata before it had heard of one side, whose text was lost',
  },
  {
    seed: 430003,
    found: 'the same as 73, where the namespace had moved on before the client was killed',
  },
];
