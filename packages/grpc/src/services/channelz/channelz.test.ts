import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import { timestampMs } from "@bufbuild/protobuf/wkt";
import { Code, createClient } from "@connectrpc/connect";
import { type Channel, createChannel } from "../../channel/channel.ts";
import { ChannelConnectivityState_State as State } from "../../gen/grpc/channelz/v1/channelz_pb.ts";
import { createServer } from "../../server/server.ts";
import { assertStatus } from "../../testing/assert-status.ts";
import { createHealth } from "../health/health.ts";
import { createChannelz } from "./channelz.ts";

/** A server that tells of itself and of the channel that asks it. */
async function open(test: TestContext) {
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
  test.after(async () => {
    await channel.close();
    await server.close({ deadlineMs: 0 });
  });
  return {
    channelz,
    channel,
    remove,
    target: `127.0.0.1:${port}`,
    client: createClient(channelz.service, channel),
    health: createClient(health.service, channel),
  };
}

test("tells of a channel: target, state, calls, latest failures, and when the last call began", async (t) => {
  const opened = await open(t);
  const { client, health, target } = opened;
  await health.check({});
  await assertStatus(health.check({ service: "absent" }), Code.NotFound);
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

test("tells of a channel's subchannels", async (t) => {
  const opened = await open(t);
  const { client, target } = opened;
  await client.getServers({});
  const { channel } = await client.getTopChannels({});
  const [ref] = channel[0]?.subchannelRef ?? [];
  assert.equal(ref?.name, target);
  const { subchannel } = await client.getSubchannel({ subchannelId: ref?.subchannelId ?? 0n });
  assert.equal(subchannel?.data?.state?.state, State.READY);
  assert.deepEqual([subchannel?.data?.callsStarted, subchannel?.data?.callsSucceeded], [3n, 2n]);
});

test("tells of a server: where it listens and its calls", async (t) => {
  const opened = await open(t);
  const { client, health, target } = opened;
  await assertStatus(health.check({ service: "absent" }), Code.NotFound);
  const { server } = await client.getServers({});
  assert.equal(server[0]?.ref?.name, target);
  const { callsStarted, callsSucceeded, callsFailed } = server[0]?.data ?? assert.fail("there is no data");
  assert.deepEqual([callsStarted, callsSucceeded, callsFailed], [2n, 0n, 1n]);
  const serverId = server[0]?.ref?.serverId ?? 0n;
  assert.equal((await client.getServer({ serverId })).server?.ref?.serverId, serverId);
});

test("tells of both sockets of a connection: ends, streams, messages, windows, last activity", async (t) => {
  const opened = await open(t);
  const { client, health } = opened;
  await health.check({});
  await assertStatus(health.check({ service: "absent" }), Code.NotFound);
  const before = Date.now();
  const { server } = await client.getServers({});
  const { socketRef, end } = await client.getServerSockets({ serverId: server[0]?.ref?.serverId ?? 0n });
  assert.equal(end, true);
  assert.equal(socketRef.length, 1);
  const { channel } = await client.getTopChannels({});
  const { subchannel } = await client.getSubchannel({
    subchannelId: channel[0]?.subchannelRef[0]?.subchannelId ?? 0n,
  });
  assert.equal(subchannel?.socketRef.length, 1);
  const ofServer = (await client.getSocket({ socketId: socketRef[0]?.socketId ?? 0n })).socket;
  const ofClient = (await client.getSocket({ socketId: subchannel?.socketRef[0]?.socketId ?? 0n })).socket;
  assert.ok(ofServer?.data !== undefined && ofClient?.data !== undefined);
  assert.equal(ofServer.ref?.name, socketRef[0]?.name);
  // One call has failed with a status, which its stream has brought in good order. The call that asks is one of them.
  assert.deepEqual(
    [ofServer.data.streamsStarted, ofServer.data.streamsSucceeded, ofServer.data.streamsFailed],
    [7n, 6n, 0n],
  );
  assert.deepEqual([ofServer.data.messagesReceived, ofServer.data.messagesSent], [7n, 5n]);
  assert.deepEqual([ofClient.data.messagesSent, ofClient.data.messagesReceived], [8n, 6n]);
  assert.deepEqual(ofServer.local, ofClient.remote);
  assert.deepEqual(ofServer.remote, ofClient.local);
  const { address } = ofClient.local ?? assert.fail("there is no local address");
  assert.ok(address.case === "tcpipAddress");
  assert.deepEqual([...address.value.ipAddress], [127, 0, 0, 1]);
  assert.ok(ofClient.data.lastLocalStreamCreatedTimestamp !== undefined);
  assert.ok(ofServer.data.lastRemoteStreamCreatedTimestamp !== undefined);
  assert.ok(ofServer.data.lastMessageSentTimestamp !== undefined);
  assert.ok(Math.abs(timestampMs(ofServer.data.lastMessageSentTimestamp) - before) < 5000);
  assert.ok((ofClient.data.localFlowControlWindow ?? 0n) > 0n);
  // Nothing is on its way that has not been counted, so what one side may send is what the other has granted, at most.
  assert.ok((ofServer.data.remoteFlowControlWindow ?? 0n) > 0n);
  assert.equal(ofClient.data.peerMaxConcurrentStreams, 200);
  assert.equal(ofServer.security, undefined);
});

test("tells of the socket that a server listens on", async (t) => {
  const opened = await open(t);
  const { client, target } = opened;
  const { server } = await client.getServers({});
  const [listen] = server[0]?.listenSocket ?? [];
  assert.equal(listen?.name, target);
  const { socket } = await client.getSocket({ socketId: listen?.socketId ?? 0n });
  assert.equal(socket?.local?.address.case, "tcpipAddress");
  assert.equal(socket?.data, undefined);
});

test("pages through a server's sockets, and knows none that is closed", async (t) => {
  const opened = await open(t);
  const { client, target } = opened;
  const others = Array.from({ length: 3 }, () => createChannel(target));
  const { service } = createHealth();
  await Promise.all(others.map((other) => createClient(service, other).check({})));
  const { server } = await client.getServers({});
  const serverId = server[0]?.ref?.serverId ?? 0n;
  const first = await client.getServerSockets({ serverId, maxResults: 2n });
  assert.deepEqual([first.socketRef.length, first.end], [2, false]);
  const startSocketId = (first.socketRef[1]?.socketId ?? 0n) + 1n;
  const second = await client.getServerSockets({ serverId, startSocketId });
  assert.deepEqual([second.socketRef.length, second.end], [2, true]);
  await Promise.all(others.map((other) => other.close()));
  let left = second.socketRef;
  while (left.length > 1) left = (await client.getServerSockets({ serverId })).socketRef;
  const gone = [...first.socketRef, ...second.socketRef].find(({ socketId }) => socketId !== left[0]?.socketId);
  await assertStatus(client.getSocket({ socketId: gone?.socketId ?? 0n }), Code.NotFound);
});

test("answers page by page", async (t) => {
  const opened = await open(t);
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

test("knows nothing that was not added, and forgets what is taken out", async (t) => {
  const opened = await open(t);
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
