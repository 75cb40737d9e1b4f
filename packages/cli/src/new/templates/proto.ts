import type { ServiceNames } from "../plan/service-names.ts";
import { joinLines } from "../render/join-lines.ts";

/** The options of a contract. */
export interface Contract {
  readonly names: ServiceNames;
  /** Whether it declares an event for a new entity. */
  readonly hasEvents: boolean;
  /** Whether methods have google.api.http rules. */
  readonly hasGateway: boolean;
}

/** Returns `proto/<name>/v1/<name>.proto`: the contract. */
export function protoFile({ names, hasEvents, hasGateway }: Contract): string {
  const { snake, pascal, words, one, pluralPascal, pluralWords, second, unique } = names;
  const paths = restPaths(names);
  const options = (method: keyof ReturnType<typeof restPaths>): string => {
    const isReadOnly = method === "get" || method === "list" || method === "watch";
    const lines = [
      ...(isReadOnly ? ["option idempotency_level = NO_SIDE_EFFECTS;"] : []),
      ...(hasGateway ? httpRule(paths[method]) : []),
    ];
    return lines.length === 0 ? ";" : ` {\n${lines.map((line) => `    ${line}\n`).join("")}  }`;
  };
  return joinLines(
    `syntax = "proto3";

package ${snake}.v1;

import "buf/validate/validate.proto";
${hasGateway ? 'import "google/api/annotations.proto";\n' : ""}import "google/protobuf/timestamp.proto";

// ${pascal}Service manages ${pluralWords}.
service ${pascal}Service {
  // Get${pascal} returns ${one}, or NOT_FOUND.
  rpc Get${pascal}(Get${pascal}Request) returns (Get${pascal}Response)${options("get")}

  // List${pluralPascal} returns ${pluralWords} page by page, ordered by id.
  rpc List${pluralPascal}(List${pluralPascal}Request) returns (List${pluralPascal}Response)${options("list")}

  // Create${pascal} adds ${one}. It fails with ALREADY_EXISTS if another one has the same ${unique}.
  rpc Create${pascal}(Create${pascal}Request) returns (Create${pascal}Response)${options("create")}

  // Update${pascal} changes the fields that are set. It fails with NOT_FOUND, or with ALREADY_EXISTS as Create${pascal} does.
  rpc Update${pascal}(Update${pascal}Request) returns (Update${pascal}Response)${options("update")}

  // Delete${pascal} removes ${one}, or fails with NOT_FOUND.
  rpc Delete${pascal}(Delete${pascal}Request) returns (Delete${pascal}Response)${options("delete")}

  // Watch${pascal} sends ${one} now and after each change. It ends with NOT_FOUND when the ${words} is deleted.
  rpc Watch${pascal}(Watch${pascal}Request) returns (stream Watch${pascal}Response)${options("watch")}
}

message ${pascal} {
  // Assigned by the service.
  string id = 1;
  string name = 2;
  string ${second} = 3;
  google.protobuf.Timestamp created_at = 4;
  google.protobuf.Timestamp updated_at = 5;
}

message Get${pascal}Request {
  string id = 1 [(buf.validate.field).string.uuid = true];
}

message Get${pascal}Response {
  ${pascal} ${snake} = 1;
}

message List${pluralPascal}Request {
  // Default 50.
  int32 page_size = 1 [(buf.validate.field).int32 = {
    gte: 0
    lte: 1000
  }];
  // The next_page_token of the previous page; empty for the first page.
  string page_token = 2 [(buf.validate.field).string.max_len = 64];
}

message List${pluralPascal}Response {
  repeated ${pascal} ${names.pluralSnake} = 1;
  // Empty on the last page.
  string next_page_token = 2;
}

message Create${pascal}Request {
  string name = 1 ${nameRule};
  string ${second} = 2 ${secondRule(names)};
}

message Create${pascal}Response {
  ${pascal} ${snake} = 1;
}

message Update${pascal}Request {
  string id = 1 [(buf.validate.field).string.uuid = true];
  optional string name = 2 ${nameRule};
  optional string ${second} = 3 ${secondRule(names)};
}

message Update${pascal}Response {
  ${pascal} ${snake} = 1;
}

message Delete${pascal}Request {
  string id = 1 [(buf.validate.field).string.uuid = true];
}

message Delete${pascal}Response {}

message Watch${pascal}Request {
  string id = 1 [(buf.validate.field).string.uuid = true];
}

message Watch${pascal}Response {
  ${pascal} ${snake} = 1;
}`,
    hasEvents &&
      `
// ${pascal}Created is published for each new ${words}.
message ${pascal}Created {
  ${pascal} ${snake} = 1;
}`,
  );
}

/** Returns the google.api.http rule of each method, with resource names of AIP-122. */
function restPaths({ pluralCamel }: ServiceNames) {
  const collection = `/v1/${pluralCamel}`;
  return {
    get: `get: "${collection}/{id}"`,
    list: `get: "${collection}"`,
    create: `post: "${collection}"`,
    update: `patch: "${collection}/{id}"`,
    delete: `delete: "${collection}/{id}"`,
    watch: `get: "${collection}/{id}:watch"`,
  };
}

function httpRule(path: string): string[] {
  if (!/^(?:post|patch):/.test(path)) return [`option (google.api.http) = {${path}};`];
  return ["option (google.api.http) = {", `  ${path}`, '  body: "*"', "};"];
}

const nameRule = `[(buf.validate.field).string = {
    min_len: 1
    max_len: 100
  }]`;

function secondRule({ second }: ServiceNames): string {
  return second === "email"
    ? "[(buf.validate.field).string.email = true]"
    : "[(buf.validate.field).string.max_len = 1000]";
}
