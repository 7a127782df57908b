/** Seeds of the simulation that have found something, and what. They are run with every test run. */
export const regressions: readonly { readonly seed: number; readonly found: string }[] = [
  {
    seed: 73,
    found: 'a file that a killed client had fetched and not noted becomes a copy where its item was replaced',
  },
  { seed: 11124, found: 'a file that was moved here became a conflicted copy where its item was replaced at once' },
];
