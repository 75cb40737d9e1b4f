import assert from "node:assert/strict";
import { test } from "node:test";
import { timestampMs } from "@bufbuild/protobuf/wkt";
import { Code, createClient } from "@connectrpc/connect";
import { type Channel, createChannel } from "../../channel/channel.ts";
import { ChannelConnectivityState_State as State } from "../../gen/grpc/channelz/v1/channelz_pb.ts";
import { createServer } from "../../server/server.ts";
import { assertStatus } from "../../testing/assert-status.ts";
import { createHealth } from "../health/health.ts";
import { createChannelz } from "./channelz.ts";

/** A server that tells of itself and of the channel that asks it. */
async function open() {
  const channelz = createChannelz();
  const health = createHealth();
  const server = createServer({
    routes(router) {
      channelz.routes(router);
      health.routes(router);
    },
  });
  const { port } = await server.listen({ port: 0 });
  const channel = createChannel(`127.0.0.1:${port}`);
  channelz.add(server);
  const remove = channelz.add(channel);
  return {
    channelz,
    channel,
    remove,
    target: `127.0.0.1:${port}`,
    client: createClient(channelz.service, channel),
    health: createClient(health.service, channel),
    async [Symbol.asyncDispose]() {
      await channel.close();
      await server.close({ deadlineMs: 0 });
    },
  };
}

test("tells of a channel: target, state, calls, latest failures, and when the last call began", async () => {
  await using opened = await open();
  const { client, health, target } = opened;
  await health.check({});
  await assertStatus(health.check({ service: "nobody" }), Code.NotFound);
  const before = Date.now();
  const { channel, end } = await client.getTopChannels({});
  assert.equal(end, true);
  assert.equal(channel.length, 1);
  const data = channel[0]?.data ?? assert.fail("there is no data");
  assert.equal(data.target, target);
  assert.equal(data.state?.state, State.READY);
  // The call that asks is one of them.
  assert.deepEqual([data.callsStarted, data.callsSucceeded, data.callsFailed], [3n, 1n, 1n]);
  assert.ok(data.lastCallStartedTimestamp !== undefined);
  assert.ok(Math.abs(timestampMs(data.lastCallStartedTimestamp) - before) < 5000);
  assert.match(data.trace?.events[0]?.description ?? "", /^a call failed with NOT_FOUND: unknown service/);
  assert.deepEqual(
    (await client.getChannel({ channelId: channel[0]?.ref?.channelId ?? 0n })).channel?.ref,
    channel[0]?.ref,
  );
});

test("tells of a channel's subchannels", async () => {
  await using opened = await open();
  const { client, target } = opened;
  await client.getServers({});
  const { channel } = await client.getTopChannels({});
  const [ref] = channel[0]?.subchannelRef ?? [];
  assert.equal(ref?.name, target);
  const { subchannel } = await client.getSubchannel({ subchannelId: ref?.subchannelId ?? 0n });
  assert.equal(subchannel?.data?.state?.state, State.READY);
  assert.deepEqual([subchannel?.data?.callsStarted, subchannel?.data?.callsSucceeded], [3n, 2n]);
});

test("tells of a server: where it listens and its calls", async () => {
  await using opened = await open();
  const { client, health, target } = opened;
  await assertStatus(health.check({ service: "nobody" }), Code.NotFound);
  const { server } = await client.getServers({});
  assert.equal(server[0]?.ref?.name, target);
  const { callsStarted, callsSucceeded, callsFailed } = server[0]?.data ?? assert.fail("there is no data");
  assert.deepEqual([callsStarted, callsSucceeded, callsFailed], [2n, 0n, 1n]);
  const serverId = server[0]?.ref?.serverId ?? 0n;
  assert.equal((await client.getServer({ serverId })).server?.ref?.serverId, serverId);
  assert.deepEqual((await client.getServerSockets({ serverId })).socketRef, []);
});

test("answers page by page", async () => {
  await using opened = await open();
  const { channelz, client } = opened;
  const others: Channel[] = Array.from({ length: 100 }, (_, at) => createChannel(`static:///host${at}:1`));
  for (const other of others) channelz.add(other);
  const first = await client.getTopChannels({ maxResults: 60n });
  assert.equal(first.channel.length, 60);
  assert.equal(first.end, false);
  const lastId = first.channel.at(-1)?.ref?.channelId ?? 0n;
  const second = await client.getTopChannels({ startChannelId: lastId + 1n });
  assert.equal(second.channel.length, 41);
  assert.equal(second.end, true);
  assert.equal((await client.getTopChannels({ maxResults: 1000n })).channel.length, 100);
  await assertStatus(client.getTopChannels({ maxResults: -1n }), Code.InvalidArgument);
  await Promise.all(others.map((other) => other.close()));
});

test("knows nothing that was not added, and forgets what is taken out", async () => {
  await using opened = await open();
  const { client, remove, channelz, channel } = opened;
  const { channel: told } = await client.getTopChannels({});
  channelz.add(channel);
  assert.equal((await client.getTopChannels({})).channel.length, 1);
  remove();
  assert.equal((await client.getTopChannels({})).channel.length, 0);
  await assertStatus(client.getChannel({ channelId: told[0]?.ref?.channelId ?? 0n }), Code.NotFound);
  await assertStatus(client.getSubchannel({ subchannelId: 999n }), Code.NotFound);
  await assertStatus(client.getServer({ serverId: 999n }), Code.NotFound);
  await assertStatus(client.getServerSockets({ serverId: 999n }), Code.NotFound);
  await assertStatus(client.getSocket({ socketId: 1n }), Code.NotFound);
});

test("refuses a channel of another making", () => {
  const foreign = { state: "idle" } as unknown as Channel;
  assert.throws(() => createChannelz([foreign]), TypeError);
});
