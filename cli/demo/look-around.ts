import { relative } from 'node:path';
import { EXECUTABLE } from './child-program.js';
import { NAMESPACE } from './demo-fleet.js';
import type { DemoPrograms } from './start-programs.js';

/** What to type while a demo is left running, and how to end it. */
export function howToLookAround(directory: string, programs: DemoPrograms, pids: readonly number[]): string {
  const { writer, reader } = programs;
  const drystone = `node ${relative(process.cwd(), EXECUTABLE)}`;
  const as = `--home ${writer.homeDir}`;
  return [
    'Everything is left running. Look around:',
    `  $ ${drystone} status ${as} --dir ${writer.folder}`,
    `  $ ${drystone} ls ${NAMESPACE} ${as}`,
    `  $ date > ${writer.folder}/now.txt; sleep 1; cat ${reader.folder}/now.txt`,
    'Stop it:',
    `  $ kill ${pids.join(' ')}; sleep 2; rm -r ${directory}`,
  ].join('\n');
}
