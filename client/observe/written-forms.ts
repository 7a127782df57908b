/**
 * Two names that look alike, as they are written: where they differ, the characters beyond ASCII are shown by their codes,
 * `caf\u00e9` and `cafe\u0301`. Pure.
 */
export function writtenForms(one: string, other: string): readonly [string, string] {
  const [first, second] = [Array.from(one), Array.from(other)];
  const shortest = Math.min(first.length, second.length);
  let ahead = 0;
  while (ahead < shortest && first[ahead] === second[ahead]) ahead++;
  let behind = 0;
  while (behind < shortest - ahead && first.at(-1 - behind) === second.at(-1 - behind)) behind++;
  return [written(first, ahead, behind), written(second, ahead, behind)];
}

function written(characters: readonly string[], ahead: number, behind: number): string {
  const end = characters.length - behind;
  return characters.map((character, index) => (index >= ahead && index < end ? coded(character) : character)).join('');
}

function coded(character: string): string {
  const code = character.codePointAt(0) ?? 0;
  if (code <= 0x7f) return character;
  return code > 0xffff ? `\\u{${code.toString(16)}}` : `\\u${code.toString(16).padStart(4, '0')}`;
}
