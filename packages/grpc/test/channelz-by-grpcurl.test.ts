import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { type TestContext, test } from "node:test";
import { promisify } from "node:util";
import { createClient } from "@connectrpc/connect";
import { createChannel, createServer } from "@tercel/grpc";
import { createChannelz, createHealth, createReflection } from "@tercel/grpc/services";
import { findProgram } from "@tercel/test-support/servers";

const run = promisify(execFile);
const grpcurl = findProgram("grpcurl");
const skip = grpcurl === undefined && "grpcurl is not installed; .ci/run installs it";

/** A server with channelz on a port of its own, and a channel that has made a call. */
async function open(t: TestContext) {
  const health = createHealth();
  const server = createServer({ routes: health.routes });
  const { port } = await server.listen({ port: 0 });
  const channel = createChannel(`127.0.0.1:${port}`);
  const channelz = createChannelz([channel, server]);
  const reflection = createReflection({ services: [channelz.service] });
  const admin = createServer({
    routes(router) {
      channelz.routes(router);
      reflection.routes(router);
    },
  });
  const { port: adminPort } = await admin.listen({ port: 0 });
  t.after(async () => {
    await channel.close();
    await Promise.all([server, admin].map((one) => one.close({ deadlineMs: 0 })));
  });
  await createClient(health.service, channel).check({});
  return async (method: string, request: object) => {
    const { stdout } = await run(grpcurl ?? "grpcurl", [
      "-plaintext",
      "-d",
      JSON.stringify(request),
      `127.0.0.1:${adminPort}`,
      `grpc.channelz.v1.Channelz/${method}`,
    ]);
    return JSON.parse(stdout);
  };
}

test("grpcurl finds its way from the channel and from the server to both sockets of a connection", {
  skip,
}, async (t) => {
  const ask = await open(t);
  const { channel } = await ask("GetTopChannels", {});
  const { subchannel } = await ask("GetSubchannel", { subchannel_id: channel[0].subchannelRef[0].subchannelId });
  const { socket: near } = await ask("GetSocket", { socket_id: subchannel.socketRef[0].socketId });
  const { server } = await ask("GetServers", {});
  const { socketRef } = await ask("GetServerSockets", { server_id: server[0].ref.serverId });
  const { socket: far } = await ask("GetSocket", { socket_id: socketRef[0].socketId });
  for (const { data } of [near, far]) {
    const { streamsStarted, streamsSucceeded, messagesSent, messagesReceived } = data;
    assert.deepEqual([streamsStarted, streamsSucceeded, messagesSent, messagesReceived], ["1", "1", "1", "1"]);
    assert.ok(Date.parse(data.lastMessageSentTimestamp) > 0);
  }
  assert.ok(Date.parse(near.data.lastLocalStreamCreatedTimestamp) > 0);
  assert.ok(Date.parse(far.data.lastRemoteStreamCreatedTimestamp) > 0);
  // 127.0.0.1 in base64.
  assert.equal(near.remote.tcpipAddress.ipAddress, "fwAAAQ==");
  assert.deepEqual([near.local, near.remote], [far.remote, far.local]);
  assert.match(near.data.localFlowControlWindow, /^\d+$/);
});
