// The client of the SDK as a separate program: under the export condition of the tests, some of its dependencies resolve to TypeScript.
//
// node mcp-client.ts URL '{"headers":{…},"calls":[{"name":…,"arguments":{…}}]}' prints the results as JSON.

import { Client } from "@modelcontextprotocol/sdk/client/index.js";
import { StreamableHTTPClientTransport } from "@modelcontextprotocol/sdk/client/streamableHttp.js";
import type { Transport } from "@modelcontextprotocol/sdk/shared/transport.js";

const [url = "", given = "{}"] = process.argv.slice(2);
const { headers = {}, calls = [] } = JSON.parse(given) as {
  headers?: Record<string, string>;
  calls?: { name: string; arguments?: Record<string, unknown> }[];
};
const client = new Client({ name: "test", version: "1" });
const transport = new StreamableHTTPClientTransport(new URL(url), { requestInit: { headers } });
// The types of the SDK contradict each other under exactOptionalPropertyTypes.
await client.connect(transport as Transport);
const { tools } = await client.listTools();
const results: unknown[] = [];
for (const call of calls) {
  results.push(await client.callTool(call).catch((error: Error) => ({ refused: error.message })));
}
await client.close();
console.log(JSON.stringify({ tools, results }));
