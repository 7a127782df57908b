import { feedMethods, parseFeedQuery, parsePlace } from '../../common/feed-service/feed-methods.js';
import type { FeedReader } from '../../common/feed-service/feed-reader.js';
import type { Subscriptions } from '../../common/feed-service/subscriptions.js';
import { parseNamespaceId, parseReplicaId } from '../../common/ids.js';
import { wireLimits } from '../../common/limits.js';
import { serve, type ServedService } from '../../common/rpc/server.js';
import type { CommitParts } from '../commit/commit-stream.js';
import type { Readers } from '../feed/readers.js';
import { callingHolder } from '../requests/callers.js';
import type { Access } from '../trust/access.js';
import { push } from './push.js';

export interface FeedParts {
  readonly access: Access;
  readonly reader: FeedReader;
  readonly readers: Readers;
  readonly subscriptions: Subscriptions;
  readonly commits: CommitParts;
}

/** FeedService (proto/drystone/feed/v1/feed.proto). */
export function feedRoutes({ access, reader, readers, subscriptions, commits }: FeedParts): ServedService {
  return serve(
    feedMethods,
    {
      async readFeed(request, context) {
        const caller = callingHolder(context);
        const namespaceId = parseNamespaceId('namespace_id', request.namespaceId);
        await access.authoriseHolder(caller, namespaceId, 'reader');
        const query = parseFeedQuery(request);
        const place = await readers.place(namespaceId, caller, query.after);
        const page = await reader.read(namespaceId, { ...query, ...place });
        readers.moved(namespaceId, caller, place, page.nextCursor);
        return page;
      },
      async *subscribe(request, context) {
        const caller = callingHolder(context);
        const namespaceId = parseNamespaceId('namespace_id', request.namespaceId);
        const { after, afterHistory } = parsePlace(request);
        const replica = request.replicaId === '' ? undefined : parseReplicaId('replica_id', request.replicaId);
        const admit = (): Promise<unknown> => access.authoriseHolder(caller, namespaceId, 'reader');
        await admit();
        const place = await readers.place(namespaceId, caller, after);
        if (replica !== undefined) await readers.subscribed(namespaceId, replica, place);
        for await (const page of subscriptions.subscribe(
          { namespaceId, ...place, afterHistory, admit },
          context.signal,
        )) {
          yield page;
          readers.moved(namespaceId, caller, place, page.nextCursor);
        }
      },
      push: (requests, context) => push(commits, requests, context),
    },
    {
      audience: { readFeed: 'agent or device', subscribe: 'agent or device', push: 'agent or device' },
      endless: ['subscribe'],
      requestBytes: { push: wireLimits.messageBytes },
    },
  );
}
