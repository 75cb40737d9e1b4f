// Several processes on one port, with real processes: each test starts program.ts and hears of what happens by its lines.
import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { describe, it, type TestContext } from "node:test";
import { type Client, createClient } from "@connectrpc/connect";
import { type ChannelOptions, createChannel, createServer } from "@tercel/grpc";
import { createHealth } from "@tercel/grpc/services";
import { bundleProgram } from "@tercel/test-support/bundled-programs";
import { type EchoResponse, EchoService } from "../gen/tercel/service/test/v1/echo_pb.ts";

interface Line {
  readonly message: string;
  readonly [field: string]: unknown;
}

interface Program {
  readonly child: ChildProcess;
  /** The first line that fits and was not taken before. Rejects when the output ends without. */
  line(message: string, fits?: (line: Line) => boolean): Promise<Line>;
  /** Everything that holds the output has ended: the parent and every worker. */
  readonly allGone: Promise<unknown>;
  readonly exit: Promise<[code: number | null, signal: string | null]>;
}

function start(test: TestContext, settings: object): Program {
  const child = spawn(
    process.execPath,
    [bundleProgram(join(import.meta.dirname, "program.ts")), JSON.stringify(settings)],
    // A process group of its own, which a test can signal as a whole.
    { stdio: ["ignore", "pipe", "inherit"], detached: true },
  );
  test.after(() => child.kill("SIGKILL"));
  const { stdout } = child;
  assert.ok(stdout !== null);
  const lines: Line[] = [];
  const waiting = new Set<() => void>();
  let isOver = false;
  const wake = (): void => {
    for (const look of [...waiting]) look();
  };
  createInterface({ input: stdout })
    .on("line", (text) => {
      lines.push(JSON.parse(text) as Line);
      wake();
    })
    .on("close", () => {
      isOver = true;
      wake();
    });
  return {
    child,
    line(message, fits = () => true) {
      return new Promise((resolve, reject) => {
        const look = (): void => {
          const at = lines.findIndex((line) => line.message === message && fits(line));
          if (at < 0 && !isOver) return;
          waiting.delete(look);
          if (at >= 0) resolve(lines.splice(at, 1)[0] as Line);
          else reject(new Error(`no line "${message}" among ${JSON.stringify(lines)}`));
        };
        waiting.add(look);
        look();
      });
    },
    allGone: once(stdout, "close"),
    exit: once(child, "exit") as Program["exit"],
  };
}

async function startReady(test: TestContext, settings: object) {
  const program = start(test, { workers: 2, ...settings });
  const { addresses } = await program.line("everybody is ready");
  const { port, path } = (addresses as { port: number; path?: string }[])[0] as { port: number; path?: string };
  const target = path === undefined ? `127.0.0.1:${port}` : `unix:${path}`;
  /** Another connection each time, so another worker's turn. */
  const connect = (options: ChannelOptions = {}): Client<typeof EchoService> => {
    const channel = createChannel(target, { defaultTimeoutMs: 60_000, ...options });
    test.after(() => channel.close());
    return createClient(EchoService, channel);
  };
  return { ...program, connect, port };
}

/** Calls on several connections without a pause, until `end`, which tells what became of them. */
function load(clients: readonly Client<typeof EchoService>[]) {
  let isOver = false;
  let succeeded = 0;
  const failed: string[] = [];
  const firstAnswers = clients.map(() => Promise.withResolvers<void>());
  const loops = clients.map(async (client, at) => {
    while (!isOver) {
      try {
        await client.unary({});
        succeeded++;
      } catch (error) {
        failed.push(String(error));
      }
      firstAnswers[at]?.resolve();
    }
  });
  return {
    running: Promise.all(firstAnswers.map(({ promise }) => promise)),
    async end() {
      isOver = true;
      await Promise.all(loops);
      return { succeeded, failed };
    },
  };
}

const retryUnavailable: ChannelOptions = {
  serviceConfig: {
    methodConfig: [
      {
        name: [{}],
        retryPolicy: {
          maxAttempts: 5,
          initialBackoff: "0.1s",
          maxBackoff: "1s",
          backoffMultiplier: 2,
          retryableStatusCodes: ["UNAVAILABLE"],
        },
      },
    ],
  },
};

describe("several workers", () => {
  it("get the connections in turns, and say in the log which they are", async (test) => {
    const { connect, line } = await startReady(test, {});
    const answers: EchoResponse[] = [];
    for (let i = 0; i < 6; i++) answers.push(await connect().unary({}));
    const numbers = answers.map(({ count }) => count);
    assert.deepEqual(numbers.toSorted(), [1, 1, 1, 2, 2, 2]);
    for (const worker of [1, 2]) {
      const { pid } = await line("worker ready", (one) => one.worker === worker);
      const pids = new Set(answers.filter(({ count }) => count === worker).map(({ text }) => text));
      assert.deepEqual([...pids], [String(pid)]);
    }
  });

  it("come back when they are killed under load, and no call is lost that may be repeated", async (test) => {
    const { connect, line } = await startReady(test, {});
    const { pid, worker } = await line("worker ready");
    await line("worker ready");
    const calls = load([1, 2, 3, 4].map(() => connect(retryUnavailable)));
    await calls.running;
    process.kill(Number(pid), "SIGKILL");
    const lost = await line("worker exited");
    assert.deepEqual([lost.worker, lost.pid, lost.how], [worker, pid, "signal SIGKILL"]);
    const successor = await line("worker ready");
    assert.equal(successor.worker, worker);
    const { succeeded, failed } = await calls.end();
    assert.deepEqual(failed, []);
    assert.ok(succeeded > 0);
    const pids: string[] = [await connect().unary({}), await connect().unary({})].map(({ text }) => text);
    assert.ok(pids.includes(String(successor.pid)), `${successor.pid} is not among ${pids}`);
  });

  it("are replaced one after the other at SIGHUP, under load, without a failed call", async (test) => {
    const { connect, line, child } = await startReady(test, {});
    const old = [await line("worker ready"), await line("worker ready")].map(({ pid }) => pid);
    const calls = load([1, 2, 3, 4].map(() => connect()));
    await calls.running;
    child.kill("SIGHUP");
    await line("workers replaced");
    const { succeeded, failed } = await calls.end();
    assert.deepEqual(failed, []);
    assert.ok(succeeded > 0);
    const pids = [await connect().unary({}), await connect().unary({})].map(({ text }) => Number(text));
    assert.deepEqual(
      pids.filter((pid) => old.includes(pid)),
      [],
    );
  });

  it("go on when the one that is to replace them does not start", async (test) => {
    const folder = mkdtempSync(join(tmpdir(), "tercel-workers-"));
    test.after(() => rmSync(folder, { recursive: true }));
    const failsWith = join(folder, "broken");
    const { connect, line, child } = await startReady(test, { failsWith });
    const old = [await line("worker ready"), await line("worker ready")].map(({ pid }) => pid);
    writeFileSync(failsWith, "");
    child.kill("SIGHUP");
    const { problem } = await line("workers not replaced: the new worker failed to start");
    assert.equal(problem, "no route to the database");
    const pids = [await connect().unary({}), await connect().unary({})].map(({ text }) => Number(text));
    assert.deepEqual(pids.toSorted(), old.toSorted());
  });

  it("are not started twice when one ends that is being replaced", async (test) => {
    const folder = mkdtempSync(join(tmpdir(), "tercel-workers-"));
    test.after(() => rmSync(folder, { recursive: true }));
    const waitsFor = join(folder, "wait");
    const { connect, line, child } = await startReady(test, { waitsFor });
    for (const _worker of [1, 2]) await line("the setup begins");
    const { pid } = await line("worker ready", ({ worker }) => worker === 1);
    writeFileSync(waitsFor, "");
    child.kill("SIGHUP");
    await line("the setup begins");
    process.kill(Number(pid), "SIGKILL");
    assert.equal((await line("worker exited")).restartInMs, undefined);
    rmSync(waitsFor);
    await line("workers replaced");
    assert.deepEqual(JSON.parse((await connect().unary({ text: "count" })).text).workers, {
      wanted: 2,
      ready: 2,
      lost: 1,
    });
  });

  it("share a Unix socket, which stays while any of them does, and is replaced at the next start", async (test) => {
    const folder = mkdtempSync(join(tmpdir(), "tercel-workers-"));
    test.after(() => rmSync(folder, { recursive: true }));
    const path = join(folder, "socket");
    for (const _start of [1, 2]) {
      const { connect, child, line, exit } = await startReady(test, { path });
      assert.equal(statSync(path).mode & 0o777, 0o600);
      const old = [await line("worker ready"), await line("worker ready")].map(({ pid }) => pid);
      child.kill("SIGHUP");
      await line("workers replaced");
      const pids = [await connect().unary({}), await connect().unary({})].map(({ text }) => Number(text));
      assert.deepEqual([new Set(pids).size, pids.some((pid) => old.includes(pid))], [2, false]);
      child.kill("SIGTERM");
      assert.deepEqual(await exit, [0, null]);
    }
  });

  it("drain together at SIGTERM: what they had begun succeeds", async (test) => {
    const { connect, child, exit, line } = await startReady(test, {});
    const clients = [1, 2, 3, 4].map(() => connect());
    // A call for each connection is through, so the next one is under way when the signal comes.
    for (const client of clients) await client.unary({});
    const calls = clients.flatMap((client) => [1, 2, 3].map(() => client.unary({ text: "until the stop" })));
    for (const client of clients) await client.unary({});
    child.kill("SIGTERM");
    const answers = await Promise.all(calls);
    assert.equal(new Set(answers.map(({ text }) => text)).size, 2);
    const { reason, forced, problems } = await line("the parent ends");
    assert.deepEqual([reason, forced, problems], ["SIGTERM", false, []]);
    assert.deepEqual(await exit, [0, null]);
  });

  it("drain once when a signal comes to every process, as from a service manager or a terminal", async (test) => {
    for (const signal of ["SIGTERM", "SIGINT"] as const) {
      const { connect, child, exit, line } = await startReady(test, {});
      const client = connect();
      await client.unary({});
      const call = client.unary({ text: "until the stop" });
      await client.unary({});
      process.kill(-Number(child.pid), signal);
      await call;
      const { reason, forced, problems } = await line("the parent ends");
      assert.deepEqual([reason, forced, problems], [signal, false, []]);
      assert.deepEqual(await exit, [0, null]);
    }
  });

  it("end at once at a second signal", async (test) => {
    const { connect, child, exit, line, allGone } = await startReady(test, {});
    const client = connect();
    const call = client.unary({ text: "for ever" });
    const failure = assert.rejects(call, /unavailable|canceled|cancelled/i);
    await client.unary({});
    child.kill("SIGTERM");
    await line("stopping", (one) => one.workers === 2);
    child.kill("SIGTERM");
    await failure;
    assert.equal((await line("the parent ends")).forced, true);
    assert.deepEqual(await exit, [1, null]);
    await allGone;
  });

  it("are killed when they hang", async (test) => {
    const { connect, child, exit, line } = await startReady(test, { killAfterMs: 500 });
    const client = connect();
    const { count: worker } = await client.unary({});
    const failure = assert.rejects(client.unary({ text: "hang" }));
    const other = connect();
    assert.notEqual((await other.unary({})).count, worker);
    child.kill("SIGTERM");
    await failure;
    const { problems } = await line("the parent ends");
    assert.deepEqual(problems, [`worker ${worker} exited: signal SIGKILL`]);
    assert.deepEqual(await exit, [1, null]);
  });

  it("end when their parent is killed, with the calls that they had begun", async (test) => {
    const { connect, child, allGone } = await startReady(test, {});
    const client = connect();
    await client.unary({});
    const call = client.unary({ text: "until the stop" });
    await client.unary({});
    child.kill("SIGKILL");
    await call;
    await allGone;
  });

  it("are replaced when one of them is told to stop", async (test) => {
    const { line } = await startReady(test, {});
    const { pid, worker } = await line("worker ready");
    await line("worker ready");
    process.kill(Number(pid), "SIGTERM");
    assert.equal((await line("worker exited")).how, "exit code 0");
    assert.equal((await line("worker ready")).worker, worker);
  });

  it("share what they count, and lose nothing of those that were replaced", async (test) => {
    const { connect, child, line } = await startReady(test, {});
    const collect = async () => JSON.parse((await connect().unary({ text: "count" })).text) as object;
    for (let i = 0; i < 4; i++) await connect().unary({});
    assert.deepEqual(await collect(), { value: 5, workers: { wanted: 2, ready: 2, lost: 0 } });
    child.kill("SIGHUP");
    await line("workers replaced");
    await connect().unary({});
    assert.deepEqual(await collect(), { value: 7, workers: { wanted: 2, ready: 2, lost: 0 } });
  });

  it("tell as tercel.workers whether any of them serves, whichever is asked", async (test) => {
    const { connect, port } = await startReady(test, {});
    const channels = [1, 2].map(() => createChannel(`127.0.0.1:${port}`, { defaultTimeoutMs: 60_000 }));
    test.after(() => Promise.all(channels.map((channel) => channel.close())));
    const watches: AsyncIterator<{ status: number }>[] = [];
    for (const channel of channels) {
      const watch = createClient(createHealth().service, channel).watch({ service: "tercel.workers" });
      watches.push(watch[Symbol.asyncIterator]());
      // Connected before the next one is, so that each has a worker of its own.
      await channel.unary(EchoService.method.unary, undefined, undefined, undefined, {});
    }
    const status = async (at: number): Promise<number | undefined> => (await watches[at]?.next())?.value?.status;
    for (const at of [0, 1]) while ((await status(at)) !== 1);
    const clients = [connect(), connect()];
    await clients[0]?.unary({ text: "not serving" });
    const other = createClient(createHealth().service, channels[0] as (typeof channels)[0]);
    assert.equal((await other.check({ service: "tercel.workers" })).status, 1);
    await clients[1]?.unary({ text: "not serving" });
    for (const at of [0, 1]) assert.equal(await status(at), 2);
  });
});

describe("workers that do not start", () => {
  it("end the program with what their setup said", async (test) => {
    const { line, exit, allGone } = start(test, { workers: 2, start: "fails" });
    assert.match(
      String((await line("the parent failed")).problem),
      /^worker [12] failed to start: no route to the database$/,
    );
    assert.deepEqual(await exit, [1, null]);
    await allGone;
  });

  it("end the program when the port is taken", async (test) => {
    const other = createServer({ routes() {} });
    test.after(() => other.close());
    const { port } = await other.listen({ port: 0 });
    const { line, exit } = start(test, { workers: 2, port });
    assert.match(String((await line("the parent failed")).problem), /^worker [12] failed to start: .*EADDRINUSE/);
    assert.deepEqual(await exit, [1, null]);
  });

  it("are not started for ever when they crash", async (test) => {
    const { line, exit } = start(test, { workers: 2, start: "crashes" });
    assert.match(
      String((await line("the parent failed")).problem),
      /^3 workers in a row exited before they were ready; the last was worker [12]: exit code 7$/,
    );
    assert.deepEqual(await exit, [1, null]);
  });
});

describe("one worker", () => {
  it("is the program itself", async (test) => {
    const { connect, child, exit, line } = await startReady(test, { workers: 1 });
    const { text, count } = await connect().unary({});
    assert.deepEqual([Number(text), count], [child.pid, 0]);
    assert.deepEqual(JSON.parse((await connect().unary({ text: "count" })).text), {
      value: 2,
      workers: { wanted: 1, ready: 1, lost: 0 },
    });
    child.kill("SIGTERM");
    assert.equal((await line("the parent ends")).exitCode, 0);
    assert.deepEqual(await exit, [0, null]);
  });
});
