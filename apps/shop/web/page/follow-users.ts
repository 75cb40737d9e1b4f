import { Code, ConnectError } from "@connectrpc/connect";
import { createReconnectingStream, matchError } from "@tercel/gateway/browser";
import type { ListUsersResponse, UserEvent } from "../../src/gen/api/user/v1/user_pb.ts";
import { callOptions, type UsersClient } from "./users-client.ts";

export const firstPage = { pageSize: 50, orderBy: "created_at desc" } as const;

export type LiveState =
  | { readonly kind: "connecting" | "live" | "offline" }
  | { readonly kind: "waiting"; readonly delayMs: number; readonly error: ConnectError | undefined }
  | { readonly kind: "stopped"; readonly error: unknown };

/** The position at which the stream continues. It is kept across streams and clients. */
export interface StreamPosition {
  token: string | undefined;
}

export interface Follower {
  /** The current users. Events continue from here. */
  onList(list: ListUsersResponse): void;
  onEvent(event: UserEvent): void;
  onState(state: LiveState): void;
  /** Events are missing, because the server no longer has them. The users are listed again. */
  onGap(): void;
}

/**
 * Lists the users, and then follows their changes across restarts of the server and network failures, until the signal aborts. Every
 * event is reported once: the list has the position at which the events begin, and each event the position at which they continue.
 */
export async function followUsers(
  client: UsersClient,
  position: StreamPosition,
  follower: Follower,
  signal: AbortSignal,
): Promise<void> {
  for (;;) {
    try {
      await readEvents(client, position, follower, signal);
    } catch (error) {
      if (signal.aborted) return;
      if (isTooOld(error)) {
        position.token = undefined;
        follower.onGap();
        continue;
      }
      follower.onState({ kind: "stopped", error });
    }
    return;
  }
}

async function readEvents(
  client: UsersClient,
  position: StreamPosition,
  follower: Follower,
  signal: AbortSignal,
): Promise<void> {
  const events = createReconnectingStream<UserEvent, string>({
    open: (_, streamSignal) => openEvents(client, position, follower, streamSignal),
    tokenOf: ({ resumeToken }) => resumeToken,
    reconnectOnEnd: true,
    onReconnect: ({ error, delayMs }) =>
      follower.onState(navigator.onLine ? { kind: "waiting", delayMs, error } : { kind: "offline" }),
    signal,
  });
  for await (const event of events) {
    // By now another client continues from this position.
    if (signal.aborted) return;
    position.token = event.resumeToken;
    follower.onEvent(event);
  }
}

async function* openEvents(
  client: UsersClient,
  position: StreamPosition,
  follower: Follower,
  signal: AbortSignal,
): AsyncIterable<UserEvent> {
  follower.onState({ kind: "connecting" });
  // A stream has no response before its first event. A list shows whether the server responds.
  if (position.token === undefined) {
    const list = await client.listUsers(firstPage, { ...callOptions, signal });
    if (signal.aborted) throw ConnectError.from(signal.reason, Code.Canceled);
    position.token = list.resumeToken;
    follower.onList(list);
  } else await client.listUsers({ pageSize: 1 }, { ...callOptions, signal });
  follower.onState({ kind: "live" });
  yield* client.streamUserEvents({ resumeToken: position.token }, { signal });
}

function isTooOld(error: unknown): boolean {
  return matchError(error, { RESUME_TOKEN_EXPIRED: () => true, otherwise: () => false });
}
