import { Code, ConnectError } from "@connectrpc/connect";
import { createReconnectingStream, matchError } from "@tercel/gateway/browser";
import type { ListUsersResponse, UserEvent } from "../../src/gen/api/user/v1/user_pb.ts";
import { callOptions, type UsersClient } from "./users-client.ts";

export const firstPage = { pageSize: 50, orderBy: "created_at desc" } as const;

export type LiveState =
  | { readonly kind: "connecting" | "live" | "offline" }
  | { readonly kind: "waiting"; readonly delayMs: number; readonly error: ConnectError | undefined }
  | { readonly kind: "stopped"; readonly error: unknown };

/** After which event the stream continues; it outlives streams and clients. */
export interface StreamPosition {
  token: string | undefined;
}

export interface Follower {
  /** The users as they are; events continue from here. */
  onList(list: ListUsersResponse): void;
  onEvent(event: UserEvent): void;
  onState(state: LiveState): void;
  /** Events were missed for so long that the server does not keep them any more. The users are listed again. */
  onGap(): void;
}

/**
 * Lists the users, and then follows what becomes of them over restarts of the server and times without a network, until the signal aborts. Every
 * event is reported once: the list says where the events begin, and each event where they continue.
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
    // Another client continues from this position by now.
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
  // A stream says nothing before its first event; a list says whether the server answers.
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
