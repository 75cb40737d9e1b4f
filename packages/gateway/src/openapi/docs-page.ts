import { createHash } from "node:crypto";
import type { JsonObject, JsonValue } from "@bufbuild/protobuf";

/** A page of HTML, and the policy that lets nothing run or load in it but its own style. */
export interface DocsPage {
  readonly html: string;
  readonly contentSecurityPolicy: string;
}

/** Shows an OpenAPI document as one page without scripts: operations by tag, with parameters, bodies and responses, and the schemas. */
export function createDocsPage(document: JsonObject, documentPath: string): DocsPage {
  const { title, version, description } = toObject(document.info);
  const operations = listOperations(document);
  const tags = [...new Set(operations.map((one) => one.tag))];
  const schemas = Object.entries(toObject(toObject(document.components).schemas));
  const html = [
    `<!doctype html><html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">`,
    `<title>${escapeHtml(title)}</title><style>${style}</style></head><body><main>`,
    `<h1>${escapeHtml(title)} <small>${escapeHtml(version)}</small></h1>`,
    paragraphs(description),
    `<p><a href="${escapeHtml(documentPath)}">OpenAPI document</a></p>`,
    ...tags.map((tag) => showTag(tag, document, operations)),
    `<h2>Schemas</h2>`,
    ...schemas.map(([name, schema]) => showSchema(name, toObject(schema))),
    "</main></body></html>\n",
  ].join("\n");
  const hash = createHash("sha256").update(style).digest("base64");
  return {
    html,
    contentSecurityPolicy: `default-src 'none'; style-src 'sha256-${hash}'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'`,
  };
}

interface Operation {
  readonly method: string;
  readonly path: string;
  readonly tag: string;
  readonly operation: JsonObject;
}

function listOperations(document: JsonObject): Operation[] {
  return Object.entries(toObject(document.paths)).flatMap(([path, item]) =>
    Object.entries(toObject(item)).map(([method, value]) => {
      const operation = toObject(value);
      const [tag] = toArray(operation.tags);
      return { method, path, operation, tag: typeof tag === "string" ? tag : "" };
    }),
  );
}

function showTag(tag: string, document: JsonObject, operations: readonly Operation[]): string {
  const found = toArray(document.tags).find((one) => toObject(one).name === tag);
  const shown = operations.filter((one) => one.tag === tag).map(showOperation);
  return `<h2>${escapeHtml(tag)}</h2>${paragraphs(toObject(found).description)}${shown.join("\n")}`;
}

function showOperation({ method, path, operation }: Operation): string {
  const isDeprecated = operation.deprecated === true;
  const parameters = toArray(operation.parameters).map((one) => showParameter(toObject(one)));
  const responses = Object.entries(toObject(operation.responses)).map(
    ([status, response]) =>
      `<tr><td>${escapeHtml(status)}</td><td>${showContent(toObject(toObject(response).content))}</td></tr>`,
  );
  const body = toObject(toObject(operation.requestBody).content);
  return [
    `<details id="${escapeHtml(operation.operationId)}"><summary><b class="${escapeHtml(method)}">${escapeHtml(method.toUpperCase())}</b> `,
    `<code>${escapeHtml(path)}</code> ${isDeprecated ? "<em>deprecated</em> " : ""}${escapeHtml(operation.summary)}</summary>`,
    paragraphs(operation.description),
    parameters.length === 0 ? "" : `<h4>Parameters</h4><table>${parameters.join("")}</table>`,
    Object.keys(body).length === 0 ? "" : `<h4>Body</h4><p>${showContent(body)}</p>`,
    `<h4>Responses</h4><table>${responses.join("")}</table></details>`,
  ].join("");
}

function showParameter(parameter: JsonObject): string {
  const content = toObject(toObject(parameter.content)["application/json"]);
  const schema = toObject(parameter.schema ?? content.schema);
  const required = parameter.required === true ? " <em>required</em>" : "";
  return `<tr><td><code>${escapeHtml(parameter.name)}</code>${required}</td><td>${escapeHtml(parameter.in)}</td><td>${showType(schema)} ${escapeHtml(parameter.description)}</td></tr>`;
}

function showContent(content: JsonObject): string {
  const parts = Object.entries(content).map(
    ([type, media]) => `<code>${escapeHtml(type)}</code> ${showType(toObject(toObject(media).schema))}`,
  );
  return parts.length === 0 ? "an error" : parts.join("<br>");
}

function showSchema(name: string, schema: JsonObject): string {
  const required = toArray(schema.required);
  const rows = Object.entries(toObject(schema.properties)).map(([property, value]) => {
    const one = toObject(value);
    const marks = [
      required.includes(property) ? "required" : "",
      one.readOnly === true ? "read only" : "",
      one.writeOnly === true ? "write only" : "",
      one.deprecated === true ? "deprecated" : "",
    ].filter((mark) => mark !== "");
    return `<tr><td><code>${escapeHtml(property)}</code> <em>${marks.join(", ")}</em></td><td>${showType(one)} ${escapeHtml(one.description)}</td></tr>`;
  });
  const values = toArray(schema.enum).map((value) => `<code>${escapeHtml(value)}</code>`);
  return `<details id="schema-${escapeHtml(name)}"><summary><code>${escapeHtml(name)}</code></summary>${paragraphs(schema.description)}${
    rows.length === 0 ? "" : `<table>${rows.join("")}</table>`
  }${values.length === 0 ? "" : `<p>${values.join(" ")}</p>`}</details>`;
}

/** A type in a few words, with a link to the schema that it refers to. */
function showType(schema: JsonObject): string {
  const { $ref: ref, type, format, items, additionalProperties } = schema;
  if (typeof ref === "string") {
    const name = ref.slice(ref.lastIndexOf("schemas/") + "schemas/".length);
    return `<a href="#schema-${escapeHtml(name)}">${escapeHtml(name.slice(name.lastIndexOf(".") + 1))}</a>`;
  }
  if (type === "array") return `list of ${showType(toObject(items))}`;
  if (type === "object" && isObject(additionalProperties)) return `map of ${showType(additionalProperties)}`;
  return (
    [type, format]
      .filter((one) => typeof one === "string")
      .map(escapeHtml)
      .join(" ") || "any"
  );
}

function paragraphs(text: JsonValue | undefined): string {
  if (typeof text !== "string") return "";
  return text
    .split(/\n\s*\n/)
    .map((one) => `<p>${escapeHtml(one)}</p>`)
    .join("");
}

/** Texts of a document may come from anywhere. */
function escapeHtml(text: JsonValue | undefined): string {
  if (text === undefined || text === null) return "";
  return String(text).replace(/[&<>"']/g, (char) => `&#${char.charCodeAt(0)};`);
}

function isObject(value: JsonValue | undefined): value is JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function toObject(value: JsonValue | undefined): JsonObject {
  return isObject(value) ? value : {};
}

function toArray(value: JsonValue | undefined): readonly JsonValue[] {
  return Array.isArray(value) ? value : [];
}

const style = `:root{color-scheme:light dark;--line:light-dark(#d8dee6,#353c46);--soft:light-dark(#f5f7fa,#1c2129);--accent:light-dark(#0b63ce,#6cb2ff)}
body{margin:0;font:16px/1.5 system-ui,sans-serif;background:light-dark(#fff,#13171c);color:light-dark(#1c2430,#e4e8ee)}
main{max-width:960px;margin:0 auto;padding:24px 16px}
h1 small{font-size:.5em;opacity:.7}
h2{margin:2em 0 .5em;border-bottom:1px solid var(--line)}
h4{margin:1em 0 .25em}
a{color:var(--accent)}
h1,h2,p,summary,td{overflow-wrap:anywhere}
code{font:.9em ui-monospace,monospace}
details{border:1px solid var(--line);border-radius:8px;margin:8px 0;padding:8px 12px;background:var(--soft)}
summary{cursor:pointer}
summary b{display:inline-block;min-width:4em;color:var(--accent)}
summary b.delete{color:light-dark(#b42318,#ff9c92)}
table{border-collapse:collapse;width:100%}
td{border-top:1px solid var(--line);padding:4px 8px 4px 0;vertical-align:top}
td:first-child{width:14em;overflow-wrap:break-word}
td:nth-child(2):not(:last-child){width:5em}
@media(max-width:600px){td:first-child{width:9em}}
em{opacity:.75;font-size:.85em}`;
