import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import ts from 'typescript';

const repository = join(import.meta.dirname, '../../..');
/** Where the image has what is built; the layout below is that of the sources. */
const DIST = '/opt/drystone/dist';

/** A program of the tests for a container. */
export interface CompiledProgram {
  /** The module that Node runs. */
  readonly main: string;
  /** What the image lacks for it: what is in each file, by its place in the container. */
  readonly files: Readonly<Record<string, string>>;
}

/**
 * Compiles a program of the tests, and the modules of the tests that it imports, so that they stand in a container where they
 * would stand if they were built with the product, which they import. Paths are from the top of the repository.
 */
export function compiledForContainer([program, ...modules]: readonly [string, ...string[]]): CompiledProgram {
  const placeOf = (path: string): string => `${DIST}/${path.replace(/\.ts$/, '.js')}`;
  const files = [program, ...modules].map((path) => [placeOf(path), compiled(path)] as const);
  return { main: placeOf(program), files: Object.fromEntries(files) };
}

function compiled(path: string): string {
  const { ESNext } = ts.ModuleKind;
  const compilerOptions = { module: ESNext, target: ts.ScriptTarget.ES2023, verbatimModuleSyntax: true };
  return ts.transpileModule(readFileSync(join(repository, path), 'utf8'), { compilerOptions }).outputText;
}
