import assert from "node:assert/strict";
import { execFile, execFileSync } from "node:child_process";
import { copyFileSync, existsSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { promisify } from "node:util";
import { credentials, loadPackageDefinition, Metadata, type ServiceClientConstructor } from "@grpc/grpc-js";
import { loadSync } from "@grpc/proto-loader";
import { buildGoPeer, buildPythonPeer, withoutGo, withoutPython } from "@tercel/test-support/peers";
import { findProgram } from "@tercel/test-support/servers";
import { createSuiteContext } from "./cleanup.ts";
import { type DaemonInProcess, startInProcess } from "./daemon-in-process.ts";
import { wimguardCommand } from "./daemon-process.ts";

// Clients that have nothing but backup.proto and a token that `wimguard config token` has printed.

const run = promisify(execFile);
const proto = join(import.meta.dirname, "../../proto/wimguard/v1/backup.proto");
const grpcurl = findProgram("grpcurl");

describe("clients from backup.proto alone", () => {
  const context = createSuiteContext();
  let daemon: DaemonInProcess;
  let token: string;
  let protoFolder: string;
  /** What protoc makes of backup.proto. */
  let descriptors: string;
  before(async () => {
    daemon = await startInProcess(context);
    writeFileSync(join(daemon.folders.source, "file"), "content\n".repeat(1000));
    const [program = "", ...args] = wimguardCommand("config", "token", "--role=admin", "--dir", daemon.folders.data);
    token = execFileSync(program, args, { encoding: "utf8" }).trim();
    // Where there is no other proto that it could lean on.
    protoFolder = join(daemon.folders.data, "proto");
    mkdirSync(protoFolder);
    copyFileSync(proto, join(protoFolder, "backup.proto"));
    descriptors = join(daemon.folders.data, "backup.binpb");
    const buf = join(import.meta.dirname, "../../../../node_modules/.bin/buf");
    execFileSync(buf, ["build", protoFolder, "-o", descriptors]);
  });
  after(() => context.clean());

  it("in grpc-js run the printed flow", async () => {
    const { wimguard } = loadPackageDefinition(
      loadSync("backup.proto", { includeDirs: [protoFolder], longs: Number, keepCase: true, defaults: true }),
    ) as never as {
      wimguard: { v1: { BackupService: ServiceClientConstructor } };
    };
    // biome-ignore lint/suspicious/noExplicitAny: the client is dynamic, and the assertions check what is in a message
    const client = new wimguard.v1.BackupService(daemon.address, credentials.createInsecure()) as any;
    context.after(() => client.close());
    const metadata = new Metadata();
    metadata.set("authorization", `Bearer ${token}`);
    const call = (method: string, request: object): Promise<Record<string, never>> =>
      new Promise((resolve, reject) => {
        client[method](request, metadata, (error: Error | null, response: never) =>
          error === null ? resolve(response) : reject(error),
        );
      });

    const destination = join(daemon.folders.destinations, "grpc-js.tar.zst");
    // biome-ignore lint/suspicious/noExplicitAny: the client is dynamic, and the assertions check what is in a message
    const updates: any[] = [];
    for await (const update of client.CreateBackup({ source: daemon.folders.source, destination }, metadata))
      updates.push(update);
    assert.equal(updates[0].status, "started");
    assert.deepEqual(new Set(updates.slice(1, -1).map(({ status }) => status)), new Set(["in_progress"]));
    const last = updates.at(-1);
    assert.deepEqual([last.status, last.bytes_processed, last.total_bytes, last.error], ["completed", 8000, 8000, ""]);
    assert.equal(new Set(updates.map(({ uuid }) => uuid)).size, 1);
    assert.ok(updates.every((update, at) => update.bytes_processed >= (updates[at - 1]?.bytes_processed ?? 0)));

    const { uuid } = last;
    const { backup } = (await call("GetBackup", { uuid })) as never as { backup: Record<string, unknown> };
    const { created_at: createdAt, ...rest } = backup;
    assert.deepEqual(rest, {
      uuid,
      name: "source",
      source: daemon.folders.source,
      destination,
      type: "tar",
      status: "completed",
      size: 8000,
    });
    assert.match(String(createdAt), /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);
    const list = (await call("ListBackups", { limit: 1 })) as never as { backups: { uuid: string }[]; total: number };
    assert.deepEqual([list.backups.map((one) => one.uuid), list.total], [[uuid], 1]);
    assert.deepEqual(await call("DeleteBackup", { uuid }), { success: true });
    await assert.rejects(call("DeleteBackup", { uuid }), { code: 5 });
    assert.ok(!existsSync(destination));
  });

  it("by grpcurl create and list backups", { skip: grpcurl === undefined && "grpcurl is not installed" }, async () => {
    const call = async (method: string, request: object): Promise<string> => {
      const options = ["-plaintext", "-import-path", protoFolder, "-proto", "backup.proto"];
      const header = ["-H", `authorization: Bearer ${token}`];
      const target = [daemon.address, `wimguard.v1.BackupService/${method}`];
      return (await run(grpcurl as string, [...options, ...header, "-d", JSON.stringify(request), ...target])).stdout;
    };
    const destination = join(daemon.folders.destinations, "grpcurl.tar.zst");
    const stream = await call("CreateBackup", { source: daemon.folders.source, destination });
    assert.match(stream, /"status": "started"[\s\S]+"status": "completed"/);
    assert.match(await call("ListBackups", {}), /grpcurl\.tar\.zst/);
    await assert.rejects(call("CreateBackup", { source: "", destination }), /FIELD_REQUIRED|source is required/);
  });

  it("in Go run the printed flow", { skip: withoutGo }, async () => {
    interface Reported {
      readonly code?: string;
      readonly response?: Record<string, unknown> & { readonly backup?: object; readonly backups?: object[] };
    }
    const call = async (method: string, request: object) => {
      const target = [`-target=${daemon.address}`, `-descriptors=${descriptors}`];
      const options = [`-method=wimguard.v1.BackupService/${method}`, `-authorization=Bearer ${token}`];
      const args = ["call-method", ...target, ...options, `-request=${JSON.stringify(request)}`];
      const { stdout } = await run(buildGoPeer(), args);
      const lines = stdout.trimEnd().split("\n");
      const reported = lines.map((line) => JSON.parse(line) as Reported);
      return { responses: reported.slice(0, -1).map(({ response }) => response ?? {}), code: reported.at(-1)?.code };
    };
    const { source } = daemon.folders;
    const destination = join(daemon.folders.destinations, "go.tar.zst");
    const { responses, code } = await call("CreateBackup", { source, destination });
    assert.deepEqual([responses[0]?.status, responses.at(-1)?.status, code], ["started", "completed", "OK"]);
    assert.deepEqual([responses.at(-1)?.bytes_processed, responses.at(-1)?.total_bytes], [8000, 8000]);
    const uuid = responses[0]?.uuid;
    const [found] = (await call("GetBackup", { uuid })).responses;
    const { created_at: _, ...backup } = (found?.backup ?? {}) as Record<string, unknown>;
    const facts = { uuid, name: "source", source, destination, type: "tar", status: "completed", size: 8000 };
    assert.deepEqual(backup, facts);
    const [list] = (await call("ListBackups", { limit: 1 })).responses;
    assert.equal((list?.backups?.[0] as { uuid?: string } | undefined)?.uuid, uuid);
    assert.deepEqual(await call("DeleteBackup", { uuid }), { responses: [{ success: true }], code: "OK" });
    assert.deepEqual(await call("DeleteBackup", { uuid }), { responses: [], code: "NotFound" });
    assert.ok(!existsSync(destination));
  });

  it("in Python run the printed flow", { skip: withoutPython }, async () => {
    const destination = join(daemon.folders.destinations, "python.tar.zst");
    const script = join(import.meta.dirname, "client.py");
    const args = [script, daemon.address, token, descriptors, daemon.folders.source, destination];
    const { stdout } = await run(buildPythonPeer(), args);
    assert.deepEqual(JSON.parse(stdout), {
      first: "started",
      last: "completed",
      bytes: 8000,
      status: "completed",
      listed: true,
      deleted: true,
      again: "NOT_FOUND",
    });
  });
});
