// tercel generate --stubs in a project: what is written runs, and what is there already stays.
import assert from "node:assert/strict";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, it, type TestContext } from "node:test";
import { pathToFileURL } from "node:url";
import { createServer } from "@tercel/grpc";
import { createOccasion } from "@tercel/test-support/async";
import { folderWithPackages, typeCheck, writeFiles } from "./new-projects.ts";
import { type CliRun, runCli } from "./run-cli.ts";
import { runOnTerminal } from "./run-on-terminal.ts";

function succeeded(run: CliRun): CliRun {
  assert.equal(run.exitCode, 0, run.stderr);
  return run;
}

async function createProject(t: TestContext): Promise<string> {
  const cwd = folderWithPackages(t);
  succeeded(await runCli(["new", "user-service", "--yes", "--no-install", "--no-git"], { cwd }));
  return join(cwd, "user-service");
}

function addMethod(project: string, declaration: string): void {
  const file = join(project, "proto/user/v1/user.proto");
  const text = readFileSync(file, "utf8");
  writeFileSync(file, text.replace("  // WatchUser sends", `  ${declaration}\n\n  // WatchUser sends`));
}

const rename = "rpc RenameUser(GetUserRequest) returns (GetUserResponse);";
const handlersOf = (project: string): string => readFileSync(join(project, "src/users.ts"), "utf8");

describe("tercel generate --stubs", () => {
  it("writes handlers for new methods of each kind, which pass the types and answer UNIMPLEMENTED", async (t) => {
    const project = await createProject(t);
    const before = handlersOf(project);
    assert.equal(succeeded(await runCli(["generate", "--stubs"], { cwd: project })).stdout, "");
    assert.equal(handlersOf(project), before);
    addMethod(project, rename);
    addMethod(project, "rpc ImportUsers(stream CreateUserRequest) returns (ListUsersResponse);");
    addMethod(project, "rpc ExportUsers(ListUsersRequest) returns (stream GetUserResponse);");
    addMethod(project, "rpc SyncUsers(stream GetUserRequest) returns (stream GetUserResponse);");
    const { stdout, stderr } = succeeded(await runCli(["generate", "--stubs"], { cwd: project }));
    assert.equal(stdout, "");
    assert.match(stderr, /^ {2}changed: src\/users\.ts\n4 stubs written$/m);
    const after = handlersOf(project);
    // What was there is there, in the same order.
    let at = -1;
    for (const line of before.split("\n")) {
      at = after.indexOf(line, at + 1);
      assert.notEqual(at, -1, line);
    }
    assert.deepEqual(typeCheck(project), { exitCode: 0, output: "" });

    const { createUsers } = await import(pathToFileURL(join(project, "src/users.ts")).href);
    const { UserService } = await import(pathToFileURL(join(project, "gen/user/v1/user_pb.ts")).href);
    const server = createServer({ routes: (router) => void router.service(UserService, createUsers({}, {})) });
    const { host, port } = await server.listen({ port: 0 });
    t.after(() => server.close({ deadlineMs: 0 }));
    const schema = ["--proto", "proto/user/v1/user.proto", "--target", `${host}:${port}`];
    for (const method of ["RenameUser", "ImportUsers", "ExportUsers", "SyncUsers"]) {
      const run = await runCli(["call", `UserService/${method}`, "-d", "{}", ...schema], { cwd: project });
      assert.equal(run.exitCode, 76, run.stderr);
      assert.match(run.stderr, new RegExp(`^error: UNIMPLEMENTED: ${method} is not implemented$`, "m"));
    }
    assert.match(succeeded(await runCli(["generate", "--stubs"], { cwd: project })).stderr, /^no stub written$/m);
  });

  it("writes a file for a service that has no handlers, and says how it is registered", async (t) => {
    const project = await createProject(t);
    const proto =
      'syntax = "proto3";\npackage team.v1;\nmessage Team {}\nservice TeamService {\n  rpc GetTeam(Team) returns (Team);\n}\n';
    writeFiles(project, new Map([["proto/team/v1/team.proto", proto]]));
    const { stderr } = succeeded(await runCli(["generate", "--stubs"], { cwd: project }));
    assert.match(
      stderr,
      /^ {2}new: src\/team-service\.ts\n {2}register src\/team-service\.ts: router\.service\(TeamService, createTeamService\(\)\);\n1 stub written$/m,
    );
    assert.deepEqual(typeCheck(project), { exitCode: 0, output: "" });
    // It is not registered yet, and it is not written twice.
    const again = await runCli(["generate", "--stubs"], { cwd: project });
    assert.match(
      again.stderr,
      /not written: handlers of team\.v1\.TeamService: src\/team-service\.ts has its handlers, but /,
    );
  });

  it("prints handlers where it is not sure which object they belong into", async (t) => {
    const project = await createProject(t);
    addMethod(project, rename);
    const file = join(project, "src/users.ts");
    writeFileSync(
      file,
      handlersOf(project).replace("return {\n    async getUser", "return {\n    ...common,\n    async getUser"),
    );
    const before = handlersOf(project);
    const { stdout, stderr } = succeeded(await runCli(["generate", "--stubs"], { cwd: project }));
    assert.match(
      stderr,
      /^not written: handlers of user\.v1\.UserService: cannot determine from the code which handlers src\/service\.ts:\d+ registers$/m,
    );
    assert.match(stdout, /^async renameUser\(\) \{$/m);
    assert.equal(handlersOf(project), before);
  });
});

describe("tercel generate without --stubs", () => {
  it("mentions methods that have no handler, and writes none", async (t) => {
    const project = await createProject(t);
    addMethod(project, rename);
    const before = handlersOf(project);
    const { stderr } = succeeded(await runCli(["generate"], { cwd: project }));
    assert.match(
      stderr,
      /^1 method has no handler: UserService\/RenameUser\ntercel generate --stubs writes a stub for each\n$/m,
    );
    assert.equal(handlersOf(project), before);
  });

  it("shows the difference on a terminal, and writes it only after a yes", async (t) => {
    const project = await createProject(t);
    addMethod(project, rename);
    const before = handlersOf(project);
    const env = { PATH: process.env.PATH ?? "" };
    const refused = await runOnTerminal(["generate"], project, { "Write these handlers?": ["n"] }, env);
    assert.equal(refused.exitCode, 0, refused.shown);
    assert.match(refused.stdout, /^\+ {4}async renameUser\(\) \{$/m);
    assert.equal(handlersOf(project), before);
    const agreed = await runOnTerminal(["generate"], project, { "Write these handlers?": ["y"] }, env);
    assert.equal(agreed.exitCode, 0, agreed.shown);
    assert.match(handlersOf(project), /^ {4}async renameUser\(\) \{$/m);
  });

  it("asks nothing while it watches, and with --stubs writes after each change", async (t) => {
    const project = await createProject(t);
    const { Stopped } = await import("../src/frame/stop-signals.ts");
    const controller = new AbortController();
    const [started, written] = [createOccasion(), createOccasion()];
    const run = runCli(["generate", "--watch", "--stubs"], {
      cwd: project,
      signal: controller.signal,
      onStderr: (text) => {
        if (text.includes("no stub written")) started.happen();
        if (text.includes("1 stub written")) written.happen();
      },
    });
    await started.happened;
    addMethod(project, rename);
    await written.happened;
    controller.abort(new Stopped(130));
    assert.equal((await run).exitCode, 130);
    assert.match(handlersOf(project), /renameUser/);
  });
});
