/** Names that are further apart are not taken for each other. */
const MOST_EDITS = 3;

/**
 * Of `known`, those that somebody may have meant who typed `name`: the nearest by letters left out, put in, replaced and
 * swapped, as far as they are near. Pure.
 */
export function nearestNames(name: string, known: readonly string[]): readonly string[] {
  const distances = known.map((candidate) => editsBetween(name, candidate));
  const least = Math.min(...distances, MOST_EDITS);
  return known.filter((_, index) => distances[index] === least);
}

/** How many letters have to be left out, put in, replaced or swapped with the next to make one of the other. */
function editsBetween(one: string, other: string): number {
  let before: readonly number[] = [];
  let row: readonly number[] = Array.from({ length: other.length + 1 }, (_, column) => column);
  for (let line = 1; line <= one.length; line++) {
    const next = [line];
    for (let column = 1; column <= other.length; column++) {
      const cost = one[line - 1] === other[column - 1] ? 0 : 1;
      const isSwap = one[line - 1] === other[column - 2] && one[line - 2] === other[column - 1];
      next[column] = Math.min(
        at(row, column) + 1,
        at(next, column - 1) + 1,
        at(row, column - 1) + cost,
        isSwap ? at(before, column - 2) + 1 : Infinity,
      );
    }
    [before, row] = [row, next];
  }
  return at(row, other.length);
}

function at(row: readonly number[], column: number): number {
  return row[column] ?? Infinity;
}
