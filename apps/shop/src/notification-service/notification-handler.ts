import type { MessageInitShape } from "@bufbuild/protobuf";
import { timestampFromMs } from "@bufbuild/protobuf/wkt";
import type { ServiceImpl } from "@connectrpc/connect";
import { createPageTokens } from "@tercel/aip";
import type { Feed } from "@tercel/service/feed";
import type { NotificationSchema, NotificationService } from "../gen/shop/notification/v1/notification_pb.ts";
import { type Caller, callerOf, requireAdmin, requireSelfOrAdmin } from "../shared/caller.ts";
import { createListPages } from "../shared/list-pages.ts";
import type { NotificationStore, StoredNotification } from "./notification-store.ts";

export interface NotificationParts {
  readonly store: NotificationStore;
  readonly feed: Feed<StoredNotification>;
  /** The secret of page tokens and resume tokens. */
  readonly tokenSecret: Uint8Array;
}

/** Creates the handlers of shop.notification.v1.NotificationService over the store. */
export function createNotificationHandler(parts: NotificationParts): ServiceImpl<typeof NotificationService> {
  const { store, feed, tokenSecret } = parts;
  const pages = createListPages("notifications", tokenSecret);
  const resumeTokens = createPageTokens<number>({ keys: [{ id: "1", secret: tokenSecret }], noun: "resume token" });

  return {
    async listNotifications(request, context) {
      requireReader(callerOf(context), request.userId);
      const { rows, nextPageToken } = await pages(request, (query) => store.list(query));
      return { notifications: rows.map(toMessage), nextPageToken };
    },

    async *streamNotifications({ userId, resumeToken }, context) {
      requireReader(callerOf(context), userId);
      const query = { stream: "notifications", userId };
      const after = resumeTokens.read(query, resumeToken);
      for await (const one of feed.follow({ after, signal: context.signal })) {
        if (userId !== "" && one.userId !== userId) continue;
        yield { notification: toMessage(one), resumeToken: resumeTokens.create(query, one.seq) };
      }
    },
  };
}

function requireReader(caller: Caller, userId: string): void {
  if (userId === "") requireAdmin(caller, "user_id is empty, which means all users");
  else requireSelfOrAdmin(caller, userId);
}

function toMessage({
  id,
  userId,
  kind,
  text,
  createTimeMs,
}: StoredNotification): MessageInitShape<typeof NotificationSchema> {
  return { id, userId, kind, text, createTime: timestampFromMs(createTimeMs) };
}
