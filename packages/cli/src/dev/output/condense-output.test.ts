import assert from "node:assert/strict";
import { it } from "node:test";
import { condenseOutput } from "./condense-output.ts";

it("keeps the place and the message of an error, from the folder of the service on", () => {
  const output = `file:///home/ada/user%20service/src/users.ts:3
const x = ;
          ^

SyntaxError [ERR_INVALID_TYPESCRIPT_SYNTAX]: Expression expected
    at parseTypeScript (node:internal/modules/typescript:68:40)
    at ModuleLoader.<anonymous> (node:internal/modules/esm/translators:661:16) {
  code: 'ERR_INVALID_TYPESCRIPT_SYNTAX'
}

Node.js v24.21.0
`;
  assert.equal(
    condenseOutput(output, "/home/ada/user service"),
    `src/users.ts:3
const x = ;
          ^

SyntaxError [ERR_INVALID_TYPESCRIPT_SYNTAX]: Expression expected`,
  );
});

it("keeps the problems of a configuration as they are", () => {
  const output = 'config/default.yaml:4:9: service.port is "abc"; expected a number from 0 to 65535\n';
  assert.equal(condenseOutput(output, "/home/ada/user"), output.trim());
});

it("keeps the first lines of what does not load, and the last ones of what ran", () => {
  const lines = Array.from({ length: 30 }, (_, at) => `line ${at}`);
  assert.deepEqual(condenseOutput(lines.join("\n"), "/home/ada").split("\n"), lines.slice(0, 20));
  assert.deepEqual(condenseOutput(`${lines.join("\n")}\n`, "/home/ada", "last").split("\n"), lines.slice(10));
});
