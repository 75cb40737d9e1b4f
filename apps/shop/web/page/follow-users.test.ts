import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { create } from "@bufbuild/protobuf";
import { createClient, createRouterTransport, type ServiceImpl } from "@connectrpc/connect";
import { outOfRange, permissionDenied } from "@tercel/grpc/errors";
import { ListUsersResponseSchema, UserEventSchema, UserService } from "../../src/gen/api/user/v1/user_pb.ts";
import { type Follower, followUsers } from "./follow-users.ts";
import type { UsersClient } from "./users-client.ts";

/** Records what a page receives, line by line, until the signal aborts. */
function createFollower(endAfter: (lines: readonly string[]) => boolean) {
  const lines: string[] = [];
  const leaving = new AbortController();
  const say = (line: string): void => {
    lines.push(line);
    if (endAfter(lines)) leaving.abort();
  };
  const follower: Follower = {
    onList: ({ resumeToken }) => say(`list ${resumeToken}`),
    onEvent: ({ resumeToken }) => say(`event ${resumeToken}`),
    onState: ({ kind }) => say(kind),
    onGap: () => say("gap"),
  };
  return { lines, follower, signal: leaving.signal };
}

function createUsers(users: Pick<ServiceImpl<typeof UserService>, "listUsers" | "streamUserEvents">) {
  return createClient(
    UserService,
    createRouterTransport(({ service }) => service(UserService, users)),
  );
}

describe("following the users", () => {
  it("begins with the events after the list", async () => {
    const client = createUsers({
      listUsers: () => ({ resumeToken: "7" }),
      async *streamUserEvents({ resumeToken }) {
        yield { resumeToken: String(Number(resumeToken) + 1) };
        yield { resumeToken: String(Number(resumeToken) + 2) };
      },
    });
    const position = { token: undefined };
    const { lines, follower, signal } = createFollower((all) => all.includes("event 9"));
    await followUsers(client, position, follower, signal);
    assert.deepEqual(lines, ["connecting", "list 7", "live", "event 8", "event 9"]);
    assert.deepEqual(position, { token: "9" });
  });

  it("lists again and reports it if the server no longer has the events", async () => {
    const asked: string[] = [];
    const client = createUsers({
      listUsers: () => ({ resumeToken: "100" }),
      async *streamUserEvents({ resumeToken }) {
        asked.push(resumeToken);
        if (resumeToken === "1") throw outOfRange({ message: "too old", reason: "RESUME_TOKEN_EXPIRED" });
        yield { resumeToken: "101" };
      },
    });
    const { lines, follower, signal } = createFollower((all) => all.includes("event 101"));
    await followUsers(client, { token: "1" }, follower, signal);
    assert.deepEqual(lines, ["connecting", "live", "gap", "connecting", "list 100", "live", "event 101"]);
    assert.deepEqual(asked, ["1", "100"]);
  });

  it("reports no event after its signal was aborted, because another client reads it then", async () => {
    const leaving = new AbortController();
    const client = {
      listUsers: async () => create(ListUsersResponseSchema, { resumeToken: "0" }),
      async *streamUserEvents() {
        yield create(UserEventSchema, { resumeToken: "1" });
        // This event is on its way when the user switches the protocol.
        queueMicrotask(() => leaving.abort());
        yield create(UserEventSchema, { resumeToken: "2" });
      },
    } as unknown as UsersClient;
    const position = { token: undefined };
    const { lines, follower } = createFollower(() => false);
    await followUsers(client, position, follower, leaving.signal);
    assert.deepEqual(lines, ["connecting", "list 0", "live", "event 1"]);
    assert.deepEqual(position, { token: "1" });
  });

  it("stops at an error that a retry would not change", async () => {
    const client = createUsers({
      listUsers() {
        throw permissionDenied("admins only");
      },
      async *streamUserEvents() {},
    });
    const { lines, follower, signal } = createFollower(() => false);
    await followUsers(client, { token: undefined }, follower, signal);
    assert.deepEqual(lines, ["connecting", "stopped"]);
  });
});
