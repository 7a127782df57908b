/** Seeds of the simulation that have found something, and what. They are run with every test run. */
export const regressions: readonly { readonly seed: number; readonly found: string }[] = [];
