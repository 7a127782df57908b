import { chunking, clientLimits } from '../../common/limits.js';
import { cutSegment } from './cut-segment.js';
import { cutSmallFiles } from './cut-small-files.js';
import { FastCdc } from './fastcdc/fastcdc.js';
import type { SegmentResult, SegmentTask, SmallFilesResult, SmallFilesTask } from './cut-task.js';

/** Does cutting tasks on the calling thread, with one chunker for all of them. */
export class LocalTaskRunner {
  readonly #chunker = new FastCdc(chunking, clientLimits.cutWindowBytes);

  cutSegment(task: SegmentTask): SegmentResult {
    return cutSegment(this.#chunker, task);
  }

  cutSmallFiles(task: SmallFilesTask): SmallFilesResult {
    return cutSmallFiles(task);
  }
}
