import type { LooseClient, LooseMessage } from "./grpc-client.ts";

/** Returns the items on all pages of a list method. */
export async function listAll(
  client: LooseClient,
  method: `List${string}`,
  request: LooseMessage,
  headers: Readonly<Record<string, string>>,
): Promise<LooseMessage[]> {
  const field = method.slice("List".length).toLowerCase();
  const found: LooseMessage[] = [];
  let page_token = "";
  do {
    const page = await client.call(method, { ...request, page_size: 100, page_token }, headers);
    found.push(...page[field]);
    page_token = page.next_page_token;
  } while (page_token !== "");
  return found;
}
