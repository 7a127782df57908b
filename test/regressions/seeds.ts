/** A seed of the simulation that has found something, and what. */
interface Regression {
  readonly seed: number;
  readonly found: string;
  /** Whether clients spoke with each other in its world. */
  readonly peers?: true;
}

/** They are run with every test run. */
export const regressions: readonly Regression[] = [
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
  {
    seed: 18,
    peers: true,
    found: 'what peers alone had been told could not be settled at metadata, which was never given its bytes',
  },
  { seed: 23, peers: true, found: 'a file that was removed here was wanted again because a conflict was settled' },
  {
    seed: 24,
    peers: true,
    found: 'a conflict was never over, because metadata had not heard of all that came before its sides',
  },
  {
    seed: 37,
    peers: true,
    found: 'peers settled a conflict with a change whose author was online, and nobody told metadata of the copy',
  },
  { seed: 121, peers: true, found: 'a conflicted copy whose bytes nobody has was waited for' },
  { seed: 127, peers: true, found: 'a file that was removed here was to become a copy, for what others put below it' },
  { seed: 295, peers: true, found: 'a file was removed while its copy waited for the directory that it lies in' },
  { seed: 384, peers: true, found: 'what was said again to an agent was not looked at any more' },
  { seed: 241, peers: true, found: 'peers settled a conflict with a change that they had not got the bytes of' },
  { seed: 138, peers: true, found: 'an author did not know, after a loss of power, what peers had heard of it' },
  { seed: 151, peers: true, found: 'a stream that had failed took what its source was asked next' },
  { seed: 847, peers: true, found: 'a deletion that peers had been told was forgotten' },
  { seed: 1045, peers: true, found: 'a conflict was settled at metadata without a deletion that is one of its sides' },
  {
    seed: 1165,
    peers: true,
    found: 'who settles in favour of its own change was believed that one is gone of which the agent had not heard',
  },
  { seed: 839, peers: true, found: 'what peers had been told came back, and was not told to metadata' },
  {
    seed: 5157,
    peers: true,
    found: 'attributes that peers had been told, and others had taken the place of, were forgotten',
  },
  { seed: 960828, found: 'catching up moved a cursor back that a subscription had just moved on' },
  {
    seed: 1000893,
    peers: true,
    found: 'what had been heard of beside an own change was not looked at when that change had been taken',
  },
  { seed: 1000787, peers: true, found: 'a conflicted copy was taken of a file that stood, and went on to stand' },
  {
    seed: 1100244,
    peers: true,
    found: 'the number of a change that a loss of power had forgotten was given to another',
  },
  { seed: 1200181, found: 'a file waited for its bytes to come to a path below itself' },
  { seed: 1300474, found: 'after a loss of power a fetched file was taken for what the user had made' },
  {
    seed: 1401146,
    peers: true,
    found: 'a change of another path stood for a side of a conflict, of which there was no copy',
  },
  {
    seed: 1400142,
    peers: true,
    found: 'what peers had been told, and was removed above what others made, was waited for',
  },
  { seed: 1500008, peers: true, found: 'an endpoint made a conflicted copy of its own file, which stood' },
  {
    seed: 1500184,
    peers: true,
    found: 'a removed file was to become a copy where more was known of it than when it was agreed on',
  },
  { seed: 1600669, peers: true, found: 'a copy that an agent had refused was passed on to metadata' },
  { seed: 961671, found: 'a file that could not be moved when its directory was gone stayed where it was' },
  { seed: 700643, found: 'a directory was to be removed while a file in it had to stay' },
  {
    seed: 2301425,
    peers: true,
    found: 'a conflict that an agent had settled was told to metadata without the copies of its other sides',
  },
  {
    seed: 1795756886,
    found: 'a conflict that waited for an agent to tell metadata was not looked at when metadata had been told',
  },
  {
    seed: 4101133,
    peers: true,
    found: 'a side that was like another, and that metadata had not heard of, was called settled',
  },
  {
    seed: 4200006,
    found: 'what lay where a conflicted copy was to be did not come to who had tried to put that there',
  },
];
