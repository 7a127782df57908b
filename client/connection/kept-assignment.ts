import { join } from 'node:path';
import * as v from 'valibot';
import type { TextKeeper } from '../../common/files/text-keeper.js';
import type { NamespaceName } from '../../common/ids.js';
import { AgentState, type Assignment } from '../../proto/gen/drystone/metadata/v1/account.js';
import { KeptJson } from './kept-json.js';

const fileSchema = v.object({
  namespaceId: v.string(),
  namespaceName: v.string(),
  epoch: v.pipe(v.string(), v.regex(/^\d+$/)),
  candidates: v.array(
    v.object({ agentId: v.string(), premises: v.string(), address: v.string(), state: v.enum(AgentState) }),
  ),
});

/** Which agents hold the namespace of a folder, as metadata last said, kept with its state. */
export class KeptAssignment {
  readonly #file: KeptJson<Assignment>;

  constructor(stateDirectory: string, texts: TextKeeper) {
    this.#file = new KeptJson(texts, join(stateDirectory, 'assignment.json'), (json) => {
      const { epoch, ...rest } = v.parse(fileSchema, json);
      return { ...rest, epoch: BigInt(epoch) };
    });
  }

  /** What was kept last, where it is of the namespace of this name. */
  async read(namespace: NamespaceName): Promise<Assignment | undefined> {
    const assignment = await this.readLast();
    return assignment?.namespaceName === namespace ? assignment : undefined;
  }

  /** What was kept last, of whichever namespace. */
  readLast(): Promise<Assignment | undefined> {
    return this.#file.read();
  }

  /** Durable when the promise resolves. */
  keep({ namespaceId, namespaceName, epoch, candidates }: Assignment): Promise<void> {
    const agents = candidates.map(({ agentId, premises, address, state }) => ({ agentId, premises, address, state }));
    return this.#file.keep({ namespaceId, namespaceName, epoch: String(epoch), candidates: agents });
  }
}
