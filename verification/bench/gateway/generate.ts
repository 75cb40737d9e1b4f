/** `node verification/bench/gateway/generate.ts` regenerates the committed code of the gateway's peers. It needs Go. */
import { join, relative } from "node:path";
import { NODE_PEERS_FOLDER, REST_GO_FOLDER, ROOT_FOLDER } from "../paths.ts";
import { runCommand } from "../process/command.ts";
import { bufCommand } from "./protos.ts";

const usersProto = "examples/rest/proto/api/user/v1/user.proto";
const goPackages = [
  "Mapi/user/v1/user.proto=bench-rest-go/gen/api/user/v1;userv1",
  ...["annotations", "http", "field_behavior"].map(
    (name) => `Mgoogle/api/${name}.proto=google.golang.org/genproto/googleapis/api/annotations`,
  ),
];

const goPlugins = ["protoc-gen-go", "protoc-gen-go-grpc", "protoc-gen-grpc-gateway"].map((name) => ({
  local: ["go", "-C", REST_GO_FOLDER, "tool", name],
  out: relative(ROOT_FOLDER, join(REST_GO_FOLDER, "gen")),
  opt: ["paths=source_relative", ...goPackages],
}));
const nodePlugin = {
  local: join(ROOT_FOLDER, "node_modules/.bin/protoc-gen-es"),
  out: relative(ROOT_FOLDER, join(NODE_PEERS_FOLDER, "connect-node/gen")),
  opt: ["target=ts", "import_extension=ts", "erasable_syntax=true"],
};

const generate = async (plugin: object, ...words: readonly string[]): Promise<void> => {
  const template = JSON.stringify({ version: "v2", plugins: [plugin] });
  const command = [...bufCommand("generate"), "--template", template, ...words] as const;
  await runCommand(command as unknown as readonly [string, ...string[]], { cwd: ROOT_FOLDER });
};

for (const plugin of goPlugins) await generate(plugin, "--path", join(ROOT_FOLDER, usersProto));
// Its code imports that of google.api.
await generate(nodePlugin, "--include-imports", "--path", join(ROOT_FOLDER, usersProto));
