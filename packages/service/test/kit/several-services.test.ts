// Several services in one program, as others see it.
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, it, type TestContext } from "node:test";
import { createChannel, createClient } from "@tercel/grpc";
import { bundleProgram } from "@tercel/test-support/bundled-programs";
import { startCommand } from "@tercel/test-support/programs";
import { EchoService } from "../gen/tercel/service/test/v1/echo_pb.ts";
import { onEnd } from "./on-end.ts";

const program = bundleProgram(join(import.meta.dirname, "../programs/two-services.ts"));

/** A folder that holds one for each service, with its configuration. */
function folderWith(test: TestContext, configs: Readonly<Record<string, string>>): string {
  const folder = mkdtempSync(join(tmpdir(), "tercel-several-"));
  onEnd(test, () => rmSync(folder, { recursive: true }));
  for (const [name, yaml] of Object.entries(configs)) {
    mkdirSync(join(folder, name));
    writeFileSync(join(folder, name, "config.yaml"), yaml);
  }
  return folder;
}

const configs = {
  front: "service: {name: front, version: v1.2.3, port: 0}\ndependencies: [{name: back, version: v2}]\n",
  back: "service: {name: back, version: v2.1.0, port: 0}\n",
};

function run(folder: string, ...args: readonly string[]) {
  const { status, stdout, stderr } = spawnSync(process.execPath, [program, ...args], {
    cwd: folder,
    encoding: "utf8",
  });
  return { status, stdout: stdout.trimEnd(), stderr: stderr.trimEnd() };
}

interface Line {
  readonly message: string;
  readonly service: string;
  readonly address?: string;
}

describe("services that run in one program", () => {
  it("call each other in memory, start with what is needed, and stop together at SIGTERM", async (t) => {
    const folder = folderWith(t, configs);
    const running = startCommand(t, "/usr/bin/env", ["-C", folder, process.execPath, program]);
    const ready: Line[] = [];
    while (ready.length < 2) {
      const line = JSON.parse(await running.line()) as Line;
      if (line.message === "ready") ready.push(line);
    }
    assert.deepEqual(
      ready.map(({ service }) => service),
      ["back", "front"],
    );
    for (const { service, address = "" } of ready) {
      const channel = createChannel(address, { defaultTimeoutMs: 20_000 });
      onEnd(t, () => channel.close());
      const { text } = await createClient(EchoService, channel).unary({ text: "hi" });
      assert.equal(text, service === "front" ? "hi of v1.2.3 over memory" : "hi of null over a socket");
    }
    running.signal("SIGTERM");
    assert.deepEqual(await running.ended, [0, null]);
  });

  it("are checked together", (t) => {
    const folder = folderWith(t, configs);
    assert.deepEqual(run(folder, "--check-config"), {
      status: 0,
      stdout:
        "the configuration of front is valid (environment development)\nthe configuration of back is valid (environment development)",
      stderr: "",
    });
    const away = run(
      folderWith(t, { front: "service: {name: front, port: 1}\n", back: "service: {name: back, port: 2}\n" }),
      "--health",
    );
    assert.equal(away.status, 1);
    assert.match(away.stdout, /^front: .*ECONNREFUSED.*\nback: .*ECONNREFUSED/);
  });

  it("have names of their own, one process each, and no arguments for one of them", (t) => {
    const same = run(folderWith(t, { front: "service: {name: one}\n", back: "service: {name: one}\n" }));
    assert.equal(same.status, 1);
    assert.match(same.stderr, /duplicate service name one in this process; set a different service\.name/);
    const workers = run(folderWith(t, { ...configs, back: "service: {name: back, workers: 2}\n" }));
    assert.match(workers.stderr, /service\.workers of back is 2; several services in one program need one process/);
    assert.match(
      run(folderWith(t, configs), "--set", "service.port=1").stderr,
      /--set need a program with one service/,
    );
  });

  it("look a service up whose version is another one than is needed", (t) => {
    const wrong = run(folderWith(t, { ...configs, back: "service: {name: back, version: v3.0.0, port: 0}\n" }));
    assert.equal(wrong.status, 1);
    assert.match(wrong.stderr, /cannot find back: no discovery is configured/);
  });
});
