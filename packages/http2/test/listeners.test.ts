// The layer above may throw from any call and do anything within it: one stream pays for that, never the process.
import assert from "node:assert/strict";
import { test } from "node:test";
import type { Http2Stream } from "../src/index.ts";
import { ErrorCode } from "../src/index.ts";
import {
  createScriptedClient,
  createScriptedServer,
  type ListenerCall,
  type ScriptedConnection,
} from "../src/testing/index.ts";
import { ok, patterned, post } from "./example-fields.ts";

interface Scene extends ScriptedConnection {
  /** Makes the peer do what leads to each of the listener's calls, on stream 1. */
  provoke: Record<ListenerCall, () => void>;
  recorded: {
    log: string[];
    during: ((call: ListenerCall, stream: Http2Stream) => void) | undefined;
    stream: Http2Stream | undefined;
  };
}

/** A client with two requests open, the first with a listener under test. */
async function scene(): Promise<Scene> {
  const client = createScriptedClient({ limits: { output: { streamBufferBytes: 10 } } });
  const { peer } = client;
  await peer.shakeHands({ initialWindowSize: 0 });
  const recorded = client.request(post);
  const other = client.request(post);
  other.stream?.sendData(patterned(5));
  await peer.nextOf("HEADERS");
  await peer.nextOf("HEADERS");
  const head = (): void => peer.sendHeaders(1, ok);
  return {
    ...client,
    recorded,
    provoke: {
      head,
      data: () => {
        head();
        peer.sendData(1, "data");
      },
      trailers: () => {
        head();
        peer.sendHeaders(1, ["a", "b"], { endStream: true });
      },
      end: () => {
        head();
        peer.sendData(1, "", { endStream: true });
      },
      reset: () => peer.sendReset(1, ErrorCode.cancel),
      writable: () => {
        recorded.stream?.sendData(patterned(10));
        peer.sendSettings({ initialWindowSize: 1 });
        peer.sendWindowUpdate(0, 1);
      },
    },
  };
}

const calls: readonly ListenerCall[] = ["head", "data", "trailers", "end", "reset", "writable"];

for (const call of calls) {
  test(`resets only the stream whose listener throws from its "${call}" call`, async () => {
    const { peer, recorded, provoke, events, connection, settle } = await scene();
    recorded.during = (now) => {
      if (now === call) throw new Error("thrown on purpose");
    };
    provoke[call]();
    await settle();
    const resets = peer.unread.filter((frame) => frame.type === "RST_STREAM");
    const expected = call === "reset" ? [] : [{ type: "RST_STREAM", streamId: 1, code: ErrorCode.internalError }];
    assert.deepEqual(resets, expected);
    assert.equal(recorded.log.filter((line) => line === "reset").length, 1, "the listener hears that it is over");
    assert.deepEqual([events.closes, connection.openStreams], [0, 1]);
    // The other stream goes on, also one that waited after this one for room.
    peer.sendWindowUpdate(3, 100);
    await settle();
    let bytes = 0;
    for (const frame of peer.unread) if (frame.type === "DATA" && frame.streamId === 3) bytes += frame.data.length;
    assert.equal(bytes, 5);
  });

  test(`bears a listener that resets its stream from its "${call}" call`, async () => {
    const { peer, recorded, provoke, events, settle } = await scene();
    recorded.during = (now, stream) => {
      if (now === call) stream.reset(ErrorCode.cancel);
    };
    provoke[call]();
    await settle();
    assert.equal(recorded.log.at(-1)?.split(" ")[0], call, "nothing is called after a reset");
    assert.equal(events.closes, 0);
    const closedAlready = call === "reset";
    assert.equal(peer.unread.filter((frame) => frame.type === "RST_STREAM").length, closedAlready ? 0 : 1);
    while (peer.unread.length > 0) await peer.nextFrame();
    await peer.expectAlive();
  });

  for (const [what, act] of [
    ["closes the connection", ({ connection }: Scene) => connection.close(ErrorCode.cancel, "closed from within")],
    [
      "loses the socket",
      ({ channel, connection }: Scene) => {
        channel.destroy();
        connection.socketClosed();
      },
    ],
  ] as const) {
    // biome-ignore format: a table
    test(`bears a listener that ${what} from its "${call}" call`, async () => {
      const one = await scene();
      one.recorded.during = (now) => {
        if (now === call) act(one);
      };
      one.provoke[call]();
      one.provoke.data();
      await one.settle();
      one.channel.closeByPeer();
      await one.settle();
      assert.equal(one.events.closes, 1);
      assert.ok(one.recorded.log.filter((line) => line === "reset").length <= 1);
      assert.equal(one.connection.openStreams, 0);
      assert.equal(one.clock.pendingTimers, 0);
    });
  }

  test(`bears a listener that ends the connection gracefully and opens requests from its "${call}" call`, async () => {
    const one = await scene();
    let opened = 0;
    one.recorded.during = (now) => {
      if (now !== call || opened > 0) return;
      opened++;
      one.connection.request(post, [], true, {
        onHead() {},
        onData() {},
        onTrailers() {},
        onEnd() {},
        onReset() {},
        onWritable() {},
      });
      one.connection.drain();
    };
    one.provoke[call]();
    await one.settle();
    assert.equal(opened, 1);
    await one.peer.expectGoaway(ErrorCode.noError);
    assert.equal(one.events.closes, 0);
  });
}

test("resets a request whose opening throws, and takes the next", async () => {
  let throws = true;
  const { peer, events } = createScriptedServer({
    onStream: () => {
      if (throws) throw new Error("thrown on purpose");
    },
  });
  await peer.shakeHands();
  peer.sendHeaders(1, post, { endStream: true });
  await peer.expectReset(1, ErrorCode.internalError);
  throws = false;
  peer.sendHeaders(3, post, { endStream: true });
  assert.deepEqual(events.stream(3).log, ["end"]);
  await peer.expectAlive();
});

test("goes on when the answer is complete before the request's opening returns", async () => {
  const { peer, events, connection } = createScriptedServer({
    onStream: (_recorded, stream) => stream.sendHeaders(ok, true),
  });
  await peer.shakeHands();
  peer.sendHeaders(1, post, { endStream: true });
  peer.sendHeaders(3, post);
  peer.sendData(3, "x", { endStream: true });
  assert.deepEqual([events.stream(1).log, events.stream(3).log], [["end"], ["data 1", "end"]]);
  assert.equal(connection.openStreams, 0);
});

test("resets every stream when the connection ends, although listeners throw", async () => {
  for (const end of ["GOAWAY", "close", "socket"] as const) {
    const { peer, connection, channel, events, request, settle, clock } = createScriptedClient();
    await peer.shakeHands();
    const all = [1, 2, 3].map(() => request(post));
    for (const recorded of all) {
      recorded.during = () => {
        throw new Error("thrown on purpose");
      };
    }
    if (end === "GOAWAY") peer.sendGoaway(0, ErrorCode.noError);
    else if (end === "close") connection.close();
    channel.closeByPeer();
    await settle();
    assert.deepEqual(all.map((recorded) => recorded.log), [["reset"], ["reset"], ["reset"]]); // biome-ignore format: short
    assert.equal(events.closes, 1);
    assert.equal(clock.pendingTimers, 0);
  }
});

for (const name of ["onReady", "onCapacity", "onGoaway", "onClose"] as const) {
  test(`lets nothing out of the connection when its "${name}" event throws`, async () => {
    const client = createScriptedClient();
    const { peer, channel, events, settle, clock } = client;
    Object.assign(events, {
      [name]: () => {
        events.closes += name === "onClose" ? 1 : 0;
        throw new Error("thrown on purpose");
      },
    });
    const recorded = client.request(post, { endStream: true });
    await peer.nextOf("HEADERS");
    peer.sendSettings();
    peer.sendHeaders(1, ok, { endStream: true });
    peer.sendGoaway(1, ErrorCode.noError);
    channel.closeByPeer();
    await settle();
    assert.equal(events.closes, 1);
    assert.equal(clock.pendingTimers, 0);
    assert.ok(["end", "reset"].includes(recorded.log.at(-1) ?? ""), "the request hears its end all the same");
  });
}

test("frees the memory of streams that were reset while they waited for a window", async () => {
  const { peer, events, settle } = createScriptedServer();
  await peer.shakeHands({ initialWindowSize: 0 });
  const { setFlagsFromString } = await import("node:v8");
  const { runInNewContext } = await import("node:vm");
  setFlagsFromString("--expose-gc");
  const collect = runInNewContext("gc") as () => void;
  const references: WeakRef<Http2Stream>[] = [];
  for (let id = 1; id < 200; id += 2) {
    peer.sendHeaders(id, post);
    const stream = events.stream(id).stream as Http2Stream;
    stream.sendData(patterned(10));
    references.push(new WeakRef(stream));
    peer.sendReset(id, ErrorCode.cancel);
    events.streams.delete(id);
  }
  await settle();
  collect();
  const alive = references.filter((reference) => reference.deref() !== undefined).length;
  assert.ok(alive <= 2, `${alive} of 100 reset streams are still there`);
});
