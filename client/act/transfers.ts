import type { FetchFile, ReadFile } from '../plan/operation.js';
import type { FetchOutcome } from './download/fetch-files.js';
import type { FolderPlaces } from './folder-places.js';
import type { UploadOutcome } from './upload/pending-item.js';
import type { UploadOperation } from './upload/upload.js';

/** How content travels in a round. Each tells outcomes as they come, and raises what ended it early. */
export interface Transfers {
  /** Finds out of which blocks files are made; needs nobody else. */
  read(
    operations: readonly ReadFile[],
    places: FolderPlaces,
    onOutcomes: (outcomes: readonly UploadOutcome[]) => void,
    signal: AbortSignal,
  ): Promise<void>;
  upload(
    operations: readonly UploadOperation[],
    places: FolderPlaces,
    onOutcomes: (outcomes: readonly UploadOutcome[]) => void,
    signal: AbortSignal,
  ): Promise<void>;
  fetch(
    operations: readonly FetchFile[],
    places: FolderPlaces,
    onOutcome: (outcome: FetchOutcome) => void,
    signal: AbortSignal,
  ): Promise<void>;
}
